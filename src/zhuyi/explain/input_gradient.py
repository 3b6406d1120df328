"""Gradient times input: the decision's slope at each position's vector, along that vector."""

from dataclasses import dataclass

import torch

from zhuyi.core.record import Attribution
from zhuyi.explain.embedded import differentiable, gradient_at, wide
from zhuyi.explain.targets import Target, chosen
from zhuyi.trace.subject import Batch, Subject


@dataclass(frozen=True, kw_only=True)
class InputGradient:
    """Gradient times input: the decision's slope at each position's vector, along that vector.

        c_j = sum_E x_jE dy/dx_jE        (or ||dy/dx_j|| with times_input=False)

    with y the explained logit and x the input embeddings (pixels, for images).

    Args:
        times_input: multiply by the input; else the gradient's length is taken.

    Returns: Attribution with values "B N", signed with `times_input`, else >= 0.
    Raises:  NotWatchable: if the subject cannot be fed with vectors.
    Cost:    two forward passes and one backward pass.
    Not:     complete: values do not sum to the decision, and a saturated decision has none.
    Ref:     Shrikumar et al. 2016, arXiv:1605.01713; Simonyan et al. 2013, arXiv:1312.6034.

    Example:
        >>> InputGradient()
        InputGradient(times_input=True)
    """

    times_input: bool = True

    def __call__(self, subject: Subject, batch: Batch, target: Target = None) -> Attribution:
        """Explain the batch."""
        known = differentiable(subject)
        vectors = known.embed(batch)
        with torch.no_grad():
            targets = chosen(known.decide_embedded(batch, vectors), target)
        gradient = gradient_at(known, batch, vectors, targets)
        product = (gradient * wide(vectors)).sum(-1)
        values = product if self.times_input else gradient.norm(dim=-1)
        return Attribution(
            values=subject.gather(batch, values).float(),
            units=subject.units(batch),
            method=repr(self),
            target=targets,
            signed=self.times_input,
        )
