"""Where contributions start from: the one freedom that a sum of weight times effect leaves.

    sum_n w_cn (e_cn + t_c) + (b_c - t_c) = sum_n w_cn e_cn + b_c,   as sum_n w_cn = 1

so any t_c gives the same decisions, and which one training ends with is chance. The one taken here
makes contributions as near as can be to what the decision loses without each factor:

    t_c = argmin_t sum_b 1 / |r_bc| sum_n (r_bcn - w_bcn (e_bcn + t))^2

with r_bcn the logit less its mean over typical values of factor n, and |r_bc| the root of the sum
of their squares over n, so that a few rows of which much is lost do not speak for all others.
"""

from typing import Final

import torch
from torch import Tensor

from zhuyi.learn.glass_box import GlassBox, Read

_LEAST: Final = 1e-6  # logits: less is nothing lost
_TINY: Final = 1e-300  # instead of dividing by zero


@torch.no_grad()
def settle_constants(module: GlassBox, codes: Tensor, typical: Tensor) -> None:
    """Move the constants of a glass box without mixing layers; its decisions stay.

    Args:
        module: trained.
        codes: of B inputs of the training.
        typical: codes of K inputs whose factors are drawn each by itself.
    Cost: O(B K C N) time, O(B C N) memory.
    """
    read = module.read(codes)
    lost = _lost(read, module.read(typical))
    weights = read.weights
    counts = 1.0 / lost.square().sum(-1, keepdim=True).sqrt().clamp_min(_LEAST)
    square = (counts * weights.square()).sum((0, 2))
    module.shift((counts * weights * (lost - read.contributions)).sum((0, 2)) / square)


def _lost(read: Read, typical: Read) -> Tensor:
    """What the logit loses when one factor is a typical one, mean over those, "B C N"."""
    scores_BCN = read.scores
    # of a row in which rules veto every factor nothing is decided, and nothing lost
    top = scores_BCN.amax(-1, keepdim=True).nan_to_num(neginf=0.0)
    share = (scores_BCN - top).exp()
    above, below = (share * read.effects).sum(-1, keepdim=True), share.sum(-1, keepdim=True)
    decided = above / below.clamp_min(_TINY)
    lost = torch.zeros_like(share)
    for scores_CN, effects_CN in zip(typical.scores, typical.effects, strict=True):
        other = (scores_CN - top).exp()
        changed = above - share * read.effects + other * effects_CN
        lost += decided - changed / (below - share + other).clamp_min(_TINY)
    return lost / len(typical.scores)
