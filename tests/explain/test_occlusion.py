"""Occlusion and chance."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trace.subject_models import bert, bert_tokenizer, gpt2, gpt_tokenizer
from zhuyi.errors import OptionError
from zhuyi.explain import Occlusion, Random
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.module_subject import ModuleSubject

TEXTS = ("The quick brown fox jumped.", "good film")


class Sum(nn.Module):
    """One score: the sum of three numbers."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.sum(1, keepdim=True)


def test_by_hand() -> None:
    subject = ModuleSubject(Sum(), unit_names="abc", labels=("no", "yes"))
    found = Occlusion()(subject, torch.tensor([[1.0, -2.0, 0.5]]), 1)
    whole = torch.tensor(-0.5).sigmoid()
    wanted = whole - torch.tensor([[-1.5, 1.5, -1.0]]).sigmoid()
    torch.testing.assert_close(found.values, wanted)
    assert found.evidence["probability"] == pytest.approx([float(whole)])
    assert found.evidence["removal"] == "replaced by 0"
    assert found.signed


@pytest.mark.parametrize("size", [1, 3, 100])
@pytest.mark.parametrize("removal", ["mask token", "deletion"])
def test_one_unit_at_a_time(removal: str, size: int) -> None:
    if removal == "mask token":
        subject = TransformersSubject(bert(), bert_tokenizer())
    else:
        subject = TransformersSubject(gpt2(), gpt_tokenizer())
    assert subject.removal == removal
    found = Occlusion(batch_size=size)(subject, TEXTS, (1, 2))
    for row, text in enumerate(TEXTS):
        (units,) = subject.units([text])
        whole = subject.decide([text])[0, row + 1]
        for number, unit in enumerate(units):
            keep = torch.ones(1, len(units), dtype=torch.bool)
            keep[0, number] = False
            lost = whole - subject.decide([text], keep)[0, row + 1]
            wanted = 0.0 if unit.special else float(lost)
            assert float(found.values[row, number]) == pytest.approx(wanted, abs=2e-6)
        assert not found.values[row, len(units) :].any()


def test_the_most_likely_decision_is_explained_by_default() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    likely = tuple(subject.decide(TEXTS).argmax(1).tolist())
    found = Occlusion()(subject, TEXTS)
    assert found.target == likely
    assert torch.equal(found.values, Occlusion()(subject, TEXTS, likely).values)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (3, "one of the 3 decisions from 0, got 3"),
        (-1, "from 0, got -1"),
        ((0,), "one index or 2, one an input, got 1"),
    ],
)
def test_targets_that_are_not_there(target: Any, message: str) -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    with pytest.raises(OptionError, match=message):
        Occlusion()(subject, TEXTS, target)


def test_batch_size_is_positive() -> None:
    with pytest.raises(OptionError, match="batch_size must be at least 1, got 0"):
        Occlusion(batch_size=0)


def test_chance_is_the_same_for_the_same_input_and_seed() -> None:
    subject = TransformersSubject(bert(), bert_tokenizer())
    torch.manual_seed(5)
    before = torch.get_rng_state()
    found = Random(seed=1)(subject, TEXTS).values
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(found[1:, :4], Random(seed=1)(subject, TEXTS[1:]).values)
    assert not torch.equal(found, Random(seed=2)(subject, TEXTS).values)
    assert not torch.equal(found[0, :4], found[1, :4])
    assert found[0].min() >= 0
    assert found.max() < 1
    assert not found[1, 4:].any()
    assert Random(seed=-1)(subject, TEXTS).values.shape == (2, 8)
