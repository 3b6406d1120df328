"""Training in seconds, on one thread, every draw from one generator."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def fit(
    model: nn.Module, loss: Callable[[int], Tensor], *, steps: int, rate: float = 3e-3
) -> nn.Module:
    """Train a model in place: AdamW, 30 steps of warming up, then a rate that falls to zero.

    Args:
        model: whose parameters are trained; left in evaluation mode.
        loss: step -> a scalar to lower; it draws its own inputs.
        steps: updates.
        rate: the largest learning rate.
    Returns: the model.
    """
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98))
    with one_thread():
        model.train()
        for step in range(steps):
            now = rate * min(1.0, (step + 1) / 30) * (1.0 - step / steps)
            for group in optimizer.param_groups:
                group["lr"] = now
            optimizer.zero_grad()
            torch.autograd.backward(loss(step))
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    model.zero_grad(set_to_none=True)
    return model.eval()


@contextmanager
def one_thread() -> Iterator[None]:
    """Several threads add up gradients in any order, so that a seed would give other bits."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
