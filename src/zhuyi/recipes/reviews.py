"""Sentiment of texts: SST-2 in English, ChnSentiCorp in Chinese, on their standard splits."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from zhuyi.errors import InputError
from zhuyi.recipes.archive import read_file
from zhuyi.recipes.data import fetch
from zhuyi.recipes.datasets import CHNSENTICORP, SST2, DataSet
from zhuyi.recipes.tables import check_rows

Part = Literal["train", "dev", "test"]
PARTS: tuple[Part, ...] = ("train", "dev", "test")


@dataclass(frozen=True, kw_only=True)
class Texts:
    """Texts with a label each.

    Args:
        sentences: the texts.
        labels: 1 praises, 0 complains.
    """

    sentences: tuple[str, ...]
    labels: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.sentences)


def sst2(part: Part, path: Path | None = None, *, check: bool = True) -> Texts:
    """One part of SST-2: 6,920 / 872 / 1,821 English sentences of film reviews.

    Args:
        part: "train", "dev" or "test".
        path: its .tsv or .tsv.gz; None asks `fetch`.
        check: whether the number of texts must be that of the standard split.

    Raises: InputError: if the file is not this part.
    """
    lines = _lines(SST2, part, path)
    return _texts([(text, label) for text, label in lines], SST2, part, check)


def chnsenticorp(part: Part, path: Path | None = None, *, check: bool = True) -> Texts:
    """One part of ChnSentiCorp: 9,600 / 1,200 / 1,200 Chinese reviews; as `sst2`."""
    lines = _lines(CHNSENTICORP, part, path)
    if not lines or lines[0] != ("label", "text_a"):
        raise InputError(f"chnsenticorp_{part}.tsv must begin with 'label' and 'text_a'")
    return _texts([(text, label) for label, text in lines[1:]], CHNSENTICORP, part, check)


def overlap(parts: Mapping[str, Texts]) -> dict[tuple[str, str], int]:
    """How many texts of one part stand in an earlier part too, word for word."""
    names = list(parts)
    found = {}
    for index, one in enumerate(names):
        for other in names[index + 1 :]:
            seen = set(parts[one].sentences)
            found[one, other] = sum(text in seen for text in parts[other].sentences)
    return found


def _lines(dataset: DataSet, part: Part, path: Path | None) -> list[tuple[str, str]]:
    name = f"{dataset.name}_{part}"
    if part not in PARTS:
        raise InputError(f"part must be one of {', '.join(PARTS)}, got {part!r}")
    data = read_file(path or fetch(name), f"{name}.tsv")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{name}.tsv must be UTF-8, and is not") from None
    found = []
    # Not splitlines(), which also breaks at characters that stand within reviews.
    for number, line in enumerate(text.replace("\r\n", "\n").rstrip("\n").split("\n"), start=1):
        cells = line.split("\t")
        if len(cells) != 2:
            raise InputError(f"{name}.tsv line {number} must have 2 cells, got {len(cells)}")
        found.append((cells[0], cells[1]))
    return found


def _texts(pairs: list[tuple[str, str]], dataset: DataSet, part: Part, check: bool) -> Texts:
    name = f"{dataset.name}_{part}"
    expected = next(file.rows for file in dataset.files if file.name == name)
    strange = next((label for _, label in pairs if label not in ("0", "1")), None)
    if strange is not None:
        raise InputError(f"{name}.tsv must have the labels 0 and 1, got {strange!r}")
    check_rows(len(pairs), expected if check else None, f"{name}.tsv")
    labels = np.array([int(label) for _, label in pairs], dtype=np.int64)
    return Texts(sentences=tuple(text for text, _ in pairs), labels=labels)
