"""The independent oracle: an input without the vetoed tokens, the others at their old positions.

Nothing of this library runs there, so it also tells whether "ignored" means what "absent" means.
"""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from zhuyi.core.record import Said
from zhuyi.steer.certify.certificate import Item
from zhuyi.steer.certify.entry import Call
from zhuyi.steer.certify.outputs import difference, tensors_of
from zhuyi.steer.certify.runs import Applied, Runs

TOLERANCE: Final = 1e-5
_ROWS: Final = 16  # they are run one by one
_BESIDE: Final = ("token_type_ids",)

NO_PLACES: Final = Said(
    en="the model does not take token ids and position_ids",
    zh="模型不接受词元编号与 position_ids",
)
CACHED: Final = Said(en="some of the input is in a cache", zh="部分输入在缓存中")
WINDOWED: Final = Said(
    en="its attention windows count places, which dropping shifts",
    zh="其注意力窗口按位置计数，去掉词元会使其移动",
)
UNTOLD: Final = Said(
    en="its position_ids could not be told from its outputs",
    zh="无法从输出得知其 position_ids",
)
NOTHING: Final = Said(en="nothing is vetoed in these inputs", zh="这些输入中没有被否决的内容")


def check_dropping(runs: Runs, applied: Applied, keys: Sequence[Tensor]) -> Item:
    """Outputs under the rules against those of the input without the tokens."""
    gaps: list[float] = []
    for call, keys_BL in zip(runs.calls, keys, strict=True):
        if call.kind != "tokens" or call.name != "input_ids" or not _positioned(runs):
            return _unchecked(NO_PLACES)
        if call.reading.new != call.length:
            return _unchecked(CACHED)
        for row in torch.nonzero(keys_BL.any(1))[:_ROWS, 0].tolist():
            if _windowed(runs, call.length):
                return _unchecked(WINDOWED)
            gap = _row_gap(runs, applied, call, row, keys_BL[row])
            if gap is None:
                return _unchecked(UNTOLD)
            gaps.append(gap)
    if not gaps:
        return _unchecked(NOTHING)
    largest = max(gaps, key=lambda gap: float("inf") if gap != gap else gap)
    numbers = {"rows": len(gaps), "largest difference": largest, "allowed": TOLERANCE}
    if largest <= TOLERANCE:
        said = Said(
            en=f"inputs without these tokens, at kept positions, give the same to {largest:.1g}",
            zh=f"去掉这些词元、其余位置不变的输入给出相同结果，误差 {largest:.1g}",
        )
        return Item(name="dropping", state="held", said=said, numbers=numbers)
    said = Said(
        en=f"the same inputs without these tokens give another output, by {largest:.2g}",
        zh=f"去掉这些词元的输入给出不同的输出，相差 {largest:.2g}",
    )
    return Item(name="dropping", state="failed", said=said, numbers=numbers)


def _positioned(runs: Runs) -> bool:
    return "position_ids" in inspect.signature(runs.model.forward).parameters


def _windowed(runs: Runs, length: int) -> bool:
    config: Any = getattr(runs.model, "config", None)
    widths = (getattr(config, name, None) for name in ("sliding_window", "local_attention"))
    return any(isinstance(width, int) and width < 2 * length for width in widths)


def _row_gap(runs: Runs, applied: Applied, call: Call, row: int, keys_L: Tensor) -> float | None:
    """The largest difference of one row, relative to its largest number above 1."""
    ids = call.content[row]
    mask = call.kwargs.get("attention_mask")
    used = torch.ones_like(ids, dtype=torch.bool) if mask is None else mask[row].bool()
    gone = keys_L.to(ids.device)
    whole = {"input_ids": ids[used][None]}
    whole |= {n: call.kwargs[n][row][used][None] for n in _BESIDE if n in call.kwargs}
    whole["attention_mask"] = torch.ones_like(whole["input_ids"])
    kept = ~gone[used]
    if not bool(kept.any()):
        return None
    places = _places(runs, whole)
    if places is None:
        return None
    with applied():
        steered = runs.replayed((), whole)
    less = {name: one[:, kept] for name, one in whole.items()}
    dropped = runs.replayed((), {**less, "position_ids": places[:, kept]})
    expected, found = [], []
    for one, other in zip(tensors_of(steered), tensors_of(dropped), strict=True):
        by_row = one.dim() > 2 and one.shape[1] == len(kept) and other.shape[1] == int(kept.sum())
        expected.append(one[:, kept] if by_row else one)
        found.append(other)
    scale = max([1.0, *(float(one.abs().max()) for one in found)])
    return difference(expected, found) / scale


def _places(runs: Runs, whole: Mapping[str, Tensor]) -> Tensor | None:
    """The position ids that the model gives a row by itself: those that change nothing."""
    plain = tensors_of(runs.replayed((), whole))
    length = whole["input_ids"].shape[1]
    config: Any = getattr(runs.model, "config", None)
    padding = getattr(config, "pad_token_id", None) or 0
    for first in dict.fromkeys((0, padding + 1)):
        places = torch.arange(first, first + length, device=whole["input_ids"].device)[None]
        try:
            given = tensors_of(runs.replayed((), {**whole, "position_ids": places}))
        except IndexError:  # beyond the table of positions
            continue
        if difference(plain, given) <= TOLERANCE:
            return places
    return None


def _unchecked(why: Said) -> Item:
    said = Said(
        en=f"not compared with dropping the tokens: {why.en}",
        zh=f"未与去掉这些词元的输入比较：{why.zh}",
    )
    return Item(name="dropping", state="unchecked", said=said)
