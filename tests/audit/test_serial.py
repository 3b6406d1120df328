"""Reports as JSON: the exact way there and back, refusals by place, and the published schema."""

import copy
import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ui.synthetic_audit import synthetic_audit
from zhuyi.audit.report import SCHEMA, AuditReport, DataSummary, Interval, Piece
from zhuyi.audit.serial import from_text, from_values, schema, to_text, to_values
from zhuyi.core.record import Finding
from zhuyi.errors import InputError

REPORT = synthetic_audit()
VALUES: dict[str, Any] = json.loads(to_text(REPORT))


def test_there_and_back_is_the_same_report() -> None:
    again = from_text(to_text(REPORT))
    assert again == REPORT
    assert to_text(again) == to_text(REPORT)
    assert isinstance(again.inputs, tuple)
    assert isinstance(again.inputs[0].pieces[0], Piece)
    assert type(again.methods[0].findings[0].numbers["orders"]) is int
    assert type(again.methods[0].findings[0].numbers["skill"]) is float


@settings(max_examples=60, deadline=None)
@given(text=st.text(), number=st.floats(allow_nan=False, allow_infinity=False))
def test_any_text_and_number_survives(text: str, number: float) -> None:
    report = replace(REPORT, title=text, run={text: number}, inputs=(), methods=(), heads=())
    written = to_text(report)
    assert written.encode("utf-8")
    assert from_text(written) == report


def test_half_a_character_survives() -> None:
    report = replace(REPORT, title="half \ud83d", inputs=())
    assert from_text(to_text(report).encode("utf-8").decode("utf-8")) == report


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_are_not_finite_are_refused_by_place(number: float) -> None:
    report = replace(REPORT, quality={"accuracy": Interval(value=number)})
    with pytest.raises(InputError, match=r"report\.quality\['accuracy'\]\.value must be a finite"):
        to_text(report)


def test_other_values_are_refused_by_place() -> None:
    with pytest.raises(
        InputError, match=r"report\.run\['x'\] must be a text, a number or a record"
    ):
        to_values(replace(REPORT, run={"x": {1}}))  # type: ignore[dict-item]
    with pytest.raises(InputError, match="texts as keys, got 1"):
        to_values(replace(REPORT, run={1: 1}))  # type: ignore[dict-item]


def changed(path: list[Any], value: Any) -> str:
    """The report's text with one place changed; `...` removes it."""
    values = copy.deepcopy(VALUES)
    inner = values
    for key in path[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return json.dumps(values)


WRONG: list[tuple[list[Any], Any, str]] = [
    (["schema"], "zhuyi.audit/2", r"report\.schema must be 'zhuyi.audit/1', got 'zhuyi.audit/2'"),
    (["schema"], 1, r"report\.schema must be"),
    (["title"], 3, r"report\.title must be of type string, got 3"),
    (["title"], ..., r"report\.title is missing"),
    (["more"], 1, r"report must have only the fields .*, got 'more'"),
    (["verdict"], "proven", r"report\.verdict must be one of 'trusted', 'doubtful', 'refuted'"),
    (["labels"], "NEGATIVE", r"report\.labels must be a list"),
    (["inputs", 2, "row"], 1.5, r"report\.inputs\[2\]\.row must be of type integer"),
    (["inputs", 2, "row"], True, r"report\.inputs\[2\]\.row must be of type integer, got True"),
    (["inputs", 0, "values", 1], "x", r"report\.inputs\[0\]\.values\[1\] must be of type number"),
    (["inputs", 0, "values", 1], None, r"report\.inputs\[0\]\.values\[1\] must be"),
    (["inputs", 0, "values", 1], 10**400, r"report\.inputs\[0\]\.values\[1\] must be of type"),
    (["inputs", 0, "truth"], 1, r"report\.inputs\[0\]\.truth must be of type string"),
    (["quality", "accuracy", "lower"], [], r"report\.quality\['accuracy'\]\.lower must be"),
    (["run", "date"], None, r"report\.run\['date'\] must be string or integer or number"),
    (["answer"], "yes", r"report\.answer must be an object \(Said\)"),
    (["budget", "exhausted"], 0, r"report\.budget\.exhausted must be of type boolean"),
]


@pytest.mark.parametrize(("path", "value", "said"), WRONG)
def test_what_does_not_fit_is_named(path: list[Any], value: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        from_text(changed(path, value))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        '{"schema": NaN}',
        '{"schema": 1' + "0" * 5000 + "}",
        "[" * 99_999,
    ],
)
def test_texts_that_are_no_report(text: str) -> None:
    with pytest.raises(InputError):
        from_text(text)


def test_infinity_in_disguise_is_refused() -> None:
    text = to_text(REPORT).replace('"seconds": 84.2', '"seconds": 1e999')
    with pytest.raises(InputError, match=r"report\.run\['seconds'\] must be a finite number"):
        from_text(text)


def test_parts_can_be_written_alone() -> None:
    finding = REPORT.methods[0].findings[0]
    assert from_values(Finding, to_values(finding)) == finding
    assert from_values(Finding, json.loads(json.dumps(to_values(finding)))) == finding
    with pytest.raises(InputError, match=r"the journal\.rows is missing"):
        from_values(DataSummary, {"name": "x"}, "the journal")


# --- the schema -------------------------------------------------------------------------------


def validator() -> Any:
    kind = jsonschema.validators.validator_for(schema())
    assert kind is jsonschema.Draft202012Validator
    kind.check_schema(schema())
    return kind(schema())


def test_reports_fit_the_schema() -> None:
    for report in (REPORT, synthetic_audit(inputs=0), synthetic_audit(evil="</script>", inputs=7)):
        assert list(validator().iter_errors(json.loads(to_text(report)))) == []


@pytest.mark.parametrize(("path", "value", "said"), WRONG)
def test_the_schema_refuses_what_the_reader_refuses(path: list[Any], value: Any, said: str) -> None:
    values = json.loads(changed(path, value))
    if value == 10**400:
        return  # JSON Schema knows no largest number
    assert not validator().is_valid(values), said


def test_the_schema_describes_its_fields() -> None:
    described = schema()
    assert described["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert isinstance(described["properties"], dict)
    assert described["properties"]["schema"]["const"] == SCHEMA
    for properties in (described["properties"], described["$defs"]["AuditedInput"]["properties"]):  # type: ignore[index]
        for name, part in properties.items():
            assert part.get("description") or "$ref" in str(part), name
    assert described["$defs"]["Interval"]["properties"]["upper"]["description"].startswith(
        "the ends"
    )  # type: ignore[index]


def test_the_published_schema_is_this_one() -> None:
    path = files("zhuyi.ui.report.audit").joinpath("audit.schema.json")
    published = path.read_text(encoding="utf-8")
    assert published == json.dumps(schema(), ensure_ascii=False, indent=1) + "\n", (
        "renew it: python -m zhuyi.ui.report.audit.publish_schema"
    )


def test_every_record_of_the_report_is_described() -> None:
    """The broken twin of the schema's generator: a class without descriptions is noticed."""
    assert all("description" in part for part in schema()["$defs"].values())  # type: ignore[attr-defined]
    assert AuditReport.__name__ not in schema()["$defs"]  # type: ignore[operator]
