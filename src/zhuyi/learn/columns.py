"""How one column is read: what a model keeps of it, as plain JSON, and the two numbers a cell gets.

code = (value, state);  state 0: value is known, 1: missing, 2: a category unseen in training

A text has the codes of its pieces after these two, and no value; state 2: none of them is known.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from zhuyi.errors import InputError
from zhuyi.learn.bags import LONGEST, MOST_PIECES, bag, learn_pieces
from zhuyi.learn.reading import KINDS, Cells, Kind, as_kind

KNOWN, MISSING, UNSEEN = 0, 1, 2
MOST_CATEGORIES: Final = 10_000
_MOST_EDGES: Final = 10_000
_MOST_NAMES: Final = max(MOST_CATEGORIES, MOST_PIECES)
DRAWS: Final = 128  # typical values kept a column, from which a removed cell is drawn


@dataclass(frozen=True, kw_only=True)
class Column:
    """What is known of one column after training; plain numbers and texts only.

    Args:
        name: of the column.
        kind: how its cells are read.
        center: mean of the values, in their unit (days since 1970 for dates).
        scale: standard deviation of the values, 1 for a constant column.
        edges: ascending quantiles at which an effect may bend, two or more; empty for categories.
        categories: names of the categories, by code. Of ordinal columns: lowest first. Of text: the
            pieces that are known, the most frequent first.
        missing: share of training rows without a value, in [0, 1].
        draws: codes (value, state) of typical cells, the column by itself: quantiles of its values
            or categories by frequency; no row of the training data is kept together. Of text: what
            a text says on average.
        longest: of text: most pieces of a cell that are read; else 0.
    """

    name: str
    kind: Kind
    center: float = 0.0
    scale: float = 1.0
    edges: tuple[float, ...] = ()
    categories: tuple[str, ...] = ()
    missing: float = 0.0
    draws: tuple[tuple[float, int], ...] = ()
    longest: int = 0

    @property
    def by_category(self) -> bool:
        """Whether each category has an entry of its own (else the value is a number)."""
        return self.kind in ("categorical", "boolean")

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Column":
        """The column of `as_json`.

        Raises: InputError: when it is not one.
        """
        if set(data) != {field.name for field in fields(cls)} or data["kind"] not in KINDS:
            raise InputError(f"a column of the schema has the wrong entries: {sorted(data)}")
        try:
            numbers = {key: float(data[key]) for key in ("center", "scale", "missing")}
            edges = tuple(map(float, data["edges"]))
            draws = tuple((float(value), int(state)) for value, state in data["draws"])
        except (TypeError, ValueError, OverflowError):
            raise InputError("a column of the schema has entries of the wrong type") from None
        if len(edges) > _MOST_EDGES or any(b <= a for a, b in pairwise(edges)):
            raise InputError("a column of the schema has edges that cannot be")
        found = [*numbers.values(), *edges, *(value for value, _ in draws)]
        if not np.isfinite(found).all() or not numbers["scale"] > 0:
            raise InputError("a column of the schema has numbers that cannot be")
        longest = data["longest"]
        if type(longest) is not int or not 0 <= longest <= LONGEST:
            raise InputError("a column of the schema has a length that cannot be")
        if (data["kind"] == "text") != (longest > 0) or len(data["categories"]) > _MOST_NAMES:
            raise InputError("a column of the schema has categories that cannot be")
        names = data["categories"]
        if not isinstance(names, list | tuple) or not all(isinstance(n, str) for n in names):
            raise InputError("a column of the schema has categories that are no texts")
        return cls(
            name=str(data["name"]), kind=data["kind"], edges=edges, categories=tuple(names),
            draws=draws, longest=longest, **numbers,
        )  # fmt: skip


def learn_column(cells: Cells, kind: Kind | None, *, bins: int) -> Column:
    """What a model has to know of a column, from its training cells.

    Args:
        cells: as they came.
        kind: how a person wants them read, or None for what their type says.
        bins: most pieces of the piecewise-linear encoding of a number.
    Raises: InputError: cells that cannot be read so, too many categories.
    """
    cells = as_kind(cells, kind or cells.kind)
    if cells.kind == "text":
        return _of_texts(cells)
    if cells.kind in ("categorical", "ordinal"):
        return _of_categories(cells, bins)
    assert cells.numbers is not None
    known = cells.numbers[~np.isnan(cells.numbers)]
    share = 1.0 - known.size / max(len(cells), 1)
    if cells.kind == "boolean":
        codes = known.astype(np.int64)
        return Column(
            name=cells.name, kind="boolean", categories=("False", "True"), missing=share,
            draws=_drawn(codes.astype(np.float64), share),
        )  # fmt: skip
    return _of_numbers(cells.name, cells.kind, known, share, bins=bins)


def _of_numbers(
    name: str,
    kind: Kind,
    known: NDArray[np.float64],
    share: float,
    *,
    bins: int,
    categories: tuple[str, ...] = (),
) -> Column:
    if not known.size:
        return Column(name=name, kind=kind, missing=1.0, draws=((0.0, MISSING),),
                      edges=(0.0, 1.0), categories=categories)  # fmt: skip
    center = float(known.mean())
    # a spread that is only rounding is no spread
    spread = float(known.std())
    scale = spread if spread > 1e-12 * max(1.0, abs(center)) else 1.0
    edges = np.unique(np.quantile(known, np.linspace(0.0, 1.0, bins + 1)))
    if edges.size < 2:
        edges = np.array([edges[0], edges[0] + scale])
    return Column(
        name=name,
        kind=kind,
        center=center,
        scale=scale,
        edges=tuple(edges.tolist()),
        categories=categories,
        missing=share,
        draws=_drawn(known, share),
    )


def _of_categories(cells: Cells, bins: int) -> Column:
    assert cells.texts is not None
    present = [text for text in cells.texts if text is not None]
    names = cells.levels or tuple(sorted(set(present), key=_by_number))
    if len(names) > MOST_CATEGORIES:
        raise InputError(
            f"column {cells.name!r} has {len(names)} categories, at most {MOST_CATEGORIES} can be "
            "learned: leave it out if it is an identifier, or group its values"
        )
    index = {name: place for place, name in enumerate(names)}
    codes = np.array([index[text] for text in present], np.float64)
    share = 1.0 - len(present) / max(len(cells), 1)
    if cells.kind == "ordinal":
        return _of_numbers(cells.name, "ordinal", codes, share, bins=bins, categories=names)
    return Column(
        name=cells.name, kind="categorical", categories=names, missing=share,
        draws=_drawn(codes, share),
    )  # fmt: skip


def _of_texts(cells: Cells) -> Column:
    assert cells.texts is not None
    names, longest = learn_pieces(cells.name, cells.texts)
    return Column(
        name=cells.name, kind="text", categories=names, longest=longest,
        missing=sum(text is None for text in cells.texts) / max(len(cells), 1),
        draws=((0.0, UNSEEN),),
    )  # fmt: skip


def _by_number(text: str) -> tuple[float, str]:
    """Categories that are numbers in their order, all others by their letters after them."""
    try:
        return float(text), text
    except ValueError:
        return float("inf"), text


def _drawn(values: NDArray[np.float64], missing: float) -> tuple[tuple[float, int], ...]:
    """Typical cells: values at evenly spaced ranks, and missing ones in their share."""
    gone = round(missing * DRAWS) if values.size else 1
    count = min(DRAWS - gone, DRAWS) if values.size else 0
    ranks = (np.arange(count) + 0.5) / max(count, 1)
    kept = np.quantile(values, ranks, method="inverted_cdf") if count else np.empty(0)
    return (*((float(value), KNOWN) for value in kept), *(((0.0, MISSING),) * gone))


def encode(column: Column, cells: Cells) -> tuple[NDArray[np.float64], dict[str, int]]:
    """Codes "B 2" (value, state) of a column's cells, and how often each unseen category came.

    Of text "B 2 + P", with P pieces at most.


    Raises: InputError: cells that are not of the column's kind.
    """
    cells = as_kind(cells, column.kind)
    codes = np.zeros((len(cells), 2), np.float64)
    if cells.numbers is not None:
        gone = np.isnan(cells.numbers)
        codes[:, 0] = np.where(gone, 0.0, cells.numbers)
        codes[:, 1] = np.where(gone, MISSING, KNOWN)
        return codes, {}
    assert cells.texts is not None
    index = {name: place for place, name in enumerate(column.categories)}
    if column.kind == "text":
        return _bags(column, index, cells.texts), {}
    unseen: dict[str, int] = {}
    for row, text in enumerate(cells.texts):
        if text is None:
            codes[row, 1] = MISSING
        elif text in index:
            codes[row, 0] = index[text]
        else:
            codes[row, 1] = UNSEEN
            unseen[text] = unseen.get(text, 0) + 1
    return codes, unseen


def _bags(
    column: Column, index: Mapping[str, int], texts: tuple[str | None, ...]
) -> NDArray[np.float64]:
    codes = np.zeros((len(texts), 2 + column.longest))
    for row, text in enumerate(texts):
        if text is None:
            codes[row, 1] = MISSING
        else:
            codes[row, 2:] = bag(text, index, column.longest)
            codes[row, 1] = KNOWN if codes[row, 2] else UNSEEN
    return codes
