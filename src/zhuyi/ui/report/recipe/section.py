"""One part of a run as a section: answer, comparisons, checks, decisions, figures, limits."""

from zhuyi.audit.naming import method_name
from zhuyi.audit.report import AuditReport
from zhuyi.core.record import Said
from zhuyi.recipes.records import Check, Part, Table
from zhuyi.ui.report.recipe import words
from zhuyi.ui.report.recipe.chart import chart
from zhuyi.ui.report.recipe.decision import decision, icon
from zhuyi.ui.report.recipe.markup import Html, both, element, joined
from zhuyi.ui.report.recipe.numbers import shown

_REASONS = 3  # the audit's own page has all


def anchor(part: Part) -> str:
    """What the page's links call a part's section."""
    return f"part-{part.name}"


def section(part: Part, *, audit_page: str | None, answered: bool = False) -> Html:
    """A part's section.

    Args:
        part: what was found.
        audit_page: name of the file beside this one that holds the whole audit, or None.
        answered: whether the answer stands right above already.
    """
    return element(
        "section",
        element("h2", both(part.title), id=anchor(part)),
        None if answered else element("p", both(part.answer), class_="answer"),
        _checks(part.checks),
        *_titled(words.COMPARED, [chart(one) for one in part.comparisons]),
        *_decisions(part),
        *([] if part.audit is None else _audit(part.audit, audit_page)),
        *_titled(words.TABLES, [_table(one) for one in part.tables]),
        element("h3", both(words.DATA)),
        element("p", both(part.data), class_="about"),
        *_limits(part),
        class_="part",
        aria_labelledby=anchor(part),
    )


def _titled(title: Said, parts: list[Html]) -> list[Html]:
    return [element("h3", both(title)), *parts] if parts else []


def _checks(checks: tuple[Check, ...]) -> Html | None:
    if not checks:
        return None
    rows = []
    for one in checks:
        kind, word = ("trusted", words.HELD) if one.held else ("refuted", words.FAILED)
        asked = element("span", both(words.BAR), " ", one.bar, class_="asked") if one.bar else None
        rows.append(
            element(
                "li",
                element("span", icon(kind), both(word), class_=f"chip {kind}"),
                element(
                    "div",
                    element("b", both(one.name)),
                    element("p", element("span", one.measured), asked),
                ),
                class_="held" if one.held else "failed",
            )
        )
    return joined(element("h3", both(words.CHECKS)), element("ul", *rows, class_="checks"))


def _decisions(part: Part) -> list[Html]:
    if not part.decisions:
        return []
    return [
        element("h3", both(words.DECISIONS)),
        element("p", both(words.DECISIONS_NOTE), class_="caption"),
        element("ul", *map(decision, part.decisions), class_="decisions"),
    ]


def _table(one: Table) -> Html:
    head = element("tr", *(element("th", name, scope="col") for name in one.header))
    rows = []
    for row in one.rows:
        cells = [
            element("td", cell, data_name=name, class_="figure" if _is_figure(cell) else None)
            for name, cell in zip(one.header, row, strict=True)
        ]
        rows.append(element("tr", *cells))
    return element(
        "div",
        element("h4", both(one.title)),
        element(
            "div",
            element("table", element("thead", head), element("tbody", *rows), class_="stack sheet"),
            class_="scroll",
        ),
        element("p", both(one.note), class_="note"),
        class_="further",
    )


def _is_figure(cell: str) -> bool:
    return cell[:1].isdigit() or cell[:1] in "-−+–"


def _audit(report: AuditReport, page: str | None) -> list[Html]:
    facts = [(words.EXPLAINED_BY, both(method_name(report.chosen)))]
    chosen = next((one for one in report.methods if one.chosen), None)
    if chosen is not None and "skill" in chosen.numbers:
        skill = chosen.numbers["skill"]
        told = shown(skill.value)
        if skill.lower is not None and skill.upper is not None:
            told += f" ({shown(skill.lower)} … {shown(skill.upper)})"
        facts.append((words.SKILL, joined(told)))
    facts.append((words.INPUTS, joined(str(len(report.inputs)))))
    link = None
    if page is not None:
        link = element("p", element("a", both(words.FULL_AUDIT), f": {page}", href=page))
    box = element(
        "div",
        icon(report.verdict),
        element(
            "div",
            element("p", both(words.VERDICTS[report.verdict]), class_="word-verdict"),
            element("p", both(report.answer), class_="answer"),
            element("ul", *(element("li", both(one)) for one in report.reasons[:_REASONS])),
            element(
                "dl",
                *(
                    element("div", element("dt", both(name)), element("dd", value))
                    for name, value in facts
                ),
                class_="facts",
            ),
            link,
        ),
        class_=f"verdict {report.verdict}",
    )
    return [element("h3", both(words.AUDIT)), box]


def _limits(part: Part) -> list[Html]:
    if not part.limits:
        return []
    items = (element("li", both(one)) for one in part.limits)
    return [element("h3", both(words.LIMITS)), element("ul", *items, class_="limits")]
