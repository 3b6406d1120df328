"""Glass boxes for time series: factors are channels in stretches of time."""

from zhuyi.learn.series.classifier import SeriesAttentionClassifier
from zhuyi.learn.series.regressor import SeriesAttentionRegressor
from zhuyi.learn.series.subject import SeriesSubject

__all__ = ["SeriesAttentionClassifier", "SeriesAttentionRegressor", "SeriesSubject"]
