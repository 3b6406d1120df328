"""Integrated gradients: the decision's change from an empty input, shared among the positions."""

from dataclasses import dataclass

import numpy as np
import torch

from zhuyi.core.record import Attribution
from zhuyi.errors import OptionError
from zhuyi.explain.embedded import differentiable, gradient_at, wide
from zhuyi.explain.targets import Target, chosen, of_targets
from zhuyi.trace.subject import Batch, Subject


@dataclass(frozen=True, kw_only=True)
class IntegratedGradients:
    """Integrated gradients: the decision's change from an empty input, shared among the positions.

        c_j = sum_E (x_j - x'_j) * integral over t in [0, 1] of dy/dx_j at x' + t (x - x')

    with y the explained logit, x the input embeddings and x' the subject's baseline (mask tokens, a
    gray image). The integral is a Gauss-Legendre sum.

    Args:
        steps: points of the sum, >= 1.

    Returns: Attribution with values "B N", signed; a unit's values sum to y(x) - y(x') up to the
        error that `evidence["completeness_error"]` states for each input, in logits;
        `evidence["difference"]` is y(x) - y(x').
    Raises:  NotWatchable: if the subject cannot be fed with vectors. OptionError: steps < 1.
    Cost:    `steps` forward and backward passes over the batch, and two forward passes.
    Not:     independent of the baseline: what the baseline already says gets nothing.
    Ref:     Sundararajan, Taly & Yan 2017, arXiv:1703.01365, eq. 1.

    Example:
        >>> IntegratedGradients(steps=20)
        IntegratedGradients(steps=20)
    """

    steps: int = 32

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise OptionError(f"steps must be at least 1, got {self.steps}")

    def __call__(self, subject: Subject, batch: Batch, target: Target = None) -> Attribution:
        """Explain the batch."""
        known = differentiable(subject)
        vectors, start = known.embed(batch), known.baseline(batch)
        with torch.no_grad():
            logits = known.decide_embedded(batch, vectors)
            targets = chosen(logits, target)
            empty = of_targets(known.decide_embedded(batch, start), targets)
            difference = wide(of_targets(logits, targets)) - wide(empty)
        points, shares = np.polynomial.legendre.leggauss(self.steps)
        slope = torch.zeros_like(wide(vectors))
        for point, share in zip(points.tolist(), shares.tolist(), strict=True):
            between = start + (point + 1.0) / 2.0 * (vectors - start)
            slope += share / 2.0 * gradient_at(known, batch, between, targets)
        values = subject.gather(batch, (wide(vectors - start) * slope).sum(-1))
        error = (values.sum(1) - difference).abs()
        return Attribution(
            values=values.float(),
            units=subject.units(batch),
            method=repr(self),
            target=targets,
            signed=True,
            evidence={
                "completeness_error": tuple(error.tolist()),
                "difference": tuple(difference.tolist()),
            },
        )
