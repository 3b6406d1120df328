"""`Alternative` on models of which it is known whether another attention can decide the same."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tests.trace.test_watch import assert_same, nothing_left, snapshot
from zhuyi.core.record import Attribution, Finding
from zhuyi.errors import OptionError
from zhuyi.explain import Received
from zhuyi.trace import Keep, ModuleSubject
from zhuyi.trace.biased import biased
from zhuyi.trace.readout import FirstRow
from zhuyi.trace.subject import Batch, Subject
from zhuyi.verify import alternative
from zhuyi.verify.alternative import Alternative
from zhuyi.verify.case import Case
from zhuyi.verify.other_attention import LARGEST, OtherAttention, Search
from zhuyi.verify.removals import Removals

UNITS = 6
RECEIVED = Received()


class Recall(nn.Module):
    """One attention, weights set by hand: a query row reads the value of the key that it names.

    An input row is (key: 4 numbers, value: 2 numbers); the first row is the question. Weights are
    softmax(8 key · key). With `routed=False` every position has the same value, so that no
    attention whatsoever can change what is read.
    """

    def __init__(self, *, routed: bool = True) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(8.0))
        self.value = nn.Linear(2, 2, bias=False)
        self.routed = routed
        with torch.no_grad():
            self.value.weight.copy_(3.0 * torch.eye(2))

    def forward(self, x: Tensor) -> Tensor:
        key, value = x[:, None, :, :4], self.value(x[:, None, :, 4:])
        if not self.routed:
            value = value.mean(2, keepdim=True).expand_as(value)
        others = ~torch.eye(x.shape[1], dtype=torch.bool)  # nobody reads itself
        result = F.scaled_dot_product_attention(
            key * self.scale, key, value, attn_mask=others, scale=1.0
        )
        return result[:, 0, 0]


def inputs(count: int = 3, generator_seed: int = 0) -> Tensor:
    """A question for one key; five rows with a key each, the asked one alone with value (1, 0)."""
    generator = torch.Generator().manual_seed(generator_seed)
    keys = torch.cat((torch.eye(4), torch.full((1, 4), 0.5) * torch.tensor([1, -1, 1, -1])))
    x = torch.zeros(count, UNITS, 6)
    for row in range(count):
        order = torch.randperm(5, generator=generator)
        x[row, 1:, :4] = keys[order]
        x[row, 1:, 5] = 1.0
        wanted = int(torch.randint(5, (1,), generator=generator))
        x[row, 0, :4] = x[row, 1 + wanted, :4]
        x[row, 1 + wanted, 4:] = torch.tensor([1.0, 0.0])
    return x


def case_of(
    module: nn.Module,
    batch: Tensor,
    method: Callable[..., Attribution] | None = RECEIVED,
    **options: Any,
) -> Case:
    subject = ModuleSubject(
        module, unit_names=[f"u{n}" for n in range(UNITS)], labels="ab", readout=FirstRow()
    )
    attribution = Received()(subject, batch)
    removals = Removals(subject, batch, attribution.target)
    return Case(
        subject=subject,
        batch=batch,
        attribution=attribution,
        method=method,
        removals=removals,
        **options,
    )


def first_row(subject: Subject, batch: Batch, target: Sequence[int] | None = None) -> Attribution:
    """What the question attends to: the row that decides, and nothing else."""
    tape = subject.watch(batch, Keep())
    matrix = tape[0].matrix
    assert matrix is not None
    plain = Received()(subject, batch, target)
    return replace(plain, values=matrix.weights(rows=slice(0, 1))[:, 0, 0].float())


def decided(finding: Finding) -> tuple[str, set[str]]:
    return finding.outcome, set(finding.inputs)


def test_where_attention_cannot_matter_another_one_is_found() -> None:
    case = case_of(Recall(routed=False), inputs())
    case = replace(case, attribution=first_row(case.subject, case.batch), method=first_row)
    finding = Alternative()(case)
    assert decided(finding) == ("cautions", {"cautions"})
    assert finding.numbers["alternatives"] == finding.numbers["inputs"] == 3
    assert max(d for d in finding.details["distance"] if d is not None) <= 1e-6
    assert min(d for d in finding.details["divergence"] if d is not None) > 0.25 * LARGEST
    assert finding.said.en.startswith("A very different attention")
    assert "3 of 3" in finding.said.en
    assert "3 个输入中的 3 个" in finding.said.zh


def test_where_attention_is_the_only_route_none_is_found() -> None:
    case = case_of(Recall(), inputs())
    case = replace(case, attribution=first_row(case.subject, case.batch), method=first_row)
    assert min(case.removals.whole) > 0.9  # the model recalls
    finding = Alternative()(case)
    assert decided(finding) == ("supports", {"supports"})
    assert finding.numbers["alternatives"] == 0
    assert max(d for d in finding.details["divergence"] if d is not None) < 0.25 * LARGEST
    assert "no proof" in finding.said.en
    # The broken twin: a test that lets the decision change finds one everywhere.
    careless = Alternative(tolerance=0.999)(case)
    assert decided(careless) == ("cautions", {"cautions"})


def test_without_a_method_the_divergence_decides() -> None:
    found = Alternative()(case_of(Recall(routed=False), inputs(), None))
    assert decided(found) == ("cautions", {"cautions"})
    assert found.details["correlation"] == (None, None, None)
    assert "explanation" not in found.said.en
    strict = Alternative(different=1.0)(case_of(Recall(routed=False), inputs(), None))
    assert strict.outcome == "supports"


def test_an_explanation_that_does_not_read_attention_is_informed_only() -> None:
    def never(*_: object) -> Attribution:
        raise AssertionError("it is not explained again")

    found = Alternative(attention=False)(case_of(Recall(routed=False), inputs(), never))
    assert decided(found) == ("informs", {"informs"})
    assert found.numbers["alternatives"] == 3


def test_an_explanation_that_stays_is_no_alternative() -> None:
    """A constant explanation reads the same whatever the attention is."""

    def same(subject: Subject, batch: Batch, target: Sequence[int] | None = None) -> Attribution:
        plain = Received()(subject, batch, target)
        return replace(plain, values=torch.arange(UNITS).float().expand(plain.values.shape))

    case = case_of(Recall(routed=False), inputs(), same)
    found = Alternative()(replace(case, attribution=same(case.subject, case.batch)))
    assert decided(found) == ("supports", {"supports"})
    assert found.details["correlation"] == (1.0, 1.0, 1.0)


def searched(subject: ModuleSubject, batch: Tensor, steps: int = 30) -> OtherAttention:
    search = Search(steps=steps, rate=2.0, tolerance=0.02)
    return search(subject, batch, subject.decide(batch), torch.Generator().manual_seed(0))


def test_the_numbers_are_those_of_the_attention_that_was_found() -> None:
    """TVD and JSD against float64 written out; rows that the decision does not read are no part."""
    module, batch = Recall(routed=False), inputs()
    subject = ModuleSubject(module, unit_names="abcdef", labels="ab", readout=FirstRow())
    found = searched(subject, batch)
    key = batch[..., :4].double()
    scores = 8.0 * key @ key.transpose(1, 2)
    scores = scores.masked_fill(torch.eye(UNITS, dtype=torch.bool), -math.inf)
    own, other = ((scores + bias)[:, 0].softmax(-1) for bias in (0.0, found.biases[0][:, 0]))
    middle = (own + other) / 2
    for row in range(len(batch)):
        terms = [
            p * math.log(p / m) / 2
            for pair in (own[row], other[row])
            for p, m in zip(pair.tolist(), middle[row].tolist())
            if p > 0
        ]
        assert found.divergence[row] == pytest.approx(sum(terms), abs=1e-5)
    with biased(module, found.rule):
        shares = subject.decide(batch)
    distance = (shares - subject.decide(batch)).abs().sum(1) / 2
    assert found.distance == pytest.approx(distance.tolist(), abs=1e-7)


def test_an_input_without_an_alternative_keeps_its_own_attention() -> None:
    subject = ModuleSubject(Recall(), unit_names="abcdef", labels="ab", readout=FirstRow())
    search = Search(steps=2, rate=50.0, tolerance=1e-9)  # a stride that always overshoots
    batch = inputs()
    found = search(subject, batch, subject.decide(batch), torch.Generator().manual_seed(0))
    assert found.distance == (0.0, 0.0, 0.0)
    assert found.divergence == pytest.approx((0.0, 0.0, 0.0), abs=1e-7)
    assert not found.biases[0].any()


def test_the_same_seed_gives_the_same_finding_and_the_model_is_left_as_it_was() -> None:
    module = Recall()
    case = case_of(module, inputs())
    before, state = snapshot(module), torch.random.get_rng_state()
    findings = [Alternative(steps=5)(case) for _ in range(2)]
    with torch.no_grad():
        findings.append(Alternative(steps=5)(case))
    assert findings[0] == findings[1] == findings[2]
    other = Alternative(steps=5)(replace(case, seed=1))
    assert other.details["divergence"] != findings[0].details["divergence"]
    assert_same(before, snapshot(module))
    assert all(parameter.grad is None for parameter in module.parameters())
    assert torch.equal(state, torch.random.get_rng_state())
    assert nothing_left(module)


def test_at_most_so_many_inputs_and_the_calls_are_counted() -> None:
    found = Alternative(steps=2, most=2)(case_of(Recall(), inputs(4)))
    assert found.numbers["inputs"] == 2
    assert found.inputs.count("skipped") == 2
    assert found.calls == 2 * (2 + 4) + 2
    for name in ("distance", "divergence", "correlation"):
        assert [one is None for one in found.details[name]].count(True) == 2


def test_inputs_that_are_too_long_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alternative, "MOST_WEIGHTS", UNITS * UNITS - 1)
    found = Alternative(steps=2)(case_of(Recall(), inputs()))
    assert found.outcome == "skipped"
    assert "too long" in found.said.en


def test_what_cannot_be_tested_is_skipped_with_the_reason() -> None:
    class ByHand(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (torch.softmax(x @ x.transpose(1, 2), -1) @ x)[:, 0, :2]

    case = case_of(Recall(), inputs())
    hidden = ModuleSubject(ByHand(), unit_names="abcdef", labels="ab", readout=FirstRow())
    found = Alternative(steps=2)(replace(case, subject=hidden))
    assert found.outcome == "skipped"
    assert "could not be looked for" in found.said.en
    assert Alternative(steps=2)(replace(case, subject=_Closed())).outcome == "skipped"

    class Doubled:
        """Explains every input twice, in one batch."""

        def __call__(self, subject: Subject, batch: Any, target: Any = None) -> Attribution:
            subject.watch(torch.cat((batch, batch)))
            return Received()(subject, batch, target)

    found = Alternative(steps=2)(case_of(Recall(), inputs(), Doubled()))
    assert found.outcome == "skipped"
    assert "must broadcast" in found.said.en


class _Closed:
    """A subject without a model."""


@pytest.mark.parametrize(
    "wrong",
    [{"steps": 0}, {"most": 0}, {"rate": 0.0}, {"tolerance": 1.0}, {"different": 0.0}],
)
def test_settings_out_of_range(wrong: dict[str, Any]) -> None:
    with pytest.raises(OptionError, match=next(iter(wrong))):
        Alternative(**wrong)


def test_a_transformer_with_padding_and_grouped_heads() -> None:
    models = pytest.importorskip("tests.trace.subject_models")
    from zhuyi.trace import TransformersSubject

    texts = ["the quick brown fox", "a dog jumps over the lazy fox", "the good film"]
    for build, tokenizer in (
        (models.bert, models.bert_tokenizer()),
        (lambda: models.llama("LlamaForSequenceClassification", pad_token_id=1), None),
    ):
        tokenizer = tokenizer or models.gpt_tokenizer(padding=True)
        subject = TransformersSubject(build(), tokenizer)
        attribution = Received()(subject, texts)
        case = Case(
            subject=subject,
            batch=texts,
            attribution=attribution,
            method=Received(),
            removals=Removals(subject, texts, attribution.target),
        )
        finding = Alternative()(case)
        assert finding.outcome in ("cautions", "supports")
        distances = [one for one in finding.details["distance"] if one is not None]
        assert len(distances) == 3
        assert max(distances) <= 0.02
        divergences = [one for one in finding.details["divergence"] if one is not None]
        assert 0.1 < min(divergences) <= max(divergences) <= LARGEST
