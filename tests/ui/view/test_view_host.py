"""The whole view in its page: old browsers, frames, paper, hostile text, screen readers."""

import html
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.ui.synthetic import synthetic_look
from tests.ui.view.input_looks import (
    drawn,
    image_look,
    series_look,
    table_look,
    with_heads,
    write,
    write_steps,
)
from tests.ui.view.pages import EVIL, ROOT, Pages, Visit, silent, text


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(tmp_path_factory.mktemp("pages"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_parts_of_the_input_open_in_silence(pages: Pages, visit: Visit, scheme: str) -> None:
    opened = visit(pages.medium, color_scheme=scheme)
    page = drawn(opened)
    page.check("#numbers")
    assert page.locator("#words .word small").count() == 150
    page.check("#only-head")
    page.uncheck("#inner")
    page.fill("#filter", "no such word")
    assert "No link matches" in text(page, "links")
    page.click("#language")
    page.wait_for_selector(".zhuyi[lang=zh-Hans]")
    assert "未经验证" in str(page.text_content("main"))
    assert page.get_attribute("html", "lang") == "zh-Hans"
    for _ in range(3):
        page.click("#theme")
    silent(opened, pages.medium)


def test_hostile_text_is_inert_and_readable(pages: Pages, visit: Visit) -> None:
    looked, _, _ = synthetic_look(
        layers=1, heads=2, length=12, width=8, label=EVIL, verdict="refuted"
    )
    looked = replace(
        looked,
        method=EVIL,
        reason=EVIL,
        kernels=(EVIL,),
        dtype=EVIL,
        device=EVIL,
        versions={EVIL: EVIL},
        unseen=(EVIL,),
        alternatives=(("x", 0.5), (EVIL, 0.5)),
        sequences=(replace(looked.sequences[0], name=EVIL),),
        heads=tuple(replace(head, site=EVIL, kernel=EVIL, backend=EVIL) for head in looked.heads),
    )
    path = write_steps(pages.folder, "hostile", [looked, looked], ids=["a", "b"])
    document = path.read_text(encoding="utf-8").replace("run a", EVIL.replace("</", "<\\/"))
    path.write_text(document.replace("run b", "{title}"), encoding="utf-8")
    opened = visit(path)
    page = drawn(opened)
    page.click("#belief-all summary")
    for name in ("belief-why", "findings", "facts", "decision", "model", "words", "notes"):
        assert EVIL in text(page, name), name
    page.click("#language")
    page.check("#numbers")
    page.fill("#filter", "onerror")
    page.hover(".word >> nth=1")
    assert page.evaluate("window.stolen") is None
    assert page.locator("main img").count() == 0
    silent(opened, path)


def test_labels_like_names_of_the_language_are_labels(pages: Pages, visit: Visit) -> None:
    """`constructor` and `{constructor}` are words, not what every object carries."""
    for name, label in (("proto", "constructor"), ("marks", "{constructor} {label}")):
        path = pages.page(name, layers=1, heads=1, length=12, width=8, label=label)
        page = drawn(visit(path))
        assert text(page, "task") == label
        assert f"Decided: {label} · 91.3 %" in text(page, "decision")


def test_without_storage_it_still_opens(pages: Pages, visit: Visit) -> None:
    opened = visit(pages.short)
    opened.page.add_init_script(
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('denied'); }})"
    )
    opened.page.reload()
    page = drawn(opened)
    page.click("#language")
    page.click("#theme")
    assert opened.complaints == []


def test_language_and_theme_are_remembered(pages: Pages, visit: Visit) -> None:
    page = drawn(visit(pages.short))
    page.click("#language")
    page.click("#theme")
    page.reload()
    page.wait_for_selector("#model")
    assert page.get_attribute("html", "lang") == "zh-Hans"
    assert page.get_attribute("#zhuyi", "data-theme") == "light"


@pytest.mark.parametrize("what", ["DecompressionStream", "ShadowRoot.prototype.adoptedStyleSheets"])
def test_an_old_browser_is_told(pages: Pages, visit: Visit, what: str) -> None:
    opened = visit(pages.short)
    opened.page.add_init_script(f"delete window.{what}")
    opened.page.reload()
    opened.page.wait_for_function(f"/2023/.test({ROOT}.textContent)")
    assert opened.page.locator("[role=alert]").count() == 1


def test_a_browser_that_runs_no_modules_is_told(pages: Pages, visit: Visit) -> None:
    path = pages.folder / "modules.html"
    broken = pages.short.read_text(encoding="utf-8").replace('type="module"', 'type="later"')
    path.write_text(broken, encoding="utf-8")
    page = visit(path).page
    assert page.is_hidden(".late"), "not at once"
    page.evaluate("document.getAnimations().forEach((one) => one.finish())")
    page.wait_for_selector(".late", state="visible")
    assert "2023" in page.inner_text("#zhuyi")
    assert page.locator("#zhuyi :lang(zh)").count() == 1


def test_without_scripts_the_page_says_so(pages: Pages, visit: Visit) -> None:
    page = visit(pages.short, java_script_enabled=False).page
    shown = page.inner_text("body")
    assert "Allow scripts for this file" in shown
    assert "请允许此文件运行脚本" in shown
    assert "too old" not in shown


