"""What the taint test finds, and what hides from NaN."""

import math

import pytest
import torch
from torch import Tensor, nn

from tests.steer.certify import planted
from tests.steer.certify.planted import OWN, Model
from zhuyi.core.record import Unit
from zhuyi.steer.certify import RuleCertificate, certify
from zhuyi.steer.certify.taint import TAINTS
from zhuyi.steer.reading import UnitReader
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column

VETOED = planted.NAMES.index(planted.VETOED)


class Compared(nn.Module):
    """Whether any number is large decides on the sign of all: NaN > 3 is false."""

    def forward(self, x: Tensor) -> Tensor:
        large = (x > 50).any(-1).any(-1)
        return torch.where(large[:, None, None], -x, x)


class Cleaned(nn.Module):
    """A sum over positions that takes NaN away first."""

    def forward(self, x: Tensor) -> Tensor:
        return x + x.nan_to_num(0.0, 0.0, 0.0).sum(1, keepdim=True)


class Routed(nn.Module):
    """The position with the largest number is swapped with the first: whole numbers only."""

    def forward(self, x: Tensor) -> Tensor:
        largest = x[:, :, 0].nan_to_num(-1e9).argmax(1)
        return x + x[torch.arange(len(x)), largest][:, None].nan_to_num(0.0)


class Zeroed(nn.Module):
    """Multiplied by exactly 0: no value shows it, NaN does."""

    def forward(self, x: Tensor) -> Tensor:
        return x + 0.0 * x.sum(1, keepdim=True)


def certified(inner: nn.Module) -> RuleCertificate:
    rules = Rules().veto(Column(planted.VETOED), id="v")
    return certify(
        Model(inner).eval(), rules, planted.inputs(), reader=planted.reader(), swaps=6,
        trusted=(*OWN, type(inner)),
    )["v"]  # fmt: skip


def shown(inner: nn.Module, value: float) -> bool:
    """Whether this taint alone shows, by hand."""
    model, rows = inner.eval(), planted.inputs()
    tainted = rows.clone()
    tainted[:, VETOED] = value
    kept = [n for n in range(planted.LENGTH) if n != VETOED]
    return not torch.equal(model(rows)[:, kept], model(tainted)[:, kept])


def test_nan_finds_a_path_that_no_value_shows() -> None:
    found = certified(Zeroed())
    assert found.item("taint").state == "failed"  # type: ignore[union-attr]
    assert found.item("swaps").state == "held"  # type: ignore[union-attr]
    assert found.level == "direct"


@pytest.mark.parametrize("inner", [Compared(), Cleaned(), Routed()])
def test_what_hides_from_nan_is_found_by_other_taints_or_swaps(inner: nn.Module) -> None:
    found = certified(inner)
    assert {"taint", "swaps"} & {item.name for item in found.failed}
    assert found.level == "direct"


def test_comparisons_hide_from_nan_and_not_from_large_numbers() -> None:
    assert not shown(Compared(), math.nan)
    assert shown(Compared(), TAINTS["large"])
    assert shown(Zeroed(), math.nan)
    assert not shown(Zeroed(), TAINTS["large"])


def test_numbers_tell_how_much_became_nan() -> None:
    item = certified(planted.Shifted()).item("taint")
    assert item is not None
    assert item.numbers["NaN in the output"] == 3 * planted.ROWS


def test_vectors_that_cannot_be_reached_are_told() -> None:
    """A model that looks ids up by hand has no embedder: nothing is claimed."""

    class ByHand(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table = nn.Parameter(torch.randn(20, 8))
            self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

        def forward(self, ids: Tensor) -> Tensor:
            return self.layer(self.table[ids])[:, 0]

    reader = UnitReader([Unit(label=n, positions=(i,)) for i, n in enumerate("abc")])
    ids = torch.tensor([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    rules = Rules().veto(Column("b"), id="v")
    found = certify(ByHand().eval(), rules, ids, reader=reader, trusted=(ByHand,), swaps=3)["v"]
    assert found.item("swaps").state == "held"  # type: ignore[union-attr]
    assert found.item("taint").state == "unchecked"  # type: ignore[union-attr]
    assert found.level == "direct", "what could not be checked is not claimed"
