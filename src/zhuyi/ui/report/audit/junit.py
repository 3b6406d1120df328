"""One audit as a JUnit file, so that a build server shows which checks failed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from xml.etree import ElementTree

from zhuyi.audit.report import AuditReport

FailOn = Literal["refuted", "doubtful"]

# What XML 1.0 cannot hold, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LABELS = {"trusted": "passed", "doubtful": "doubtful", "refuted": "failed"}
_OUTCOMES = {
    "supports": "passed",
    "informs": "passed",
    "cautions": "doubtful",
    "refutes": "failed",
    "skipped": "skipped",
}


@dataclass(frozen=True)
class Check:
    """One test case: where it belongs, its name, how it ended, and that in words."""

    kind: str
    name: str
    result: str
    said: str


def fails(report: AuditReport, fail_on: FailOn | None) -> bool:
    """Whether the report's verdict is as bad as what a build must not pass."""
    worse = {"refuted": ("refuted",), "doubtful": ("refuted", "doubtful"), None: ()}[fail_on]
    return report.verdict in worse


def build_junit(report: AuditReport, *, fail_on: FailOn | None = None) -> str:
    """The checks as one test suite.

    Args:
        report: the audit.
        fail_on: "doubtful" makes a failure of what is doubtful; else that is a skipped test with
            the doubt as its message. What is refuted is always a failure.
    """
    checks = list(_checks(report))
    results = [_result(check, fail_on) for check in checks]
    counts = {
        "tests": str(len(checks)),
        "failures": str(results.count("failed")),
        "skipped": str(results.count("skipped")),
        "errors": "0",
    }
    root = ElementTree.Element("testsuites", {"name": "zhuyi audit", **counts})
    title = _legal(f"zhuyi audit: {report.title}")
    suite = ElementTree.SubElement(root, "testsuite", {"name": title, **counts, "time": "0"})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in {"schema": report.schema, "answer": report.answer.en, **report.run}.items():
        text = {"name": _legal(name), "value": _legal(str(value))}
        ElementTree.SubElement(properties, "property", text)
    for check, result in zip(checks, results, strict=True):
        case = ElementTree.SubElement(
            suite,
            "testcase",
            {"classname": f"audit.{check.kind}", "name": _legal(check.name), "time": "0"},
        )
        message = _legal(check.said)
        if result == "failed":
            failure = ElementTree.SubElement(
                case, "failure", {"message": message, "type": check.result}
            )
            failure.text = message
        elif result == "skipped":
            ElementTree.SubElement(case, "skipped", {"message": message})
        else:
            ElementTree.SubElement(case, "system-out").text = message
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _checks(report: AuditReport) -> Iterator[Check]:
    said = " ".join([report.answer.en, *(reason.en for reason in report.reasons[:3])])
    yield Check("verdict", f"explanations by {report.chosen}", _LABELS[report.verdict], said)
    for method in report.methods:
        if method.chosen:
            for found in method.findings:
                yield Check("finding", found.test, _OUTCOMES[found.outcome], found.said.en)
    for one in report.differences:
        told = (
            f"{one.metric} is {one.value.value:.3f} higher for {one.largest} than for "
            f"{one.smallest} (p = {one.p:.3g}): "
            f"{'more than chance' if one.beyond_noise else 'chance could do this'}"
        )
        result = "doubtful" if one.beyond_noise else "passed"
        yield Check("group", f"{one.column}: {one.metric}", result, told)


def _result(check: Check, fail_on: FailOn | None) -> str:
    if check.result == "doubtful":
        return "failed" if fail_on == "doubtful" else "skipped"
    return check.result


def _legal(text: str) -> str:
    return _ILLEGAL.sub("", text)
