"""Agreement: numbers against direct computations, units named, methods that cannot run listed."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from zhuyi.core.record import Attribution
from zhuyi.errors import NotWatchable, OptionError
from zhuyi.explain import Occlusion, Received
from zhuyi.trace import ModuleSubject
from zhuyi.trace.subject import Batch, Subject
from zhuyi.verify import Case, Removals
from zhuyi.verify.agreement import Agreement

ROWS, UNITS = 3, 10
NAMES = ("[CLS]", *"abcdefghij")


@dataclass(frozen=True, kw_only=True)
class Given:
    """A method that says what it is told."""

    values: tuple[tuple[float, ...], ...]

    def __call__(
        self, subject: Subject, batch: Batch, target: Sequence[int] | None = None
    ) -> Attribution:
        assert target is not None
        return Attribution(
            values=torch.tensor(self.values),
            units=subject.units(batch),
            method=repr(self),
            target=tuple(target),
            signed=True,
        )


@dataclass(frozen=True)
class Blind:
    """A method that cannot look into the model."""

    def __call__(
        self, subject: Subject, batch: Batch, target: Sequence[int] | None = None
    ) -> Attribution:
        raise NotWatchable("no attention here")


class Sums(nn.Module):
    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.sum(1, keepdim=True)


def drawn(seed: int) -> Tensor:
    return torch.randn(ROWS, UNITS + 1, generator=torch.Generator().manual_seed(seed)).double()


def method(values: Tensor) -> Given:
    return Given(values=tuple(tuple(row) for row in values.tolist()))


def make_case(values: Tensor) -> Case:
    """The first unit is special, and so in no order."""
    subject = ModuleSubject(Sums(), unit_names=NAMES[1:], labels=("no", "yes"), leading=NAMES[:1])
    batch = torch.ones(ROWS, UNITS)
    removals = Removals(subject, batch)
    attribution = Attribution(
        values=values,
        units=removals.units,
        method="given",
        target=removals.targets,
        signed=True,
    )
    return Case(
        subject=subject, batch=batch, attribution=attribution, method=None, removals=removals
    )


def test_numbers_are_those_of_a_direct_computation() -> None:
    own, others = drawn(0), drawn(1)
    other = method(others)
    finding = Agreement(others=(other,))(make_case(own))
    for row in range(ROWS):
        one, two = own[row, 1:].numpy(), others[row, 1:].numpy()
        rank_one, rank_two = one.argsort().argsort(), two.argsort().argsort()
        rho = np.corrcoef(rank_one, rank_two)[0, 1]
        common = set(one.argsort()[-2:].tolist()) & set(two.argsort()[-2:].tolist())
        gaps = np.abs(rank_one - rank_two)
        assert finding.details[f"correlation: {other}"][row] == pytest.approx(rho, abs=1e-12)
        assert finding.details[f"overlap: {other}"][row] == len(common) / 2
        assert finding.details[f"gap: {other}"][row] == pytest.approx(gaps.max() / 9, abs=1e-12)
        assert finding.details[f"unit: {other}"][row] == 1 + gaps.argmax()
    mean = np.mean([value for value in finding.details["correlation"] if value is not None])
    assert finding.numbers[f"correlation: {other}"] == pytest.approx(mean, abs=1e-12)
    assert finding.outcome == "informs"


def test_itself_agrees_and_its_mirror_image_does_not() -> None:
    own = drawn(0)
    same, mirrored = method(own), method(-own)
    finding = Agreement(others=(same, mirrored))(make_case(own))
    assert finding.numbers[f"correlation: {same}"] == pytest.approx(1.0, abs=1e-12)
    assert finding.numbers[f"overlap: {same}"] == 1.0
    assert finding.numbers[f"disagree: {same}"] is None
    assert finding.numbers[f"correlation: {mirrored}"] == pytest.approx(-1.0, abs=1e-12)
    assert finding.numbers[f"overlap: {mirrored}"] == 0.0
    assert finding.details["correlation"] == pytest.approx((0.0,) * ROWS, abs=1e-12)
    assert f"least alike that of {mirrored} (-1.00)" in finding.said.en


def test_the_unit_they_disagree_on_is_named() -> None:
    own = torch.arange(UNITS + 1, dtype=torch.float64).expand(ROWS, -1).clone()
    others = own.clone()
    others[:, 10] = -5.0  # "j" falls from the first place to the last
    finding = Agreement(others=(method(others),))(make_case(own))
    told = finding.numbers[f"disagree: {method(others)}"]
    assert told == '"j" 3x: gap 1.00'
    assert 'they disagree most on "j".' in finding.said.en
    assert "分歧最大的是“j”。" in finding.said.zh


def test_special_units_are_in_no_order() -> None:
    own = drawn(0)
    others = own.clone()
    others[:, 0] = 100.0
    finding = Agreement(others=(method(others),))(make_case(own))
    assert finding.details["correlation"] == pytest.approx((1.0,) * ROWS, abs=1e-12)


def test_ties_share_their_place() -> None:
    own = drawn(0)
    equal = method(torch.ones(ROWS, UNITS + 1).double())
    finding = Agreement(others=(equal,))(make_case(own))
    assert finding.details[f"correlation: {equal}"] == (None,) * ROWS
    # Two places shared by ten units: each has a fifth of one.
    assert finding.details[f"overlap: {equal}"] == pytest.approx((0.2,) * ROWS, abs=1e-12)
    assert "cannot be put in order" in finding.said.en


def test_methods_that_cannot_look_are_listed() -> None:
    case = make_case(drawn(0))
    finding = Agreement(others=(Blind(), method(drawn(1))))(case)
    assert finding.outcome == "informs"
    assert finding.numbers["not_available"] == "Blind()"
    assert finding.numbers["methods"] == 1
    assert "Not available on this model: Blind()" in finding.said.en
    alone = Agreement(others=(Blind(), Received()))(case)
    assert alone.outcome == "skipped"
    assert "Received" in alone.said.en


def test_a_real_method_explains_the_same_targets() -> None:
    case = make_case(drawn(0))
    finding = Agreement(others=(Occlusion(),))(case)
    assert finding.numbers["methods"] == 1
    assert finding.details["overlap: " + repr(Occlusion())][0] is not None


def test_settings_out_of_range_are_refused() -> None:
    with pytest.raises(OptionError, match="others must be methods"):
        Agreement(others=())
    with pytest.raises(OptionError, match="share must be above 0"):
        Agreement(others=(Blind(),), share=0.0)


def test_values_that_are_no_numbers_are_not_compared() -> None:
    broken = drawn(1)
    broken[0, 3] = float("nan")
    finding = Agreement(others=(method(broken),))(make_case(drawn(0)))
    assert finding.details["correlation"][0] is None
    assert finding.details["correlation"][1] is not None
