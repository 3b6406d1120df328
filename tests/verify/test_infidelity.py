"""Infidelity against Captum's on the same sets, and against least squares."""

import pytest
import torch
from captum.metrics import infidelity as captum_infidelity
from torch import Tensor, nn

from tests.oracle import faithfulness
from zhuyi.core.record import Attribution, Finding
from zhuyi.errors import OptionError
from zhuyi.trace import ModuleSubject
from zhuyi.verify import Case, Removals
from zhuyi.verify.infidelity import Infidelity, subsets

UNITS, ROWS, SAMPLES = 7, 4, 16


def make_case(values: Tensor | None = None, *, bias: float = 0.0, scale: float = 1.0) -> Case:
    generator = torch.Generator().manual_seed(11)
    first = nn.Linear(UNITS, 5)
    second = nn.Linear(5, 3)
    with torch.no_grad():
        for layer in (first, second):
            layer.weight.copy_(scale * torch.randn(layer.weight.shape, generator=generator))
            layer.bias.fill_(bias)
    model = nn.Sequential(first, nn.Tanh(), second)
    subject = ModuleSubject(model, unit_names=tuple("abcdefg"), labels=("x", "y", "z"))
    batch = torch.rand(ROWS, UNITS, generator=generator) + 0.5
    removals = Removals(subject, batch)
    attribution = Attribution(
        values=torch.randn(ROWS, UNITS, generator=generator) if values is None else values,
        units=removals.units,
        method="given",
        target=removals.targets,
        signed=True,
    )
    return Case(
        subject=subject, batch=batch, attribution=attribution, method=None, removals=removals
    )


def captum_numbers(case: Case, *, normalize: bool) -> list[float]:
    """Captum's, with our sets replayed: one call of the perturbation for all samples."""
    kept = torch.ones(ROWS * SAMPLES, UNITS)
    for row in range(ROWS):
        for sample, gone in enumerate(subsets(case, row, SAMPLES)):
            kept[row * SAMPLES + sample, [n for n in range(UNITS) if gone >> n & 1]] = 0.0

    def perturb(inputs: Tensor) -> tuple[Tensor, Tensor]:
        return 1.0 - kept, inputs * kept

    found = captum_infidelity(
        lambda inputs: case.subject.decide(inputs),
        perturb,
        case.batch,
        case.attribution.values,
        target=list(case.removals.targets),
        n_perturb_samples=SAMPLES,
        normalize=normalize,
    )
    numbers: list[float] = found.tolist()
    return numbers


def detail(finding: Finding, name: str) -> list[float]:
    return [value for value in finding.details[name] if value is not None]


def test_numbers_are_those_of_captum() -> None:
    case = make_case()
    finding = Infidelity(samples=SAMPLES)(case)
    raw, scaled = captum_numbers(case, normalize=False), captum_numbers(case, normalize=True)
    assert detail(finding, "infidelity") == pytest.approx(raw, abs=1e-5)
    assert detail(finding, "scaled") == pytest.approx(scaled, abs=1e-5)
    assert finding.numbers["infidelity"] == pytest.approx(sum(raw) / ROWS, abs=1e-5)
    assert finding.numbers["scaled"] == pytest.approx(sum(scaled) / ROWS, abs=1e-5)
    # The broken twin: other values have other numbers, so the tolerance above is not vacuous.
    other = Infidelity(samples=SAMPLES)(make_case(case.attribution.values.flip(1)))
    assert min(abs(a - b) for a, b in zip(detail(other, "scaled"), scaled, strict=True)) > 1e-3
    assert min(abs(a - b) for a, b in zip(detail(other, "infidelity"), raw, strict=True)) > 1e-3


def test_numbers_are_those_of_the_definition() -> None:
    case = make_case()
    finding = Infidelity(samples=SAMPLES)(case)
    for row in range(ROWS):

        def p(removed: frozenset[int], row: int = row) -> float:
            return case.removals.probabilities([(row, sum(1 << n for n in removed))])[0]

        sets = [
            frozenset(n for n in range(UNITS) if gone >> n & 1)
            for gone in subsets(case, row, SAMPLES)
        ]
        raw = faithfulness.infidelity(p, case.values(row), sets)
        scaled = faithfulness.infidelity_scaled(p, case.values(row), sets)
        change = faithfulness.infidelity(p, [0.0] * UNITS, sets)
        assert detail(finding, "infidelity")[row] == pytest.approx(raw, abs=1e-12)
        assert detail(finding, "scaled")[row] == pytest.approx(scaled, abs=1e-12)
        assert detail(finding, "unexplained")[row] == pytest.approx(scaled / change, abs=1e-9)


def test_a_scale_changes_the_raw_number_only() -> None:
    case = make_case()
    larger = make_case(100 * case.attribution.values)
    one, other = Infidelity()(case), Infidelity()(larger)
    assert detail(other, "scaled") == pytest.approx(detail(one, "scaled"), abs=1e-9)
    assert min(detail(other, "infidelity")) > 10 * max(detail(one, "infidelity"))
    assert one.outcome == other.outcome == "informs"


def test_every_set_is_followed_by_its_complement() -> None:
    case = make_case()
    for row in range(ROWS):
        drawn = subsets(case, row, SAMPLES)
        assert len(drawn) == SAMPLES
        assert len(set(drawn)) > SAMPLES // 2
        assert all(a ^ b == 0b1111111 for a, b in zip(drawn[::2], drawn[1::2], strict=True))


def test_silence_explains_nothing_and_no_change_leaves_nothing_to_explain() -> None:
    silent = Infidelity()(make_case(torch.zeros(ROWS, UNITS)))
    assert detail(silent, "unexplained") == pytest.approx([1.0] * ROWS, abs=1e-12)
    unmoved = Infidelity()(make_case(bias=1.0, scale=0.0))
    assert unmoved.details["unexplained"] == (None,) * ROWS
    assert unmoved.numbers["unexplained"] is None
    assert "changes no probability" in unmoved.said.en
    values = torch.ones(ROWS, UNITS)
    values[1, 2] = float("nan")
    partly = Infidelity()(make_case(values))
    assert partly.numbers["tested"] == ROWS - 1
    assert partly.details["infidelity"][1] is None


@pytest.mark.parametrize("samples", [0, 3])
def test_odd_samples_are_refused(samples: int) -> None:
    with pytest.raises(OptionError, match="samples must be an even number"):
        Infidelity(samples=samples)
