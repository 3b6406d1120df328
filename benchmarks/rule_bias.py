"""Is a low-rank rule bias on the fused kernel faster than a dense mask, and equal to it?"""

import torch
from torch.nn import functional as F

from benchmarks.measure import Row, ratio, save
from zhuyi import Bias, attend

QUESTION = "low-rank rule bias on the fused kernel against a dense float mask (H 12, D 64)"


def main() -> None:
    """Time tables and per-key biases; the reference gets its dense mask ready-made."""
    rows: list[Row] = []
    for length in (512, 2048, 4096):
        torch.manual_seed(0)
        query, key, value = (torch.randn(1, 12, length, 64) for _ in range(3))
        label = torch.randint(4, (length,))
        biases = {
            "per key": Bias.per_key(torch.randn(length)),
            "table 4 x 4, one for all heads": Bias.table(torch.randn(4, 4), label, label),
            "table 4 x 4 per head": Bias.table(torch.randn(1, 12, 4, 4), label, label),
        }
        for name, bias in biases.items():
            block = bias.block(slice(0, length), slice(0, length))
            dense = block.expand(1, 12, length, length).contiguous()
            with torch.inference_mode():
                ours = attend(query, key, value, bias=bias, backend="fused").output
                theirs = F.scaled_dot_product_attention(query, key, value, attn_mask=dense)
                rows.append(
                    ratio(
                        f"{name}, L {length}",
                        lambda b=bias: attend(query, key, value, bias=b, backend="fused"),
                        lambda d=dense: F.scaled_dot_product_attention(
                            query, key, value, attn_mask=d
                        ),
                        bar=1.0,
                    )
                )
            difference = float((ours - theirs).abs().max())
            case = f"{name}, L {length}: largest difference"
            rows.append(Row(case=case, figure=difference, bar=1e-5, unit="absolute"))
    save("rule_bias", QUESTION, rows)


if __name__ == "__main__":
    main()
