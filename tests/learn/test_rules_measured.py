"""docs/prior-knowledge.md says what was measured, and on ten seeds or more."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.stats import ttest_rel

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "scripts"


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    path = SCRIPTS / "prior_knowledge_page.py"
    spec = importlib.util.spec_from_file_location("prior_knowledge_page", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look there for their module
    spec.loader.exec_module(module)
    return module


def test_the_page_is_what_was_measured(pages: ModuleType) -> None:
    found = json.loads((SCRIPTS / "prior_knowledge_results.json").read_text(encoding="utf-8"))
    written = (ROOT / "docs" / "prior-knowledge.md").read_text(encoding="utf-8")
    assert pages.page(found) == written, "run python scripts/prior_knowledge.py --page"
    for part in found.values():
        for numbers in part["variants"].values():
            assert all(len(one) >= 10 for one in numbers.values())


def test_a_vetoed_factor_has_no_effect_in_any_seed() -> None:
    found = json.loads((SCRIPTS / "prior_knowledge_results.json").read_text(encoding="utf-8"))
    parts = [part for name, part in found.items() if "must not" in name]
    assert parts
    for part in parts:
        assert max(part["variants"]["veto (rule)"]["effect"]) == 0.0
        assert min(part["variants"]["no rule"]["effect"]) > 1.0


def test_intervals_are_those_of_the_paired_t_test(pages: ModuleType) -> None:
    draw = np.random.default_rng(0)
    one, base = draw.normal(0.3, 1, 12), draw.normal(size=12)
    told = pages.paired(one.tolist(), base.tolist())
    wanted = ttest_rel(one, base).confidence_interval(0.95)
    assert (told.low, told.high) == pytest.approx((wanted.low, wanted.high))
    assert told.mean == pytest.approx((one - base).mean())
    assert told.other == int((np.sign(one - base) != np.sign(told.mean)).sum())
    assert not told.seen
    assert pages.paired((base + 5 + 0.1 * one).tolist(), base.tolist()).seen
