"""Small models of every kind that a desk opens, fitted in a second or less."""

from pathlib import Path

import numpy as np

from tests.learn.tables import mixed_frame
from tests.trace.subject_models import bert, bert_tokenizer, gpt_tokenizer, llama
from zhuyi.learn import (
    AttentionClassifier,
    AttentionRegressor,
    SeriesAttentionClassifier,
    TextAttentionClassifier,
)

TEXT = "the quick brown fox jumped over the lazy dog."


def table() -> AttentionClassifier:
    """Numbers, categories, grades, truth values and dates; the class follows dose and ward."""
    frame, y = mixed_frame(200)
    return AttentionClassifier(max_epochs=8, random_state=0).fit(frame, y)


def number() -> AttentionRegressor:
    """A number of two columns: 10 wear + load, about 100."""
    draw = np.random.default_rng(0)
    X = draw.normal(size=(160, 2))
    return AttentionRegressor(max_epochs=8, random_state=0).fit(X, 100 + 10 * X[:, 0] + X[:, 1])


def series() -> SeriesAttentionClassifier:
    """Two channels of 12 steps; the last steps of the second decide."""
    draw = np.random.default_rng(0)
    X = draw.normal(size=(160, 12, 2))
    y = X[:, -3:, 1].mean(1) > 0
    model = SeriesAttentionClassifier(
        channels=["pressure", "vibration"], stretches=3, max_epochs=8, random_state=0
    )
    return model.fit(X, y)


def text() -> TextAttentionClassifier:
    """Praise and blame of a few words in both scripts."""
    texts = ["房间干净，服务很好", "房间很脏，服务不好", "very good room", "a dirty bad room"] * 10
    labels = ["praise", "blame", "praise", "blame"] * 10
    return TextAttentionClassifier(random_state=0, max_epochs=4).fit(texts, labels)


def save_bert(folder: Path) -> Path:
    """A tiny classifier's folder."""
    model = bert()
    model.config.id2label = {0: "BAD", 1: "GOOD", 2: "SO-SO"}
    model.save_pretrained(folder)
    bert_tokenizer().save_pretrained(folder)
    return folder


def save_llama(folder: Path) -> Path:
    """A tiny decoder's folder."""
    llama().save_pretrained(folder)
    gpt_tokenizer().save_pretrained(folder)
    return folder
