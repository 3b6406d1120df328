"""From a sheet to all that is known before training: target, factors, split, problems."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.estimators.cells import Asked, read_asked, typed
from zhuyi.ui.estimators.frames import Typed, frame, plain_frame
from zhuyi.ui.estimators.problems import Problem, find
from zhuyi.ui.estimators.sheet import Sheet
from zhuyi.ui.estimators.splitting import Split, split_rows
from zhuyi.ui.estimators.target import Target, read_target

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How a person wants a model to be fitted.

    Args:
        targets: columns to predict.
        task: "auto", "classify" or "regress".
        text: the column to learn from alone, as text; None for a table.
        columns: NAME=KIND for columns whose cells say the wrong thing.
        drop: columns to leave out.
        group: column whose groups are not split between training and held-out rows, or None.
        test_share: of the rows that are held out.
        mixing_layers: see `AttentionClassifier`.
        epochs: most passes over the rows, or None for the estimator's own.
        threshold: of binary decisions: within (0, 1), "f1", or None for one half.
        seed: of everything random.
        folder: where the model goes, or None.
    """

    targets: tuple[str, ...]
    task: str = "auto"
    text: str | None = None
    columns: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    group: str | None = None
    test_share: float = 0.2
    mixing_layers: int = 0
    epochs: int | None = None
    threshold: float | str | None = None
    seed: int = 0
    folder: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """All that is known before training.

    Args:
        sheet: rows that have a target.
        offered: rows that the file had.
        target: their answers.
        inputs: what the estimator learns from: a frame, or texts.
        plain: the same for baselines.
        columns: factors by name with their kind; empty for texts.
        asked: kinds that a person said.
        split: of the rows.
        groups: of the rows, or None.
        problems: that a person should hear of.
    """

    sheet: Sheet
    offered: int
    target: Target
    inputs: "pd.DataFrame | list[str]"
    plain: "pd.DataFrame | list[str]"
    columns: Mapping[str, str]
    asked: Mapping[str, Asked]
    split: Split
    groups: tuple[object, ...] | None
    problems: tuple[Problem, ...]


def prepare(sheet: Sheet, wish: Wish) -> Prepared:
    """Read the target, the factors and the split, and look for problems.

    Raises: InputError: a table that nothing can be learned from. OptionError: options that do not
        fit the table or each other.
    """
    target = read_target(sheet, wish.targets, wish.task)
    if wish.threshold is not None and (target.task != "classes" or len(target.counts) != 2):
        raise OptionError("--threshold is for a target of two classes: leave it out")
    places = [p for p in target.places if wish.text is None or _texts(sheet, wish.text)[p]]
    target = _only(target, places)
    used = sheet.taken(target.places)
    groups = None
    if wish.group is not None:
        cells = used.column(wish.group, "--group")
        # a row without a group is a group by itself
        groups = tuple(f"row {n}" if c is None else c for n, c in zip(used.rows, cells))
    split = split_rows(
        len(used),
        wish.test_share,
        wish.seed,
        classes=target.values if target.task == "classes" else None,
        groups=groups,
    )
    _check_classes(target, split)
    if wish.text is not None:
        return _of_texts(sheet, used, target, wish, split, groups)
    factors = _factors(used, wish)
    asked = read_asked(wish.columns, tuple(factors.columns))
    columns = typed(factors, asked)
    table = frame(columns, asked)
    kinds = {name: one.kind for name, one in asked.items()}
    return Prepared(
        sheet=used,
        offered=len(sheet) + len(sheet.broken),
        target=target,
        inputs=table,
        plain=plain_frame(_without_text(columns), asked),
        columns={name: kind for name, (kind, _) in columns.items()},
        asked=asked,
        split=split,
        groups=groups,
        problems=find(table, columns, kinds, target, split),
    )


def _factors(used: Sheet, wish: Wish) -> Sheet:
    for name in wish.drop:
        used.column(name, "--drop")
    gone = {*wish.targets, *wish.drop, wish.group}
    names = [name for name in used.columns if name not in gone]
    if not names:
        raise InputError(f"{used.name} has no column left to learn from")
    return used.only(names)


def _without_text(columns: Typed) -> Typed:
    """What the simple models read; of prose alone, each text as a category."""
    read = {name: column for name, column in columns.items() if column[0] != "text"}
    return read or columns


def _texts(sheet: Sheet, name: str) -> tuple[object, ...]:
    return sheet.column(name, "--text")


def _only(target: Target, places: Sequence[int]) -> Target:
    """The target at some of its rows."""
    if len(places) == len(target.places):
        return target
    if not places:
        raise InputError("no row has both a target and a text")
    kept = set(places)
    rows = [n for n, place in enumerate(target.places) if place in kept]
    return Target(
        task=target.task, names=target.names, values=target.values[rows],
        places=tuple(places), why=target.why,
    )  # fmt: skip


def _of_texts(
    sheet: Sheet,
    used: Sheet,
    target: Target,
    wish: Wish,
    split: Split,
    groups: tuple[object, ...] | None,
) -> Prepared:
    assert wish.text is not None
    if target.task == "number":
        raise OptionError("--text learns classes: say --task classify if the target names classes")
    if wish.columns or wish.drop:
        raise OptionError("--column and --drop are for tables: --text learns from one column alone")
    texts = [str(cell) for cell in used.column(wish.text, "--text")]
    columns: Typed = {wish.text: ("categorical", texts)}
    problems = find(None, columns, {}, target, split)
    return Prepared(
        sheet=used, offered=len(sheet) + len(sheet.broken), target=target, inputs=texts,
        plain=texts, columns={}, asked={}, split=split, groups=groups, problems=problems,
    )  # fmt: skip


def _check_classes(target: Target, split: Split) -> None:
    """A class that training does not have cannot be scored."""
    if target.task != "classes":
        return
    absent = sorted(set(target.values.tolist()) - set(target.values[split.train].tolist()))
    if absent:
        raise InputError(
            f"the class {absent[0]!s} stands in held-out groups only: hold out other groups "
            "(--seed), fewer (--test-share), or leave the class out"
        )
