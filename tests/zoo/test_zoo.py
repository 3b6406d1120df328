"""Every family of the zoo is what the table says, and its weights are those of eager attention."""

import dataclasses
from collections import Counter

import pytest

transformers = pytest.importorskip("transformers")

from tests.zoo.examine import BOUND, Row, compare, examine  # noqa: E402
from tests.zoo.families import FAMILIES, Family  # noqa: E402
from tests.zoo.table import lines_by_family, page  # noqa: E402
from tests.zoo.tiny import tiny_inputs, tiny_model  # noqa: E402
from zhuyi.trace import watch  # noqa: E402

CASES = [
    pytest.param(family, id=family.name, marks=[pytest.mark.long] if family.long else [])
    for family in FAMILIES
]


def wrong(row: Row) -> list[str]:
    """What contradicts the promises of the table; empty when all is well."""
    complaints = []
    if row.status != row.family.expected:
        complaints.append(f"is {row.status}: {row.remark}")
    if row.status == "refused":
        if not row.remark:
            complaints.append("is refused without a reason")
        return complaints
    if row.status == "supported" and row.compared == 0:
        complaints.append("was compared with nothing")
    if not row.error <= BOUND:
        complaints.append(f"weights differ by {row.error}")
    if row.output != 0.0:
        complaints.append(f"outputs differ by {row.output}")
    if not row.streamed <= BOUND:
        complaints.append(f"streamed outputs differ by {row.streamed}")
    if row.wrong_rows:
        complaints.append(f"{row.wrong_rows} rows are wrongly counted")
    return complaints


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("family", CASES)
def test_family(family: Family) -> None:
    row = examine(family)
    assert wrong(row) == []
    assert lines_by_family().get(family.name) == row.markdown(), (
        "docs/supported-models.md is old: run python scripts/zoo_table.py"
    )


def test_weights_of_another_model_do_not_pass() -> None:
    family = next(family for family in FAMILIES if family.name == "bert")
    model = tiny_model("bert", {})
    inputs = tiny_inputs(model)
    with watch(model) as tape:
        model(**inputs)
    shifted = tape[0].matrix.materialize().roll(1, dims=-1)
    assert compare(tape[0], shifted, inputs, family)[0] > 100 * BOUND
    everything = {**inputs, "attention_mask": inputs["attention_mask"].flip(1)}
    assert compare(tape[0], shifted, everything, family)[1] > 0


def test_the_page_lists_every_family_once() -> None:
    names = Counter(family.name for family in FAMILIES)
    assert max(names.values()) == 1
    assert set(lines_by_family()) == {"family", *names}
    assert sum(family.expected == "supported" for family in FAMILIES) >= 60


def test_the_judge_sees_every_kind_of_fault() -> None:
    family = next(family for family in FAMILIES if family.name == "bert")
    good = Row(family=family, status="supported", compared=2)
    assert wrong(good) == []
    faults = [
        {"status": "partly"},
        {"compared": 0},
        {"error": 2e-5},
        {"error": float("nan")},
        {"output": 1e-7},
        {"streamed": 2e-5},
        {"wrong_rows": 1},
    ]
    for fault in faults:
        assert len(wrong(dataclasses.replace(good, **fault))) == 1, fault
    assert "| bert | text encoder | supported |" in page([good])
