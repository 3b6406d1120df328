"""Watching while gradients flow."""

import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from tests.trace.models import TimmBlock, TimmViT, TorchvisionBlock, noise, seeded
from zhuyi.core import Statistics
from zhuyi.trace import Keep, watch

PLANS = [Keep(), Keep(matrix=False, statistics=Statistics()), Keep(statistics=Statistics())]


@pytest.mark.parametrize("keep", PLANS, ids=["matrix", "summary", "both"])
@pytest.mark.parametrize("block", [TimmBlock, TorchvisionBlock])
def test_gradients_are_bit_equal(keep: Keep, block: type[nn.Module]) -> None:
    model = seeded(lambda: nn.Sequential(block(), block())).train()
    x = noise(2, 5, 16)
    model(x).square().sum().backward()
    plain = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    with watch(model, keep) as tape:
        model(x).square().sum().backward()
    assert len(tape) == 2
    for expected, parameter in zip(plain, model.parameters()):
        assert torch.equal(expected, parameter.grad)


@pytest.mark.parametrize("block", [TimmBlock, TorchvisionBlock])
def test_the_kept_output_is_in_the_graph(block: type[nn.Module]) -> None:
    model, x = seeded(lambda: nn.Sequential(block(), block())), noise(1, 5, 16)
    with watch(model) as tape:
        logit = model(x)[0, 0, 0]
    gradients = torch.autograd.grad(logit, [s.output for s in tape], retain_graph=True)
    for sighting, gradient in zip(tape, gradients):
        assert gradient.shape == sighting.output.shape == (1, 2, 5, 8)
        assert gradient.abs().max().item() > 0.0
    query = torch.autograd.grad(tape[0].matrix.received().square().sum(), tape[0].matrix.query)[0]
    assert query.abs().max().item() > 0.0


class Checkpointed(nn.Module):
    """Blocks whose activations are recomputed during backward."""

    def __init__(self, block: type[nn.Module], reentrant: bool) -> None:
        super().__init__()
        self.blocks = nn.ModuleList([block(), block()])
        self.reentrant = reentrant

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = checkpoint(block, x, use_reentrant=self.reentrant)
        return x


@pytest.mark.parametrize("keep", PLANS, ids=["matrix", "summary", "both"])
@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("block", [TimmBlock, TorchvisionBlock])
def test_checkpointing_counts_every_call_once(
    keep: Keep, reentrant: bool, block: type[nn.Module]
) -> None:
    model = seeded(lambda: Checkpointed(block, reentrant)).train()
    x = noise(1, 5, 16).requires_grad_()
    model(x).square().sum().backward()
    plain = [p.grad.clone() for p in model.parameters()]
    model.zero_grad()
    with watch(model, keep) as tape:
        model(x).square().sum().backward()
    assert [site.index for site in tape.sites] == [0, 1]
    assert len(tape.passes) == 1
    # Reentrant checkpoints run forward without gradients, so there the output is streamed: the
    # gradients are then those of torch's kernel at inputs that differ by rounding.
    bound = 1e-4 if reentrant and keep.statistics is not None else 0.0
    for expected, parameter in zip(plain, model.parameters()):
        assert (expected - parameter.grad).abs().max().item() <= bound


def test_no_grad_holds_no_graph() -> None:
    model = seeded(TimmViT)
    with torch.no_grad(), watch(model) as tape:
        model(noise(1, 3, 8, 8))
    assert not any(s.matrix.query.requires_grad or s.output.requires_grad for s in tape)
