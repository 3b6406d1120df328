"""What happens when a watched model attends: run or stream, then put it on the tapes."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import torch

from zhuyi.core import (
    AttentionMatrix,
    AttentionSummary,
    Bias,
    Mask,
    Statistics,
    attend,
    attend_and_summarize,
)
from zhuyi.core.bias_terms import PerKeyTerm
from zhuyi.errors import NotWatchable, OptionError
from zhuyi.trace.collector import BiasedCall, Claim, site, suppressed
from zhuyi.trace.tape import Sighting

MODEST: Final = 1e4  # below it no dot product with a query of a living model overflows


@dataclass(frozen=True, kw_only=True)
class Heard:
    """An attention call as an adapter understood it.

    Args:
        query: [B, H, Q, D].
        key: [B, G, K, D].
        value: [B, G, K, Dv].
        bias, mask, scale, softcap, sink: as in `zhuyi.attend`.
        present: bool [B, Q], False for query rows that are padding; None when all are real.
        cross: whether the keys are another sequence.
        run: the model's own kernel; returns the output [B, H, Q, Dv].
        kernel: name of that kernel.
        streamable: whether a streamed output may stand in for `run` (no dropout, no weights
            to return, meaning known exactly).
        dropout: the share of weights that `run` drops.
        volatile: whether the model will write into key and value again (a static cache).
    """

    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    run: Callable[[], torch.Tensor]
    kernel: str
    cross: bool
    bias: Bias | None = None
    mask: Mask | None = None
    scale: float | None = None
    softcap: float | None = None
    sink: torch.Tensor | None = None
    present: torch.Tensor | None = None
    streamable: bool = True
    dropout: float = 0.0
    volatile: bool = False

    def matrix(self) -> AttentionMatrix:
        """The call's weights as a lazy operator; padding rows are absent."""
        mask = self.mask
        if self.present is not None:
            rows = Mask.rows(self.present)
            mask = rows if mask is None else mask & rows
        return AttentionMatrix(
            self.query,
            self.key,
            bias=self.bias,
            mask=mask,
            scale=self.scale,
            softcap=self.softcap,
            sink=self.sink,
        )

    def unpadded(self) -> AttentionMatrix:
        """The weights with those of padding rows, as the model's kernel computes them."""
        return replace(self, present=None).matrix()

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """(B, H, Q, K)."""
        B, H, Q, _ = self.query.shape
        return B, H, Q, self.key.shape[2]

    @property
    def needs_graph(self) -> bool:
        """Whether a gradient may be asked of the output."""
        added = () if self.bias is None else self.bias.tensors
        tensors = (self.query, self.key, self.value, *added)
        return torch.is_grad_enabled() and any(tensor.requires_grad for tensor in tensors)


def observe(heard: Heard, claims: list[Claim]) -> torch.Tensor:
    """Run the call, put it on every tape that claimed it, and return the output [B, H, Q, Dv].

    Biases of open `biased` blocks are added first (see `intervened`).
    """
    heard = intervened(heard, claims)
    claims = [claim for claim in claims if claim.collector.rule is None]
    wanted = [claim.collector.keep.statistics for claim in claims]
    asked = next((one for one in wanted if one is not None), None)
    summaries: dict[Statistics, AttentionSummary] = {}
    kernel = heard.kernel
    with suppressed():
        if asked is not None and heard.streamable and not heard.needs_graph:
            with _exact(heard):
                output, summary = _streamed(heard, asked)
            summaries[asked] = summary
            kernel = summary.backend
        else:
            output = heard.run()
        with _exact(heard):
            matrix = heard.matrix()
            for claim, statistics in zip(claims, wanted):
                if statistics is not None and statistics not in summaries:
                    with torch.no_grad():
                        summaries[statistics] = matrix.summary(statistics)
                taken = None if statistics is None else summaries[statistics]
                claim.collector.add(_sighting(heard, claim, matrix, taken, output, kernel))
    return output


def intervened(heard: Heard, claims: list[Claim]) -> Heard:
    """The call with all that `biased` blocks add to its scores; the same object when nothing is.

    Its `run` then is `zhuyi.core.attend` with the meaning the adapter read; padding rows are
    computed like the others, as the model's own kernel does. An adapter that hands weights back
    beside the output asks here too, and takes them from `unpadded()`.

    Raises:
        NotWatchable: if the call drops weights at random.
    """
    found = (claim.bias(_offered(heard, claim)) for claim in claims)
    extras = [bias.to(heard.query.device) for bias in found if bias is not None]
    if not extras:
        return heard
    if heard.dropout:
        raise NotWatchable(
            f"{claims[0].place} drops {heard.dropout:g} of its weights, so no bias can be added: "
            "call model.eval() first"
        )
    given = () if heard.bias is None else heard.bias.terms
    bias = Bias((*given, *(term for extra in extras for term in extra.terms)))
    changed = _without_vetoed(replace(heard, bias=bias, kernel="attend"))
    return replace(changed, run=partial(_attended, changed))


