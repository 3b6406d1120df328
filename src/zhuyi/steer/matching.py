"""What rules mean in the rows that a model is about to read, as masks of positions."""

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from zhuyi.errors import OptionError
from zhuyi.steer.dose import Active
from zhuyi.steer.layout import Layout
from zhuyi.steer.relations import link_masks
from zhuyi.steer.rule import Rule
from zhuyi.steer.selectors import Matched, Selector
from zhuyi.steer.when import holds


def matched_in(rule: Rule, layout: Layout) -> Matched:
    """What a rule is about in one row; nothing where its condition does not hold."""
    if rule.when and not holds(rule.when, layout.values):
        return Matched()
    return _union(rule.select, layout)


def active_in(rule: Rule, rows: Sequence[Matched], layouts: Sequence[Layout]) -> Active:
    """A rule in the rows of a pass.

    Args:
        rule: the rule.
        rows: what it is about in each of them.
        layouts: the rows.
    """
    senders = None
    if rule.sender:
        senders = _mask(layouts, [_union(rule.sender, layout).positions for layout in layouts])
    links = None
    if rule.action == "link":
        held = torch.tensor([not rule.when or holds(rule.when, one.values) for one in layouts])
        from_rows, to_keys = link_masks(rule.select, layouts)
        links = from_rows & held[:, None, None], to_keys
    keys = _mask(layouts, [row.positions for row in rows])
    return Active(rule=rule, keys=keys, rows=senders, links=links)


def real_in(layouts: Sequence[Layout]) -> Tensor | None:
    """Positions that are no padding, bool [B, L]; None where all are real."""
    if not any(layout.padding for layout in layouts):
        return None
    return ~_mask(layouts, [layout.padding for layout in layouts])


def check_places(rules: Iterable[Rule], layers: int | None) -> None:
    """Refuse layers that are named and known not to exist.

    Raises: OptionError: for the first one.
    """
    for rule in rules:
        highest = None if rule.layers is None else rule.layers.highest
        if layers is not None and highest is not None and highest >= layers:
            raise OptionError(
                f"rule {rule.id!r} names layer {highest}, and the model has {layers} "
                f"(0 to {layers - 1})"
            )


def _union(selectors: Sequence[Selector], layout: Layout) -> Matched:
    found = Matched()
    for selector in selectors:
        found |= selector.match(layout)
    return found


def _mask(layouts: Sequence[Layout], positions: Sequence[frozenset[int]]) -> Tensor:
    mask = torch.zeros(len(layouts), max(layout.length for layout in layouts), dtype=torch.bool)
    for row, chosen in enumerate(positions):
        if chosen:
            mask[row, sorted(chosen)] = True
    return mask
