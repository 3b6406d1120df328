"""All files of one run, each written whole or not at all."""

from pathlib import Path

from zhuyi.recipes.records import RecipeReport
from zhuyi.ui.report.audit.folder import make_folder
from zhuyi.ui.report.audit.page import build_audit_page
from zhuyi.ui.report.recipe.card import build_recipe_card
from zhuyi.ui.report.recipe.page import Language, build_recipe_page
from zhuyi.ui.report.recipe.record import to_json
from zhuyi.ui.view.page import save_page


def save_run(report: RecipeReport, folder: Path, *, lang: Language = "en") -> Path:
    """Write NAME.json, NAME.md, NAME.html and a page for each part's audit into a folder.

    Args:
        report: what was found.
        folder: where to; made where it is missing.
        lang: of the Markdown, and the one that the page opens in.

    Returns: the path of NAME.html.
    Raises:  InputError: if the folder cannot be made or written.
    """
    make_folder(folder)
    audits: dict[str, str] = {}
    save_page(to_json(report), folder / f"{report.name}.json")
    for part in report.parts:
        if part.audit is not None:
            audits[part.name] = f"{report.name}-{part.name}-audit.html"
            save_page(build_audit_page(part.audit), folder / audits[part.name])
    save_page(build_recipe_card(report, lang=lang), folder / f"{report.name}.md")
    page = folder / f"{report.name}.html"
    save_page(build_recipe_page(report, lang=lang, audits=audits), page)
    return page
