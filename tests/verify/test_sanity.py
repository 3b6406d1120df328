"""Sanity: what does not look at the model is found out, what does is not, and nothing is left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trace.subject_models import WORDS, bert, bert_tokenizer
from zhuyi.core.record import Attribution
from zhuyi.errors import OptionError
from zhuyi.explain import InputGradient, Occlusion, Random, Received
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.trace.randomized import randomized
from zhuyi.verify.case import Case
from zhuyi.verify.ranks import rank_correlation
from zhuyi.verify.removals import Removals
from zhuyi.verify.sanity import Sanity


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_texts(count: int = 12) -> list[str]:
    words, generator = WORDS.split(), seeded(1)
    lengths = torch.randint(6, 14, (count,), generator=generator).tolist()
    return [
        " ".join(words[i] for i in torch.randint(len(words), (n,), generator=generator))
        for n in lengths
    ]


@dataclass(frozen=True)
class Made:
    """A method out of a function of (subject, batch) to values "B N"."""

    values: Callable[[Any, Any], Tensor]

    def __call__(
        self, subject: Any, batch: Any, target: Sequence[int] | None = None
    ) -> Attribution:
        return Attribution(
            values=self.values(subject, batch),
            units=subject.units(batch),
            method="Made()",
            target=tuple(target or subject.decide(batch).argmax(1).tolist()),
            signed=True,
        )


def case_of(subject: Any, batch: Any, method: Any, *, seed: int = 0) -> Case:
    attribution = method(subject, batch)
    removals = Removals(subject, batch, attribution.target)
    return Case(
        subject=subject,
        batch=batch,
        attribution=attribution,
        method=method,
        removals=removals,
        seed=seed,
    )


@pytest.fixture(scope="module")
def texts() -> tuple[TransformersSubject, list[str]]:
    return TransformersSubject(bert(), bert_tokenizer()), some_texts()


def module_of(*layers: nn.Module, units: int) -> ModuleSubject:
    return ModuleSubject(
        nn.Sequential(*layers), unit_names="abcdefghij"[:units], labels=("no", "yes")
    )


def ones(subject: Any, batch: Any) -> Tensor:
    """A constant explanation."""
    return torch.ones(len(subject.units(batch)), max(map(len, subject.units(batch))))


def lengths(subject: Any, batch: Any) -> Tensor:
    """Longer words count more, whatever the model says."""
    values = ones(subject, batch)
    for row, units in enumerate(subject.units(batch)):
        values[row, : len(units)] = torch.tensor([float(len(unit.label)) for unit in units])
    return values


def nearly(subject: Any, batch: Any) -> Tensor:
    """The length of words, and a little of the model: never exactly unchanged."""
    return lengths(subject, batch) + 1e-3 * Occlusion()(subject, batch).values


@pytest.mark.parametrize("method", [InputGradient(), Occlusion(), Received()], ids=repr)
def test_explanations_of_the_model_pass(texts: Any, method: Any) -> None:
    finding = Sanity()(case_of(*texts, method))
    assert finding.outcome == "supports"
    assert abs(float(finding.numbers["correlation"])) < 0.35  # type: ignore[arg-type]
    assert finding.numbers["unchanged"] == 0
    assert finding.numbers["inputs"] == 12
    assert finding.calls == 36
    assert "it depends on the model" in finding.said.en
    assert "随之改变" in finding.said.zh


@pytest.mark.parametrize("method", [Random(), Made(ones), Made(lengths)], ids=["lots", "1", "len"])
def test_explanations_of_nothing_are_refuted(texts: Any, method: Any) -> None:
    finding = Sanity()(case_of(*texts, method))
    assert finding.outcome == "refutes"
    assert finding.numbers["correlation"] == 1.0
    assert finding.numbers["unchanged"] == 12
    assert finding.details["correlation"] == (1.0,) * 12
    assert "(rank correlation 1.00 over 12 inputs)" in finding.said.en
    assert "秩相关 1.00" in finding.said.zh


def test_what_hardly_looks_at_the_model_is_refuted(texts: Any) -> None:
    finding = Sanity()(case_of(*texts, Made(nearly)))
    assert finding.outcome == "refutes"
    assert finding.numbers["unchanged"] == 0
    correlation, control = finding.numbers["correlation"], finding.numbers["control"]
    assert isinstance(correlation, float)
    assert isinstance(control, float)
    assert 0.8 < correlation < 1.0
    assert abs(control) < 0.4


def test_one_input_alone_refutes_only_what_does_not_change_at_all(texts: Any) -> None:
    """Chance moves the correlation of one pair of orders too far to blame anybody."""
    subject, batch = texts
    alone = Sanity(draws=1)(case_of(subject, batch[:1], Made(nearly)))
    assert alone.outcome == "informs"
    assert "cannot tell" in alone.said.en
    assert "无法说明" in alone.said.zh
    assert Sanity(draws=1)(case_of(subject, batch[:1], Random())).outcome == "refutes"


def test_the_numbers_are_those_of_a_loop_written_out(texts: Any) -> None:
    subject, batch = texts
    case = case_of(subject, batch[:3], Occlusion(), seed=5)
    finding = Sanity(shares=(0.5, 1.0), draws=1)(case)
    whole: dict[float, list[float]] = {}
    for share in (0.5, 1.0):
        with randomized(subject.model, share, case.generator(4002)):
            values = Occlusion()(subject, batch[:3], list(case.attribution.target)).values
        whole[share] = [
            rank_correlation(  # type: ignore[misc]
                case.values(row), values[row, 1 : 1 + len(case.values(row))].tolist()
            )
            for row in range(3)
        ]
    found = finding.numbers
    assert found["correlation_of_values"] == pytest.approx(sum(whole[1.0]) / 3, abs=1e-9)
    assert float(found["correlation_at_0.50"]) >= sum(whole[0.5]) / 3 - 1e-9  # type: ignore[arg-type]
    chance = sum(1 / (len(case.values(row)) - 1) for row in range(3)) / 3
    assert found["standard_error"] == pytest.approx(chance**0.5, abs=1e-12)
    if found["correlation"] == found["correlation_of_values"]:
        assert finding.details["correlation"] == pytest.approx(whole[1.0], abs=1e-9)


def test_a_sign_that_flips_does_not_hide_a_picture_that_stays() -> None:
    """Values with the model's sign on the input's sizes: sizes stay, values do not."""

    def flipped(subject: Any, batch: Tensor) -> Tensor:
        score = subject.decide_embedded(batch, subject.embed(batch))[:, 1].sign().detach()
        return batch.abs() * torch.where(score == 0, 1.0, score)[:, None]

    subject = module_of(nn.Linear(8, 16), nn.Tanh(), nn.Linear(16, 2), units=8)
    batch = torch.rand(16, 8, generator=seeded(3))
    finding = Sanity()(case_of(subject, batch, Made(flipped)))
    assert finding.numbers["correlation_of_sizes"] == 1.0
    assert float(finding.numbers["correlation_of_values"]) < 0.9  # type: ignore[arg-type]
    assert finding.outcome == "refutes"


def test_where_the_truth_stays_too_nobody_is_blamed() -> None:
    """With columns of very different sizes the large ones matter to any model."""
    subject = module_of(nn.Linear(6, 2), units=6)
    sizes = torch.tensor([10.0, 1.0, 0.1, 0.01, 0.001, 0.0001])
    batch = torch.randn(16, 6, generator=seeded(2)) * sizes
    finding = Sanity()(case_of(subject, batch, InputGradient()))
    assert float(finding.numbers["correlation"]) > 0.7  # type: ignore[arg-type]
    assert float(finding.numbers["control"]) > 0.7  # type: ignore[arg-type]
    assert finding.outcome == "informs"
    assert finding.numbers["draws"] == 5
    # but not what does not even change
    assert Sanity()(case_of(subject, batch, Random())).outcome == "refutes"


def test_a_model_that_shuffling_does_not_change_tells_nothing() -> None:
    subject = module_of(nn.Linear(4, 1), units=4)
    with torch.no_grad():
        subject.module[0].weight.fill_(0.5)  # type: ignore[index, union-attr, operator]
    batch = torch.randn(8, 4, generator=seeded(2))
    finding = Sanity()(case_of(subject, batch, Occlusion()))
    assert finding.numbers["unchanged"] == 8
    assert finding.numbers["control"] == 1.0
    assert finding.outcome == "informs"


@pytest.mark.parametrize("fails", [False, True])
def test_the_model_is_left_bit_for_bit(texts: Any, fails: bool) -> None:
    subject, batch = texts
    case = case_of(subject, batch, Random())
    if fails:
        calls = iter([Random(), None])

        def method(*args: Any) -> Attribution:
            found = next(calls)
            if found is None:
                raise ZeroDivisionError
            return found(*args)

        case = replace(case, method=method)
    before = [(p, p.data_ptr(), p.detach().clone()) for p in subject.model.parameters()]
    if fails:
        with pytest.raises(ZeroDivisionError):
            Sanity()(case)
    else:
        Sanity()(case)
    for parameter, place, values in before:
        assert parameter.data_ptr() == place
        assert torch.equal(parameter, values)
        assert parameter.grad is None
    assert torch.equal(Random()(subject, batch).values, case.attribution.values)


def test_the_seed_decides(texts: Any) -> None:
    one = Sanity()(case_of(*texts, Occlusion(), seed=1))
    assert Sanity()(case_of(*texts, Occlusion(), seed=1)) == one
    other = Sanity()(case_of(*texts, Occlusion(), seed=2))
    assert other.numbers["correlation"] != one.numbers["correlation"]


def test_at_most_so_many_inputs(texts: Any) -> None:
    finding = Sanity(most=5, shares=(1.0,))(case_of(*texts, Occlusion()))
    assert finding.numbers["inputs"] == 5
    assert sum(number is not None for number in finding.details["correlation"]) == 5
    assert len(finding.details["correlation"]) == 12
    assert finding.calls == 5


class Rule:
    """A subject without a model."""

    labels = ("no", "yes")
    removal = "zero"

    def __init__(self, inner: ModuleSubject) -> None:
        self.units, self.decide = inner.units, inner.decide


def test_what_cannot_be_tested_is_skipped(texts: Any) -> None:
    subject, batch = texts
    known = replace(case_of(subject, batch, Occlusion()), method=None)
    assert "not the method" in skipped(known)
    inner = module_of(nn.Linear(4, 2), units=4)
    inputs = torch.randn(3, 4, generator=seeded())
    assert "no parameters" in skipped(case_of(Rule(inner), inputs, Made(ones)))
    bare = module_of(nn.ReLU(), units=2)
    assert "no parameters" in skipped(case_of(bare, inputs[:, :2], Made(ones)))
    two = module_of(nn.Linear(2, 2), units=2)
    assert "3 units" in skipped(case_of(two, inputs[:, :2], Occlusion()))


def test_values_that_are_not_numbers_are_skipped() -> None:
    subject = module_of(nn.Linear(4, 2), units=4)
    inputs = torch.randn(3, 4, generator=seeded())
    case = case_of(subject, inputs, Occlusion())
    broken = Made(lambda subject, batch: ones(subject, batch) / 0.0)
    assert "not numbers" in skipped(replace(case, method=broken))


def skipped(case: Case) -> str:
    finding = Sanity()(case)
    assert finding.outcome == "skipped"
    assert finding.said.zh
    return finding.said.en


@pytest.mark.parametrize(
    "options",
    [{"shares": ()}, {"shares": (0.5,)}, {"shares": (1.0, 0.5)}, {"draws": 0}, {"most": 0}],
    ids=str,
)
def test_settings_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        Sanity(**options)
