"""From the mask tensors that models pass to what the core understands, cheaply.

Only shapes and strides decide; no O(Q K) array is searched, except once per mask and pass for
the rows that are padding (`attended_keys`).
"""

from dataclasses import dataclass
from typing import Final

import torch

from zhuyi.core import Bias, Mask

BLOCKED: Final = -1e4
"""An additive mask value at or below this hides a key: finfo.min, -inf, and the older -10000."""


@dataclass(frozen=True, kw_only=True)
class MaskReading:
    """What a mask tensor says.

    Args:
        mask: what may be seen, or None.
        bias: what is added to the scores, or None.
        present: bool [B, K], False where a key is hidden from every query; None when unknown.
    """

    mask: Mask | None = None
    bias: Bias | None = None
    present: torch.Tensor | None = None


def read_mask(tensor: torch.Tensor | None, shape: tuple[int, int, int, int]) -> MaskReading:
    """Read a boolean (True = may see) or additive mask that broadcasts to `shape` (B, H, Q, K)."""
    if tensor is None:
        return MaskReading()
    B, _, _, K = shape
    mask_BHQK = tensor[(None,) * (4 - tensor.dim())]
    one_row = mask_BHQK.shape[2] == 1 or mask_BHQK.stride(2) == 0
    one_head = mask_BHQK.shape[1] == 1 or mask_BHQK.stride(1) == 0
    boolean = mask_BHQK.dtype == torch.bool
    if not one_row or not one_head or mask_BHQK.shape[3] != K:
        if boolean:
            return MaskReading(mask=Mask.dense(mask_BHQK))
        return MaskReading(bias=Bias.dense(mask_BHQK))
    row_BK = mask_BHQK[:, 0, 0, :].expand(B, K)
    if boolean:
        return MaskReading(mask=Mask.padding(row_BK), present=row_BK)
    return MaskReading(bias=Bias.per_key(row_BK), present=row_BK > BLOCKED)


def attended_keys(tensor: torch.Tensor, batch: int) -> torch.Tensor:
    """Bool [B, K]: the keys that at least one query of one head may see."""
    seen = tensor if tensor.dtype == torch.bool else tensor > BLOCKED
    seen_BHQK = seen[(None,) * (4 - seen.dim())]
    return seen_BHQK.any(dim=2).any(dim=1).expand(batch, -1)
