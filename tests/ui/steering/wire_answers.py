"""Real answers of the real server, written to wire/*.json for the tests of the page.

python -m tests.ui.steering.wire_answers
"""

import json
import tempfile
from pathlib import Path
from typing import Any

from tests.ui.server.standing import standing
from tests.ui.steering import small
from tests.ui.steering.asking import post
from zhuyi.ui.steering.desk import Desk
from zhuyi.ui.steering.notes_desk import FIRST, NotesDesk
from zhuyi.ui.steering.opening import open_desk
from zhuyi.ui.steering.routes import make_steering_site
from zhuyi.ui.steering.series_desk import SeriesDesk
from zhuyi.ui.steering.table_desk import TableDesk
from zhuyi.ui.steering.text_desk import TextDesk

WIRE = Path(__file__).parent / "wire"
RULES = [
    {"id": "more-pressure", "boost": {"text": "高血压病史"}, "weight": 3.0, "why": "as an example"},
    {"id": "no-lipid", "veto": {"text": "高血脂"}},
    {"id": "less-sugar", "damp": {"text": "糖尿病"}, "weight": 0.5},
]
YAML = """version: 1
rules:
- {id: sugar, boost: {text: 糖尿病}, weight: 2, why: guideline, expires: 2030-01-01}
- {id: never, veto: [{text: 高血脂}, {text: 高血压}]}
"""
BAD_YAML = """version: 1
rules: [{boost: {regex: x}, weight: 2}]
"""


def answers(desk: Desk, given: dict[str, Any], rules: list[dict[str, Any]]) -> dict[str, Any]:
    """What the server says to everything that the page asks, by address."""
    body = {"turn": 1, "input": given, "rules": rules, "language": "zh"}
    if desk.labels and desk.kind == "text":
        body["target"] = 1
    with standing(make_steering_site(desk, script="//")) as up:
        found = {
            "desk": json.loads(up.get("/desk")[2]),
            "try_empty": post(up, "/try", {**body, "rules": [], "turn": 0})[1],
            "try": post(up, "/try", body)[1],
            "control": post(up, "/control", {**body, "draws": 5})[1],
            "verdict": post(up, "/verdict", body)[1],
            "rules": post(up, "/rules", {"yaml": YAML})[1],
            "refused": post(up, "/rules", {"yaml": BAD_YAML})[1],
        }
        assert not up.told, up.told
    return found


def main() -> None:
    """Write all of them."""
    WIRE.mkdir(exist_ok=True)
    for name, (desk, given, rules) in cases().items():
        text = json.dumps(answers(desk, given, rules), ensure_ascii=False, indent=1)
        (WIRE / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def cases() -> dict[str, tuple[Desk, dict[str, Any], list[dict[str, Any]]]]:
    """A desk of each kind, with an input and rules about it."""
    with tempfile.TemporaryDirectory() as folder:
        model = open_desk(str(small.save_bert(Path(folder) / "tiny-bert")))
        decoder = open_desk(str(small.save_llama(Path(folder) / "tiny-llama")))
    table, number = TableDesk(small.table(), "wards"), TableDesk(small.number(), "wear")
    series, text = SeriesDesk(small.series(), "engines"), TextDesk(small.text(), "reviews")
    fox = [
        {"id": "fox", "boost": {"text": "fox"}, "weight": 4.0},
        {"id": "no-dog", "veto": {"text": "dog"}},
    ]
    return {
        "notes": (NotesDesk(), {"text": FIRST}, RULES),
        "table": (
            table,
            table.examples[1].given.as_json(),
            [
                {
                    "id": "ward",
                    "boost": {"column": "ward"},
                    "weight": 5.0,
                    "when": "stage == 'low'",
                },
                {"id": "no-dose", "veto": {"column": "dose"}},
            ],
        ),
        "number": (
            number,
            number.examples[1].given.as_json(),
            [{"id": "more", "boost": {"column": "x0"}, "weight": 3.0}],
        ),
        "series": (
            series,
            {"series": 1},
            [{"id": "no-late", "veto": {"channel": "vibration", "start": -4}}],
        ),
        "text": (
            text,
            {"text": "房间很脏，very good"},
            [{"id": "dirt", "damp": {"text": "脏"}, "weight": 0.2}],
        ),
        "model": (model, {"text": small.TEXT}, fox),
        "decoder": (decoder, {"text": small.TEXT}, fox),
    }


if __name__ == "__main__":
    main()
