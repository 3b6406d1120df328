"""Soft logic: logic on 0 and 1, products between, gradients, plain JSON."""

import itertools
import json
import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from zhuyi.errors import InputError, OptionError
from zhuyi.steer.penalty import Formula, Mass, Says, World, unlikeliness
from zhuyi.steer.penalty.logic import formula_of

A, B = Mass("a"), Says("b")


def world(a: float, b: float) -> World:
    shares = torch.tensor([[1 - b, b]], dtype=torch.float64)
    return World(
        masses={"a": torch.tensor([a], dtype=torch.float64)}, shares=shares, labels=("no", "b")
    )


@pytest.mark.parametrize(("a", "b"), list(itertools.product([0, 1], [0, 1])))
def test_on_truth_values_it_is_logic(a: int, b: int) -> None:
    asked = {A & B: a and b, A | B: a or b, ~A: not a, A >> B: (not a) or b}
    for formula, truth in asked.items():
        assert float(formula.truth(world(a, b))) == float(truth)


unit = st.floats(0.0, 1.0)
formulas = st.recursive(
    st.sampled_from([A, B, Says(0)]),
    lambda inner: st.one_of(
        inner.map(lambda one: ~one),
        st.tuples(inner, inner).map(lambda two: two[0] & two[1]),
        st.tuples(inner, inner).map(lambda two: two[0] | two[1]),
        st.tuples(inner, inner).map(lambda two: two[0] >> two[1]),
    ),
    max_leaves=8,
)


@given(formula=formulas, a=unit, b=unit)
def test_a_truth_is_a_share_and_formulas_read_back(formula: Formula, a: float, b: float) -> None:
    truth = float(formula.truth(world(a, b)))
    assert -1e-12 <= truth <= 1 + 1e-12
    again = formula_of(json.loads(json.dumps(formula.as_json())))
    assert again == formula
    left, right = ~(formula & A), ~formula | ~A  # De Morgan holds for this pair of norms
    assert float(left.truth(world(a, b))) == pytest.approx(float(right.truth(world(a, b))))


def test_products_by_hand() -> None:
    here = world(0.5, 0.2)
    assert float((A & B).truth(here)) == pytest.approx(0.1)
    assert float((A | B).truth(here)) == pytest.approx(0.6)
    assert float((A >> B).truth(here)) == pytest.approx(0.6)
    wanted = -math.log(0.6) - math.log(0.1)
    assert float(unlikeliness([A >> B, A & B], here)) == pytest.approx(wanted)
    assert math.isfinite(float(unlikeliness([A & ~A], world(1.0, 0.0))))


def test_gradients_reach_attention_and_decision() -> None:
    masses = torch.tensor([0.3, 0.6], dtype=torch.float64, requires_grad=True)
    shares = torch.tensor([[0.4, 0.6], [0.9, 0.1]], dtype=torch.float64, requires_grad=True)

    def asked(masses: torch.Tensor, shares: torch.Tensor) -> torch.Tensor:
        return unlikeliness(
            [A >> Says(1), ~A | Says(0)], World(masses={"a": masses}, shares=shares)
        )

    assert torch.autograd.gradcheck(asked, (masses, shares))


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(OptionError, match="rule 'x'; there are: a"):
        Mass("x").truth(world(0.5, 0.5))
    with pytest.raises(OptionError, match="decision 'x'; there are: no, b"):
        Says("x").truth(world(0.5, 0.5))
    with pytest.raises(OptionError, match="decision 7, and there are 2"):
        Says(7).truth(world(0.5, 0.5))


DEEP: list[object] = ["mass", "a"]
for _ in range(40):
    DEEP = ["not", DEEP]


@pytest.mark.parametrize("data", [None, [], ["mass"], ["says", True], ["xor", A, B], "a", DEEP])
def test_what_is_no_formula_is_refused(data: object) -> None:
    with pytest.raises(InputError, match="formula"):
        formula_of(data)