def _without_vetoed(heard: Heard) -> Heard:
    """Keys that no row and no head may look at are zeros: 0 x NaN would bring NaN back."""
    assert heard.bias is not None
    rows = (term.values for term in heard.bias.terms if isinstance(term, PerKeyTerm))
    vetoed = [torch.isneginf(values_BHK).all(1) for values_BHK in rows]
    if not vetoed or not any(bool(one_BK.any()) for one_BK in vetoed):
        return heard
    gone_BK = vetoed[0]
    for one_BK in vetoed[1:]:
        gone_BK = gone_BK | one_BK
    gone_BK = gone_BK.to(heard.key.device)
    places = gone_BK.any(0).nonzero()[:, 0]
    if not heard.needs_graph and all(_modest(one, places) for one in (heard.key, heard.value)):
        return heard
    gone_BGKD = gone_BK[:, None, :, None]
    return replace(
        heard,
        key=heard.key.masked_fill(gone_BGKD, 0.0),
        value=heard.value.masked_fill(gone_BGKD, 0.0),
    )


def _modest(tensor: torch.Tensor, places: torch.Tensor) -> bool:
    """Whether no score and no product of what stands there overflows: a weight of 0 hides it."""
    found = tensor.detach().index_select(2, places)
    return bool((found.abs() <= MODEST).all())


def _offered(heard: Heard, claim: Claim) -> BiasedCall:
    return BiasedCall(
        site=site(claim, heard.cross, heard.query.shape[1]),
        shape=heard.shape,
        matrix=heard.unpadded,
    )


def _attended(heard: Heard) -> torch.Tensor:
    with _exact(heard):
        return attend(
            heard.query,
            heard.key,
            heard.value,
            bias=heard.bias,
            mask=heard.mask,
            scale=heard.scale,
            softcap=heard.softcap,
            sink=heard.sink,
        ).output


def kernel_types(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """The tensors in the type that the model's kernel sees: under autocast, the one it casts to."""
    device_type = tensors[0].device.type
    if not torch.is_autocast_enabled(device_type):
        return tensors
    dtype = torch.get_autocast_dtype(device_type)
    return tuple(one if one.dtype == torch.float64 else one.to(dtype) for one in tensors)


def _exact(heard: Heard) -> AbstractContextManager[object]:
    """Autocast off: it would round the float32 accumulation of the statistics."""
    device_type = heard.query.device.type
    if torch.is_autocast_enabled(device_type):
        return torch.autocast(device_type, enabled=False)
    return nullcontext()


def _streamed(heard: Heard, asked: Statistics) -> tuple[torch.Tensor, AttentionSummary]:
    summarized = attend_and_summarize(
        heard.query,
        heard.key,
        heard.value,
        statistics=asked,
        bias=heard.bias,
        mask=heard.mask,
        scale=heard.scale,
        softcap=heard.softcap,
        sink=heard.sink,
        row_keep=heard.present,
    )
    return summarized.output, summarized.summary


def _sighting(
    heard: Heard,
    claim: Claim,
    matrix: AttentionMatrix,
    summary: AttentionSummary | None,
    output: torch.Tensor,
    kernel: str,
) -> Sighting:
    keep = claim.collector.keep
    heads = keep.heads
    if heads is not None and max(heads) >= heard.query.shape[1]:
        raise OptionError(
            f"Keep(heads={heads}) must be below {heard.query.shape[1]}, the number of heads of "
            f"{claim.name!r}: use Keep(layers=...) for the sites that have them"
        )
    if summary is not None and heads is not None:
        summary = summary.select(heads=heads)
    if summary is not None and keep.device is not None:
        summary = summary.to(keep.device)
    where = site(claim, heard.cross, heard.query.shape[1])
    if not keep.matrix:
        return Sighting(site=where, summary=summary, kernel=kernel)
    key, value = heard.key, heard.value
    if heard.volatile:
        key, value = key.clone(), value.clone()
        matrix = AttentionMatrix(
            matrix.query,
            key,
            bias=matrix.bias,
            mask=matrix.mask,
            scale=matrix.scale,
            softcap=matrix.softcap,
            sink=matrix.sink,
        )
    if heads is not None:
        matrix = matrix.select(heads=heads)
        group = heard.query.shape[1] // value.shape[1]
        value = value[:, [head // group for head in heads]]
        output = output[:, list(heads)]
    if keep.device is not None:
        matrix = matrix.to(keep.device)
        value, output = value.to(keep.device), output.to(keep.device)
    kept = (matrix.query, matrix.key, *((value, output) if keep.value else ()))
    return Sighting(
        site=where,
        matrix=matrix,
        summary=summary,
        value=value if keep.value else None,
        output=output if keep.value else None,
        kernel=kernel,
        guard=tuple((one, one._version) for one in kept if not one.is_inference()),
    )
