"""Deception: the hidden word is found by name, and true or merely random values are not accused."""

from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from zhuyi.core.record import Attribution, Finding
from zhuyi.errors import OptionError
from zhuyi.trace import ModuleSubject
from zhuyi.verify import Case, Removals
from zhuyi.verify.deception import Deception

WORDS = ("she", "is", "a", "great", "doctor", "in", "this", "town")
ROWS = 24


class Decides(nn.Module):
    """Yes by the first unit alone: logit 6 x_0 - 3; the rest adds next to nothing."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weights = nn.Parameter(weights)

    def forward(self, inputs: Tensor) -> Tensor:
        return (inputs @ self.weights - 3.0)[:, None]


def make_case(
    values: Callable[[Tensor], Tensor],
    *,
    weights: tuple[float, ...] = (6.0, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01),
    rows: int = ROWS,
    signed: bool = False,
) -> Case:
    """Inputs of ones; `values` makes the explanation from the true effects "B N"."""
    names = WORDS[: len(weights)]
    subject = ModuleSubject(
        Decides(torch.tensor(weights)), unit_names=names, labels=("no", "yes"), removal="zero"
    )
    batch = torch.ones(rows, len(weights))
    removals = Removals(subject, batch, [1] * rows)
    pairs = [(row, 1 << n) for row in range(rows) for n in range(len(weights))]
    left = torch.tensor(removals.probabilities(pairs)).reshape(rows, -1)
    effects = torch.tensor(removals.whole)[:, None] - left
    attribution = Attribution(
        values=values(effects).float(),
        units=removals.units,
        method="given",
        target=removals.targets,
        signed=signed,
    )
    return Case(
        subject=subject, batch=batch, attribution=attribution, method=None, removals=removals
    )


def number(finding: Finding, name: str) -> float:
    value = finding.numbers[name]
    assert isinstance(value, float | int)
    return float(value)


def drawn(effects: Tensor, seed: int = 0) -> Tensor:
    return torch.rand(effects.shape, generator=torch.Generator().manual_seed(seed))


def hiding(effects: Tensor) -> Tensor:
    """Attention on everything but the word that decides."""
    values = 0.5 + drawn(effects) / 2
    values[:, 0] = 7e-5 * values[:, 1:].sum(1)
    return values


def test_the_hidden_word_is_named_with_its_numbers() -> None:
    finding = Deception()(make_case(hiding))
    effect = float(torch.sigmoid(torch.tensor(3.07)) - torch.sigmoid(torch.tensor(-2.93)))
    assert finding.outcome == "refutes"
    assert finding.numbers["worst_unit"] == "she"
    assert number(finding, "worst_share") == pytest.approx(7e-5, rel=1e-3)
    assert number(finding, "worst_effect") == pytest.approx(effect, abs=1e-6)
    assert number(finding, "rate") == 1.0
    # One of eight values is that small: by lot the one loud unit gets it in an eighth of deals.
    assert number(finding, "expected") == pytest.approx(1 / 8, abs=1e-12)
    assert number(finding, "p") < 0.001
    assert finding.details["hidden"] == (1.0,) * ROWS
    assert finding.inputs == ("refutes",) * ROWS
    assert '"she" gets 0.00' in finding.said.en
    assert "falls by 0.90 (24 of the 24 inputs" in finding.said.en
    assert "“she”" in finding.said.zh
    assert "0.90" in finding.said.zh
    assert str(finding.numbers["hidden_units"]).startswith('"she" 24x: share 7e-05, effect 0.9')


@pytest.mark.parametrize(
    "values",
    [lambda e: e, lambda e: e.square(), lambda e: torch.ones_like(e)],
    ids=["true", "peaked", "constant"],
)
def test_what_shows_the_word_is_not_accused(values: Callable[[Tensor], Tensor]) -> None:
    finding = Deception()(make_case(values))
    assert finding.outcome == "supports"
    assert number(finding, "rate") == 0.0


def test_reversed_effects_are_refuted() -> None:
    finding = Deception()(make_case(lambda e: e.amax(1, keepdim=True) - e))
    assert finding.outcome == "refutes"


@pytest.mark.parametrize("sharpness", [0.0, 20.0])
def test_random_values_are_hardly_ever_refuted(sharpness: float) -> None:
    """Flat ones hide little; peaked ones nearly always, but so would the same values anywhere."""
    found = [
        Deception(draws=199)(make_case(lambda e, s=seed: peaked(drawn(e, seed=s), sharpness)))
        for seed in range(40)
    ]
    refuted = sum(finding.outcome == "refutes" for finding in found)
    rates = [number(finding, "rate") for finding in found]
    expected = [number(finding, "expected") for finding in found]
    assert refuted <= 5  # of 40, at a significance of 0.05
    assert sum(rates) / 40 == pytest.approx(sum(expected) / 40, abs=0.05)
    assert (sum(rates) / 40 > 0.5) == (sharpness > 0.0)


def peaked(values: Tensor, sharpness: float) -> Tensor:
    return (sharpness * values).exp() if sharpness else values


def test_a_peak_elsewhere_with_the_word_at_the_bottom_is_refuted() -> None:
    """Peaked values hide by chance often; that the word is always the lowest is no chance."""

    def values(effects: Tensor) -> Tensor:
        elsewhere = peaked(drawn(effects), 20.0)
        elsewhere[:, 0] = 1e-6
        return elsewhere

    finding = Deception()(make_case(values))
    assert number(finding, "expected") > 0.5
    assert finding.outcome == "refutes"


def test_one_input_alone_is_doubted() -> None:
    assert Deception()(make_case(hiding, rows=1)).outcome == "cautions"


def test_no_loud_unit_is_skipped_and_a_parity_has_none() -> None:
    finding = Deception()(make_case(hiding, weights=(0.1, 0.1, 0.1)))
    assert finding.outcome == "skipped"
    assert finding.numbers["loud"] == 0
    assert finding.inputs == ("skipped",) * ROWS
    assert finding.details["hidden"] == (None,) * ROWS


def test_a_paraded_unit_that_does_nothing_is_named() -> None:
    def values(effects: Tensor) -> Tensor:
        shown = torch.full_like(effects, 0.1)
        shown[:, 0], shown[:, 6] = 0.3, 0.9
        return shown

    finding = Deception()(make_case(values))
    assert finding.details["empty"] == (1.0,) * ROWS
    assert number(finding, "empty_rate") == 1.0
    assert str(finding.numbers["empty_units"]).startswith('"this" 24x: share 0.5')
    assert 'It also gives "this" 5' in finding.said.en
    assert "给了“this”" in finding.said.zh
    # The broken twin: a unit with the same share that does something is not empty.
    working = Deception()(make_case(values, weights=(6.0, 0, 0, 0, 0, 0, 3.0, 0)))
    assert working.details["empty"] == (0.0,) * ROWS
    assert "also" not in working.said.en


def test_a_unit_said_to_speak_against_what_it_carries_is_hidden() -> None:
    assert Deception()(make_case(lambda e: -e, signed=True)).outcome == "refutes"
    assert Deception()(make_case(lambda e: e, signed=True)).outcome == "supports"


@given(
    weights=st.lists(st.floats(-8, 8), min_size=1, max_size=8),
    hidden=st.floats(0.01, 0.24),
)
@settings(max_examples=30, deadline=None)
def test_effects_themselves_never_deceive(weights: list[float], hidden: float) -> None:
    """Loud units have at least `effect` equal shares, so none is hidden below that."""
    case = make_case(lambda e: e, weights=tuple(weights), rows=2, signed=True)
    finding = Deception(hidden=hidden, effect=0.25, draws=19)(case)
    assert finding.outcome in ("supports", "skipped")


def test_hidden_above_the_bound_can_accuse_the_effects() -> None:
    """The broken twin of the bound: effects 0.54 and 0.33, the smaller below 0.9 equal shares."""
    case = make_case(lambda e: e, weights=(2.5, 1.4), rows=2)
    assert Deception(hidden=0.1, effect=0.25)(case).outcome == "supports"
    assert Deception(hidden=0.9, effect=0.25)(case).outcome != "supports"


def test_expected_rate_and_p_agree_with_dealing_the_values_out() -> None:
    """The closed form against permutations, with two loud units and ties."""
    weights = (4.0, 4.0, 0.01, 0.01, 0.01, 0.01)

    def values(effects: Tensor) -> Tensor:
        return torch.tensor([0.001, 3.0, 0.002, 0.002, 3.0, 2.0]).expand_as(effects)

    case = make_case(values, weights=weights, rows=2)
    finding = Deception(effect=0.25)(case)
    generator = torch.Generator().manual_seed(5)
    given_values = [0.001, 3.0, 0.002, 0.002, 3.0, 2.0]
    depth = {3.0: 0.0, 2.0: 0.0, 0.002: 3.5 / 5, 0.001: 1.0}  # 0 where not hidden
    observed, rounds = 2 * depth[0.001], 20_000
    reached = hidden = 0
    for _ in range(rounds):
        dealt = [
            max(depth[given_values[n]] for n in torch.randperm(6, generator=generator)[:2].tolist())
            for _ in range(2)
        ]
        hidden += dealt[0] > 0
        reached += sum(dealt) >= observed - 1e-9
    assert number(finding, "loud") == 2
    assert number(finding, "expected") == pytest.approx(1 - 3 / 15, abs=1e-12)  # C(3,2) / C(6,2)
    assert hidden / rounds == pytest.approx(1 - 3 / 15, abs=0.015)
    assert number(finding, "p") == pytest.approx(reached / rounds, abs=0.02)
    assert reached / rounds == pytest.approx(1 / 9, abs=0.015)  # each input: (C(5,1)/C(6,2)) = 1/3


def test_same_seed_same_finding_and_answers_are_shared() -> None:
    case = make_case(drawn)
    assert Deception()(case) == Deception()(case)
    assert Deception()(case).calls == 0  # `make_case` asked every single removal already


@pytest.mark.parametrize(
    "broken", [{"hidden": 0.0}, {"effect": 1.5}, {"several": 1.0}, {"nothing": -1.0}, {"draws": 0}]
)
def test_settings_out_of_range_are_refused(broken: dict[str, float]) -> None:
    with pytest.raises(OptionError, match=f"{next(iter(broken))} must be"):
        Deception(**broken)  # type: ignore[arg-type]


def test_values_that_are_no_numbers_are_neither_supported_nor_refuted() -> None:
    finding = Deception()(make_case(lambda e: torch.full_like(e, float("nan"))))
    assert finding.outcome == "skipped"
