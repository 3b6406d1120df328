"""Rules that are a part of a table's model: the same bias in training, in deciding, in explaining.

    s_cn = q_c . k_n / sqrt(d) + sum over rules of ln(w), where a rule means column n in this row

A veto is -inf in every mixing layer and in the read-out, so a column that is vetoed in all rows is
neither learned from nor decided by.
"""

import re
import warnings
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from torch import Tensor

from zhuyi.core import AttentionMatrix, Bias
from zhuyi.core.record import Site
from zhuyi.errors import NotSteerable, OptionError, UnmatchedRule
from zhuyi.steer.conflicts import refuse_conflicts, told_conflicts
from zhuyi.steer.dose import Active, Dose
from zhuyi.steer.layout import Layout
from zhuyi.steer.matching import active_in, check_places, matched_in
from zhuyi.steer.rules import Rules
from zhuyi.trace.collector import BiasedCall

if TYPE_CHECKING:
    from zhuyi.learn.schema import Schema

_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_NAME: Final = re.compile(r"[^\W\d][\w./]*")


@dataclass(frozen=True)
class Held:
    """What rules add in the rows of one pass.

    Args:
        dose: of these rows.
    """

    dose: Dose

    def at(
        self, index: int, shape: tuple[int, int, int, int], matrix: Callable[[], AttentionMatrix]
    ) -> Bias | None:
        """The bias of the attention of this index, or None.

        Args:
            index: of the site: mixing layers from 0, then the read-out.
            shape: (B, H, Q, K).
            matrix: gives its weights without the rules; asked for shares alone.
        """
        site = Site(name=f"attention {index}", kind="self", index=index, heads=shape[1])
        return self.dose.bias(BiasedCall(site=site, shape=shape, matrix=matrix))


class Ruling:
    """The rules of a table's model.

    Args:
        rules: what holds. Columns are named by `Column`, cells by `when`.
        schema: how columns are read.
        layers: attention sites of a pass.
    Raises: OptionError: rules that expire (a saved model would silently become another one), layers
        that do not exist, or vetoes that leave nothing to decide by.
    """

    def __init__(self, rules: Rules, schema: "Schema", layers: int) -> None:
        from zhuyi.learn.table_reader import TableReader

        expiring = [rule.id for rule in rules if rule.expires is not None]
        if expiring:
            raise OptionError(
                f"rule {expiring[0]!r} expires, and the rules of a fitted model are a part of it: "
                "leave out `expires`, or steer the fitted model by it (zhuyi.steer)"
            )
        check_places(rules, layers)
        self.rules = rules
        self._names = schema.names
        self._layers = layers
        self._reader = TableReader(schema, layers=layers)
        #: Whether a rule asks for the cells of a row, so that rows have to be read one by one.
        self.by_row = any(rule.when for rule in rules)
        #: Whether what is added to a column's score depends on that column and the row alone.
        self.per_key = all(rule.action in ("boost", "damp", "veto") for rule in rules)
        #: What every row is made of, its cells left out.
        self.layout = Layout(length=len(self._names), pieces=self._reader.pieces)
        self._check_vetoes()

    def held(self, codes: Tensor) -> Held | None:
        """What the rules add in these rows "B N ..."; None where they mean nothing."""
        if not len(codes):
            return None
        active = self._active(self.layouts(codes))
        if not active:
            return None
        if not self.by_row:
            active = [_in_all(one, len(codes)) for one in active]
        N = len(self._names)
        return Held(Dose(active=tuple(active), layers=self._layers, length=N, new=N))

    def layouts(self, codes: Tensor) -> tuple[Layout, ...]:
        """What the rows are made of; one for all of them where no rule asks for cells."""
        return self._reader.read((codes if self.by_row else codes[:1],), {}).layouts

    def by_column(self, codes: Tensor) -> list[list[str]]:
        """Per row and column, the rules that mean it, as text; "" for none."""
        found = []
        for layout in self.layouts(codes):
            row = [""] * len(self._names)
            for rule in self.rules:
                for place in sorted(matched_in(rule, layout).positions):
                    row[place] += (", " if row[place] else "") + f"{rule.id} ({rule.action})"
            found.append(row)
        return found if self.by_row else found * len(codes)

    def check(self, codes: Tensor, *, strict: bool) -> None:
        """Tell of rules that mean nothing in the training rows, or work against each other.

        Raises: NotSteerable: for what means nothing, under `strict`. RuleConflict.
        """
        active = self._active(self.layouts(codes))
        for told in told_conflicts(active):
            warnings.warn(told, UnmatchedRule, stacklevel=5)
        tell_meaningless(self.rules, {one.rule.id for one in active}, self._names, strict=strict)

    def _active(self, layouts: Sequence[Layout]) -> list[Active]:
        """The rules that mean something in these rows.

        Raises: RuleConflict: if they cannot all hold.
        """
        active = []
        for rule in self.rules:
            matched = [matched_in(rule, layout) for layout in layouts]
            if any(row.positions for row in matched):
                active.append(active_in(rule, matched, layouts))
        refuse_conflicts(active)
        return active

    def _check_vetoes(self) -> None:
        gone = set[int]()
        for rule in self.rules:
            if rule.action == "veto" and rule.complete and not rule.when:
                gone |= matched_in(rule, self.layout).positions
        if len(gone) == len(self._names):
            raise OptionError("the rules veto every column: nothing is left to decide by")
        for rule in self.rules:
            asked = _NAME.findall(_QUOTED.sub("", rule.when))
            for name in (self._names[place] for place in sorted(gone)):
                if name in asked:
                    raise OptionError(
                        f"rule {rule.id!r} holds by what {name!r} is, which another rule vetoes in "
                        "all rows: so it would decide after all"
                    )


def tell_meaningless(rules: Rules, meant: Set[str], names: Sequence[str], *, strict: bool) -> None:
    """Warn of rules that mean nothing in the training rows.

    Args:
        rules: all of them.
        meant: ids of those that mean something.
        names: of the columns.
        strict: whether it is an error.
    Raises: NotSteerable: under `strict`.
    """
    for rule in rules:
        if rule.id in meant:
            continue
        told = f"rule {rule.id!r} means nothing in the training rows"
        if strict:
            raise NotSteerable(f"{told}: the columns are {', '.join(names)}")
        warnings.warn(told, UnmatchedRule, stacklevel=6)


def _in_all(one: Active, rows: int) -> Active:
    """What holds in one row, in so many."""

    def wide(mask: Tensor) -> Tensor:
        return mask.expand(rows, *mask.shape[1:])

    return replace(
        one,
        keys=wide(one.keys),
        rows=None if one.rows is None else wide(one.rows),
        links=None if one.links is None else (wide(one.links[0]), wide(one.links[1])),
    )
