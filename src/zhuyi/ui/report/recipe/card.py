"""One run of a recipe as Markdown, in one language."""

from collections.abc import Callable, Iterator

from zhuyi.audit.naming import method_name
from zhuyi.core.record import Said
from zhuyi.recipes.records import Comparison, Decision, Part, RecipeReport
from zhuyi.ui.report.audit.card import markdown
from zhuyi.ui.report.recipe import words
from zhuyi.ui.report.recipe.decision import MOST, decided
from zhuyi.ui.report.recipe.numbers import ends, shown, signed
from zhuyi.ui.report.recipe.page import Language

Say = Callable[[Said], str]


def build_recipe_card(report: RecipeReport, *, lang: Language = "en") -> str:
    """The run as text: answers, comparisons, checks, decisions, limits, and what is forbidden.

    Args:
        report: what was found.
        lang: the language of its sentences.
    """

    def say(said: Said) -> str:
        return markdown(said.zh if lang == "zh" else said.en)

    blocks = [f"# {say(report.title)}"]
    if report.quick:
        blocks.append(f"**{say(words.QUICK)}**")
    for name, why in report.skipped:
        blocks.append(f"**{markdown(name)}**: {say(words.SKIPPED)} {markdown(why)}")
    for part in report.parts:
        blocks += _part(part, say)
    blocks += [f"## {say(words.FORBIDDEN)}", _list(say(one) for one in report.forbidden)]
    made = words.filled(words.MADE, version=report.version, name=report.name, seed=report.seed)
    blocks.append(say(made))
    return "\n\n".join(blocks) + "\n"


def _part(part: Part, say: Say) -> Iterator[str]:
    yield f"## {say(part.title)}"
    yield say(part.answer)
    if part.checks:
        yield f"### {say(words.CHECKS)}"
        yield _list(
            f"{'✓' if one.held else '✗'} {say(words.HELD if one.held else words.FAILED)}: "
            f"{say(one.name)}: {markdown(one.measured)}"
            + (f" ({say(words.BAR)} {markdown(one.bar)})" if one.bar else "")
            for one in part.checks
        )
    for comparison in part.comparisons:
        yield f"### {say(comparison.title)}"
        yield _scores(comparison, say)
        yield say(comparison.note)
    if part.decisions:
        yield f"### {say(words.DECISIONS)}"
        yield from (_decision(one, say) for one in part.decisions)
    if part.audit is not None:
        yield f"### {say(words.AUDIT)}"
        verdict, method = words.VERDICTS[part.audit.verdict], method_name(part.audit.chosen)
        told = f"{say(words.EXPLAINED_BY)}: {say(method)}."
        yield f"**{say(verdict)}**: {say(part.audit.answer)} {told}"
    for table in part.tables:
        yield f"### {say(table.title)}"
        yield _rows(table.header, table.rows)
        yield say(table.note)
    yield f"### {say(words.DATA)}"
    yield say(part.data)
    if part.limits:
        yield f"### {say(words.LIMITS)}"
        yield _list(say(one) for one in part.limits)


def _scores(one: Comparison, say: Say) -> str:
    header = (say(words.MODEL), "", one.metric, "95 %", say(words.SECONDS))
    rows = []
    for score in one.scores:
        role = say(words.ROLES[score.role])
        seconds = "" if score.seconds is None else f"{score.seconds:,.1f}"
        name = score.model + (f" ({score.source})" if score.source else "")
        rows.append((name, role, shown(score.value.value), ends(score.value), seconds))
    return _rows(header, tuple(rows))


def _decision(one: Decision, say: Say) -> str:
    happened = f" {say(words.HAPPENED)}: {markdown(one.truth)}." if one.truth else ""
    verdict = say(words.VERDICTS[one.verdict]) if one.verdict in words.VERDICTS else one.verdict
    told = f"{say(words.DECIDED)}: {markdown(decided(one))}."
    title = f"**{markdown(one.title)}.** {told}{happened} **{verdict}**"
    terms = [f"{say(words.START)} {signed(one.constant)}"]
    for factor in one.factors[:MOST]:
        value = f" = {factor.value}" if factor.value not in ("", factor.name) else ""
        terms.append(f"{markdown(factor.name + value)} {signed(factor.contribution)}")
    if rest := one.factors[MOST:]:
        others = say(words.filled(words.OTHERS, n=len(rest)))
        terms.append(f"{others} {signed(sum(factor.contribution for factor in rest))}")
    total = one.constant + sum(factor.contribution for factor in one.factors)
    terms.append(f"{say(words.SUM)} {signed(total)}")
    quoted = f"\n\n> {markdown(one.text)}" if one.text else ""
    return f"{title}{quoted}\n\n{'; '.join(terms)}"


def _rows(header: tuple[str, ...], rows: tuple[tuple[str, ...], ...]) -> str:
    lines = [_row(header), f"|{'---|' * len(header)}", *map(_row, rows)]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(map(markdown, cells))} |"


def _list(items: Iterator[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
