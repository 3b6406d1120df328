"""The gradient of the outputs with respect to the vetoed positions' vectors is exactly zero.

By itself no proof: a gradient may vanish at one input (saturation). It is one of four checks.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from zhuyi.core.record import Said
from zhuyi.steer.certify.certificate import Item
from zhuyi.steer.certify.entry import Call
from zhuyi.steer.certify.runs import Applied, Runs
from zhuyi.steer.certify.taint import UNREACHED, reachable
from zhuyi.steer.contents import aligned


def check_gradient(runs: Runs, applied: Applied, keys: Sequence[Tensor], seed: int) -> Item:
    """Derive a random combination of all outputs by the vectors that enter."""
    if not reachable(runs):
        return Item(name="gradient", state="unchecked", said=UNREACHED)
    by_call = {id(call): one for call, one in zip(runs.calls, keys, strict=True)}
    leaves: list[tuple[Tensor, Tensor]] = []

    def grown(call: Call, vectors: Tensor) -> Tensor:
        leaf = vectors.detach().clone().requires_grad_()
        leaves.append((leaf, aligned(by_call[id(call)], vectors.shape[1]).to(leaf.device)))
        return leaf

    outputs = [one for one in runs.differentiable(applied, grown) if one.requires_grad]
    if not outputs or not leaves:
        said = Said(
            en="the output has no gradient, so it could not be derived",
            zh="输出没有梯度，因此无法求导",
        )
        return Item(name="gradient", state="unchecked", said=said)
    # Random weights: a sum over a normalized row, or over shares, is constant.
    generator = torch.Generator().manual_seed(seed)
    weights = [torch.randn(one.shape, generator=generator).to(one) for one in outputs]
    total = torch.stack([(a * b).sum() for a, b in zip(outputs, weights, strict=True)]).sum()
    slopes = torch.autograd.grad(total, [leaf for leaf, _ in leaves], allow_unused=True)
    vetoed, kept = 0.0, 0.0
    for slope, (_, keys_BN) in zip(slopes, leaves, strict=True):
        if slope is not None:
            size_BN = slope.abs().flatten(2).amax(-1) if slope.dim() > 2 else slope.abs()
            vetoed = _larger(vetoed, size_BN[keys_BN])
            kept = _larger(kept, size_BN[~keys_BN])
    return _item(vetoed, kept)


def _larger(before: float, sizes: Tensor) -> float:
    return max(before, float(sizes.nan_to_num(torch.inf).max())) if sizes.numel() else before


def _item(vetoed: float, kept: float) -> Item:
    numbers = {"vetoed": vetoed, "kept": kept}
    if vetoed != 0.0:
        said = Said(
            en=f"the gradient with respect to what is vetoed is {vetoed:.2g}, not 0",
            zh=f"对被否决内容的梯度是 {vetoed:.2g}，不是 0",
        )
        return Item(name="gradient", state="failed", said=said, numbers=numbers)
    if kept == 0.0:
        said = Said(
            en="no position has a gradient here, so a zero says nothing",
            zh="此处没有任何位置有梯度，因此零说明不了什么",
        )
        return Item(name="gradient", state="unchecked", said=said, numbers=numbers)
    said = Said(
        en=f"the gradient with respect to what is vetoed is exactly 0 (kept positions: {kept:.2g})",
        zh=f"对被否决内容的梯度恰为 0（保留的位置：{kept:.2g}）",
    )
    return Item(name="gradient", state="held", said=said, numbers=numbers)
