"""Does `attend` cost more than calling PyTorch's kernel directly?"""

import torch
from torch.nn import functional as F

from benchmarks.measure import Row, ratio, save
from zhuyi import attend

QUESTION = "`attend` against `F.scaled_dot_product_attention`, no statistics"


def main() -> None:
    """Time L = 512 to 8192, float32 and bfloat16, with and without the causal mask."""
    rows: list[Row] = []
    for dtype in (torch.float32, torch.bfloat16):
        for length in (512, 1024, 2048, 4096, 8192):
            torch.manual_seed(0)
            query, key, value = (torch.randn(1, 12, length, 64, dtype=dtype) for _ in range(3))
            with torch.inference_mode():
                rows.append(
                    ratio(
                        f"L {length}, {str(dtype)[6:]}",
                        lambda q=query, k=key, v=value: attend(q, k, v).output,
                        lambda q=query, k=key, v=value: F.scaled_dot_product_attention(q, k, v),
                        bar=1.03,
                        rounds=max(9, 40_000 // length),
                    )
                )
    save("attend", QUESTION, rows)


if __name__ == "__main__":
    main()
