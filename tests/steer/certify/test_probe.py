"""The probe: its area against scikit-learn's, what it finds, and what it does not."""

import pytest
import torch

from tests.steer.certify import planted
from zhuyi.errors import OptionError
from zhuyi.steer.certify import certify, probe
from zhuyi.steer.certify.probe import auc
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column


def drawn(seed: int, rows: int = 80) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    flags = torch.rand(rows, generator=generator) > 0.4
    return torch.randn(rows, 5, generator=generator), flags


def test_area_is_that_of_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rows, flags = drawn(0)
    scores = (rows[:, 0] * 4).round()  # with ties
    assert auc(scores, flags) == pytest.approx(metrics.roc_auc_score(flags, scores), abs=1e-12)


def test_a_proxy_is_found_with_its_interval() -> None:
    rows, flags = drawn(1, 200)
    rows[:, 3] += 1.5 * flags
    leak = probe(rows, flags, "other inputs")
    assert leak.auc is not None
    assert leak.low is not None
    assert leak.high is not None
    # d' = 1.5 has an area of 0.856
    assert leak.auc == pytest.approx(0.856, abs=0.06)
    assert 0.5 < leak.low < leak.auc < leak.high < 1.0
    assert "it can be told from there" in leak.said.en
    assert "no claim" in leak.said.en


def test_noise_is_at_chance_on_average() -> None:
    areas = [probe(*drawn(seed), "read-out").auc for seed in range(2, 26)]
    mean = sum(area for area in areas if area is not None) / len(areas)
    assert mean == pytest.approx(0.5, abs=0.05)


def test_wide_features_are_reduced_without_the_attribute() -> None:
    generator = torch.Generator().manual_seed(5)
    flags = torch.arange(60) % 2 == 0
    rows = torch.randn(60, 300, generator=generator)
    area = probe(rows, flags, "read-out").auc
    assert area is not None
    assert 0.2 < area < 0.8
    rows[:, :150] += 2.0 * flags[:, None]
    assert probe(rows, flags, "read-out").auc == 1.0


def test_too_few_of_a_kind_are_not_measured() -> None:
    rows, _ = drawn(3, 30)
    leak = probe(rows, torch.arange(30) < 9, "read-out")
    assert leak.auc is None
    assert leak.low is None
    assert "not measured" in leak.said.en


def test_attribute_must_be_flags() -> None:
    rows, flags = drawn(4)
    with pytest.raises(OptionError, match=r"attribute must be bool \(B,\) with B = 80"):
        probe(rows, flags.float(), "read-out")


def test_a_proxy_column_leaks_through_an_exact_veto() -> None:
    """The veto holds, the certificate says exact, and the leak is told beside it."""
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    rows = planted.inputs(80)
    rows[:, 4, 0] = rows[:, 2, 0] + 0.3 * rows[:, 4, 0]  # the proxy, no copy
    rules = Rules().veto(Column("c"), id="v")
    found = certify(layer, rules, rows, reader=planted.reader(), swaps=2)["v"]
    assert found.level == "exact"
    leaks = {leak.source: leak for leak in found.leaks}
    other = leaks["other inputs"]
    assert other.low is not None
    assert other.low > 0.6
    assert leaks["read-out"].auc is not None
    own = certify(
        layer, rules, rows, reader=planted.reader(), swaps=1, attribute=rows[:, 0, 0] > 0
    )["v"]
    assert all(leak.rows == 80 for leak in own.leaks)
    kept = own.leaks[1]
    assert kept.low is not None
    assert kept.low > 0.6, "the kept column is there"
