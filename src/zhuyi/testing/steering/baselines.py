"""What others do to attention, as rules of the same seam (`trace.biased`), from their papers.

Each takes the positions that a person means, bool "B L", and gives the bias of a call. Everything
is written as an addition to the scores: a weight that is multiplied by m after the softmax, with
the row made to sum to 1 again, is a score to which ln m was added.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import torch
from torch import Tensor

from zhuyi.core import Bias
from zhuyi.trace.collector import BiasedCall, BiasRule

Head = tuple[int, int]
"""(site, head)."""


def pasta(keys_BL: Tensor, heads: Iterable[Head], alpha: float = 0.01) -> BiasRule:
    """Post-hoc attention steering: in chosen heads, all other keys are scaled down by alpha.

        weights_j <- alpha weights_j / C for j not meant, weights_j / C for j meant

    Ref: Zhang et al. 2023, arXiv:2311.02262.
    """
    chosen = set(heads)

    def rule(call: BiasedCall) -> Bias | None:
        own = [head for site, head in chosen if site == call.site.index]
        if not own:
            return None
        values_BHK = torch.zeros(len(keys_BL), call.shape[1], keys_BL.shape[1])
        others_BK = torch.where(keys_BL, 0.0, math.log(alpha))
        values_BHK[:, own] = others_BK[:, None]
        return Bias.per_key(values_BHK)

    return rule


def profiled_heads(
    score: Callable[[Head], float], heads: Sequence[Head], count: int
) -> tuple[Head, ...]:
    """The heads whose steering, one by one, scores best on inputs that are kept for it.

    Ref: Zhang et al. 2023, arXiv:2311.02262; here with the profile of one task.
    """
    return tuple(sorted(heads, key=score, reverse=True)[:count])


def spotlight(keys_BL: Tensor, share: float) -> BiasRule:
    """Dynamic attention: where a head gives the meant keys less than `share`, ln(share / has).

    The bias is the paper's, which aims at the share and does not reach it (raising some scores
    raises the row's sum as well); `Rules.share` uses logit(share) - logit(has), which does.

    Ref: Venkateswaran & Contractor 2025, arXiv:2505.12025.
    """

    def rule(call: BiasedCall) -> Bias:
        hit_BHK1 = keys_BL.float()[:, None, :, None].expand(-1, call.shape[1], -1, -1)
        has_BHQ1 = (call.matrix() @ hit_BHK1).clamp_min(1e-9)
        lift_BHQ1 = (share / has_BHQ1).log().clamp_min(0.0)
        return Bias.outer(lift_BHQ1, hit_BHK1)

    return rule


def instaboost(keys_BL: Tensor, multiplier: float) -> BiasRule:
    """Instruction attention boosting: the meant keys' weights times a constant, everywhere.

    It is `Rules.boost` with that weight in all layers and heads, as the numbers show.

    Ref: Guardieiro et al. 2025, arXiv:2506.13734.
    """
    bias = Bias.per_key(keys_BL * math.log(multiplier))
    return lambda call: bias
