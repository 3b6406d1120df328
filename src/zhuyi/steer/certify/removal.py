"""Whether the level "input" would hold: swaps in front of the constant must change nothing."""

from collections.abc import Sequence
from contextlib import nullcontext

from torch import Tensor

from zhuyi.core.record import Said
from zhuyi.errors import ZhuyiError
from zhuyi.steer.certify.certificate import Item
from zhuyi.steer.certify.entry import Call
from zhuyi.steer.certify.outputs import equal
from zhuyi.steer.certify.runs import Applied, Change, Runs
from zhuyi.steer.certify.swaps import Swapping
from zhuyi.steer.placeholder import Placeholder


def check_removal(
    runs: Runs,
    keys: Sequence[Tensor],
    swapping: Swapping,
    swaps: int,
    *,
    steered: Applied | None = None,
) -> Item:
    """Outputs with the constant, whatever stood there before.

    Args:
        runs, keys, swapping, swaps: as for the other checks.
        steered: opens the block that puts the constant there itself; its outputs must be the same.
    """
    place = Placeholder(runs.model, runs.subject, runs.tokenizer)
    by_call = {id(call): one for call, one in zip(runs.calls, keys, strict=True)}

    def put(call: Call, content: Tensor) -> Tensor:
        return place.put(content, call.reading, by_call[id(call)])

    def swapped(draw: Change) -> Change:
        return lambda call, content: put(call, draw(call, content))

    try:
        before = runs.outputs(nullcontext, put)
        after = [
            runs.outputs(nullcontext, swapped(swapping.draw(number))) for number in range(swaps)
        ]
        puts_it = steered is None or equal(before, runs.outputs(steered))
    except ZhuyiError as wrong:
        said = Said(en=f"it could not be removed: {wrong}", zh=f"无法移除：{wrong}")
        return Item(name="removal", state="failed", said=said)
    if not puts_it:
        said = Said(
            en="the rules do not put the constant in its place",
            zh="规则没有在其位置放入常数",
        )
        return Item(name="removal", state="failed", said=said)
    same = sum(equal(before, one) for one in after)
    numbers = {"swaps": swaps, "equal": same}
    if same == swaps:
        said = Said(
            en=f"with a constant in its place, before the model, {same} other contents change no "
            "bit of the output",
            zh=f"在模型之前以常数代替它，{same} 种其他内容没有改变输出的任何一位",
        )
        return Item(name="removal", state="held", said=said, numbers=numbers)
    said = Said(
        en=f"with a constant in its place {swaps - same} other contents still change the output: "
        "two runs differ, or it is read elsewhere",
        zh=f"以常数代替它之后，仍有 {swaps - same} 种其他内容改变输出：运行不可重复，"
        "或别处也在读它",
    )
    return Item(name="removal", state="failed", said=said, numbers=numbers)
