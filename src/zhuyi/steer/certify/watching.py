"""What attention shows: nobody looks at the vetoed positions, nor is the decision read there."""

from collections.abc import Sequence

import torch
from torch import Tensor

from zhuyi.core.record import Said
from zhuyi.errors import NotWatchable
from zhuyi.steer.certify.certificate import Item
from zhuyi.steer.certify.entry import Call
from zhuyi.steer.certify.outputs import tensors_of
from zhuyi.steer.certify.places import positions
from zhuyi.steer.certify.runs import Applied, Runs, fresh
from zhuyi.steer.rule import Rule
from zhuyi.trace import Keep, watch
from zhuyi.trace.evaluating import evaluating
from zhuyi.trace.readout import measure_rows


def check_attention(runs: Runs, applied: Applied, rule: Rule, keys: Sequence[Tensor]) -> Item:
    """The weight on vetoed keys, summed over the sites, heads and rows that the rule covers."""
    with torch.no_grad(), applied(), watch(runs.model, Keep(value=False)) as tape:
        runs.replayed_all()
    looked, sites = 0.0, 0
    crossing = 0
    for one, call, keys_BL in zip(tape.passes, runs.calls, keys, strict=True):
        rows_BL = positions(rule.sender, call) if rule.sender else None
        for sighting in one:
            layers = rule.layers
            if layers is not None and not layers.holds(sighting.site.index, runs.reader.layers):
                continue
            sites += 1
            assert sighting.matrix is not None
            width = sighting.matrix.shape[2]
            rows = None if rows_BL is None else _fitting(rows_BL, width).to(torch.float32)
            received = sighting.matrix.received(rows)
            received = received[:, list(rule.heads)] if rule.heads else received
            # A query of the model's own reads the same positions; other keys are another sequence.
            foreign = sighting.site.kind == "cross" and received.shape[-1] != keys_BL.shape[1]
            crossing += foreign or received.shape[0] != len(keys_BL)
            hit = _fitting(keys_BL, received.shape[-1])
            if received.shape[0] == len(hit):
                looked += float(received.movedim(1, -1)[hit.to(received.device)].abs().sum())
    numbers = {"sites": sites, "weight": looked, "cross": crossing}
    if crossing:
        said = Said(
            en=f"{crossing} attention sites read another sequence, in which no rule was matched",
            zh=f"有 {crossing} 处注意力读取另一序列，而规则没有在其中匹配",
        )
        return Item(name="attention", state="failed", said=said, numbers=numbers)
    if looked == 0.0:
        said = Said(
            en=f"where it holds, at {sites} attention sites, the weight on it is exactly 0",
            zh=f"在规则所及的 {sites} 处注意力中，它的权重都恰为 0",
        )
        return Item(name="attention", state="held", said=said, numbers=numbers)
    said = Said(
        en=f"attention still looks at it: a total weight of {looked:.3g} at {sites} sites",
        zh=f"仍有注意力在看它：{sites} 处的权重合计 {looked:.3g}",
    )
    return Item(name="attention", state="failed", said=said, numbers=numbers)


def readout_rows(runs: Runs, applied: Applied) -> tuple[Tensor | None, ...] | None:
    """Per call the weights "B L" of the rows that the decision is read from; None if not known.

    None for a call whose decision has a query of its own, or that gives a row for each position.
    """
    if len(runs.calls) != 1:
        return (None,) * len(runs.calls)
    call = runs.calls[0]
    try:
        if runs.subject is not None:
            with applied():
                tape = runs.subject.watch(runs.batch)
                weights = runs.subject.readout(tape)
        else:
            found = _measured(runs, applied, call)
            if found is None:
                return (None,)
            weights = found
    except NotWatchable:
        return None
    return (weights if weights.shape[1] == call.length else None,)


def _measured(runs: Runs, applied: Applied, call: Call) -> Tensor | None:
    with (
        torch.enable_grad(),
        evaluating(runs.model),
        applied(),
        watch(runs.model) as tape,
        runs.changed(None, lambda _, vectors: vectors.detach().requires_grad_()),
    ):
        given = tensors_of(runs.model(*call.args, **fresh(call.kwargs)))
    output = tape[-1].output
    if not given or given[0].dim() != 2 or output is None or not output.requires_grad:
        return None
    return measure_rows(given[0], output)


def check_readout(weights: Sequence[Tensor | None] | None, keys: Sequence[Tensor]) -> Item:
    """Whether the decision is read at a vetoed position."""
    if weights is None:
        said = Said(
            en="from which rows the decision is read could not be told",
            zh="无法得知决策从哪些行读取",
        )
        return Item(name="read-out", state="unchecked", said=said)
    known = [(one, hit) for one, hit in zip(weights, keys, strict=True) if one is not None]
    if not known:
        said = Said(
            en="the model gives a row for each position, or reads by a query of its own: rows of "
            "what is vetoed are not counted as its output",
            zh="模型对每个位置给出一行，或用自己的查询来读取：被否决位置的行不算作输出",
        )
        return Item(name="read-out", state="held", said=said)
    share = max(float((one.cpu() * hit).sum(1).max()) for one, hit in known)
    numbers = {"share": share}
    if share == 0.0:
        said = Said(en="the decision is not read from its positions", zh="决策不从它的位置读取")
        return Item(name="read-out", state="held", said=said, numbers=numbers)
    said = Said(
        en=f"up to {share:.1%} of the decision is read at its own positions (pooling, or the last "
        "token)",
        zh=f"决策中最多有 {share:.1%} 直接从它的位置读取（池化，或最后一个词元）",
    )
    return Item(name="read-out", state="failed", said=said, numbers=numbers)


def _fitting(keys_BL: Tensor, width: int) -> Tensor:
    B, L = keys_BL.shape
    if width <= L:
        return keys_BL[:, L - width :]
    return torch.cat([keys_BL, keys_BL.new_zeros(B, width - L)], 1)
