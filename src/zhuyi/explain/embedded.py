"""What gradient methods need of a subject: a decision that is a function of vectors."""

from collections.abc import Sequence

import torch
from torch import Tensor

from zhuyi.errors import NotWatchable
from zhuyi.explain.targets import of_targets
from zhuyi.trace.subject import Batch, DifferentiableSubject, Subject


def differentiable(subject: Subject) -> DifferentiableSubject:
    """The subject, when it can be fed with vectors.

    Raises: NotWatchable: if it cannot.
    """
    if not isinstance(subject, DifferentiableSubject):
        raise NotWatchable(
            f"{type(subject).__name__} has no embed, baseline and decide_embedded, so it has no "
            "gradient by its input: use Occlusion"
        )
    return subject


def gradient_at(
    subject: DifferentiableSubject, batch: Batch, vectors: Tensor, target: Sequence[int]
) -> Tensor:
    """Gradient "B' T E" of the explained logits at these vectors, in float32 or wider."""
    point = vectors.detach().requires_grad_()
    with torch.enable_grad():
        # A copy: some models write into their embeddings, which a leaf of the graph forbids.
        total = of_targets(subject.decide_embedded(batch, point.clone()), target).sum()
    (gradient,) = torch.autograd.grad(total, point)
    return wide(gradient)


def wide(values: Tensor) -> Tensor:
    """The same in float32, or in float64 where it came so: sums over E lose digits below that."""
    return values.to(torch.promote_types(values.dtype, torch.float32))
