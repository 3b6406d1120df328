"""DialMed: Chinese dialogues of patients and doctors, with the drugs that were recommended."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from zhuyi.errors import InputError
from zhuyi.recipes.archive import read_file
from zhuyi.recipes.data import fetch
from zhuyi.recipes.datasets import DIALMED
from zhuyi.recipes.tables import check_rows

MASK = "[MASK]"
"""Stands where the doctor named a drug."""


@dataclass(frozen=True, kw_only=True)
class Dialogue:
    """One consultation.

    Args:
        turns: what was said in order, each beginning with 患者： or 医生：.
        drugs: what was recommended.
        diseases: what the dialogue is about.
    """

    turns: tuple[str, ...]
    drugs: tuple[str, ...]
    diseases: tuple[str, ...]

    def text(self) -> str:
        """The dialogue up to the recommendation, as a learner may read it.

        Turns with a masked drug are left out, and all after the first of them: their number of
        masks is the number of drugs, and what follows speaks of drugs already chosen.
        """
        before = []
        for turn in self.turns:
            if MASK in turn:
                break
            before.append(turn)
        return "\n".join(before)


@dataclass(frozen=True, kw_only=True)
class Dialogues:
    """A part of the data.

    Args:
        dialogues: the consultations.
        drugs: the names of the 70 drugs, in the order of `taken`.
        taken: [N, 70], whether a drug was recommended.
    """

    dialogues: tuple[Dialogue, ...]
    drugs: tuple[str, ...]
    taken: npt.NDArray[np.bool_]


def load(
    part: Literal["dev", "test"],
    path: Path | None = None,
    labels: Path | None = None,
    *,
    check: bool = True,
) -> Dialogues:
    """Load one part: 1,192 (dev) or 1,199 (test) dialogues.

    The training part (9,605) is a user's own download.

    Args:
        part: "dev" or "test".
        path: its .jsonl, .jsonl.gz or the publisher's .txt; None asks `fetch`.
        labels: the list of drugs, .json; None asks `fetch`.
        check: whether the numbers of dialogues and drugs must be the published ones.

    Raises: InputError: with the line that is not a dialogue, or names a drug not in the list.
    """
    if part not in ("dev", "test"):
        raise InputError(f"part must be 'dev' or 'test', got {part!r}")
    name = f"dialmed_{part}"
    rows = {file.name: file.rows for file in DIALMED.files}
    order = _order(read_file(labels or fetch("dialmed_label"), "dialmed_label.json"))
    check_rows(len(order), rows["dialmed_label"] if check else None, "dialmed_label.json")
    data = read_file(path or fetch(name), f"{name}.jsonl")
    try:
        lines = data.decode("utf-8-sig").rstrip("\n").split("\n")
    except UnicodeDecodeError:
        raise InputError(f"{name} must be UTF-8, and is not") from None
    found = tuple(_dialogue(line, number, name) for number, line in enumerate(lines, start=1))
    check_rows(len(found), rows[name] if check else None, name)
    taken = np.zeros((len(found), len(order)), dtype=np.bool_)
    place = {drug: index for index, drug in enumerate(order)}
    for row, dialogue in enumerate(found):
        for drug in dialogue.drugs:
            if drug not in place:
                raise InputError(f"{name} line {row + 1} names {drug}, which is not in the list")
            taken[row, place[drug]] = True
    return Dialogues(dialogues=found, drugs=order, taken=taken)


def _order(data: bytes) -> tuple[str, ...]:
    try:
        numbered = json.loads(data)
    except (json.JSONDecodeError, UnicodeDecodeError):
        numbered = None
    if not isinstance(numbered, dict) or sorted(
        place for place in numbered.values() if isinstance(place, int)
    ) != list(range(len(numbered))):
        raise InputError("dialmed_label.json must give each drug its place 0, 1, 2, ...")
    return tuple(sorted(numbered, key=lambda drug: int(numbered[drug])))


def _dialogue(line: str, number: int, name: str) -> Dialogue:
    try:
        entry = json.loads(line)
    except json.JSONDecodeError:
        entry = None
    if not isinstance(entry, dict):
        raise InputError(f"{name} line {number} must be a JSON object: the file is damaged")
    # "original_dialog" is left alone: in some dialogues it says more than "dialog".
    return Dialogue(
        turns=_strings(entry, "dialog", number, name),
        drugs=_strings(entry, "label", number, name),
        diseases=_strings(entry, "disease", number, name),
    )


def _strings(entry: dict[str, Any], key: str, number: int, name: str) -> tuple[str, ...]:
    value = entry.get(key)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise InputError(f"{name} line {number} must have a list of texts as {key!r}")
    return tuple(value)
