"""zhuyi's own layers, and every model that calls `zhuyi.attend`: heard through the core's seam."""

import torch

from zhuyi.core.seam import AttentionCall, observer
from zhuyi.trace.collector import claim_all, listening, suppressed
from zhuyi.trace.kinds import is_cross
from zhuyi.trace.observe import Heard, intervened, observe


def hear(call: AttentionCall) -> torch.Tensor | None:
    """Observer of the seam: None lets `attend` go on by itself."""
    collectors = listening()
    if not collectors:
        return None
    claims = claim_all(collectors, None)
    if not claims:
        with suppressed():  # or the fused kernel inside would be heard as a call of its own
            return call.run()
    matrix = call.matrix
    _, _, queries, keys = matrix.shape
    heard = Heard(
        query=matrix.query,
        key=matrix.key,
        value=call.value,
        bias=matrix.bias,
        mask=matrix.mask,
        scale=matrix.scale,
        softcap=matrix.softcap,
        sink=matrix.sink,
        cross=is_cross(claims[0].collector.frames, None, queries, keys),
        run=call.run,
        kernel=call.backend,
        streamable=call.dropout == 0.0,
        dropout=call.dropout,
    )
    biased = intervened(heard, claims)
    if biased is not heard:
        # `attend` hands this very matrix to the model: it has to tell of the call that ran.
        matrix.inputs = biased.matrix().inputs
    return observe(heard, claims)


def set_observer() -> None:
    """Listen in this context."""
    observer.set(hear)


def clear_observer() -> None:
    """Stop listening in this context, unless somebody else listens there."""
    if observer.get() is hear:
        observer.set(None)
