"""What the deletion test says of explanations that are known to be right, wrong or empty."""

import pytest
import torch

from tests.verify.models import Jointly, Weighted, columns_of, given, some_inputs
from zhuyi.core.record import Finding, Unit
from zhuyi.errors import OptionError
from zhuyi.verify import Case, Deletion, Removals, Thresholds
from zhuyi.verify.scores import Score, conclude

WEIGHTS = [3.0, 1.5, 0.7, 0.3, 0.1, 0.05, 0.02, 0.01, 0.005]


def finding_of(values: torch.Tensor, *, count: int = 32, test: Deletion | None = None) -> Finding:
    subject, inputs = columns_of(Weighted(WEIGHTS), 9), some_inputs(count, 9)
    attribution = given(subject, inputs, values.expand(count, 9))
    case = Case(
        subject=subject,
        batch=inputs,
        attribution=attribution,
        method=None,
        removals=Removals(subject, inputs, attribution.target),
    )
    return (Deletion() if test is None else test)(case)


def test_the_true_order_is_supported_and_its_mirror_image_refuted() -> None:
    right, wrong = finding_of(torch.tensor(WEIGHTS)), finding_of(-torch.tensor(WEIGHTS))
    assert right.outcome == "supports"
    assert wrong.outcome == "refutes"
    assert float(right.numbers["skill"]) > 0.9
    assert float(wrong.numbers["skill"]) == pytest.approx(-float(right.numbers["skill"]), abs=1e-9)
    assert float(right.numbers["p"]) < 0.001 < 0.9 < float(wrong.numbers["p"])
    assert right.said.en != wrong.said.en
    assert right.said.zh != wrong.said.zh


def test_a_constant_explanation_has_skill_0_exactly() -> None:
    found = finding_of(torch.ones(9))
    assert float(found.numbers["skill"]) == pytest.approx(0.0, abs=1e-9)
    assert found.outcome == "refutes"


def test_random_orders_have_skill_0_on_average() -> None:
    subject, inputs = columns_of(Jointly(7, 1), 7), some_inputs(200, 7)
    removals = Removals(subject, inputs)
    values = torch.rand(200, 7, generator=torch.Generator().manual_seed(5))
    attribution = given(subject, inputs, values)
    found = Deletion()(
        Case(
            subject=subject,
            batch=inputs,
            attribution=attribution,
            method=None,
            removals=removals,
        )
    )
    assert abs(float(found.numbers["skill"])) < 0.15
    assert found.outcome == "refutes"


def test_details_are_one_number_an_input_and_match_the_curves() -> None:
    found = finding_of(torch.tensor(WEIGHTS), count=6)
    subject, inputs = columns_of(Weighted(WEIGHTS), 9), some_inputs(6, 9)
    for row in range(6):
        gone = torch.ones(9)
        removed = []
        for unit in range(9):
            gone[unit] = 0.0
            removed.append(float(subject.decide(inputs[row : row + 1] * gone)[0, 1]))
        whole = float(subject.decide(inputs[row : row + 1])[0, 1])
        expected = sum(whole - p for p in removed) / 9
        assert found.details["comprehensiveness"][row] == pytest.approx(expected, abs=1e-6)


def test_a_decision_that_rests_on_nothing_cannot_be_tested() -> None:
    subject, inputs = columns_of(Weighted([0.0] * 4), 4), some_inputs(8, 4)
    attribution = given(subject, inputs, torch.rand(8, 4))
    removals = Removals(subject, inputs, attribution.target)
    case = Case(
        subject=subject, batch=inputs, attribution=attribution, method=None, removals=removals
    )
    found = Deletion()(case)
    assert found.outcome == "skipped"
    assert set(found.inputs) == {"skipped"}


def test_the_same_seed_gives_the_same_finding_and_the_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    assert finding_of(torch.tensor(WEIGHTS)) == finding_of(torch.tensor(WEIGHTS))
    assert torch.equal(before, torch.get_rng_state())


class Long(torch.nn.Module):
    """One decision for every word, in proportion to its length: naming long words is enough."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        scores = inputs.mean(1) * 4.0
        return torch.stack((torch.zeros_like(scores), scores), 1)


def score(skill: float, by_length: float, row: int) -> Score:
    random = tuple(x / 20 for x in range(-5, 6))
    return Score(
        row=row,
        comprehensiveness=0.5,
        sufficiency=0.5 - skill,
        difference=skill,
        effect=1.0,
        random=random,
        by_length=by_length,
        effect_by_length=1.0,
        random_by_length=random,
    )


def test_skill_that_only_names_long_pieces_is_doubted() -> None:
    def concluded(by_length: float) -> Finding:
        scores = [score(0.8, by_length, row) for row in range(32)]
        return conclude(scores, inputs=32, settings="", removal="deletion", thresholds=Thresholds())

    assert concluded(0.7).outcome == "supports"
    doubted = concluded(0.0)
    assert doubted.outcome == "cautions"
    assert "longer pieces" in doubted.said.en


def test_length_is_counted_in_positions() -> None:
    """A unit of three positions: by length, removing it costs three times the share."""
    from zhuyi.verify.deletion import _by_length
    from zhuyi.verify.orders import grid

    class Pieces(type(columns_of(Long(), 3))):  # type: ignore[misc]
        def units(self, batch):  # type: ignore[no-untyped-def]
            own = (
                Unit(label="a", positions=(0, 3, 4)),
                Unit(label="b", positions=(1,)),
                Unit(label="c", positions=(2,)),
            )
            return (own,) * len(batch)

    subject = Pieces(Long(), unit_names=("c0", "c1", "c2"), labels=("no", "yes"))
    removals = Removals(subject, torch.ones(1, 3))
    assert removals.positions == ((3, 1, 1),)
    p = [float(removals.probabilities([(0, gone)])[0]) for gone in (0b000, 0b001, 0b011, 0b111)]
    q = [float(removals.probabilities([(0, gone)])[0]) for gone in (0b000, 0b100, 0b110, 0b111)]
    first = 3 / 5 * (p[0] + p[1]) / 2 + 1 / 5 * (p[1] + p[2]) / 2 + 1 / 5 * (p[2] + p[3]) / 2
    last = 1 / 5 * (q[0] + q[1]) / 2 + 1 / 5 * (q[1] + q[2]) / 2 + 3 / 5 * (q[2] + q[3]) / 2
    found = _by_length(removals, 0, [0, 1, 2], grid(3, 10))
    assert found == pytest.approx(last - first, abs=1e-12)


@pytest.mark.parametrize("wrong", [{"steps": 7}, {"orders": 0}, {"width": 0}, {"shares": (0.0,)}])
def test_settings_are_checked(wrong: dict[str, object]) -> None:
    with pytest.raises(OptionError):
        Deletion(**wrong)  # type: ignore[arg-type]


def test_few_inputs_are_never_called_sure() -> None:
    found = finding_of(torch.tensor(WEIGHTS), count=3)
    assert found.numbers["lower"] is None
    assert found.outcome == "cautions"
    assert "to be sure" in found.said.en
    alone = finding_of(torch.tensor(WEIGHTS), count=1)
    assert float(alone.numbers["p"]) >= 1 / 17, "eight orders and their mirror images"
