"""The feed's page in a real browser: more of this, less of that, never that, and why."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.recipes.feed.made_up import FILMS, catalog, recommender, saved
from tests.ui.server.standing import Standing, standing
from tests.ui.steering.panels import EVIL, Panel, opened
from zhuyi.recipes.feed.feed import Feed
from zhuyi.recipes.feed.naming import Side, of_film, of_genre
from zhuyi.steer.rules import Rules
from zhuyi.ui.feed.desk import FeedDesk
from zhuyi.ui.feed.opening import FeedSite

PEOPLE = saved().people
HISTORY = PEOPLE["person 3"]  # the page begins with the one in the middle
DRAWN = "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
END = 60  # the slider's last step: twenty times


@pytest.fixture(scope="module")
def server() -> Iterator[Standing]:
    with standing(FeedSite(desk=FeedDesk(saved())).site()) as up:
        yield up


@pytest.fixture
def panel(browser: Any, server: Standing) -> Iterator[Panel]:
    found = opened(browser, server)
    yield found
    found.page.context.close()


def shown(panel: Panel) -> list[int]:
    """The films of the list, in order, once it is that of the rules."""
    # what was just clicked is drawn by then, and the list is busy if it has to be asked for
    panel.page.evaluate(DRAWN)
    panel.page.wait_for_selector(".list[aria-busy=false] #offers")
    return [
        int(number)
        for number in panel.page.eval_on_selector_all(
            "#offers > li", "all => all.map(one => one.dataset.film)"
        )
    ]


def listed(rules: Rules | None = None, history: tuple[int, ...] = HISTORY) -> list[int]:
    """The same by the library alone."""
    return [offer.film for offer in saved().feed.list(history, rules).offers]


def weigh(panel: Panel, genre: str, step: int) -> None:
    """Open a genre and put its slider somewhere."""
    handle = f"#genres button:has(.name:text-is('{genre}'))"
    if panel.page.get_attribute(handle, "aria-expanded") == "false":
        panel.page.click(handle)
    panel.move(step, ".genres input[type=range]")


def test_the_list_and_its_reasons(panel: Panel) -> None:
    assert shown(panel) == listed()
    offer = saved().feed.list(HISTORY).offers[0]
    panel.page.click("#offers > li:first-child summary")
    told = panel.text("#offers > li:first-child .reasons")
    for reason in offer.reasons:
        assert catalog()[reason.film].title in told
    panel.page.wait_for_selector("#verdict .level")
    assert catalog()[offer.film].title in panel.text("#verdict")
    panel.silent()


def test_more_of_a_genre_by_mouse_and_keyboard(panel: Panel) -> None:
    page = panel.page
    weigh(panel, "Drama", END)
    expected = Rules().boost(of_genre("Drama"), 20, id="Drama")
    assert shown(panel) == listed(expected)
    assert panel.rules() == [{"id": "Drama", "boost": {"column": "*/Drama/*"}, "weight": 20}]
    assert "was" in panel.text("#offers")
    page.focus(".genres input[type=range]")
    page.keyboard.press("Home")
    assert shown(panel) == listed(Rules().damp(of_genre("Drama"), 0.05, id="Drama"))
    page.keyboard.press("Escape")
    assert page.query_selector(".genres .weigh") is None
    among = sum(film % 3 == 2 for film in shown(panel))
    page.wait_for_selector("#rules .control:has-text('average')")
    assert panel.text("#rules .effect").startswith(f"{among} of 10 films")
    panel.silent()


def test_never_that_and_what_it_may_claim(panel: Panel) -> None:
    page = panel.page
    page.click("#genres button:has-text('Comedy')")
    page.click(".genres .never")
    assert all(film % 3 for film in shown(panel))
    page.wait_for_selector("#rules .claim")
    assert "exact" in panel.text("#rules .claim")
    page.click("#gone summary")
    assert "never shown" in panel.text("#gone")
    page.click("#undo")
    assert shown(panel) == listed()
    page.click("#redo")
    assert all(film % 3 for film in shown(panel))
    page.click("#off")
    assert shown(panel) == listed()
    page.click("#off")
    page.click("#rules input[type=checkbox]")
    assert shown(panel) == listed()
    page.click("#rules .close")
    assert page.is_visible("#no-rules")
    panel.silent()


def test_one_film_less_in_the_list_and_in_the_history(panel: Panel) -> None:
    page = panel.page
    first = shown(panel)[0]
    page.click("#offers > li:first-child .handle.film")
    page.click("#offers .never")
    assert first not in shown(panel)
    seen = HISTORY[-1]
    page.click(f"#seen li[data-film='{seen}'] .handle")
    panel.move(-END, "#seen input[type=range]")
    rules = (
        Rules()
        .veto(of_film(catalog()[first]), id="a")
        .damp(of_film(catalog()[seen], "seen"), 0.05, id="b")
    )
    assert shown(panel) == listed(rules)
    label = page.get_attribute(f"#seen li[data-film='{seen}'] .track", "aria-label")
    assert "without rules" in label
    panel.silent()


def test_a_history_of_ones_own(panel: Panel) -> None:
    page = panel.page
    page.click(f"#seen li[data-film='{HISTORY[-1]}'] .close")
    assert shown(panel) == listed(history=HISTORY[:-1])
    assert page.input_value("#person") == "-1"
    page.fill("#search", "film 2 ")
    page.click("#found button")
    assert shown(panel) == listed(history=(*HISTORY[:-1], 2))
    page.fill("#search", "no such film")
    assert page.is_visible(".search .note")
    page.select_option("#person", "0")
    assert shown(panel) == listed(history=PEOPLE["person 0"])
    page.select_option("#person", "-1")
    page.fill("#search", "")
    page.wait_for_selector("#found button")  # where nothing was watched, what many watched
    assert shown(panel) == listed(history=())
    panel.silent()


def test_personalization_off(panel: Panel) -> None:
    page = panel.page
    shown(panel)
    page.uncheck("#personal")
    assert shown(panel) == list(range(10))
    assert page.query_selector("#seen") is None
    assert page.query_selector(".why-said") is None
    page.wait_for_selector("#verdict:has-text('no history is read')")
    weigh(panel, "Horror", END)
    assert shown(panel)[:4] == [1, 4, 7, 10]
    page.check("#personal")
    assert shown(panel) == listed(Rules().boost(of_genre("Horror"), 20, id="Horror"))
    panel.silent()


def test_rules_are_named_explained_saved_and_loaded(panel: Panel, tmp_path: Path) -> None:
    page = panel.page
    weigh(panel, "Drama", END)
    page.fill("#rules .name", "my dramas")
    page.press("#rules .name", "Tab")
    page.fill("#rules .why", "a long winter")
    page.press("#rules .why", "Tab")
    page.wait_for_selector("#rules li[data-rule='my dramas'] .effect")
    page.click("#rules .name")
    page.keyboard.type("!")  # letter by letter, while answers arrive
    page.wait_for_selector("#rules .control")
    assert page.input_value("#rules .name") == "my dramas!"
    page.keyboard.press("Backspace")
    with page.expect_download() as waiting:
        page.click("#save")
    waiting.value.save_as(tmp_path / "rules.yaml")
    rules = Rules.from_yaml(tmp_path / "rules.yaml")
    assert rules == Rules().boost(of_genre("Drama"), 20, id="my dramas")
    assert rules["my dramas"].why == "a long winter"
    page.click("#rules .close")
    page.set_input_files("#load", tmp_path / "rules.yaml")
    assert page.input_value("#rules .name") == "my dramas"
    assert shown(panel) == listed(rules)
    (tmp_path / "wrong.yaml").write_text("version: 1\nrules: [{id: a, veto: {regex: a+}}]\n")
    page.set_input_files("#load", tmp_path / "wrong.yaml")
    page.wait_for_selector("#load-failed")
    panel.complaints.clear()  # the browser tells of the refusal, too
    panel.silent()


def test_both_languages_on_a_narrow_dark_screen(browser: Any, server: Standing) -> None:
    options = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "locale": "zh-CN"}
    panel = opened(browser, server, **options)
    shown(panel)
    assert panel.text("h1") == "你的列表"
    assert panel.page.evaluate("document.documentElement.scrollWidth") <= 390
    panel.page.click("#language")
    assert panel.text("h1") == "Your list"
    shown(panel)
    panel.silent()
    panel.page.context.close()


def test_hostile_titles_are_text(browser: Any) -> None:
    films = [
        dataclasses.replace(film, title=f"{EVIL} {n}", genres=(f"{EVIL}",))
        for n, film in enumerate(catalog())
    ]
    held = saved()
    feed = Feed(recommender(), films, [1] * FILMS)
    desk = FeedDesk(dataclasses.replace(held, feed=feed, about={"data": EVIL, "people": EVIL}))
    with standing(FeedSite(desk=desk).site()) as up:
        panel = opened(browser, up)
        assert len(shown(panel)) == 10
        assert EVIL in panel.text("#offers")
        panel.page.click("#genres .handle")
        panel.page.fill("#search", EVIL)
        panel.page.wait_for_selector("#found button")
        panel.page.click("#offers summary >> nth=0")
        panel.silent()
        panel.page.context.close()


def test_without_data_it_says_how_to_get_it(browser: Any) -> None:
    why = f"get it from https://files.example {EVIL}"
    with standing(FeedSite(desk=None, why=why).site()) as up:
        panel = opened(browser, up)
        assert panel.text("#missing") == why
        assert [one.url for one in panel.requests if one.method == "POST"] == []
        panel.silent()
        panel.page.context.close()


def test_sides_are_what_the_page_writes() -> None:
    """The names that the page puts into rules are those of the library."""
    sides: tuple[Side, ...] = ("*", "seen")
    film = catalog()[3]
    assert [json.loads(json.dumps(of_film(film, side).name)) for side in sides] == [
        "*/Film 3 (1973)/*",
        "seen/Film 3 (1973)/*",
    ]
    assert of_genre("Drama").name == "*/Drama/*"
