"""What do people's rules cost while a model attends, and what would a dense mask cost?

The whole path of a pass of four attention calls is timed: matching once, then the bias and the
kernel in each call. The reference calls `F.scaled_dot_product_attention` as often.
"""

import sys
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.measure import Row, ratio, save
from zhuyi.core.record import Unit
from zhuyi.steer.reading import UnitReader
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Tokens
from zhuyi.steer.steering import steer

QUESTION = "rules against plain `F.scaled_dot_product_attention` (H 12, D 64, float32)"
NOTE = (
    "Rules for all rows, vetoes among them, are one row of numbers that the kernel adds, under a "
    "causal mask too. Rules with `from` are cut into long runs of rows that hear the same, one row "
    "of numbers each, and blocks of at most 16 MB for the rows between; what is joined under a "
    "causal mask also leaves out more of the triangle, which may make it cheaper than plain. The "
    "floor is the kernel's own: adding a row costs 1.03 to 1.04, a block 1.05 to 1.12, and at 512 "
    "with two threads a row costs about 1.1. Matching and all else in Python takes about 1 to 2 ms "
    "a pass of four calls, which is more of a pass the more threads there are; the misses at 512 "
    "and of eight groups come from there. A share reads all weights "
    "once before. The dense mask is made once and lies ready, which favors it."
)
LENGTHS = (512, 1024, 2048, 4096)
HEADS, WIDTH, CALLS = 12, 64, 4
BAR = 1.15


class Attending(nn.Module):
    """A pass of four attention calls, each on its own."""

    def __init__(self, length: int, causal: bool) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        shape = (1, HEADS, length, WIDTH)
        self.tensors = [torch.randn(shape, generator=generator) for _ in range(3)]
        self.causal = causal

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for _ in range(CALLS):
            x = F.scaled_dot_product_attention(*self.tensors, is_causal=self.causal)
        return x


def rule_sets(length: int) -> dict[str, tuple[Rules, float | None]]:
    """Rules by name, with their bar."""
    size = length // 16
    spans = [Tokens(n * size, (n + 1) * size) for n in range(16)]
    per_key, senders, two = Rules(), Rules(), Rules()
    for n in range(8):
        per_key = per_key.boost(spans[n], 1.5)
        senders = senders.boost(spans[n], 1.5, sender=spans[n + 8])
        two = two.boost(spans[n], 1.5, sender=spans[8 + n % 2])
    return {
        "8 rules for all rows (rank 1)": (per_key, BAR),
        "8 rules for two groups of rows (rank 2)": (two, BAR),
        "8 rules for eight groups of rows (rank 8)": (senders, BAR),
        "a veto": (Rules().veto(spans[3]), BAR),
        "a veto for some rows": (Rules().veto(spans[3], sender=spans[9]), None),
        "a share": (Rules().share(spans[2], 0.2), None),
    }


def main(lengths: tuple[int, ...] = LENGTHS, threads: tuple[int, ...] = (1, 2)) -> None:
    """Time every rule set, the dense form and a dense mask."""
    before = torch.get_num_threads()
    rows: list[Row] = []
    for count in threads:
        torch.set_num_threads(count)
        rows += _measured(lengths, f"{count} thread{'s' if count > 1 else ''}")
    torch.set_num_threads(before)
    save("steering", QUESTION, rows, NOTE)


def _measured(lengths: tuple[int, ...], threads: str) -> list[Row]:
    rows: list[Row] = []
    for length in lengths:
        units = [Unit(label=str(n), positions=(n,)) for n in range(length)]
        for causal in (False, True):
            model = Attending(length, causal).eval()
            about = f"L {length}{', causal' if causal else ''}, {threads}"
            with torch.inference_mode():
                for name, (rules, bar) in rule_sets(length).items():
                    rows.append(_case(f"{name}, {about}", model, units, rules, bar))
                rows.append(_dense(f"the same as a dense mask lying ready, {about}", model))
    return rows


def _case(name: str, model: Attending, units: list[Unit], rules: Rules, bar: float | None) -> Row:
    x = torch.zeros(1, len(units))
    reader = UnitReader(units, layers=1)
    with steer(model, rules, reader=reader) as steering:
        row = _against(name, model, lambda: model(x), bar)
    assert steering.calls > 0
    return row


def _dense(name: str, model: Attending) -> Row:
    length = model.tensors[0].shape[2]
    mask = torch.zeros(1, 1, length, length)
    mask[..., : length // 16] = 0.4
    if model.causal:
        seen = torch.ones(length, length, dtype=torch.bool).tril()
        mask = mask.masked_fill(~seen, float("-inf"))

    def masked() -> None:
        for _ in range(CALLS):
            F.scaled_dot_product_attention(*model.tensors, attn_mask=mask)

    return _against(name, model, masked, None)


def _against(name: str, model: Attending, ours: Callable[[], object], bar: float | None) -> Row:
    tensors, causal = model.tensors, model.causal

    def plain() -> None:
        for _ in range(CALLS):
            F.scaled_dot_product_attention(*tensors, is_causal=causal)

    return ratio(name, ours, plain, bar=bar, rounds=max(5, 8192 // tensors[0].shape[2]))


if __name__ == "__main__":
    main(tuple(map(int, sys.argv[1:])) or LENGTHS)
