"""What every attention head does on the audited inputs, in numbers."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from zhuyi.audit.report import HeadRow
from zhuyi.core import AttentionSummary, Statistics
from zhuyi.core.record import Unit
from zhuyi.errors import NotWatchable
from zhuyi.trace.keep import Keep
from zhuyi.trace.subject import Batch, Subject

_ASKED = Statistics(received=True, entropy=True, max=True, distance=True)


def head_sums(subject: Subject, batch: Batch) -> list[dict[str, Any]]:
    """Sums over the query rows of a group, per site and head, as plain JSON values.

    Returns: per site "layer", "site", "kind", "rows" (query rows that counted) and per head sums
        of entropy (nats), distance (positions), peak (largest weight of a row), first (weight on
        the first position), special (weight on pieces the model added, or None where positions
        and units do not match). Empty where attention cannot be seen.
    """
    try:
        tape = subject.watch(batch, Keep(matrix=False, statistics=_ASKED))
    except NotWatchable:
        return []
    units = subject.units(batch)
    found = []
    for sighting in tape:
        summary = sighting.summary
        assert summary is not None
        found.append(
            {
                "layer": sighting.site.index,
                "site": sighting.site.name,
                "kind": sighting.site.kind,
                "rows": int(summary.rows.expand(summary.shape[0]).sum()),
                **_sums(summary, units),
            }
        )
    return found


def _sums(summary: AttentionSummary, units: Sequence[Sequence[Unit]]) -> dict[str, Any]:
    received = summary.received
    assert received is not None
    assert summary.entropy is not None
    assert summary.max is not None
    assert summary.distance is not None
    B, _, K = received.shape
    special: list[float] | None = None
    if len(units) == B:
        added = torch.zeros(B, K)
        for row, named in enumerate(units):
            places = [p for unit in named if unit.special for p in unit.positions if p < K]
            added[row, places] = 1.0
        special = _listed((received.cpu() * added[:, None]).sum(2))
    return {
        "entropy": _listed(summary.entropy.sum(2)),
        "distance": _listed(summary.distance.sum(2)),
        "peak": _listed(summary.max.sum(2)),
        "first": _listed(received[:, :, 0]),
        "special": special,
    }


def _listed(numbers_BH: Tensor) -> list[float]:
    return [float(number) for number in numbers_BH.double().sum(0)]


def head_rows(groups: Sequence[Sequence[dict[str, Any]]]) -> tuple[HeadRow, ...]:
    """Means over the query rows of all groups."""
    sites: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for group in groups:
        for site in group:
            sites.setdefault((site["layer"], site["site"]), []).append(site)
    return tuple(
        HeadRow(
            layer=layer,
            head=head,
            site=name,
            kind=parts[0]["kind"],
            numbers=_means(parts, head),
        )
        for (layer, name), parts in sorted(sites.items())
        for head in range(len(parts[0]["entropy"]))
    )


def _means(parts: Sequence[dict[str, Any]], head: int) -> dict[str, float]:
    rows = max(sum(part["rows"] for part in parts), 1)
    names = ["entropy", "distance", "peak", "first"]
    if all(part["special"] is not None for part in parts):
        names.append("special")
    numbers = {name: sum(part[name][head] for part in parts) / rows for name in names}
    # The mean row's reach: over how many positions a uniform row of this entropy would spread.
    numbers["reach"] = float(torch.tensor(numbers["entropy"]).exp())
    return numbers
