"""The demo of one clinical note: what each class of treatment rests on, and can it be believed?"""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from zhuyi.core.record import Said
from zhuyi.recipes.records import Decision, Options, Part, RecipeReport
from zhuyi.ui.report.audit.folder import make_folder
from zhuyi.ui.report.audit.page import build_audit_page
from zhuyi.ui.report.recipe import words
from zhuyi.ui.report.recipe.page import build_recipe_page
from zhuyi.ui.report.recipe.record import to_json
from zhuyi.ui.view.page import save_page

Language = Literal["en", "zh"]

_REASONS = 2  # the audit's page has all

_STYLES = {"trusted": "bold green", "doubtful": "bold yellow", "refuted": "bold red"}
_SIGNS = {"trusted": "✓ ", "doubtful": "? ", "refuted": "✗ "}

TITLE = Said(en="Does the model look at the right words?", zh="模型看的是该看的字吗？")
_CLASS = Said(en="class of treatment", zh="药物类别")
_RESTS = Said(en="rests on", zh="依据")
_SHARE = Said(en="probability", zh="概率")
_ADDS = Said(en="it adds", zh="贡献")
_OF = Said(en="{part:+.1f} of {all:+.1f}", zh="{part:+.1f}（共 {all:+.1f}）")
_VERDICT = Said(en="explanation", zh="解释")
_NOT = Said(en="Not counted as the patient's own:", zh="不算患者本人的病：")
_COUNTED = Said(en="COUNTED, which is wrong:", zh="被误算：")
_TESTED = Said(en="May its explanations be believed?", zh="它的解释可信吗？")
_OPEN = Said(
    en="Open {page} in a browser; it needs no network.", zh="用浏览器打开 {page}，无需网络。"
)
_WORKING = Said(en="testing the explanations ...", zh="正在检验解释……")
FORBIDDEN = (
    Said(
        en="For any person's treatment: the model has read templated notes only, and what calls "
        "for a class is a rule.",
        zh="用于任何人的治疗：模型只读过模板病历，而“需要哪一类药”只是一条规则。",
    ),
    Said(
        en="On notes of real patients before it was validated on such notes, by people who may "
        "read them.",
        zh="在未经有权阅读者用真实病历验证之前，用于真实患者的病历。",
    ),
)


def note(folder: Path, lang: Language = "en") -> int:
    """Read the article's sentence, audit the model of notes, print, and write the page.

    Args:
        folder: where report.html and its files go; made where it is missing.
        lang: of the terminal, and the one that the page opens in.

    Returns: 0; 1 when a check of the sentence failed.
    """
    import torch

    from zhuyi.recipes.medicine.notes import sentence

    # Explaining makes thousands of tiny runs, for which threads cost more than they bring.
    torch.set_num_threads(1)
    console = Console(soft_wrap=True)
    if sys.stderr.isatty():
        print(_said(_WORKING, lang), file=sys.stderr, flush=True)
    part = sentence.shown(Options())
    page = save(part, folder, lang)
    show(part, sentence.SENTENCE, console, lang)
    console.print(_said(_OPEN, lang).format(page=page))
    return 0 if all(check.held for check in part.checks) else 1


def save(part: Part, folder: Path, lang: Language) -> Path:
    """Write report.html, report.json and audit.html into a folder; the path of the first."""
    report = RecipeReport(
        name="report", title=TITLE, parts=(part,), forbidden=FORBIDDEN, version=version("zhuyi")
    )
    make_folder(folder)
    audits = {}
    if part.audit is not None:
        audits[part.name] = "audit.html"
        save_page(build_audit_page(part.audit), folder / "audit.html")
    save_page(to_json(report), folder / "report.json")
    page = folder / "report.html"
    save_page(build_recipe_page(report, lang=lang, audits=audits), page)
    return page


def show(part: Part, sentence: str, console: Console, lang: Language) -> None:
    """Print the sentence's classes, the notes that must not count, and the verdict."""
    own = [one for one in part.decisions if one.text == sentence]
    others = [one for one in part.decisions if one.text != sentence]
    console.print(Text(_said(TITLE, lang), "bold"))
    console.print()
    console.print(Text(f"  {sentence}", "bold"))
    console.print()
    console.print(_table(own, lang))
    counted = [one for one in others if not one.label.startswith("not")]
    quiet = [one for one in others if one not in counted]
    for said, some in ((_NOT, quiet), (_COUNTED, counted)):
        if some:
            console.print(Text(_said(said, lang)))
        for one in some:
            console.print(Text(f"  {one.text}  {_name(one, lang)} {one.said}"))
    console.print()
    if part.audit is not None:
        verdict = part.audit.verdict
        console.print(Text(_said(_TESTED, lang)))
        word = _said(words.VERDICTS[verdict], lang)
        console.print(Text.assemble("  ", (_SIGNS[verdict] + word, _STYLES[verdict])))
        console.print(Text(f"  {_said(part.audit.answer, lang)}"))
        for reason in part.audit.reasons[:_REASONS]:
            console.print(Text(f"  - {_said(reason, lang)}"))
        console.print()


def _table(decisions: list[Decision], lang: Language) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1))
    for said in (_CLASS, _RESTS, _SHARE, _ADDS, _VERDICT):
        table.add_column(_said(said, lang), no_wrap=True, header_style="dim")
    for one in decisions:
        total = one.constant + sum(factor.contribution for factor in one.factors)
        top = one.factors[0]
        verdict = _said(words.VERDICTS[one.verdict], lang)
        table.add_row(
            _name(one, lang),
            one.label.partition(": ")[2] or one.label,
            one.said,
            _said(_OF, lang).format(part=top.contribution, all=total - one.constant),
            Text(_SIGNS.get(one.verdict, "") + verdict, _STYLES.get(one.verdict, "")),
        )
    return table


def _name(one: Decision, lang: Language) -> str:
    """The class in one language; a title says it in both."""
    english, _, chinese = one.title.partition(" ")
    return chinese if lang == "zh" else english


def _said(said: Said, lang: Language) -> str:
    return said.zh if lang == "zh" else said.en
