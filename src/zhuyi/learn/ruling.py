"""Rules that are a part of a model: the same bias in training, in deciding, in explaining.

    s_cn = q_c . k_n / sqrt(d) + sum over rules of ln(w), where a rule means factor n in this row

A veto is -inf in every mixing layer and in the read-out, so a factor that is vetoed in all rows is
neither learned from nor decided by.
"""

import re
import warnings
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix, Bias
from zhuyi.core.record import Site
from zhuyi.errors import NotSteerable, OptionError, UnmatchedRule
from zhuyi.learn.sources import Source
from zhuyi.learn.warnings_of_data import DataWarning
from zhuyi.steer.conflicts import refuse_conflicts, told_conflicts
from zhuyi.steer.dose import Active, Dose
from zhuyi.steer.layout import Layout
from zhuyi.steer.matching import active_in, check_places, matched_in, real_in
from zhuyi.steer.rule import Rule
from zhuyi.steer.rules import Rules
from zhuyi.trace.collector import BiasedCall

_QUOTED: Final = re.compile(r"\"[^\"]*\"|'[^']*'")
_NAME: Final = re.compile(r"[^\W\d][\w./]*")
_ROWS: Final = 1024  # looked at together before the training


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
    """The rules of a model.

    Args:
        rules: what holds.
        source: what says what rows are made of.
        layers: attention sites of a pass.
    Raises: OptionError: rules that expire (a saved model would silently become another one), that
        ask `when` of what has no values, layers that do not exist, or vetoes that leave nothing to
        decide by.
    """

    def __init__(self, rules: Rules, source: Source, layers: int) -> None:
        expiring = [rule.id for rule in rules if rule.expires is not None]
        if expiring:
            raise OptionError(
                f"rule {expiring[0]!r} expires, and the rules of a fitted model are a part of it: "
                "leave out `expires`, or steer the fitted model by it (zhuyi.steer)"
            )
        check_conditions(rules, source)
        check_places(rules, layers)
        self.rules = rules
        self._layers = layers
        self._source = source
        #: What every row is made of, its values left out; None where rows differ (texts).
        self.layout = source.whole
        #: Whether rows have to be read one by one: a rule asks for their values, or they differ.
        self.by_row = self.layout is None or any(rule.when for rule in rules)
        #: Whether what is added to a column's score depends on that column and the row alone.
        self.per_key = all(rule.action in ("boost", "damp", "veto") for rule in rules)
        if self.layout is not None:
            self._check_vetoes(self.layout)

    def held(self, codes: Tensor) -> Held | None:
        """What the rules add in these rows "B N ..."; None where they mean nothing."""
        if not len(codes):
            return None
        layouts = self.layouts(codes)
        active = self._active(layouts)
        if not active:
            return None
        if not self.by_row:
            active = [_in_all(one, len(codes)) for one in active]
        N = layouts[0].length
        return Held(
            Dose(active=tuple(active), layers=self._layers, length=N, new=N, real=real_in(layouts))
        )

    def layouts(self, codes: Tensor) -> tuple[Layout, ...]:
        """What the rows are made of; one for all of them where no row has to be read by itself."""
        return self._source.layouts(codes if self.by_row else codes[:1], self._vetoed)

    def by_factor(self, codes: Tensor) -> list[list[str]]:
        """Per row and factor, the rules that mean it, as text; "" for none."""
        found = []
        for layout in self.layouts(codes):
            row = [""] * layout.length
            for rule in self.rules:
                for place in sorted(matched_in(rule, layout).positions):
                    row[place] += (", " if row[place] else "") + f"{rule.id} ({rule.action})"
            found.append(row)
        return found if self.by_row else found * len(codes)

    def without_vetoed(self, codes: Tensor) -> Tensor:
        """Codes of texts "B N ..." with nothing where a veto holds; of other rows as they are.

        What is counted in them, before or after the training, must not count what is vetoed.
        """
        if self.layout is not None:
            return codes
        found = codes.clone()
        for rows in torch.split(found, _ROWS):  # views
            for row, layout in zip(rows, self.layouts(rows), strict=True):
                row[sorted(self._vetoed(layout))] = 0
        return found

    def check(self, codes: Tensor, *, strict: bool) -> None:
        """Tell of rules that mean nothing in the training rows, or work against each other.

        And of vetoes of words that stand in their neighbors' places too.

        Raises: NotSteerable: for what means nothing, under `strict`. RuleConflict.
        """
        told, meant, merged = dict[str, None](), set[str](), dict[str, int]()
        for rows in torch.split(codes if self.by_row else codes[:1], _ROWS):
            layouts = self.layouts(rows)
            active = self._active(layouts)
            told |= dict.fromkeys(told_conflicts(active))
            meant |= {one.rule.id for one in active}
            for rule in self.rules:
                cut = sum(_merged(rule, layout) for layout in layouts)
                merged[rule.id] = merged.get(rule.id, 0) + cut
        for one in told:
            warnings.warn(one, UnmatchedRule, stacklevel=5)
        for name, count in merged.items():
            if count:
                warnings.warn(
                    f"rule {name!r} vetoes {count} positions that also hold words beside it, as "
                    "units do in context: all of them are vetoed, and the veto is not exact; see "
                    "zhuyi.certify",
                    DataWarning,
                    stacklevel=5,
                )
        tell_meaningless(self.rules, meant, self._source.told, strict=strict)

    def _vetoed(self, layout: Layout) -> frozenset[int]:
        """Positions of a row that some rule vetoes in all layers and heads."""
        gone = frozenset[int]()
        for rule in self.rules:
            if rule.action == "veto" and rule.complete:
                gone |= matched_in(rule, layout).positions
        return gone

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

    def _check_vetoes(self, layout: Layout) -> None:
        gone = set[int]()
        for rule in self.rules:
            if rule.action == "veto" and rule.complete and not rule.when:
                gone |= matched_in(rule, layout).positions
        names, kind = self._source.names, self._source.kind
        if len(gone) == len(names):
            raise OptionError(f"the rules veto every {kind}: nothing is left to decide by")
        for rule in self.rules:
            asked = _NAME.findall(_QUOTED.sub("", rule.when))
            for name in (names[place] for place in sorted(gone)):
                if name in asked:
                    raise OptionError(
                        f"rule {rule.id!r} holds by what {name!r} is, which another rule vetoes in "
                        "all rows: so it would decide after all"
                    )


def check_conditions(rules: Rules, source: Source) -> None:
    """Refuse conditions on rows that have no values. Raises: OptionError."""
    for rule in rules:
        if rule.when and not source.asked:
            raise OptionError(
                f"rule {rule.id!r} holds when {rule.when!r}, and {source.told}, which have no "
                "values to ask for: leave out `when`, or steer the fitted model by it "
                "(zhuyi.steer with values=)"
            )


def tell_meaningless(rules: Rules, meant: Set[str], there: str, *, strict: bool) -> None:
    """Warn of rules that mean nothing in the training rows.

    Args:
        rules: all of them.
        meant: ids of those that mean something.
        there: what rules could mean, in words.
        strict: whether it is an error.
    Raises: NotSteerable: under `strict`.
    """
    for rule in rules:
        if rule.id in meant:
            continue
        told = f"rule {rule.id!r} means nothing in the training rows"
        if strict:
            raise NotSteerable(f"{told}: {there}")
        warnings.warn(told, UnmatchedRule, stacklevel=6)


def _merged(rule: Rule, layout: Layout) -> int:
    """How many positions that a veto means also hold what others are found by."""
    if rule.action != "veto" or layout.apart:
        return 0
    return len(matched_in(rule, layout).cut)


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
