"""Labels as a data file writes them, as the names that a model gives to its decisions."""

from collections.abc import Sequence

from zhuyi.core.record import Said
from zhuyi.errors import InputError
from zhuyi.ui.data import Row


def named_labels(rows: Sequence[Row], labels: Sequence[str]) -> tuple[str | None, ...]:
    """Per row the model's name for its label, or None where it has none.

    All rows are read the same way: as names where every one is a name (then also with other
    capitals), else as indices from 0 where every one is an index.

    Args:
        rows: of the data.
        labels: the model's names, in their order.

    Raises: InputError: if some are neither, with the first of them and its row.

    Example:
        >>> named_labels([Row(number=1, text="fine", label="1")], ("NEGATIVE", "POSITIVE"))
        ('POSITIVE',)
    """
    exact = {name: name for name in labels}
    folded = {name.casefold(): name for name in labels}
    indices = {str(index): name or f"class {index}" for index, name in enumerate(labels)}
    ways = [exact, indices]
    if len(folded) == len(exact):
        ways.insert(1, {**folded, **exact})
    given = [row.label for row in rows]
    for way in ways:
        found = [None if one is None else way.get(one, way.get(one.casefold())) for one in given]
        if all(name is not None for name, one in zip(found, given) if one is not None):
            return tuple(found)
    fits = max(ways, key=lambda way: sum(one in way for one in given))
    row = next(row for row in rows if row.label is not None and row.label not in fits)
    shown = ", ".join(map(repr, labels[:12])) + (" ..." if len(labels) > 12 else "")
    raise InputError(
        f"row {row.number} has the label {row.label!r}, which is neither a name of this model's "
        f"decisions ({shown}) nor an index from 0 to {len(labels) - 1} as all rows' labels would "
        "have to be: rename the data's labels, or leave --label-column out"
    )


def one_class_only(truth: Sequence[str | None]) -> Said | None:
    """What it means that all known labels are the same, or None where they are not."""
    known = {name for name in truth if name is not None}
    if len(known) != 1 or sum(name is not None for name in truth) < 2:
        return None
    name = known.pop()
    return Said(
        en=f"All labels in the data are {name}: the share of right decisions says nothing about "
        "inputs of other kinds.",
        zh=f"数据中的标签全部为 {name}：判断正确率不能说明其他类别的输入。",
    )