def test_damaged_data_are_named(pages: Pages, visit: Visit) -> None:
    path = pages.folder / "damaged.html"
    good = pages.short.read_text(encoding="utf-8")
    start = good.index('data-zhuyi="track/0">') + len('data-zhuyi="track/0">')
    path.write_text(good[: start + 80] + "AAAA" + good[start + 84 :], encoding="utf-8")
    page = visit(path).page
    page.wait_for_selector("[role=alert]")
    assert page.inner_text("[role=alert]") != ""


def test_a_sandboxed_frame_shows_the_whole_view(pages: Pages, visit: Visit) -> None:
    """As notebooks and MLflow do it: no origin of its own, so no storage and no parent."""
    inner = html.escape(pages.short.read_text(encoding="utf-8"), quote=True)
    path = pages.folder / "frame.html"
    path.write_text(
        "<!doctype html><title>x</title><iframe sandbox='allow-scripts' width=1200 height=900 "
        f'srcdoc="{inner}"></iframe>',
        encoding="utf-8",
    )
    opened = visit(path)
    frame = opened.page.frame_locator("iframe")
    frame.locator("#zhuyi[data-ready=yes]").wait_for()
    assert "synthetic/wave" in str(frame.locator("#model").text_content())
    frame.locator("#theme").click()
    frame.locator("#language").click()
    frame.locator("#unverified", has_text="未经验证").wait_for()
    assert opened.complaints == []
    assert {url for url in opened.requests if not url.startswith(("data:", "about:"))} == {
        path.resolve().as_uri()
    }


def test_paper_is_light_and_shows_the_tests(pages: Pages, visit: Visit) -> None:
    path = pages.page("trusted", layers=1, heads=2, length=12, width=8, verdict="trusted")
    page = drawn(visit(path, color_scheme="dark"))
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.get_attribute("#zhuyi", "data-theme") == "light"
    assert page.is_hidden(".tools")
    ink = f"getComputedStyle({ROOT}.querySelector('.zhuyi')).color"
    assert sum(int(x) for x in re.findall(r"\d+", page.evaluate(ink))) < 150
    tall = page.locator("#findings .finding >> nth=0").bounding_box()
    assert tall["height"] > 50
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.get_attribute("#zhuyi", "data-theme") is None


NAMELESS = """() => [...document.getElementById('zhuyi').shadowRoot
    .querySelectorAll('button, select, input, summary, [tabindex], canvas, svg, img')]
    .filter((e) => e.getClientRects().length && !e.closest('[aria-hidden=true]')
      && !(['CANVAS', 'svg'].includes(e.tagName) && e.closest('button, [role=application]') !== e
        && e.closest('button, [role=application]')))
    .filter((e) => !(e.getAttribute('aria-label') || e.getAttribute('aria-labelledby') || e.alt
      || e.textContent.trim() || (e.labels && e.labels.length && e.labels[0].textContent.trim())))
    .map((e) => e.outerHTML.slice(0, 120))"""


def input_page(pages: Pages, name: str) -> Path:
    """A page of every kind of input."""
    if name == "words":
        return pages.page("named", layers=2, heads=3, length=40, width=16, verdict="refuted")
    if name == "image":
        return write(pages.folder, "named-image", *image_look())
    looked = series_look(common=True) if name == "series" else table_look(30)
    if name == "steps":
        looked = with_heads(looked)
        return write_steps(pages.folder, "named-steps", [looked, looked, looked])
    return write(pages.folder, f"named-{name}", looked)


@pytest.mark.parametrize("name", ["words", "image", "series", "table", "steps"])
def test_everything_has_a_name_for_screen_readers(pages: Pages, visit: Visit, name: str) -> None:
    page = drawn(visit(input_page(pages, name)))
    page.evaluate(f"{ROOT}.querySelectorAll('details').forEach((e) => (e.open = true))")
    page.wait_for_timeout(200)
    assert page.evaluate(NAMELESS) == []
    assert page.locator("h1").count() == 1
    unnamed = page.evaluate(
        f"""[...{ROOT}.querySelectorAll('[aria-labelledby]')].filter((e) =>
        !{ROOT}.getElementById(e.getAttribute('aria-labelledby'))).map((e) => e.id)"""
    )
    assert unnamed == []
    twice = page.evaluate(
        f"""[...{ROOT}.querySelectorAll('[id]')].map((e) => e.id)
        .filter((id, i, all) => all.indexOf(id) !== i)"""
    )
    assert twice == [], "an id names one thing"


def test_the_test_of_names_can_fail(pages: Pages, visit: Visit) -> None:
    page = drawn(visit(pages.short))
    page.evaluate(f"{ROOT}.querySelector('main').append(document.createElement('button'))")
    assert page.evaluate(NAMELESS) == ["<button></button>"]


@pytest.mark.parametrize("width", [390, 1280])
def test_no_sideways_scrolling(pages: Pages, visit: Visit, width: int) -> None:
    path = pages.page("wide", layers=1, heads=2, length=150, width=8, verdict="refuted")
    page = drawn(visit(path, viewport={"width": width, "height": 800}))
    page.click("#belief-all summary")
    assert page.evaluate("document.documentElement.scrollWidth") == width
