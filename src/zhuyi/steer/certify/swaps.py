"""Content swaps: other things at the vetoed positions must not change one bit of what comes out."""

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any, Final

import torch
from torch import Tensor, nn

from zhuyi.core.record import Said
from zhuyi.steer.certify.certificate import Item
from zhuyi.steer.certify.entry import Call
from zhuyi.steer.certify.outputs import difference, equal
from zhuyi.steer.certify.runs import Applied, Change, Runs
from zhuyi.steer.contents import aligned, spread
from zhuyi.steer.placeholder import ReferenceSubject

_TYPICAL: Final = 64  # reference inputs that codes are drawn from


class Swapping:
    """Draws other content for vetoed positions, valid for the model and of the same length.

    Tokens come in turn from the other inputs and from the whole vocabulary, special ones left out;
    numbers from other rows, from a normal distribution and from far outside; codes of an estimator
    only from other rows and from typical ones.

    Args:
        runs: whose calls.
        keys: bool "B L" per call.
        seed: of the draws.
    """

    def __init__(self, runs: Runs, keys: Sequence[Tensor], seed: int) -> None:
        self._runs = runs
        self._keys = {id(call): one for call, one in zip(runs.calls, keys, strict=True)}
        self._seed = seed

    def draw(self, number: int) -> Change:
        """The swap of this number; the same whenever it is asked."""

        def change(call: Call, content: Tensor) -> Tensor:
            generator = torch.Generator().manual_seed(self._seed * 1009 + number)
            keys = aligned(self._keys[id(call)], content.shape[1])
            other = self._other(call, content.cpu(), number, generator).to(content)
            return torch.where(spread(keys, content), other, content)

        return change

    def varied(self, number: int) -> int:
        """How many vetoed positions a swap gives another content."""
        total = 0
        for call in self._runs.calls:
            content = vectors_of(call) if call.kind == "pixels" else call.content
            changed = (self.draw(number)(call, content) != content).flatten(2 - (content.dim() < 3))
            total += int(changed.any(-1).sum() if changed.dim() > 2 else changed.sum())
        return total

    def _other(
        self, call: Call, content: Tensor, number: int, generator: torch.Generator
    ) -> Tensor:
        if call.kind == "tokens":
            pool = self._tokens(call, content, number)
            return pool[torch.randint(len(pool), content.shape, generator=generator)]
        if call.kind == "codes":
            return _drawn(self._typical(content), content.shape[0], generator)
        noise = torch.randn(content.shape, generator=generator, dtype=torch.float64)
        scale = content.double().std() if content.numel() > 1 else torch.tensor(1.0)
        if number % 3 == 0 and len(content) > 1:
            return _drawn(content, content.shape[0], generator)
        far = 1e3 if number % 3 == 2 else 1.0
        return (noise * far * scale.clamp_min(1e-3)).to(content.dtype)

    def _tokens(self, call: Call, content: Tensor, number: int) -> Tensor:
        special = set(getattr(self._runs.tokenizer, "all_special_ids", None) or ())
        own = [one for one in torch.unique(content).tolist() if one not in special]
        if number % 2 == 0 and len(own) > 1:
            return torch.tensor(own)
        tables = [one.num_embeddings for one in call.embedders if isinstance(one, nn.Embedding)]
        known = getattr(self._runs.tokenizer, "vocab_size", None)
        size = min([*tables, *([known] if isinstance(known, int) else [])], default=0)
        size = size or int(content.max()) + 1
        return torch.tensor([one for one in range(size) if one not in special] or own)

    def _typical(self, content: Tensor) -> Tensor:
        subject: Any = self._runs.subject
        typical = subject.reference(_TYPICAL) if isinstance(subject, ReferenceSubject) else None
        if typical is None or typical.shape[1:] != content.shape[1:]:
            return content
        return torch.cat([content, typical.to(content)])


def check_swaps(runs: Runs, applied: Applied, swapping: Swapping, swaps: int) -> Item:
    """Every swap's outputs against those of the content as it came."""
    if any(call.kind == "pixels" and not call.embedders for call in runs.calls):
        said = Said(
            en="the vectors of the patches were not found, so they could not be swapped",
            zh="没有找到图块的向量，因此无法替换",
        )
        return Item(name="swaps", state="unchecked", said=said)
    before = runs.outputs(applied)
    if not equal(before, runs.outputs(applied)):
        said = Said(
            en="two runs of the same input differ, so content swaps show nothing",
            zh="同一输入的两次运行结果不同，内容替换说明不了什么",
        )
        return Item(name="swaps", state="unchecked", said=said)
    varied = sum(swapping.varied(number) for number in range(swaps))
    if not varied:
        said = Said(
            en="no other content is known for these positions: pass more inputs",
            zh="不知道这些位置可以放什么其他内容：请传入更多输入",
        )
        return Item(name="swaps", state="unchecked", said=said)
    gaps = [difference(before, _swapped(runs, applied, swapping, one)) for one in range(swaps)]
    same = sum(gap == 0.0 for gap in gaps)
    free = runs.outputs(nullcontext)
    plain = difference(free, _swapped(runs, nullcontext, swapping, 0))
    largest = max(gaps, key=lambda gap: float("inf") if gap != gap else gap)
    numbers = {
        "swaps": swaps,
        "positions": varied,
        "equal": same,
        "largest difference": largest,
        "without the rule": plain,
    }
    if same == swaps:
        said = Said(
            en=f"{swaps} other contents change no bit of the output (without the rule {plain:.2g})",
            zh=f"{swaps} 种其他内容没有改变输出的任何一位（没有规则时：{plain:.2g}）",
        )
        return Item(name="swaps", state="held", said=said, numbers=numbers)
    said = Said(
        en=f"{swaps - same} of {swaps} other contents changed the output, by up to {largest:.2g} "
        f"(without the rule: {plain:.2g})",
        zh=f"{swaps} 种其他内容中有 {swaps - same} 种改变了输出，最大 {largest:.2g}"
        f"（没有规则时：{plain:.2g}）",
    )
    return Item(name="swaps", state="failed", said=said, numbers=numbers)


def _swapped(runs: Runs, applied: Applied, swapping: Swapping, number: int) -> list[Tensor]:
    change = swapping.draw(number)
    if any(call.kind == "pixels" for call in runs.calls):
        # Pixels of a patch are no position of the content: its vector is changed instead.
        return runs.outputs(applied, vectors=change)
    return runs.outputs(applied, content=change)


def vectors_of(call: Call) -> Tensor:
    """What the embedder makes of an image."""
    with torch.no_grad():
        made: Tensor = call.embedders[0](call.content)
    return made


def _drawn(rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Content whose every position comes from some row, at the same position: "count N ..."."""
    index = torch.randint(len(rows), (count, rows.shape[1]), generator=generator)
    return rows[index, torch.arange(rows.shape[1])]
