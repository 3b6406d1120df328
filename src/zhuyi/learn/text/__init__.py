"""Texts in any language, read without a segmenter."""

from zhuyi.learn.text.classifier import TextAttentionClassifier
from zhuyi.learn.text.subject import TextSubject
from zhuyi.learn.text.vocabulary import Vocabulary

__all__ = ["TextAttentionClassifier", "TextSubject", "Vocabulary"]
