"""fit.json: how a model in a folder came about, for people, for `predict` and for `audit`.

It holds names, numbers and row numbers, and no row of the data.
"""

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from zhuyi.errors import InputError
from zhuyi.ui.estimators.fitting import Outcome
from zhuyi.ui.estimators.problems import Problem
from zhuyi.ui.estimators.scoring import Scored
from zhuyi.ui.estimators.sheet import STDIN, Sheet

SCHEMA: Final = "zhuyi.fit/1"
NAME: Final = "fit.json"
_MOST: Final = 64 * 2**20  # bytes that are read
_FACTORS: Final = 50  # a label that are written down


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What `predict` and `audit` need of fit.json; empty for a model fitted elsewhere.

    Args:
        targets: columns that were predicted.
        unused: columns that were there and are no factors (dropped, or the group).
        text: the column of text, or None for a table.
        missing: texts that stood for a missing cell, besides the usual ones.
        digest: SHA-256 of the file it was fitted on, or "".
        held_out: numbers of that file's rows that training did not see.
    """

    targets: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    text: str | None = None
    missing: tuple[str, ...] = ()
    digest: str = ""
    held_out: tuple[int, ...] = ()


def problems_as_values(problems: tuple[Problem, ...]) -> list[dict[str, str]]:
    """Problems as plain JSON values."""
    return [{"name": one.name, "column": one.column, "said": one.said} for one in problems]


def as_values(outcome: Outcome, sha256: str, missing: tuple[str, ...]) -> dict[str, Any]:
    """The record as plain JSON values.

    Args:
        outcome: of the fit.
        sha256: `digest` of the data as they were read.
        missing: texts that stood for a missing cell.
    """
    wish, prepared = outcome.wish, outcome.prepared
    split, target = prepared.split, prepared.target
    model = outcome.model
    return {
        "schema": SCHEMA,
        "zhuyi": version("zhuyi"),
        "model": {
            "class": type(model).__name__,
            "explanation": model.explanation_,
            "epochs": model.n_epochs_,
            "seconds": round(outcome.seconds, 2),
            "mixing_layers": wish.mixing_layers,
            "seed": wish.seed,
        },
        "data": {
            "name": prepared.sheet.name,
            "sha256": sha256,
            "rows": prepared.offered,
            "used": len(prepared.sheet),
            "missing": list(missing),
        },
        "task": target.task,
        "targets": list(target.names),
        "classes": target.counts,
        "text": wish.text,
        "columns": dict(prepared.columns),
        "unused": [*wish.drop, *([wish.group] if wish.group else [])],
        "split": {
            "train": int(split.train.size),
            "test": int(split.test.size),
            "group": wish.group,
            "held_out": [prepared.sheet.rows[place] for place in split.test.tolist()],
        },
        "problems": problems_as_values(prepared.problems),
        "scores": [_score(one) for one in outcome.scores],
        "better_than_trivial": outcome.better,
        "factors": _factors(outcome),
    }


def write(values: Mapping[str, Any], folder: Path) -> None:
    """Put fit.json beside the model, whole or not at all."""
    text = json.dumps(values, ensure_ascii=False, indent=1, allow_nan=False)
    unfinished = folder / f"{NAME}.part"
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, folder / NAME)


def read(folder: Path) -> Kept:
    """What a folder's fit.json says; nothing where there is none.

    Raises: InputError: a file that is no such record.
    """
    path = folder / NAME
    if not path.is_file() or path.is_symlink():
        return Kept()
    if path.stat().st_size > _MOST:
        raise InputError(f"{path} has more than {_MOST:,} bytes: delete it to do without")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["schema"] != SCHEMA:
            raise ValueError(f"its schema is {values['schema']!r}, not {SCHEMA!r}")
        text = values["text"]
        return Kept(
            targets=_texts(values["targets"]),
            unused=_texts(values["unused"]),
            text=None if text is None else str(text),
            missing=_texts(values["data"]["missing"]),
            digest=str(values["data"]["sha256"]),
            held_out=tuple(int(row) for row in values["split"]["held_out"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is no record of a fit ({error}): delete it") from None


def digest(path: Path) -> str:
    """SHA-256 of a file; "" of standard input."""
    if str(path) == STDIN:
        return ""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def unseen_in_training(sheet: Sheet, path: Path, kept: Kept) -> list[int] | None:
    """Places of the rows that training did not see, of the very file that the model was fitted on.

    Returns: None of any other file, where nothing is known.
    """
    if not kept.digest or not kept.held_out or digest(path) != kept.digest:
        return None
    held = set(kept.held_out)
    return [place for place, row in enumerate(sheet.rows) if row in held]


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError(f"expected a list, got {type(values).__name__}")
    return tuple(str(one) for one in values)


def _score(one: Scored) -> dict[str, Any]:
    return {
        "model": one.model,
        "role": one.role,
        "metric": one.metric,
        "value": _finite(one.score.value),
        "lower": _finite(one.score.lower),
        "upper": _finite(one.score.upper),
        "interval": one.score.how,
        "others": {name: _finite(value) for name, value in one.others.items()},
        "seconds": round(one.seconds, 2),
    }


def _finite(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _factors(outcome: Outcome) -> list[dict[str, Any]]:
    counts: dict[str, int] = {}
    found = []
    for one in outcome.factors:
        counts[one.label] = counts.get(one.label, 0) + 1
        if counts[one.label] <= _FACTORS:
            found.append(
                {"label": one.label, "factor": one.factor, "size": one.size, "first": one.first}
            )
    return found
