"""What do statistics cost, taken in the same pass as the output?"""

import torch
from torch.nn import functional as F

from benchmarks.measure import Row, ratio, save
from zhuyi import Mask, Statistics, attend_and_summarize

QUESTION = "`attend_and_summarize` against `F.scaled_dot_product_attention` (B 1, H 12, D 64)"
EVERYTHING = Statistics(received=True, entropy=True, max=True, topk=8, pooled=64)
SETS = {
    "received": (Statistics(), 1.4),
    "received, entropy, max, top-8, pooled 64": (EVERYTHING, 2.2),
    "entropy": (Statistics(received=False, entropy=True), None),
    "top-8": (Statistics(received=False, topk=8), None),
    "pooled 64": (Statistics(received=False, pooled=64), None),
    "distance": (Statistics(received=False, distance=True), None),
}


def main() -> None:
    """Time the sets at L = 512 to 8192; L below 2048, causal and bfloat16 carry no bar."""
    rows: list[Row] = []
    for length in (512, 2048, 4096, 8192):
        for name, (asked, bar) in SETS.items():
            if bar is not None or length == 2048:
                rows.append(_row(name, asked, length, bar if length >= 2048 else None))
    received, everything = Statistics(), EVERYTHING
    for name, asked in (("received", received), ("all five", everything)):
        rows.append(_row(f"{name}, causal", asked, 2048, None, causal=True))
        rows.append(_row(f"{name}, bfloat16", asked, 2048, None, dtype=torch.bfloat16))
        rows.append(_row(f"{name}, L not a multiple of 64", asked, 2047, None))
    save("summarize", QUESTION, rows)


def _row(
    name: str,
    asked: Statistics,
    length: int,
    bar: float | None,
    *,
    causal: bool = False,
    dtype: torch.dtype = torch.float32,
) -> Row:
    torch.manual_seed(0)
    query, key, value = (torch.randn(1, 12, length, 64, dtype=dtype) for _ in range(3))
    mask = Mask.causal() if causal else None
    with torch.inference_mode():
        return ratio(
            f"{name}, L {length}",
            lambda: attend_and_summarize(query, key, value, statistics=asked, mask=mask),
            lambda: F.scaled_dot_product_attention(query, key, value, is_causal=causal),
            bar=bar,
            rounds=9 if length > 2048 else 15,
        )


if __name__ == "__main__":
    main()
