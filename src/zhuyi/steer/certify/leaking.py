"""What may betray a vetoed attribute: what the decision is made of, and the other inputs."""

from collections.abc import Sequence

import torch
from torch import Tensor

from zhuyi.steer.certify.entry import Call
from zhuyi.steer.certify.places import meant
from zhuyi.steer.certify.probe import flags_of, probe
from zhuyi.steer.certify.runs import Applied, Runs
from zhuyi.steer.contents import aligned
from zhuyi.steer.report import Leak
from zhuyi.steer.rule import Rule


def measure_leaks(
    runs: Runs,
    applied: Applied,
    rule: Rule,
    keys: Sequence[Tensor],
    attribute: Tensor | None,
    seed: int,
) -> tuple[Leak, ...]:
    """Probes of the vetoed attribute under the rules; none where no attribute is known.

    Args:
        attribute: bool "B"; None to take the vetoed text, or the vetoed number against its median.
    """
    call = runs.calls[0]
    flags = _attribute(rule, call, keys[0]) if attribute is None else attribute
    if flags is None or len(runs.calls) != 1 or len(flags) != len(call.content):
        return ()
    outputs = runs.outputs(applied, by_row=True)
    rows = [one.reshape(len(flags), -1) for one in outputs if one.shape[:1] == flags.shape]
    leaks = []
    if rows:
        leaks.append(
            probe(torch.cat([one.double().cpu() for one in rows], 1), flags, "read-out", seed=seed)
        )
    others = _others(call, keys[0])
    if others is not None:
        leaks.append(probe(others, flags, "other inputs", seed=seed))
    return tuple(leaks)


def _attribute(rule: Rule, call: Call, keys_BL: Tensor) -> Tensor | None:
    if call.kind == "tokens":
        shown = [" ".join(meant(rule, one).shown).casefold() for one in call.reading.layouts]
        return flags_of(shown)
    if call.kind == "pixels":
        return None
    keys = aligned(keys_BL, call.content.shape[1])
    places = torch.nonzero(keys.all(0))[:, 0]
    if len(places) != 1:
        return None
    numbers = call.content[:, places[0]].double().reshape(len(call.content), -1)[:, 0]
    flags = numbers > numbers.median()
    return flags if bool(flags.any()) else None


def _others(call: Call, keys_BL: Tensor) -> Tensor | None:
    """What is left of the input, one row of numbers each."""
    keys = aligned(keys_BL, call.content.shape[1]) if call.kind != "pixels" else None
    if keys is None:
        return None
    if call.kind == "tokens":
        used = ~keys
        used[:, : len(used[0])] &= torch.tensor(
            [[p not in one.padding for p in range(call.length)] for one in call.reading.layouts]
        )
        bags = torch.zeros(len(keys), int(call.content.max()) + 1, dtype=torch.float64)
        return bags.scatter_add_(1, call.content.cpu(), used.double())
    kept = (
        call.content.detach().cpu().double().flatten(2)
        if call.content.dim() > 2
        else (call.content.detach().cpu().double()[..., None])
    )
    return torch.where(keys[..., None], 0.0, kept).flatten(1)
