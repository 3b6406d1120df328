"""One run of a recipe as one offline HTML file, which leads with the answers.

The page is whole without its script, which only switches language and theme. It may run that one
script and one style sheet, named by their hashes, and load nothing; texts are escaped on their way
in (`markup.element`), so no text of data or of a person is ever markup.
"""

import base64
import hashlib
from collections.abc import Mapping
from importlib.resources import files
from typing import Literal

from zhuyi.recipes.records import RecipeReport
from zhuyi.ui.report.recipe import words
from zhuyi.ui.report.recipe.decision import icon
from zhuyi.ui.report.recipe.markup import Html, both, element
from zhuyi.ui.report.recipe.section import anchor, section

Language = Literal["en", "zh"]

_STYLES = ("page/page.css", "audit/page/audit.css", "recipe/page/recipe.css")
_SCRIPT = "recipe/page/recipe.js"


def build_recipe_page(
    report: RecipeReport, *, lang: Language = "en", audits: Mapping[str, str] | None = None
) -> str:
    """The whole page as text.

    Args:
        report: what the run found.
        lang: the language it opens in; the other is one click away.
        audits: part -> name of the file beside the page that holds its whole audit.
    """
    script, style = _read(_SCRIPT), "".join(map(_read, _STYLES))
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    title = report.title.zh if lang == "zh" else report.title.en
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("link", rel="icon", href="data:,"),
        element("title", f"zhuyi · {title}"),
        element("style", Html(style)),
    )
    body = element(
        "body",
        element("a", both(words.TO_FORBIDDEN), class_="skip", href="#forbidden"),
        _top(),
        element(
            "main",
            _hero(report),
            *(
                section(
                    part,
                    audit_page=None if audits is None else audits.get(part.name),
                    answered=len(report.parts) == 1,
                )
                for part in report.parts
            ),
            _forbidden(report),
        ),
        _foot(report),
        element("script", Html(script)),
        class_="audit recipe",
    )
    document = element("html", head, body, lang="zh-Hans" if lang == "zh" else "en")
    return f"<!doctype html>\n{document}\n"


def _top() -> Html:
    return element(
        "header",
        element("div", element("b", "zhuyi"), element("span", "注意", lang="zh"), class_="brand"),
        element(
            "div",
            element("button", type="button", id="language", class_="quiet", hidden=""),
            element("button", type="button", id="theme", class_="quiet", hidden=""),
            class_="tools",
        ),
        class_="top",
    )


def _hero(report: RecipeReport) -> Html:
    checks = [check for part in report.parts for check in part.checks]
    held = sum(check.held for check in checks)
    answers = [
        element(
            "li",
            element("a", both(part.title), href=f"#{anchor(part)}"),
            element("p", both(part.answer)),
        )
        for part in report.parts
    ]
    skipped = [element("li", element("b", name), f": {why}") for name, why in report.skipped]
    tally = words.filled(words.CHECKS_LINE, held=held, all=len(checks))
    sign = "trusted" if held == len(checks) else "doubtful"
    return element(
        "section",
        element("h1", both(report.title)),
        element("p", both(words.QUICK), class_="badge") if report.quick else None,
        element("p", both(words.CONTENTS), class_="eyebrow"),
        element("ul", *answers, class_="answers"),
        element("p", icon(sign), both(tally), class_=f"tally-line {sign}") if checks else None,
        element(
            "div",
            element("p", both(words.SKIPPED)),
            element("ul", *skipped),
            class_="badge skipped",
        )
        if skipped
        else None,
        element("p", element("a", both(words.TO_FORBIDDEN), href="#forbidden"), class_="note"),
        class_="hero",
    )


def _forbidden(report: RecipeReport) -> Html:
    return element(
        "section",
        element(
            "div",
            icon("refuted"),
            element(
                "div",
                element("h2", both(words.FORBIDDEN), id="forbidden", tabindex="-1"),
                element("ul", *(element("li", both(one)) for one in report.forbidden)),
            ),
            class_="verdict refuted forbidden",
        ),
        aria_labelledby="forbidden",
    )


def _foot(report: RecipeReport) -> Html:
    made = words.filled(words.MADE, version=report.version, name=report.name, seed=report.seed)
    lines = (made, words.OFFLINE)
    return element("footer", element("ul", *(element("li", both(one)) for one in lines)))


def _read(name: str) -> str:
    text = files("zhuyi.ui.report").joinpath(*name.split("/")).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")  # the parser does so before it checks the hash


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
