"""What was matched is matched again only where something else is read."""

import sys
from datetime import date

import pytest
import torch
from torch import nn

from tests.trace.models import noise, seeded
from zhuyi.core.record import Unit
from zhuyi.steer import matching
from zhuyi.steer.reading import UnitReader
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column
from zhuyi.steer.steering import Steering, steer

UNITS = [Unit(label=name, positions=(place,)) for place, name in enumerate("abc")]
RULES = Rules().boost(Column("a"), 2, id="more").veto(Column("c"), id="never")


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The rules that were matched in a row, in order."""
    seen: list[str] = []

    def matched_in(rule, layout):
        seen.append(rule.id)
        return matching.matched_in(rule, layout)

    monkeypatch.setattr(sys.modules["zhuyi.steer.block"], "matched_in", matched_in)
    return seen


def layer() -> nn.Module:
    return seeded(lambda: nn.TransformerEncoderLayer(8, 2, 16, batch_first=True))


def block(model: nn.Module, rules: Rules = RULES, **options: object) -> Steering:
    return steer(model, rules, reader=UnitReader(UNITS, **options))  # type: ignore[arg-type]


def test_equal_readings_are_matched_once_and_counted_every_time(looked: list[str]) -> None:
    model = layer()
    with torch.no_grad(), block(model) as steering:
        for seed in range(3):
            model(noise(2, 3, 8, seed=seed))
        assert looked == ["more", "more", "never", "never"]
        model(noise(1, 3, 8))
    assert looked == ["more", "more", "never", "never", "more", "never"]
    assert steering.calls == 4
    assert (steering.matched["more"].rows, steering.matched["more"].offered) == (7, 7)
    with torch.no_grad(), steering:
        model(noise(1, 3, 8))
    assert looked[6:] == ["more", "never"], "a block that is entered again begins anew"


def test_conditions_are_asked_every_time(looked: list[str]) -> None:
    """Values may change in place: what held for the last call need not hold now."""
    model, values = layer(), {"age": 3.0}
    rules = Rules().veto(Column("c"), when="age > 2")
    x, y = noise(1, 3, 8), noise(1, 3, 8)
    y[:, 2] = 5.0
    with torch.no_grad(), block(model, rules, values=values):
        assert torch.equal(model(x)[:, :2], model(y)[:, :2])
        values["age"] = 1.0
        assert not torch.equal(model(x)[:, :2], model(y)[:, :2])
    assert len(looked) == 4


def test_a_rule_that_expires_overnight_is_gone(
    looked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = layer()
    rules = RULES.without("never").veto(Column("c"), id="old", expires="2026-01-01")
    steering = steer(model, rules, reader=UnitReader(UNITS), today=date(2026, 1, 1))
    expired = pytest.warns(UserWarning, match="'old' expired on 2026-01-01")
    with torch.no_grad(), expired, steering:
        model(noise(1, 3, 8))
        steering.today = date(2026, 1, 2)
        model(noise(1, 3, 8))
    assert looked == ["more", "old", "more"]
