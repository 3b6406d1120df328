"""One audit as one offline HTML file, which leads with the answer.

Like the page of a look it may run exactly one script and one style sheet, named by their hashes,
and load nothing; text of people reaches the reader as JSON and is inserted as text only.
"""

import base64
import hashlib
import html
from collections import Counter
from dataclasses import replace
from importlib.resources import files
from typing import Any

from zhuyi.audit.naming import method_name
from zhuyi.audit.report import AuditedInput, AuditReport
from zhuyi.audit.serial import to_values
from zhuyi.ui.view.pack import to_json

#: How much of a page the inputs may take, in bytes; the worst verdicts stay.
BUDGET = 8_000_000
_SKIPPED = 200  # rows left out that are listed; report.json has all

# Order matters: each part uses only what stands before it.
_SCRIPTS = (
    *("audit/page/strings.js", "page/base.js", "page/color.js", "page/icons.js"),
    *("audit/page/marks.js", "audit/page/columns.js", "audit/page/hero.js"),
    *("audit/page/inputs.js", "audit/page/tables.js", "audit/page/heads.js", "audit/page/main.js"),
)
_STYLES = ("page/page.css", "audit/page/audit.css")
_WORST_FIRST = ("refuted", "doubtful", "trusted")


def build_audit_page(report: AuditReport, *, budget: int = BUDGET) -> str:
    """The whole page as text.

    Args:
        report: the audit.
        budget: bytes that the inputs may take. Beyond it inputs are left out, trusted ones first;
            the page says so.
    """
    script = '(() => {\n"use strict";\n' + "".join(map(_read, _SCRIPTS)) + "})();\n"
    style = "".join(map(_read, _STYLES))
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    values = {
        "POLICY": policy,
        "TITLE": html.escape(f"zhuyi audit · {report.title}"),
        "STYLE": style,
        "REPORT": to_json(_shown(report, budget)),
        "SCRIPT": script,
    }
    # One pass over the template: a mark inside the text of a person is never filled in.
    pieces = _read("audit/page/audit.html").split("%%")
    return "".join(values[part] if i % 2 else part for i, part in enumerate(pieces))


def _shown(report: AuditReport, budget: int) -> dict[str, Any]:
    """The report's values for reading: fewer digits, no more inputs than fit, their counts."""
    data = replace(report.data, skipped=report.data.skipped[:_SKIPPED])
    values: dict[str, Any] = to_values(replace(report, inputs=(), data=data))
    for method in values["methods"]:
        for finding in method["findings"]:
            del finding["inputs"], finding["details"]
    values["inputs"] = _fitting(report.inputs, budget)
    counts = Counter(one.label for one in report.inputs)
    values["counts"] = {label: counts[label] for label in ("trusted", "doubtful", "refuted")}
    values["skipped"] = len(report.data.skipped)
    written = {report.chosen, report.attention, *(one.name for one in report.methods)} - {""}
    values["names"] = {name: to_values(method_name(name)) for name in sorted(written)}
    return values


def _fitting(inputs: tuple[AuditedInput, ...], budget: int) -> list[dict[str, Any]]:
    order = sorted(range(len(inputs)), key=lambda i: _WORST_FIRST.index(inputs[i].label))
    chosen: dict[int, dict[str, Any]] = {}
    for index in order:
        values = _rounded(inputs[index])
        budget -= len(to_json(values).encode()) + 1
        if budget < 0:
            break
        chosen[index] = values
    return [chosen[index] for index in sorted(chosen)]


def _rounded(one: AuditedInput) -> dict[str, Any]:
    values: dict[str, Any] = to_values(one)
    for name in ("values", "attention"):
        values[name] = [float(f"{number:.4g}") for number in values[name]]
    return values


def _read(name: str) -> str:
    text = files("zhuyi.ui.report").joinpath(*name.split("/")).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")  # the parser does so before it checks the hash


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
