"""The verdict: how findings become one word, and what an input's own word may be."""

import pytest
import torch

from tests.verify.models import Weighted, columns_of, given, some_inputs
from zhuyi.core.record import Finding, Outcome, Said
from zhuyi.errors import InputError, OptionError
from zhuyi.explain import Occlusion, Random
from zhuyi.trace import ModuleSubject
from zhuyi.verify import Deletion, OtherRemoval, Removals, Thresholds, judge, verify
from zhuyi.verify.resampling import chance, mean_interval, ratio_interval

WEIGHTS = [3.0, 1.5, 0.7, 0.3, 0.1, 0.05]


def finding(test: str, outcome: Outcome, inputs: tuple[Outcome, ...] = ()) -> Finding:
    details = {"skill": (0.9,) * len(inputs), "p": (0.01,) * len(inputs)} if inputs else {}
    return Finding(
        test=test,
        settings="",
        outcome=outcome,
        said=Said(en=f"{test} {outcome}", zh="。"),
        inputs=inputs,
        details=details,
    )


@pytest.mark.parametrize(
    ("outcomes", "label"),
    [
        ({"Deletion": "supports"}, "trusted"),
        ({"Deletion": "supports", "Sanity": "supports", "Agreement": "informs"}, "trusted"),
        ({"Deletion": "supports", "Stability": "cautions"}, "doubtful"),
        ({"Deletion": "cautions", "Sanity": "supports"}, "doubtful"),
        ({"Sanity": "supports"}, "doubtful"),
        ({"Deletion": "skipped"}, "doubtful"),
        ({"Deletion": "supports", "Sanity": "refutes"}, "refuted"),
        ({"Deletion": "refutes", "Sanity": "supports"}, "refuted"),
        ({"Deletion": "supports", "Alternative": "cautions"}, "trusted"),
    ],
)
def test_findings_become_one_word(outcomes: dict[str, Outcome], label: str) -> None:
    found = judge(
        [finding(name, outcome) for name, outcome in outcomes.items()],
        inputs=1,
        method="m",
        removal="r",
    )
    assert found.label == label
    assert found.trusted == (label == "trusted")


def test_what_speaks_against_is_said_first() -> None:
    found = judge(
        [finding("Deletion", "supports"), finding("Sanity", "refutes")],
        inputs=0,
        method="m",
        removal="r",
    )
    assert found.reasons[0].en == "Sanity refutes"


def test_an_input_is_never_trusted_more_than_the_method() -> None:
    own: tuple[Outcome, ...] = ("supports", "refutes", "cautions", "skipped")
    for outcome, labels in {
        "supports": ("trusted", "refuted", "doubtful", "doubtful"),
        "cautions": ("doubtful", "refuted", "doubtful", "doubtful"),
        "refutes": ("refuted",) * 4,
    }.items():
        found = judge(
            [finding("Deletion", outcome, own)],  # type: ignore[arg-type]
            inputs=4,
            method="m",
            removal="r",
        )
        assert found.inputs == labels
        assert all(found.input_reasons)


def test_right_is_trusted_and_random_refuted_on_a_model_of_columns() -> None:
    subject, inputs = columns_of(Weighted(WEIGHTS), 6), some_inputs(32, 6)
    right = verify(subject, inputs, Occlusion())
    assert right.label == "trusted"
    assert right.removal == subject.removal
    wrong = verify(subject, inputs, Random(seed=3))
    assert wrong.label == "refuted"
    assert set(wrong.inputs) == {"refuted"}
    sanity = wrong.finding("Sanity")
    assert sanity is not None
    assert sanity.outcome == "refutes"


def test_an_attribution_is_enough_but_what_needs_the_method_is_skipped() -> None:
    subject, inputs = columns_of(Weighted(WEIGHTS), 6), some_inputs(16, 6)
    attribution = given(subject, inputs, torch.tensor(WEIGHTS).expand(16, 6) * inputs)
    found = verify(subject, inputs, attribution)
    assert found.label == "trusted"
    sanity = found.finding("Sanity")
    assert sanity is not None
    assert sanity.outcome == "skipped"


