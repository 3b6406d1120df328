"""Estimators for people who have data and no model: scikit-learn's protocol, a glass box inside."""

from zhuyi.learn.classifier import AttentionClassifier
from zhuyi.learn.contributions import Contributions
from zhuyi.learn.loading import load
from zhuyi.learn.prior import Monotone, Prior
from zhuyi.learn.prior_checks import PriorCheck
from zhuyi.learn.regressor import AttentionRegressor
from zhuyi.learn.series import (
    SeriesAttentionClassifier,
    SeriesAttentionRegressor,
    SeriesSubject,
)
from zhuyi.learn.table_subject import TableSubject
from zhuyi.learn.text import TextAttentionClassifier, TextSubject
from zhuyi.learn.training import Progress
from zhuyi.learn.warnings_of_data import DataWarning, UnseenWarning

__all__ = [
    "AttentionClassifier",
    "AttentionRegressor",
    "Contributions",
    "DataWarning",
    "Monotone",
    "Prior",
    "PriorCheck",
    "Progress",
    "SeriesAttentionClassifier",
    "SeriesAttentionRegressor",
    "SeriesSubject",
    "TableSubject",
    "TextAttentionClassifier",
    "TextSubject",
    "UnseenWarning",
    "load",
]
