"""Broken twins: a seam that does less than it says must lose its certificate."""

from typing import Any

import pytest
import torch

from tests.steer.certify import planted
from zhuyi.steer.certify import RuleCertificate, certify
from zhuyi.steer.dose import Dose
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column


def certified() -> RuleCertificate:
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    model = torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False).eval()
    rules = Rules().veto(Column("c"), id="v")
    return certify(model, rules, planted.inputs(), reader=planted.reader(), swaps=4)["v"]


def test_the_seam_as_it_is_earns_exact() -> None:
    assert certified().level == "exact"


def test_vetoed_keys_that_are_not_zeroed_let_nan_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """0 x NaN is NaN: no swap of ordinary numbers shows it."""
    monkeypatch.setattr("zhuyi.trace.observe._without_vetoed", lambda heard: heard)
    found = certified()
    assert found.level == "direct"
    assert [item.name for item in found.failed] == ["taint"]


def test_a_veto_that_skips_a_layer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    bias = Dose.bias
    monkeypatch.setattr(
        Dose, "bias", lambda self, call: None if call.site.index == 1 else bias(self, call)
    )
    found = certified()
    assert found.level == "steer"
    assert {"attention", "swaps", "taint", "gradient"} <= {item.name for item in found.failed}


def test_a_veto_that_is_only_large_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """-10 instead of -inf leaves a weight of 1e-5: small, and not nothing."""
    bias = Dose.bias

    def softened(self: Dose, call: Any) -> Any:
        found = bias(self, call)
        if found is None:
            return None
        _, _, Q, K = call.shape
        values = found.block(slice(0, Q), slice(0, K)).clamp_min(-10.0)
        return type(found).dense(values.expand(call.shape).clone())

    monkeypatch.setattr(Dose, "bias", softened)
    found = certified()
    assert found.level == "steer"
    item = found.item("swaps")
    assert item is not None
    assert item.numbers["largest difference"] > 0.0  # type: ignore[operator]
    assert {"attention", "swaps", "taint", "gradient"} <= {one.name for one in found.failed}
