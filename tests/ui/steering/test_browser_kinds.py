"""The panel over kept answers: tables, series, numbers; looks, names for ears, hostile texts."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from tests.ui.server.standing import standing
from tests.ui.steering.panels import EVIL, Panel, kept, kept_site, opened
from zhuyi.ui.server.posting import Get, Post
from zhuyi.ui.server.site import page_files, plain_site
from zhuyi.ui.steering.routes import bundle

QUICK = ("notes", "table", "number")
SLOW = [pytest.param(one, marks=pytest.mark.long) for one in ("model", "decoder", "text", "series")]


@contextmanager
def panel_of(browser: Any, answers: Mapping[str, Any], **options: Any) -> Iterator[Panel]:
    with standing(kept_site(answers)) as up:
        found = opened(browser, up, **options)
        yield found
        found.page.context.close()


def asked_of(panel: Panel) -> object:
    """The input of the last question that was asked."""
    return [one for one in panel.requests if one.url.endswith("/try")][-1].post_data_json["input"]


def test_a_record_is_filled_in(browser: Any) -> None:
    answers = kept("table")
    with panel_of(browser, answers) as panel:
        page = panel.page
        page.fill("[data-column=dose]", "12.5")
        page.select_option("[data-column=ward]", label="north")
        page.fill("[data-column=seen]", "2020-02-29")
        page.fill("[data-column=count]", "")
        record = answers["desk"]["examples"][0]["input"]["record"]
        changed = {"dose": 12.5, "ward": "north", "seen": "2020-02-29", "count": None}
        panel.soon(lambda: asked_of(panel), {"record": record | changed})
        assert page.locator("#example option:checked").text_content() == "Own"
        # A factor by keyboard: the second one, never.
        page.locator("#pieces .factor").first.focus()
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Delete")
        page.wait_for_selector(".factor.vetoed .tag:text-is('never')")
        page.wait_for_selector("#decision .by")
        shares = answers["try"]["after"]["shares"]
        amounts = page.locator("#bars .amount").all_text_contents()
        assert amounts == [f"{100 * one:.1f} %" for one in shares]
        panel.silent()


def test_a_series_is_chosen(browser: Any) -> None:
    with panel_of(browser, kept("series")) as panel:
        panel.page.select_option("#example", index=1)
        panel.soon(lambda: asked_of(panel), kept("series")["desk"]["examples"][1]["input"])
        panel.silent()


def test_a_number_is_told_with_its_difference(browser: Any) -> None:
    answers = kept("number")
    with panel_of(browser, answers) as panel:
        panel.page.locator("#pieces .factor").first.focus()
        panel.page.keyboard.press("Delete")
        panel.page.wait_for_selector("#said span:not(:empty)")
        now, was = answers["try"]["after"]["value"], answers["try"]["before"]["value"]
        told = panel.text("#said").split()
        assert float(told[0].replace("−", "-")) == pytest.approx(now, rel=1e-3)
        assert float(told[1].replace("−", "-")) == pytest.approx(now - was, rel=1e-2)
        panel.silent()


def test_of_many_labels_the_likeliest_are_listed(browser: Any) -> None:
    answers = kept("model")
    names = [f"label {i}" for i in range(40)]
    answers["desk"]["labels"] = names
    for one in ("try", "try_empty"):
        shares = [0.001] * 40
        shares[7], shares[33] = 0.5, 0.3
        answers[one] |= {"labels": names, "target": 39}
        answers[one]["before"] |= {"shares": shares, "index": 7}
        answers[one]["after"] |= {"shares": shares[::-1], "index": 32}
    with panel_of(browser, answers) as panel:
        listed = panel.page.locator("#bars .label").all_text_contents()
        assert len(listed) == 10
        assert {"label 6", "label 7", "label 32", "label 33", "label 39"} <= set(listed)
        assert panel.text("#bars li:last-child") == "and 30 less likely ones"
        panel.silent()


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_every_kind_in_every_look(browser: Any, name: str) -> None:
    """No telephone scrolls sideways, every control has a name, and both languages are whole."""
    from playwright.sync_api import expect

    with panel_of(browser, kept(name), viewport={"width": 390, "height": 800}) as panel:
        page = panel.page
        page.locator("#pieces [data-i]").nth(1).click()
        panel.move(20)
        page.wait_for_selector("#decision .by, #bars.values, #said span:not(:empty)")
        for look in ("light", "dark"):
            page.emulate_media(color_scheme=look)
            assert page.evaluate("document.documentElement.scrollWidth") == 390
        expect(page.locator("html")).to_have_css("background-color", "rgb(19, 19, 24)")
        page.click("#language")
        page.wait_for_selector("#rules-title:text-is('规则')")
        assert page.evaluate("document.documentElement.lang") == "zh-Hans"
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate(NAMELESS) == []
        page.click("#theme")
        assert page.get_attribute("#zhuyi", "data-theme") == "light"
        panel.silent()


# What can be operated and has no name that could be read out.
NAMELESS = """() => [...document.getElementById('zhuyi').shadowRoot
  .querySelectorAll('button, input, select, textarea, [role=button], [role=dialog]')]
  .filter((one) => !(one.ariaLabel || one.ariaLabelledByElements?.[0]?.textContent
    || one.labels?.[0]?.textContent.trim() || one.textContent.trim()))
  .map((one) => one.outerHTML)"""


def hostile(part: Any) -> Any:
    """Every text of an answer becomes markup; what names kinds stays."""
    if isinstance(part, list):
        return [hostile(one) for one in part]
    if isinstance(part, str):
        return part + EVIL
    if not isinstance(part, dict):
        return part
    fixed = {"schema", "kind", "level", "state", "asked", "offered", "action", "input"}
    return {
        key: one if key in fixed and isinstance(one, str | dict) else hostile(one)
        for key, one in part.items()
    }


@pytest.mark.parametrize("name", ["notes", "table"])
def test_hostile_texts_are_inert(browser: Any, name: str) -> None:
    from playwright.sync_api import Error

    answers = hostile(kept(name)) | {"told": [EVIL]}
    answers["desk"]["rules"] = [{"id": EVIL, "boost": {"text": EVIL}, "weight": 2, "why": EVIL}]
    answers["try"]["told"] = [EVIL, {"en": EVIL, "zh": EVIL}]
    ids = answers["verdict"]["certificate"]
    answers["verdict"]["certificate"] = [{**one, "id": EVIL} for one in ids]
    answers["try"]["rules"] = [{**one, "id": EVIL} for one in answers["try"]["rules"]]
    with panel_of(browser, answers) as panel:
        page = panel.page
        assert EVIL in page.title()
        page.locator("#pieces [data-i]").first.click()
        page.wait_for_selector("#told")
        page.wait_for_selector("#verdict :is(.level, .note)")
        page.keyboard.press("Escape")
        if name == "notes":
            page.fill("#text", EVIL)
        else:
            page.locator("[data-column]").last.evaluate(
                "one => one.dispatchEvent(new Event('input'))"
            )
        for field in (".card .name", ".card .why"):
            page.locator(field).first.fill(EVIL + "!")
            page.keyboard.press("Tab")
        panel.rest()
        page.click("#language")
        whole = panel.text("#zhuyi .zhuyi")
        assert whole.count(EVIL) > 20
        assert page.locator("#zhuyi img").count() == 0
        panel.silent()
        with pytest.raises(Error, match="requires 'TrustedHTML'"):
            page.evaluate("() => { document.body.innerHTML = '<b>bold</b>'; }")


def test_a_drag_asks_no_faster_than_the_model_answers(browser: Any) -> None:
    """And ends with the last place of the slider, whatever was asked on the way."""
    answers = kept("model")
    running: list[int] = []
    most = []

    def tried(body: Mapping[str, Any], _: Any) -> Mapping[str, Any]:
        running.append(body["turn"])
        most.append(len(running))
        time.sleep(0.15)
        running.remove(body["turn"])
        shares = [body["rules"][0]["weight"] / 100, 0.1, 0.1] if body["rules"] else [0.5, 0.3, 0.2]
        after = answers["try"]["after"] | {"shares": shares}
        found: Mapping[str, Any] = answers["try"] | {"turn": body["turn"], "after": after}
        return {**found, "rules": []}

    site = plain_site(
        page_files(title="slow", name="steering.js", script=bundle()),
        gets=[Get(path="/desk", work=lambda: answers["desk"])],
        posts=[Post(path="/try", kind="try", read=dict, work=tried)],
    )
    with standing(site) as up:
        panel = opened(browser, up)
        page = panel.page
        page.locator("#pieces [data-i]").nth(1).click()
        before = len(most)
        for step in range(1, 61):
            panel.move(step)
        page.wait_for_selector("#bars li:first-child .amount:text-is('20.0 %')")
        panel.rest()
        assert 2 <= len(most) - before < 20, "each place asked, or none on the way"
        assert max(most) == 1
        answered = [one for one in panel.requests if one.url.endswith("/try")]
        assert all(one.response().status == 200 for one in answered), "one overtook another"
        page.context.close()
