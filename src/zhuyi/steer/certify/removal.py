"""Whether the level "input" would hold: swaps in front of the constant must change nothing."""

from collections.abc import Sequence
from contextlib import nullcontext

from torch import Tensor

from zhuyi.core.record import Said
from zhuyi.errors import ZhuyiError
from zhuyi.steer.certify.certificate import Item
from zhuyi.steer.certify.entry import Call
from zhuyi.steer.certify.outputs import equal
from zhuyi.steer.certify.removed import Placeholder
from zhuyi.steer.certify.runs import Change, Runs
from zhuyi.steer.certify.swaps import Swapping


def check_removal(runs: Runs, keys: Sequence[Tensor], swapping: Swapping, swaps: int) -> Item:
    """Outputs with the constant, whatever stood there before."""
    place = Placeholder(runs.subject, runs.tokenizer, None)
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
    except ZhuyiError as wrong:
        said = Said(en=f"it could not be removed: {wrong}", zh=f"无法移除：{wrong}")
        return Item(name="removal", state="failed", said=said)
    same = sum(equal(before, one) for one in after)
    numbers = {"swaps": swaps, "equal": same}
    if same == swaps:
        said = Said(
            en=f"within removed(...) a constant is in its place: {same} other contents change no "
            "bit of the output",
            zh=f"在 removed(...) 中以常数代替它，{same} 种其他内容没有改变输出的任何一位",
        )
        return Item(name="removal", state="held", said=said, numbers=numbers)
    said = Said(
        en=f"with a constant in its place {swaps - same} other contents still change the output: "
        "two runs differ, or it is read elsewhere",
        zh=f"以常数代替它之后，仍有 {swaps - same} 种其他内容改变输出：运行不可重复，"
        "或别处也在读它",
    )
    return Item(name="removal", state="failed", said=said, numbers=numbers)
