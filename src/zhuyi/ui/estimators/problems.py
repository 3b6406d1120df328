"""What a person should hear of a table before a model is trained on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from zhuyi.learn.columns import KNOWN
from zhuyi.learn.problems import find_problems
from zhuyi.learn.reading import read_table
from zhuyi.learn.schema import learn_schema
from zhuyi.ui.estimators.frames import Typed
from zhuyi.ui.estimators.near_leaks import AUROC, R2, gives_away, tells
from zhuyi.ui.estimators.splitting import Split, copies
from zhuyi.ui.estimators.target import Target

if TYPE_CHECKING:
    import pandas as pd

_MANY: Final = 50  # rows from which whole numbers 1, 2, 3, ... can only count them
_RARE: Final = 10  # rows of a class below which nothing can be learned of it
_FEWEST_COPIES: Final = 2
_COPIED: Final = 0.01  # share of held-out rows below which copies hardly move a score
_DISTINCT: Final = 0.5  # share of different rows from which two alike are copies, not chance


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is wrong with a table.

    Args:
        name: "leak", "near leak", "constant", "identifier", "few rows", "rare class", "copies".
        column: that it is in, or "".
        said: in a sentence, with what to do.
    """

    name: str
    column: str
    said: str


def find(
    table: "pd.DataFrame | None",
    columns: Typed,
    kinds: Mapping[str, str],
    target: Target,
    split: Split,
) -> tuple[Problem, ...]:
    """All problems of a table, the gravest first.

    Args:
        table: the factors of the rows that have a target, as they will be learned from; None for
            texts, which are the one column then.
        columns: the same, typed.
        kinds: that a person asked for.
        target: their answers.
        split: of these rows.
    Cost:   O(B N log B).
    """
    if table is None:
        return (*_rare(target), *_copied(columns, target, split))
    found = [*_known_to_learn(table, kinds, target), *_numbered(columns)]
    leaks = {one.column for one in found if one.name == "leak"}
    for name, (kind, values) in columns.items():
        if name not in leaks:
            found += _near_leak(name, kind, values, target)
    found += _rare(target)
    found += _copied(columns, target, split)
    order = ("leak", "near leak", "copies", "identifier")
    return tuple(sorted(found, key=lambda p: order.index(p.name) if p.name in order else 9))


def _known_to_learn(
    table: "pd.DataFrame", kinds: Mapping[str, str], target: Target
) -> list[Problem]:
    """What `zhuyi.learn` itself would warn of."""
    cells = read_table(table)
    schema = learn_schema(cells, kinds)
    codes, _ = schema.encode(cells)
    answers = target.values
    if target.task == "classes":
        answers = np.unique(answers, return_inverse=True)[1]
    found = []
    for problem in find_problems(schema, codes, answers):
        if problem.name == "near leak":
            continue  # told below, with its score
        named = [name for name in schema.names if f"column {name!r}" in problem.said]
        found.append(
            Problem(name=problem.name, column=named[0] if named else "", said=problem.said)
        )
    gone = [c.name for n, c in enumerate(schema.columns) if not (codes[:, n, 1] == KNOWN).any()]
    for name in gone:
        if name not in {one.column for one in found}:
            said = f"column {name!r} is empty, it can say nothing: leave it out"
            found.append(Problem(name="constant", column=name, said=said))
    return found


def _numbered(columns: Typed) -> list[Problem]:
    """Whole numbers, all different, without a gap: they count the rows."""
    found = []
    for name, (kind, values) in columns.items():
        if kind != "numeric" or len(values) < _MANY or any(value is None for value in values):
            continue
        numbers = np.array(values, np.float64)
        spread = float(numbers.max() - numbers.min())
        if (
            (numbers == np.round(numbers)).all()
            and spread == len(numbers) - 1
            and len(np.unique(numbers)) == len(numbers)
        ):
            said = (
                f"column {name!r} counts the rows ({numbers.min():.0f} to {numbers.max():.0f}, "
                "each once), as an identifier does: leave it out (--drop)"
            )
            found.append(Problem(name="identifier", column=name, said=said))
    return found


def _near_leak(name: str, kind: str, values: Sequence[object], target: Target) -> list[Problem]:
    numbers = target.task == "number"
    told = tells(kind, values, target.values, numbers=numbers)
    if told <= (R2 if numbers else AUROC):
        return [] if numbers else _given_away(name, kind, values, target)
    score = f"{'R²' if numbers else 'AUROC'} {told:.4f}"
    said = (
        f"column {name!r} alone tells the target almost perfectly ({score}): leave it out (--drop) "
        "if it is known only after what is to be predicted"
    )
    return [Problem(name="near leak", column=name, said=said)]


def _given_away(name: str, kind: str, values: Sequence[object], target: Target) -> list[Problem]:
    """Of several labels the first that a value gives away."""
    labels = target.task == "labels"
    for label, answers in zip(target.names, target.values.T if labels else [target.values]):
        found = gives_away(kind, values, answers)
        if found is None or (labels and found[2] == 0):
            continue
        value, rows, held, share = found
        said = (
            f"where column {name!r} is {value!r} ({rows:,} rows) the target {label!r} is always "
            f"{str(held)!r}, which it is in {share:.1%} of all rows: leave the column out (--drop) "
            "if it is known only after what is to be predicted"
        )
        return [Problem(name="near leak", column=name, said=said)]
    return []


def _rare(target: Target) -> list[Problem]:
    rare = {name: count for name, count in target.counts.items() if count < _RARE}
    if not rare:
        return []
    shown = ", ".join(f"{name!r} ({count})" for name, count in list(rare.items())[:5])
    more = f" and {len(rare) - 5} more" if len(rare) > 5 else ""
    what = "labels hold" if target.task == "labels" else "classes stand"
    said = (
        f"{what} in fewer than {_RARE} rows: {shown}{more}; nothing that is learned of them can be "
        "checked"
    )
    return [Problem(name="rare class", column="", said=said)]


def _copied(columns: Typed, target: Target, split: Split) -> list[Problem]:
    cells = [*(values for _, values in columns.values()), list(map(str, target.values.tolist()))]
    rows = len(target.places)
    if len(set(zip(*cells, strict=True))) < _DISTINCT * rows:
        return []  # a table of few categories, where rows are alike by chance
    found = copies(cells, split)
    if found.size < max(_FEWEST_COPIES, _COPIED * split.test.size):
        return []
    said = (
        f"{found.size:,} of the {split.test.size:,} held-out rows stand in training too, cell by "
        "cell, which flatters the score: remove the copies, or keep them together with --group"
    )
    return [Problem(name="copies", column="", said=said)]
