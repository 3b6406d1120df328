"""Stability: small changes, against Captum's sensitivity and what is unstable on purpose."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trace.subject_models import WORDS, bert, bert_tokenizer
from zhuyi.core.record import Attribution
from zhuyi.errors import NotWatchable, OptionError
from zhuyi.explain import InputGradient, Occlusion, Random
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.verify.case import Case
from zhuyi.verify.ranks import rank_correlation
from zhuyi.verify.removals import Removals
from zhuyi.verify.stability import Stability
from zhuyi.verify.thresholds import Thresholds


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


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


@dataclass
class DrawsLots:
    """Another random explanation at every call."""

    generator: torch.Generator = field(default_factory=seeded)

    def __call__(
        self, subject: Any, batch: Any, target: Sequence[int] | None = None
    ) -> Attribution:
        found = Random()(subject, batch, target)
        values = torch.rand(found.values.shape, generator=self.generator)
        return replace(found, values=values)


def case_of(subject: Any, batch: Any, method: Any, **options: Any) -> Case:
    attribution = method(subject, batch)
    removals = Removals(subject, batch, attribution.target)
    return Case(
        subject=subject,
        batch=batch,
        attribution=attribution,
        method=method,
        removals=removals,
        **options,
    )


def model() -> nn.Module:
    made = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 2))
    generator = seeded(8)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return made


def tabular() -> tuple[ModuleSubject, Tensor]:
    batch = torch.randn(10, 6, generator=seeded(1))
    reference = torch.randn(100, 6, generator=seeded(2))
    return ModuleSubject(
        model(), unit_names="abcdef", labels=("no", "yes"), reference=reference
    ), batch


def texts() -> tuple[TransformersSubject, list[str]]:
    words, generator = WORDS.split(), seeded(1)
    batch = [
        " ".join(words[i] for i in torch.randint(len(words), (n,), generator=generator))
        for n in range(6, 14)
    ]
    return TransformersSubject(bert(), bert_tokenizer()), batch


def test_sensitivity_is_captums() -> None:
    """Both see the same noise, and give the same number for every input."""
    metrics = pytest.importorskip("captum.metrics")
    subject, batch = tabular()
    case = case_of(subject, batch, InputGradient(), thresholds=Thresholds(effect=0.0), seed=3)
    finding = Stability(size=0.002, draws=4)(case)
    assert finding.numbers["decision_changed"] == 0
    targets = list(case.attribution.target)
    near = []
    for draw in range(4):
        with subject.nearby(batch, size=0.002, generator=case.generator(4102 + draw)) as inputs:
            near.append(inputs)

    def explain(inputs: Tensor | tuple[Tensor, ...]) -> tuple[Tensor]:
        inputs = inputs[0] if isinstance(inputs, tuple) else inputs
        repeated = [t for t in targets for _ in range(len(inputs) // len(targets))]
        with torch.enable_grad():  # captum asks without
            return (InputGradient()(subject, inputs, repeated).values,)

    wanted = metrics.sensitivity_max(
        explain,
        batch,
        # captum repeats each input as often as there are draws
        perturb_func=lambda inputs: torch.stack(near, 1).flatten(0, 1),
        n_perturb_samples=4,
    )
    assert wanted.min() > 1e-4
    found = torch.tensor(finding.details["sensitivity"])
    torch.testing.assert_close(found, wanted, atol=1e-6, rtol=1e-5)
    assert finding.numbers["sensitivity"] == pytest.approx(float(wanted.mean()), rel=1e-5)


def test_the_correlation_is_that_of_a_loop_written_out() -> None:
    subject, batch = texts()
    case = case_of(subject, batch, Occlusion(), thresholds=Thresholds(effect=0.0), seed=2)
    finding = Stability(size=0.1, draws=2)(case)
    found: list[list[float]] = [[] for _ in batch]
    before = subject.decide(batch).argmax(1)
    changed = 0
    for draw in range(2):
        with subject.nearby(batch, size=0.1, generator=case.generator(4102 + draw)) as near:
            same = subject.decide(near).argmax(1) == before
            values = Occlusion()(subject, near, list(case.attribution.target)).values
        changed += int((~same).sum())
        for row in range(len(batch)):
            if same[row]:
                after = values[row, 1 : 1 + len(case.values(row))].tolist()
                rho = rank_correlation(case.values(row), after)
                assert rho is not None
                found[row].append(rho)
    wanted = [sum(one) / len(one) if one else None for one in found]
    assert finding.details["correlation"] == pytest.approx(wanted, abs=1e-9)
    assert finding.numbers["decision_changed"] == changed
    known = [one for one in wanted if one is not None]
    assert finding.numbers["correlation"] == pytest.approx(sum(known) / len(known), abs=1e-9)
    assert finding.numbers["inputs"] == len(known)


@pytest.mark.parametrize("make", [tabular, texts])
@pytest.mark.parametrize("method", [InputGradient(), Occlusion()], ids=["gradient", "occlusion"])
def test_smooth_explanations_are_stable(make: Any, method: Any) -> None:
    finding = Stability()(case_of(*make(), method))
    assert finding.outcome == "supports"
    assert float(finding.numbers["correlation"]) > 0.9  # type: ignore[arg-type]
    assert "cautions" not in finding.inputs
    assert "much as it is" in finding.said.en
    assert "噪声 2%" in finding.said.zh


@pytest.mark.parametrize("make", [tabular, texts])
def test_what_draws_lots_is_doubted(make: Any) -> None:
    finding = Stability()(case_of(*make(), DrawsLots()))
    assert finding.outcome == "cautions"
    assert abs(float(finding.numbers["correlation"])) < 0.4  # type: ignore[arg-type]
    assert finding.inputs.count("cautions") > len(finding.inputs) / 2
    assert "changes the explanation much" in finding.said.en
    assert "带有偶然性" in finding.said.zh


def test_what_looks_only_at_the_last_digits_is_doubted() -> None:
    """A function of the input that no small change leaves alone."""
    hashed = Made(lambda subject, batch: (batch * 1e5).sin())
    finding = Stability()(case_of(*tabular(), hashed))
    assert finding.outcome == "cautions"
    assert float(finding.numbers["sensitivity"]) > 1.0  # type: ignore[arg-type]


def test_a_new_decision_does_not_count() -> None:
    """Inputs at the boundary: half of the changes turn the decision, and are left out."""
    flat = nn.Linear(3, 1)
    with torch.no_grad():
        flat.weight.copy_(torch.tensor([[3.0, 2.0, 1.0]]))
        flat.bias.zero_()
    subject = ModuleSubject(flat, unit_names="abc", labels=("no", "yes"), reference=torch.eye(3))
    batch = torch.tensor([[1.0, -1.0, -1.0 + 1e-4], [1.0, 1.0, 1.0]])
    finding = Stability(draws=20, size=0.05)(case_of(subject, batch, Occlusion()))
    assert 2 < float(finding.numbers["decision_changed"]) < 18  # type: ignore[arg-type]
    assert finding.details["correlation"] == (1.0, 1.0)
    # with none left, there is nothing to say
    edge = Made(lambda subject, batch: batch)
    turned = replace(case_of(subject, batch[1:], edge), subject=Turned(subject))
    assert "small changes changed the decision" in skipped(turned)


class Turned:
    """A subject that decides otherwise on whatever is nearby."""

    def __init__(self, inner: ModuleSubject) -> None:
        self.inner = inner
        self.labels, self.removal = inner.labels, inner.removal
        self.units, self.nearby = inner.units, inner.nearby
        self.watch, self.readout, self.gather = inner.watch, inner.readout, inner.gather

    def decide(self, batch: Any, keep: Tensor | None = None) -> Tensor:
        return self.inner.decide(batch, keep).flip(1)


def test_where_nothing_has_an_effect_nothing_is_tested() -> None:
    subject, batch = tabular()
    with torch.no_grad():
        subject.module[2].weight.mul_(1e-6)  # type: ignore[index, union-attr, operator]
    case = case_of(subject, batch, DrawsLots())
    assert "does removing a unit change the decision" in skipped(case)
    some = Stability()(replace(case, thresholds=Thresholds(effect=0.0)))
    assert some.outcome == "cautions"


def test_values_of_no_length_have_no_sensitivity() -> None:
    subject, batch = tabular()
    finding = Stability()(case_of(subject, batch, Made(lambda _, batch: batch * 0.0)))
    assert finding.numbers["correlation"] == 1.0
    assert finding.numbers["sensitivity"] is None


def test_the_model_is_left_as_it_was_and_the_seed_decides() -> None:
    subject, batch = texts()
    before = [(p.data_ptr(), p.detach().clone()) for p in subject.model.parameters()]
    plain = subject.decide(batch)
    one = Stability(size=0.1)(case_of(subject, batch, Occlusion(), seed=1))
    assert Stability(size=0.1)(case_of(subject, batch, Occlusion(), seed=1)) == one
    other = Stability(size=0.1)(case_of(subject, batch, Occlusion(), seed=2))
    assert other.numbers["sensitivity"] != one.numbers["sensitivity"]
    for parameter, (place, values) in zip(subject.model.parameters(), before, strict=True):
        assert parameter.data_ptr() == place
        assert torch.equal(parameter, values)
    assert torch.equal(subject.decide(batch), plain)
    assert not any(m._forward_hooks for m in subject.model.modules())


def test_at_most_so_many_inputs_and_what_it_cost() -> None:
    subject, batch = tabular()
    case = case_of(subject, batch, Occlusion(), thresholds=Thresholds(effect=0.0))
    finding = Stability(most=4, draws=2)(case)
    assert finding.numbers["inputs"] == 4
    assert sum(number is not None for number in finding.details["correlation"]) == 4
    assert finding.inputs.count("skipped") == 6
    assert finding.calls == 4 * (6 + 1) + 2 * 2 * 4
    assert Stability(most=4, draws=2)(case).calls == 2 * 2 * 4  # the removals are known by now


class Unreachable(ModuleSubject):
    """A subject that has to say no when it is asked."""

    def nearby(self, *_: Any, **__: Any) -> Any:
        raise NotWatchable("no table")


class Rule:
    """A subject that knows no inputs nearby."""

    labels = ("no", "yes")
    removal = "zero"

    def __init__(self, inner: ModuleSubject) -> None:
        self.units, self.decide = inner.units, inner.decide


def test_what_cannot_be_tested_is_skipped() -> None:
    subject, batch = tabular()
    assert "not the method" in skipped(replace(case_of(subject, batch, Occlusion()), method=None))
    assert "cannot be changed a little" in skipped(case_of(Rule(subject), batch, Occlusion()))
    unreachable = Unreachable(model(), unit_names="abcdef", labels=("no", "yes"))
    assert "cannot be changed a little" in skipped(case_of(unreachable, batch, Occlusion()))
    two = ModuleSubject(nn.Linear(2, 2), unit_names="ab", labels=("no", "yes"))
    assert "3 units" in skipped(case_of(two, batch[:, :2], Occlusion()))


def skipped(case: Case) -> str:
    finding = Stability()(case)
    assert finding.outcome == "skipped"
    assert finding.said.zh
    return finding.said.en


@pytest.mark.parametrize(
    "options", [{"size": 0.0}, {"size": math.nan}, {"draws": 0}, {"most": 0}], ids=str
)
def test_settings_out_of_range(options: dict[str, Any]) -> None:
    with pytest.raises(OptionError):
        Stability(**options)
