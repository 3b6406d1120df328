"""Plain modules as subjects, and the readouts."""

import pytest
import torch
from torch import Tensor, nn

from zhuyi.core.record import Unit
from zhuyi.errors import InputError, NotWatchable, OptionError, ShapeError
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.trace.readout import FirstRow, LastRow, MeanRows, MeasuredRows
from zhuyi.trace.subject import DifferentiableSubject, ProjectedSubject, gather_units


class Encoder(nn.Module):
    """Two layers over [CLS] and the given vectors, and a head on [CLS] or on the mean."""

    def __init__(self, *, leading: bool, classes: int = 3) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.first = nn.Parameter(torch.randn(1, 1, 8)) if leading else None
        self.head = nn.Linear(8, classes)

    def forward(self, inputs: Tensor) -> Tensor:
        if self.first is not None:
            inputs = torch.cat((self.first.expand(len(inputs), -1, -1), inputs), 1)
        hidden = self.layers(inputs)
        return self.head(hidden[:, 0] if self.first is not None else hidden.mean(1))


def subject(*, leading: bool = False, **options: object) -> ModuleSubject:
    torch.manual_seed(2)
    return ModuleSubject(
        Encoder(leading=leading),
        unit_names=("age", "income", "height"),
        labels=("a", "b", "c"),
        leading=("[CLS]",) if leading else (),
        **options,  # type: ignore[arg-type]
    )


INPUTS = torch.linspace(-1, 1, 48).reshape(2, 3, 8).sin()


@pytest.mark.parametrize("leading", [False, True])
def test_decide_watch_and_measured_readout(leading: bool) -> None:
    told = subject(leading=leading)
    model = told.module
    assert model.training
    tape = told.watch(INPUTS)
    assert model.training
    model.eval()
    torch.testing.assert_close(tape.logits, model(INPUTS).detach(), atol=2e-6, rtol=0)
    torch.testing.assert_close(told.decide(INPUTS), model(INPUTS).softmax(1).detach())
    rows = told.readout(tape)
    length = 3 + leading
    assert rows.shape == (2, length)
    if leading:
        assert rows.tolist() == [[1.0, 0.0, 0.0, 0.0]] * 2
    else:
        assert (rows > 0.05).all()  # every row is read
    torch.testing.assert_close(rows.sum(1), torch.ones(2))
    assert [u.label for u in told.units(INPUTS)[0]][leading:] == ["age", "income", "height"]
    assert isinstance(told, DifferentiableSubject)
    assert isinstance(told, ProjectedSubject)


@pytest.mark.parametrize("removed", [0.5, torch.arange(24.0).reshape(3, 8)])
def test_removal_puts_the_given_value(removed: float | Tensor) -> None:
    told = subject(leading=True, removed=removed)
    keep = torch.tensor([[True, True, False, True], [False, True, True, True]])
    wanted = INPUTS.clone()
    wanted[0, 1] = removed if isinstance(removed, float) else removed[1]
    torch.testing.assert_close(told.decide(INPUTS, keep), told.decide(wanted))
    assert told.removal == (
        "replaced by 0.5" if isinstance(removed, float) else "replaced by given values"
    )


def test_embeddings_are_the_inputs() -> None:
    told = subject(leading=True, removed=0.25)
    vectors = told.embed(INPUTS)
    assert vectors.shape == (2, 4, 8)
    logits = told.decide_embedded(INPUTS, vectors)
    torch.testing.assert_close(logits, told.watch(INPUTS).logits, atol=2e-6, rtol=0)
    assert told.baseline(INPUTS)[:, 1:].unique().tolist() == [0.25]
    values = torch.arange(8.0).reshape(2, 4)
    assert torch.equal(told.gather(INPUTS, values), values)


def test_the_output_projection_is_found() -> None:
    told = subject()
    tape = told.watch(INPUTS)
    weight = told.output_projection(tape[1].site)
    assert weight is not None
    assert torch.equal(weight, told.module.layers.layers[1].self_attn.out_proj.weight)  # type: ignore[union-attr, index]


def test_bad_batches_and_modules() -> None:
    told = subject()
    with pytest.raises(ShapeError, match=r"N = 3 units, got \(2, 4, 8\)"):
        told.decide(torch.zeros(2, 4, 8))
    with pytest.raises(InputError, match="expected a floating tensor"):
        told.decide(torch.zeros(2, 3, dtype=torch.long))
    with pytest.raises(InputError, match="got list"):
        told.decide([1.0])
    with pytest.raises(OptionError, match="different names"):
        ModuleSubject(nn.Identity(), unit_names=("a", "a"), labels=("x", "y"))
    with pytest.raises(ShapeError, match="gives 3 classes for 2 labels"):
        ModuleSubject(Encoder(leading=False), unit_names="abc", labels=("x", "y")).decide(INPUTS)
    with pytest.raises(ShapeError, match="must give logits"):
        ModuleSubject(nn.Identity(), unit_names="abc", labels=("x", "y")).decide(INPUTS)


def test_readouts() -> None:
    real = torch.tensor([[True, True, True, False], [True, False, False, False]])
    assert FirstRow().rows(real).tolist() == [[1, 0, 0, 0], [1, 0, 0, 0]]
    assert LastRow().rows(real).tolist() == [[0, 0, 1, 0], [1, 0, 0, 0]]
    third = pytest.approx(1 / 3)
    assert MeanRows().rows(real).tolist() == [[third] * 3 + [0], [1, 0, 0, 0]]
    assert MeanRows(first=1).rows(real)[0].tolist() == [0, 0.5, 0.5, 0]
    with pytest.raises(NotWatchable):
        MeasuredRows().rows(real)


def test_gather_sums_a_units_positions() -> None:
    units = (Unit(label="x", positions=(0, 2)), Unit(label="y", positions=(1,)))
    values = torch.tensor([[1.0, 10.0, 100.0], [2.0, 20.0, 200.0]])
    assert gather_units([units, units[:1]], values).tolist() == [[101.0, 10.0], [202.0, 0.0]]
    assert gather_units([units, units], values, per_input=2).tolist() == [
        [101.0, 10.0, 202.0, 20.0]
    ]
    with pytest.raises(ShapeError, match="got 2, the units need more"):
        gather_units([units], values[:1, :2])
    with pytest.raises(ShapeError, match="B' = 1"):
        gather_units([units], values)