def test_removals_may_be_shared_and_then_cost_nothing_again() -> None:
    subject, inputs = columns_of(Weighted(WEIGHTS), 6), some_inputs(8, 6)
    removals = Removals(subject, inputs)
    first = verify(subject, inputs, Occlusion(), tests=[Deletion()], removals=removals)
    calls = removals.calls
    second = verify(subject, inputs, Occlusion(), tests=[Deletion()], removals=removals)
    assert removals.calls == calls
    assert second.label == first.label
    assert second.findings[0].numbers == first.findings[0].numbers


def test_bad_explanations_are_refused_by_name() -> None:
    subject, inputs = columns_of(Weighted(WEIGHTS), 6), some_inputs(4, 6)
    attribution = given(subject, inputs, torch.full((4, 6), torch.nan))
    with pytest.raises(InputError, match="not finite"):
        verify(subject, inputs, attribution)
    with pytest.raises(OptionError, match="of this batch"):
        verify(subject, inputs[:2], given(subject, inputs, torch.ones(4, 6)))
    with pytest.raises(OptionError, match="same batch and targets"):
        verify(subject, inputs, Occlusion(), removals=Removals(subject, inputs, [0, 0, 0, 0]))


@pytest.mark.parametrize("wrong", [{"trusted": 1.5}, {"trusted": 0.1, "refuted": 0.2}])
def test_thresholds_are_checked(wrong: dict[str, float]) -> None:
    with pytest.raises(OptionError):
        Thresholds(**wrong)


def test_another_way_of_removal_that_changes_the_answer_is_told() -> None:
    """Column a is 5 wherever one looks: replaced by the mean of the reference, it is not missed."""
    inputs = torch.cat((torch.full((16, 1), 5.0), some_inputs(16, 3)), 1)
    names = ("c0", "c1", "c2", "c3")
    module = Weighted([0.3, 0.9, 0.2, 0.1])
    subject = ModuleSubject(
        module, unit_names=names, labels=("no", "yes"), reference=inputs.flip(0)
    )
    big = torch.tensor([[4.0, 3.0, 2.0, 1.0]]).expand(16, 4)
    found = verify(
        subject, inputs, given(subject, inputs, big), tests=[Deletion(), OtherRemoval(most=16)]
    )
    other = found.finding("OtherRemoval")
    assert other is not None
    own = f"skill, {subject.removal}"
    assert set(other.numbers) == {f"skill, {how}" for how in subject.removals}
    assert float(other.numbers[own]) > 0.9
    assert float(other.numbers["skill, mean of the reference"]) < 0.5
    assert other.outcome == "cautions"
    assert found.label == "doubtful"


def test_one_way_of_removal_leaves_nothing_to_compare() -> None:
    alone, inputs = columns_of(Weighted(WEIGHTS), 6), some_inputs(8, 6)
    found = verify(alone, inputs, Occlusion(), tests=[OtherRemoval()]).findings[0]
    assert found.outcome == "skipped"


def test_intervals_and_chances_are_those_of_normal_numbers() -> None:
    generator = torch.Generator().manual_seed(0)
    drawn = torch.randn(400, generator=generator, dtype=torch.float64) + 1.0
    low, high = mean_interval(drawn, generator)
    middle, half = float(drawn.mean()), 1.96 * float(drawn.std()) / 20
    assert low == pytest.approx(middle - half, abs=0.02)
    assert high == pytest.approx(middle + half, abs=0.02)
    low, high = ratio_interval(2 * drawn, drawn, generator)
    assert (low, high) == (pytest.approx(2.0), pytest.approx(2.0))
    # Orders of +1 and -1 for ten inputs: ten right in a row happen once in 1024.
    p = chance(torch.ones(10, dtype=torch.float64), [[1.0]] * 10, generator, draws=50_000)
    assert p == pytest.approx(1 / 1024, abs=5e-4)
    p = chance(torch.zeros(10, dtype=torch.float64), [[1.0]] * 10, generator)
    assert p == pytest.approx(0.623, abs=0.03), "P(sum >= 0) of ten signs"
