"""One audit as a Markdown model card, with front matter as Hugging Face reads it."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from zhuyi.audit.naming import method_name
from zhuyi.audit.report import AuditReport, Interval

_SIGNS = {"trusted": "✓ trusted", "doubtful": "? doubtful", "refuted": "✗ refuted"}
_OUTCOMES = {
    "supports": "speaks for it",
    "cautions": "gives reason to doubt",
    "refutes": "speaks against it",
    "informs": "for information",
    "skipped": "not tested",
}
_SHARES = ("accuracy", "most common", "confidence", "attention on the input")
_TASKS = (
    ("ForSequenceClassification", "text-classification"),
    ("ForImageClassification", "image-classification"),
    ("ForCausalLM", "text-generation"),
)
_INLINE = re.compile(r"([\\`*_{}\[\]<>#|~&$^!@])")
_LINKS = re.compile(r"(://|www\.)", re.IGNORECASE)
_OPENING = re.compile(r"^([-+=]|\d+[.)](?=\s|$))")
_REASONS = 4  # the others stand among the findings
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")
_BLANK = "**To be filled in:**"


def markdown(text: str) -> str:
    """A person's text as Markdown that shows it and does nothing else: one line, no marks.

    Example:
        >>> markdown("*bold* | [a](b)")
        '\\\\*bold\\\\* \\\\| \\\\[a\\\\](b)'
    """
    plain = _CONTROL.sub(" ", text).strip()
    escaped = _INLINE.sub(r"\\\1", plain)
    escaped = _LINKS.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], escaped)
    return _OPENING.sub(lambda found: found[0][:-1] + "\\" + found[0][-1], escaped)


def build_card(report: AuditReport) -> str:
    """The card as text, in English.

    It keeps to what the report holds. What only the provider of the model can say is left as a
    blank, and the map to the EU AI Act claims no compliance.
    """
    blocks = [
        _front_matter(report),
        f"# {markdown(report.title)}",
        "\n".join(_answer(report)),
        "\n".join(_use(report)),
        "\n".join(_tested(report)),
        "\n".join(_results(report)),
        "\n".join(_groups(report)),
        "\n".join(_limits(report)),
        "\n".join(_made(report)),
        "\n".join(_act(report)),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _quoted(text: str) -> str:
    """As a YAML double-quoted scalar; every JSON string in ASCII is one."""
    return json.dumps(_CONTROL.sub(" ", text))


def _front_matter(report: AuditReport) -> str:
    lines = ["---", "tags:", "- explainability", "- faithfulness", "- zhuyi-audit"]
    metrics = [(name, report.quality[name]) for name in ("accuracy",) if name in report.quality]
    chosen = next((one for one in report.methods if one.chosen), None)
    if chosen is not None and "skill" in chosen.numbers:
        metrics.append(("explanation skill", chosen.numbers["skill"]))
    if metrics:
        kind = str(report.model.get("class", ""))
        task = next((task for end, task in _TASKS if kind.endswith(end)), "other")
        lines += [
            "model-index:",
            f"- name: {_quoted(report.title)}",
            "  results:",
            "  - task:",
            f"      type: {task}",
            "    dataset:",
            f"      name: {_quoted(report.data.name)}",
            f"      type: {_quoted(report.data.name)}",
            "    metrics:",
        ]
        for name, one in metrics:
            lines += [f"    - type: {name.replace(' ', '_')}", f"      name: {name}",
                      f"      value: {one.value:.4f}"]  # fmt: skip
    return "\n".join([*lines, "---"])


def _answer(report: AuditReport) -> Iterator[str]:
    yield f"**{_SIGNS[report.verdict]}.** {markdown(report.answer.en)}"
    yield ""
    for reason in report.reasons[:_REASONS]:
        yield f"- {markdown(reason.en)}"
    counts = {label: sum(one.label == label for one in report.inputs) for label in _SIGNS}
    told = ", ".join(f"{count} {label}" for label, count in counts.items())
    yield f"- Explanations of the {len(report.inputs)} inputs one by one: {told}."
    yield ""
    yield (
        "Trusted means that the tests below did not shake the explanation on these inputs. It is "
        "not a proof, and it says nothing about whether the decisions are right or fair."
    )


def _use(report: AuditReport) -> Iterator[str]:
    yield "## Intended use"
    yield ""
    labels = ", ".join(markdown(label) for label in report.labels[:20])
    more = f" and {len(report.labels) - 20} more" if len(report.labels) > 20 else ""
    yield f"- What the model is asked: {markdown(report.task) or 'not stated'}"
    yield f"- It chooses between: {labels}{more}"
    yield f"- {_BLANK} who is meant to use it, for what, and what it must not be used for."
    yield (
        "- Use its explanations only by the method named here, and look at the verdict of each "
        "one: a picture of attention that was not tested is not a reason."
    )


def _tested(report: AuditReport) -> Iterator[str]:
    yield "## How the explanations were tested"
    yield ""
    yield markdown(report.chosen_why.en)
    yield ""
    yield f"Units were removed by: {markdown(report.removal)}. {markdown(report.budget.said.en)}"
    chosen = next((one for one in report.methods if one.chosen), None)
    if chosen is not None:
        yield ""
        yield f"What each test found of {markdown(method_name(chosen.name).en)}:"
        yield ""
        for found in chosen.findings:
            told = f"{markdown(found.test)} ({_OUTCOMES[found.outcome]})"
            yield f"- {told}: {markdown(found.said.en)}"


def _results(report: AuditReport) -> Iterator[str]:
    yield "## Results"
    yield ""
    yield "| method | verdict | skill | comprehensiveness | sufficiency | p | inputs |"
    yield "|---|---|---|---|---|---|---|"
    for one in report.methods:
        name = markdown(method_name(one.name).en) + (" (used here)" if one.chosen else "")
        cells = [
            _number(one.numbers, key) for key in ("skill", "comprehensiveness", "sufficiency", "p")
        ]
        yield f"| {name} | {_SIGNS[one.label]} | {' | '.join(cells)} | {one.inputs} |"
    yield ""
    yield (
        "Skill: 1 is the best order that exists for this model, 0 a random one, -1 the reverse. "
        "High comprehensiveness and low sufficiency are good. Intervals are at 95 %."
    )
    if report.quality:
        yield ""
        yield "| decisions | |"
        yield "|---|---|"
        for key in report.quality:
            yield f"| {markdown(key)} | {_number(report.quality, key)} |"


def _number(numbers: Mapping[str, Interval], name: str) -> str:
    one = numbers.get(name)
    if one is None:
        return "not tested"
    share = name in _SHARES
    told = [
        f"{100 * value:.1f} %" if share else f"{value:.3g}" if name == "p" else f"{value:.2f}"
        for value in (one.value, one.lower, one.upper)
        if value is not None
    ]
    return told[0] if len(told) < 3 else f"{told[0]} ({told[1]} to {told[2]})"


def _groups(report: AuditReport) -> Iterator[str]:
    if not report.subgroups:
        return
    yield "## Groups"
    yield ""
    for said in report.subgroups_said:
        yield f"- {markdown(said.en)}"
    names = list(dict.fromkeys(name for one in report.subgroups for name in one.numbers))
    yield ""
    yield f"| column | group | inputs | {' | '.join(map(markdown, names))} |"
    yield f"|---|---|---|{'---|' * len(names)}"
    for one in report.subgroups:
        cells = ["too few" if one.suppressed else _number(one.numbers, name) for name in names]
        row = [markdown(one.column), markdown(one.group), str(one.count), *cells]
        yield f"| {' | '.join(row)} |"


def _limits(report: AuditReport) -> Iterator[str]:
    yield "## Limits"
    yield ""
    for limit in report.limits:
        yield f"- {markdown(limit.en)}"
    data = report.data
    yield f"- {data.used} of {data.rows} rows of {markdown(data.name)} were used."
    for one in data.skipped[:10]:
        yield f"- Row {one.row} was left out: {markdown(one.reason.en)}."
    if len(data.skipped) > 10:
        yield f"- {len(data.skipped) - 10} more rows were left out; report.json names them."
    yield f"- {_BLANK} known faults of the model, and inputs on which it must not be used."


def _made(report: AuditReport) -> Iterator[str]:
    yield "## How this card was made"
    yield ""
    yield f"By `zhuyi audit`, from report.json ({markdown(report.schema)}), which has every number."
    yield ""
    yield "| | |"
    yield "|---|---|"
    facts: Sequence[tuple[str, object]] = [
        *report.model.items(), *report.settings.items(), *report.run.items(),
        ("inputs decided", report.budget.calls),
    ]  # fmt: skip
    for name, value in facts:
        yield f"| {markdown(name)} | {markdown(str(value))} |"


def _act(report: AuditReport) -> Iterator[str]:
    yield "## Where this card helps with articles 12 to 15 of the EU AI Act"
    yield ""
    yield (
        "This map is a help for filling in technical documentation. It is not legal advice, and "
        "neither this card nor the audit claims that the system complies with Regulation (EU) "
        "2024/1689 or any other law."
    )
    yield ""
    yield "| article | what is here | what only you can say |"
    yield "|---|---|---|"
    shown = f"verdict {report.verdict}, {len(report.inputs)} inputs"
    rows = (
        ("12 Record-keeping", "report.json: every input, decision, number, setting and version",
         "which events the system logs in use, where, and for how long"),
        ("13 Transparency and instructions", f"Intended use, Limits, Results ({shown})",
         "provider, purpose, foreseeable misuse, what deployers are told"),
        ("14 Human oversight", "the verdict beside each explanation, against automation bias: a "
         "persuasive picture may be false", "who oversees, how they are trained, how they stop it"),
        ("15 Accuracy, robustness, cybersecurity", "Results and Groups, with intervals; stability "
         "of explanations under small changes", "accuracy promised in use, attacks considered, "
         "measures taken"),
    )  # fmt: skip
    for article, here, yours in rows:
        yield f"| {article} | {here} | {_BLANK} {yours} |"
