"""The taint test: NaN at the vetoed positions must not reach the output.

NaN spreads through sums, products and every smooth function, whatever the other numbers are. So if
the vectors of the vetoed positions are NaN and the output is not, and is bit-equal, then no
arithmetic that ran has carried anything from there to the output: evidence about paths, where a
swap is evidence about values. (Attention itself would carry it too, as 0 x NaN; the seam zeroes
vetoed keys and values, which is what a veto means.)

What NaN cannot find: comparisons and branches (NaN > x is false), sorting, max over fmax, routing
by top-k and other whole numbers, nan_to_num and masks made of isnan, paths that these inputs do not
run, and content that is read beside the vectors. The same test with infinite and with very large
vectors finds comparisons and routing; swaps find what reads the content itself.
"""

import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from zhuyi.core.record import Said
from zhuyi.steer.certify.certificate import Item
from zhuyi.steer.certify.entry import Call
from zhuyi.steer.certify.outputs import broken, equal
from zhuyi.steer.certify.runs import Applied, Change, Runs
from zhuyi.steer.contents import aligned, spread

TAINTS: Final = {"NaN": math.nan, "infinite": math.inf, "large": 1e4, "negative": -1e4}


def tainted(runs: Runs, keys: Sequence[Tensor], value: float) -> Change:
    """Puts a number into every vector of the vetoed positions."""
    by_call = {id(call): one for call, one in zip(runs.calls, keys, strict=True)}

    def change(call: Call, vectors: Tensor) -> Tensor:
        keys_BN = aligned(by_call[id(call)], vectors.shape[1])
        return torch.where(spread(keys_BN, vectors), value, vectors)

    return change


def reachable(runs: Runs) -> bool:
    """Whether the vectors that enter the model can be changed."""
    return all(call.kind == "values" or call.embedders for call in runs.calls)


def check_taint(runs: Runs, applied: Applied, keys: Sequence[Tensor]) -> Item:
    """Outputs with tainted vectors against the clean ones."""
    if not reachable(runs):
        return Item(name="taint", state="unchecked", said=UNREACHED)
    before = runs.outputs(applied)
    wrong, numbers = [], {"outputs": sum(one.numel() for one in before)}
    clean = broken(before)
    for name, value in TAINTS.items():
        after = runs.outputs(applied, vectors=tainted(runs, keys, value))
        if name == "NaN":
            numbers["NaN in the output"] = broken(after)
        if not equal(before, after):
            wrong.append(name)
    if clean:
        said = Said(en="the output is NaN without any taint", zh="不加污染时输出就是 NaN")
        return Item(name="taint", state="unchecked", said=said, numbers=numbers)
    if not wrong:
        said = Said(
            en="with NaN, infinite and huge vectors in its place the output stays the same bit for "
            "bit: no arithmetic that ran carries it there",
            zh="在其位置放入 NaN、无穷大和极大的向量，输出逐位不变：运行过的运算都没有把它带到输出",
        )
        return Item(name="taint", state="held", said=said, numbers=numbers)
    said = Said(
        en=f"vectors in its place that are {', '.join(wrong)} change the output: a path leads "
        "there that is not attention",
        zh=f"在其位置放入 {'、'.join(wrong)} 的向量会改变输出：有一条注意力之外的路径通向输出",
    )
    return Item(name="taint", state="failed", said=said, numbers=numbers)


UNREACHED: Final = Said(
    en="the vectors that enter the model were not found, so they could not be changed",
    zh="没有找到进入模型的向量，因此无法改变它们",
)
