"""What does a tile cost, part by part, as shares of one fused call?"""

from collections.abc import Callable

import torch
from torch.nn import functional as F

from benchmarks.measure import Row, ratio, save
from zhuyi.core.tally import strongest

QUESTION = "the parts of a streaming pass, each over all tiles, against one fused call"
NOTE = "These are the figures behind docs/decisions/0003-core.md; none has a bar."
HEADS, ROWS, WIDTH, LENGTH = 2, 256, 64, 2048


def main() -> None:
    """Two heads of 256 rows at 2048 keys, against a fused call of the same rows."""
    torch.manual_seed(0)
    query = torch.randn(HEADS, ROWS, WIDTH)
    key, value = torch.randn(HEADS, LENGTH, WIDTH), torch.randn(HEADS, LENGTH, WIDTH)
    scores, other = torch.randn(HEADS, ROWS, LENGTH), torch.empty(HEADS, ROWS, LENGTH)
    weights, ones = torch.softmax(scores, -1), torch.ones(HEADS, 1, ROWS)
    output, total = torch.empty(HEADS, ROWS, WIDTH), torch.zeros(HEADS, 1, LENGTH)
    drawn = [torch.softmax(2 * torch.randn(HEADS, ROWS, LENGTH), -1) for _ in range(8)]
    per_key = torch.randn(1, 1, 1, LENGTH)
    wide = [F.pad(tensor, (0, 1))[None] for tensor in (query, key, value)]

    def fused(mask: torch.Tensor | None = None) -> torch.Tensor:
        return F.scaled_dot_product_attention(query[None], key[None], value[None], attn_mask=mask)

    turn = iter(range(10**9))
    parts: dict[str, Callable[[], object]] = {
        "scores Q K^T": lambda: torch.bmm(query, key.transpose(1, 2), out=other),
        "softmax, into another tile": lambda: torch.softmax(scores, -1, out=other),
        "softmax, in place": lambda: torch.softmax(other, -1, out=other),
        "exp alone": lambda: torch.exp(scores, out=other),
        "product with V": lambda: torch.bmm(weights, value, out=output),
        "column sums": lambda: total.baddbmm_(ones, weights),
        "largest of each row": lambda: weights.amax(-1),
        "torch.topk, k 8": lambda: drawn[next(turn) % 8].topk(8),
        "fused with one additive row": lambda: fused(per_key.expand(1, 1, ROWS, LENGTH)),
        "fused with one more channel": lambda: F.scaled_dot_product_attention(*wide),
    }
    with torch.inference_mode():
        rows: list[Row] = [ratio(name, part, fused, rounds=41) for name, part in parts.items()]
    rows += [_top(length) for length in (4096, 8192, 16_384)]
    save("parts", QUESTION, rows, NOTE)


def _top(length: int) -> Row:
    """Top-8 by groups against torch.topk on rows long enough to be folded."""
    drawn = [torch.softmax(2 * torch.randn(HEADS, 64, length), -1) for _ in range(8)]
    turn = iter(range(10**9))
    with torch.inference_mode():
        return ratio(
            f"top-8 by groups against torch.topk, rows of {length}",
            lambda: strongest(drawn[next(turn) % 8], 8),
            lambda: drawn[next(turn) % 8].topk(8),
            rounds=41,
        )


if __name__ == "__main__":
    main()
