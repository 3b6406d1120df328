"""Made-up reviews whose words say what they are, and what stands beside a negation."""

import numpy as np
from numpy.typing import NDArray

GOOD = ("干净", "安静", "周到", "bright", "friendly", "excellent")
BAD = ("很脏", "吵闹", "冷淡", "gloomy", "rude", "dreadful")
OTHER = ("房间", "前台", "早餐", "the room", "staff", "breakfast", "，", "!", "3楼")


def reviews(count: int, seed: int = 0) -> tuple[list[str], NDArray[np.int64]]:
    """Texts of two of one kind of word among words that say nothing; 1 praises."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 2, count)
    texts = []
    for label in labels:
        said = draw.choice(GOOD if label else BAD, 2, replace=False)
        words = [*said, *draw.choice(OTHER, int(draw.integers(1, 6)))]
        texts.append(" ".join(str(words[n]) for n in draw.permutation(len(words))))
    return texts, labels


def topics(count: int, seed: int = 0) -> tuple[list[str], NDArray[np.int64]]:
    """Texts with any number of three topics, and flags "B 3"."""
    names = ("高血压", "糖尿病", "asthma")
    draw = np.random.default_rng(seed)
    flags = draw.integers(0, 2, (count, 3))
    texts = []
    for row in flags:
        words = [name for name, on in zip(names, row, strict=True) if on]
        words += draw.choice(OTHER, 3).tolist()
        texts.append("，".join(str(words[n]) for n in draw.permutation(len(words))))
    return texts, flags


def negated(count: int, seed: int = 0) -> tuple[list[str], NDArray[np.int64]]:
    """Findings, a third of them denied in front; flags "B 3" of those that hold."""
    names = ("头痛", "咳嗽", "fever")
    draw = np.random.default_rng(seed)
    texts, flags = [], np.zeros((count, 3), np.int64)
    for row in range(count):
        parts = []
        for place in draw.permutation(3)[: draw.integers(1, 4)]:
            denied = bool(draw.random() < 0.5)
            flags[row, place] = not denied
            parts.append(f"否认{names[place]}" if denied else f"有{names[place]}")
        texts.append("；".join(parts))
    return texts, flags
