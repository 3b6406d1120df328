"""Shuffled parameters within a block, and bit for bit the old ones after it."""

import importlib

import pytest
import torch
from torch import Tensor, nn

from tests.trace.subject_models import bert, gpt2
from zhuyi.errors import OptionError
from zhuyi.trace.randomized import _shuffled, randomized


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def copies(model: nn.Module) -> dict[str, Tensor]:
    return {name: p.detach().clone() for name, p in model.named_parameters()}


class Small(nn.Module):
    """Three modules with parameters, one with a buffer, one with neither."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(4, 5)
        self.act = nn.ReLU()
        self.norm = nn.BatchNorm1d(5)
        self.head = nn.Linear(5, 3)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.norm(self.act(self.first(inputs))))


@pytest.mark.parametrize(
    ("share", "changed"),
    [
        (0.0, ()),
        (0.01, ("head",)),
        (1 / 3, ("head",)),
        (2 / 3, ("head", "norm")),
        (1.0, ("head", "norm", "first")),
    ],
)
def test_the_top_is_shuffled_and_put_back(share: float, changed: tuple[str, ...]) -> None:
    model = Small()
    before = copies(model)
    places = {name: p.data_ptr() for name, p in model.named_parameters()}
    buffers = [b.clone() for b in model.buffers()]
    with randomized(model, share, seeded()) as names:
        assert names == changed
        for name, parameter in model.named_parameters():
            assert torch.equal(parameter.flatten().sort().values, before[name].flatten().sort()[0])
            moved = not torch.equal(parameter, before[name])
            constant = name.startswith("norm")  # ones and zeros: shuffled to themselves
            assert moved == (name.split(".")[0] in changed and not constant), name
        assert all(torch.equal(a, b) for a, b in zip(model.buffers(), buffers, strict=True))
    for name, parameter in model.named_parameters():
        assert torch.equal(parameter, before[name])
        assert parameter.data_ptr() == places[name]


def test_it_is_a_cascade() -> None:
    """The head's shuffle is the same whether or not more is shuffled."""
    model = Small()
    with randomized(model, 1 / 3, seeded(4)):
        head = model.head.weight.detach().clone()
    with randomized(model, 1.0, seeded(4)):
        assert torch.equal(model.head.weight, head)
    with randomized(model, 1.0, seeded(5)):
        assert not torch.equal(model.head.weight, head)


def test_it_comes_back_after_an_exception() -> None:
    model = Small()
    before = copies(model)
    with pytest.raises(ZeroDivisionError):
        with randomized(model, 1.0, seeded()):
            raise ZeroDivisionError
    assert all(torch.equal(p, before[name]) for name, p in model.named_parameters())


def test_graphs_gradients_and_flags_do_not_notice() -> None:
    model = Small()
    model.first.weight.requires_grad_(False)
    inputs = torch.randn(6, 4, generator=seeded(1))
    twin = Small()
    twin.load_state_dict(model.state_dict())
    twin(inputs).square().sum().backward()
    pending = model(inputs).square().sum()
    versions = [p._version for p in model.parameters()]
    with randomized(model, 1.0, seeded()):
        with torch.no_grad():
            model.eval()(inputs)
            model.train()
    assert [p._version for p in model.parameters()] == versions
    assert [p.requires_grad for p in model.parameters()] == [False] + [True] * 5
    pending.backward()  # a graph made before the block
    for (name, one), other in zip(model.named_parameters(), twin.parameters(), strict=True):
        if name == "first.weight":
            assert one.grad is None
        else:
            torch.testing.assert_close(one.grad, other.grad)


def test_tied_parameters_are_shuffled_once_and_stay_tied() -> None:
    model = gpt2()
    assert model.lm_head.weight is model.transformer.wte.weight
    before = model.lm_head.weight.detach().clone()
    with randomized(model, 0.01, seeded()) as names:
        assert names == ("lm_head",)
        assert model.lm_head.weight is model.transformer.wte.weight
        # one permutation, the first of the generator: had it been shuffled twice, it would differ
        order = torch.randperm(before.numel(), generator=seeded())
        assert torch.equal(model.lm_head.weight, before.flatten()[order].reshape(before.shape))
    assert torch.equal(model.lm_head.weight, before)
    with randomized(model, 1.0, seeded()):
        assert torch.equal(model.lm_head.weight, before.flatten()[order].reshape(before.shape))
    assert torch.equal(model.lm_head.weight, before)


def test_the_classifier_is_the_top_of_bert() -> None:
    model = bert()
    with randomized(model, 0.1, seeded()) as names:
        assert names[:2] == ("classifier", "bert.pooler.dense")
    with randomized(model, 1.0, seeded()) as names:
        assert names[-1] == "bert.embeddings.word_embeddings"


def test_a_model_without_parameters() -> None:
    with randomized(nn.ReLU(), 1.0, seeded()) as names:
        assert names == ()


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan")])
def test_a_share_out_of_range_is_refused(share: float) -> None:
    with pytest.raises(OptionError, match="share"):
        with randomized(Small(), share, seeded()):
            pass


def test_a_large_tensor_is_shuffled_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("zhuyi.trace.randomized")
    monkeypatch.setattr(module, "_BLOCK", 8)
    found = _shuffled(torch.arange(20).reshape(4, 5), seeded()).flatten()
    blocks = [part.sort().values.tolist() for part in found.split(8)]
    assert blocks == [list(range(8)), list(range(8, 16)), list(range(16, 20))]
    assert not torch.equal(found, torch.arange(20))


def test_an_empty_parameter_stays_empty() -> None:
    assert _shuffled(torch.zeros(0, 3), seeded()).shape == (0, 3)
