"""A model with shuffled parameters, for the length of a block: what knows nothing any more."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from zhuyi._check import check_share

_BLOCK = 2**24  # entries shuffled among themselves: bounds the memory of the permutation


@contextmanager
def randomized(
    model: nn.Module, share: float, generator: torch.Generator
) -> Iterator[tuple[str, ...]]:
    """Shuffle the parameters of a model's topmost modules within a block, and put them back.

    The modules that hold parameters themselves are counted in the order in which they were
    registered; the last `share` of them (rounded, at least one unless the share is 0) are changed,
    the very last, usually the head, first. Every parameter tensor's entries are permuted among
    themselves (in blocks of 16.8 million), so mean and spread stay, nothing blows up, and what was
    learned is gone. One generator seed gives the upper modules the same shuffle for every share:
    the cascade. A parameter that several modules share (a head tied to the embeddings) is changed
    once, with the topmost of them. Buffers stay; so does a parameter whose entries are all equal.

    On leaving, also by an exception, each parameter gets its very storage back: bit for bit, with
    its gradient, its flags and its version counter untouched.

    Args:
        model: any module.
        share: in [0, 1], of the modules that hold parameters; 1 is all of them.
        generator: of the permutations.
    Returns: a context manager that gives the names of the changed modules, the topmost first.
    Raises:  OptionError: share outside [0, 1].
    Cost:    memory for a copy of the changed parameters; time of a random permutation of them.
    Not:     a retrained or newly initialized model: Adebayo et al. draw new values from the
        initializer, which a trained checkpoint no longer knows; shuffling keeps the trained values
        and loses their places. Registration order is not always the order of execution.
    Ref:     Adebayo et al. 2018, arXiv:1810.03292, sec. 4 (cascading randomization).

    Example:
        >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
        >>> with randomized(model, 0.5, torch.Generator().manual_seed(0)) as changed:
        ...     changed
        ('2',)
    """
    check_share("share", share)
    holders = [
        (name, module)
        for name, module in model.named_modules()
        if next(module.parameters(recurse=False), None) is not None
    ]
    count = max(round(share * len(holders)), 1) if share > 0 else 0
    top = holders[::-1][:count]
    own: dict[int, nn.Parameter] = {
        id(parameter): parameter
        for _, module in top
        for parameter in module.parameters(recurse=False)
    }
    kept: list[tuple[nn.Parameter, Tensor]] = []
    try:
        for parameter in own.values():
            kept.append((parameter, parameter.data))
            # Assigning .data, and not writing: no graph that holds this parameter notices.
            parameter.data = _shuffled(parameter.data, generator)
        yield tuple(name for name, _ in top)
    finally:
        for parameter, data in kept:
            parameter.data = data


def _shuffled(values: Tensor, generator: torch.Generator) -> Tensor:
    """A tensor of the same shape with the entries in random order."""
    parts = [
        part[
            torch.randperm(len(part), generator=generator, device=generator.device).to(part.device)
        ]
        for part in torch.split(values.reshape(-1), _BLOCK)
    ]
    return torch.cat(parts).reshape(values.shape)
