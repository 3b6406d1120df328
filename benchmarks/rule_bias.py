"""Is a low-rank rule bias on the fused kernel faster than a dense mask, and equal to it?

A rule is made for its input, so the reference makes its dense mask in every call, as ours makes
its factors; against a mask that lies ready the ratio is shown without a bar.
"""

from collections.abc import Callable

import torch
from torch.nn import functional as F

from benchmarks.measure import Row, ratio, save
from zhuyi import Bias, attend

QUESTION = "low-rank rule bias on the fused kernel against a dense float mask (H 12, D 64)"
NOTE = (
    "A rule is made for its input, so the reference makes its dense mask in every call, as ours "
    "makes its factors. At 512 keys a table loses to one small mask shared by all heads: copying "
    "queries, keys and values into wider ones costs more than reading a mask of 1 MB."
)
LABELS = 4


def main() -> None:
    """Time tables and per-key biases at L = 512 to 4096."""
    rows: list[Row] = []
    for length in (512, 2048, 4096):
        torch.manual_seed(0)
        query, key, value = (torch.randn(1, 12, length, 64) for _ in range(3))
        label, per_key = torch.randint(LABELS, (length,)), torch.randn(length)
        shared, own = torch.randn(LABELS, LABELS), torch.randn(1, 12, LABELS, LABELS)
        cases: dict[str, tuple[Callable[[], Bias], Callable[[], torch.Tensor]]] = {
            "per key": (
                lambda p=per_key: Bias.per_key(p),
                lambda p=per_key: p.expand(1, 1, len(p), len(p)).contiguous(),
            ),
            "table 4 x 4": (
                lambda t=shared, x=label: Bias.table(t, x, x),
                lambda t=shared, x=label: t[x][:, x][None, None],
            ),
            "table 4 x 4 per head": (
                lambda t=own, x=label: Bias.table(t, x, x),
                lambda t=own, x=label: t[:, :, x][:, :, :, x],
            ),
        }
        for name, (rule, dense) in cases.items():
            rows.extend(_case(f"{name}, L {length}", (query, key, value), rule, dense))
    save("rule_bias", QUESTION, rows, NOTE)


def _case(
    name: str,
    inputs: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    rule: Callable[[], Bias],
    dense: Callable[[], torch.Tensor],
) -> list[Row]:
    def ours() -> torch.Tensor:
        return attend(*inputs, bias=rule(), backend="fused").output

    def made() -> torch.Tensor:
        return F.scaled_dot_product_attention(*inputs, attn_mask=dense())

    mask = dense()

    def ready() -> torch.Tensor:
        return F.scaled_dot_product_attention(*inputs, attn_mask=mask)

    with torch.inference_mode():
        difference = float((ours() - made()).abs().max())
        return [
            ratio(f"{name}, mask made per call", ours, made, bar=1.0),
            ratio(f"{name}, mask lying ready", ours, ready),
            Row(case=f"{name}: largest difference", figure=difference, bar=1e-5, unit="absolute"),
        ]


if __name__ == "__main__":
    main()
