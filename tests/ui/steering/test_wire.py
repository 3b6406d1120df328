"""What is kept in wire/*.json, by which the page is tested, is what the server says."""

import json
from typing import Any

import pytest

from tests.ui.steering.wire_answers import RULES, WIRE, answers
from zhuyi.ui.steering.notes_desk import FIRST, NotesDesk

KEPT = sorted(path.stem for path in WIRE.glob("*.json"))


def shape(data: Any) -> Any:
    """Keys and kinds, numbers left out; of lists the shapes there are."""
    if isinstance(data, dict):
        return {name: shape(one) for name, one in sorted(data.items())}
    if isinstance(data, list):
        return sorted({json.dumps(shape(one), ensure_ascii=False) for one in data})
    return "number" if isinstance(data, int | float) and not isinstance(data, bool) else str(data)


def test_the_kept_answers_are_those_of_the_server() -> None:
    kept = json.loads((WIRE / "notes.json").read_text(encoding="utf-8"))
    found = answers(NotesDesk(), {"text": FIRST}, RULES)
    assert set(found) == set(kept)
    for name in found:
        if name == "verdict":  # its sentences hold numbers, and a borderline item may go either way
            assert {*found[name]} == {*kept[name]}
            continue
        assert shape(found[name]) == shape(kept[name]), (
            f"{name}: run tests.ui.steering.wire_answers"
        )
    assert found["try"]["after"]["shares"] == pytest.approx(
        kept["try"]["after"]["shares"], abs=1e-4
    )


@pytest.mark.parametrize("name", KEPT)
def test_every_kept_answer_is_whole(name: str) -> None:
    kept = json.loads((WIRE / f"{name}.json").read_text(encoding="utf-8"))
    desk, tried = kept["desk"], kept["try"]
    assert desk["schema"] == "zhuyi.desk/1"
    assert desk["measure"]["kind"] in ("attention", "contribution")
    for one in (kept["try_empty"], tried):
        assert set(one) == {
            "turn", "target", "labels", "before", "after", "pieces", "rules", "told", "yaml",
            "python", "took_ms",
        }  # fmt: skip
        for piece in one["pieces"]:
            assert {"name", "special", "before", "after", "signed", "rules"} <= set(piece)
            assert ("select" in piece) is not piece["special"]
    assert {one["id"] for one in tried["rules"]} == {one["id"] for one in kept["control"]["rules"]}
    assert all(one["matched"] > 0 for one in tried["rules"])
    assert set(kept["refused"]) == {"error"}
    assert "may take forever" in kept["refused"]["error"]
    level = {"trusted", "doubtful", "refuted"}
    assert kept["verdict"]["verdict"] is None or kept["verdict"]["verdict"]["level"] in level
