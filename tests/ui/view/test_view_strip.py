"""The token strip in a real browser: rows, columns, keyboard, long texts."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.ui.synthetic import details, synthetic_look
from tests.ui.view.pages import Pages, Visit, ready, silent, text
from tests.ui.view.stepping import drawn
from zhuyi.ui.view.page import build_page


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(tmp_path_factory.mktemp("pages"))


def shown_value(page: Any) -> float:
    """The number in the strip's reading."""
    return float(text(page, "strip-readout").split(": ")[1].replace("−", "-"))


def head_of(page: Any) -> tuple[int, int]:
    """Layer and head that are shown."""
    layer, head = (int(x) for x in re.findall(r"\d+", text(page, "head-title")))
    return layer, head


def test_the_strip_shows_the_row_and_the_column(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.medium))
    matrix = pages.matrices["medium"][head_of(page)]
    page.click("#strip .token >> nth=3")
    query = int(page.get_attribute("#strip .token.asks", "data-i"))
    weights = matrix.weights(rows=slice(query, query + 1))[0, 0, 0]
    page.hover(f"#strip .token[data-i='{query - 1}']")
    assert shown_value(page) == pytest.approx(float(weights[query - 1]), abs=2e-3)
    strongest = weights.topk(5).values.sum()
    share = re.search(r"The 5 strongest carry ([\d.]+) %", text(page, "strip-caption"))
    assert share
    assert float(share[1]) == pytest.approx(100 * float(strongest), abs=0.2)
    page.click("[data-direction=column]")
    page.hover(f"#strip .token[data-i='{query}']")
    key = int(page.get_attribute("#strip .token.asks", "data-i"))
    column = matrix.weights(cols=slice(key, key + 1))[0, 0, :, 0]
    assert shown_value(page) == pytest.approx(float(column[query]), abs=2e-3)
    assert text(page, "strip-title").startswith("Who looks at “")


def test_tint_and_bar_are_the_weight(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.short))
    weights = pages.matrices["short"][head_of(page)].weights()[0, 0]
    query = int(page.get_attribute("#strip .token.asks", "data-i"))
    bars = page.evaluate(
        """() => [...document.getElementById('zhuyi').shadowRoot.querySelectorAll('.token')]
        .map((one) => +one.style.getPropertyValue('--bar'))"""
    )
    wanted = (weights[query] / weights[query].max()).tolist()
    assert bars == pytest.approx(wanted, abs=4e-3)


def test_the_strip_by_keyboard(pages: Pages, visit: Visit) -> None:
    opened = visit(pages.medium)
    page = ready(opened)
    page.focus("#strip")
    before = int(page.get_attribute("#strip .token.cursor", "data-i"))
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.wait_for_selector(f"#strip .token.cursor[data-i='{before - 11}']")
    assert text(page, "strip-readout").startswith(f"#{before - 11} ")
    page.keyboard.press("Enter")
    page.wait_for_selector(f"#strip .token.asks[data-i='{before - 11}']")
    assert opened.complaints == []


def test_the_track_is_a_slider_over_the_text(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.long))
    page.focus("#track")
    page.keyboard.press("End")
    page.wait_for_selector("#strip .token[data-i='3999']")
    assert page.get_attribute("#track", "aria-valuetext").endswith("–3999")
    page.keyboard.press("Home")
    page.wait_for_selector("#strip .token[data-i='0']")
    assert page.get_attribute("#track", "aria-valuenow") == "0"
    box = page.locator("#track").bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 10)
    page.wait_for_selector("#strip .token[data-i='2000']")


def test_a_token_chosen_elsewhere_comes_into_sight(pages: Pages, visit: Visit) -> None:
    page = ready(visit(pages.long))
    page.focus("#track")
    page.keyboard.press("End")
    page.wait_for_selector("#strip .token[data-i='3999']")
    page.focus("#matrix")
    page.keyboard.press("ArrowUp")
    page.wait_for_selector("#strip .token.asks")
    assert page.is_visible("#strip .token.asks")


def test_without_details_received_weight_is_shown(visit: Visit, tmp_path: Path) -> None:
    looked, matrices, values = synthetic_look(layers=1, heads=3, length=80, width=8)
    path = tmp_path / "none.html"
    path.write_text(build_page(looked, details(matrices, values), budget=0), encoding="utf-8")
    opened = visit(path)
    page = drawn(opened)
    assert "weight received from all queries" in text(page, "strip-caption")
    assert page.is_disabled("[data-direction=column]")
    head = next(one for one in looked.heads if (one.layer, one.head) == head_of(page))
    page.click("#strip .token >> nth=2")
    share = float(re.findall(r": ([\d.]+) %", text(page, "strip-readout"))[0])
    assert share == pytest.approx(100 * int(head.received[2]) / 255, abs=0.6)
    page.focus("#strip")
    page.keyboard.press("ArrowRight")
    silent(opened, path)


def test_four_thousand_tokens_stay_smooth(pages: Pages, visit: Visit) -> None:
    opened = visit(pages.long)
    page = ready(opened)
    assert pages.long.stat().st_size < 5_000_000
    gaps = page.evaluate(
        """async () => {
        const root = document.getElementById('zhuyi').shadowRoot;
        const strip = root.getElementById('strip'), zoom = root.getElementById('zoom');
        const gaps = []; let last = performance.now();
        for (let frame = 0; frame < 60; frame++) {
          strip.scrollTop += 90;
          if (frame % 4 === 0) {
            zoom.value = frame; zoom.dispatchEvent(new Event('input', { bubbles: true })); }
          await new Promise(requestAnimationFrame);
          const now = performance.now(); gaps.push(now - last); last = now;
        }
        return gaps; }"""
    )
    gaps.sort()
    # Generous, for a loaded machine without a graphics card: a freeze would be seconds.
    assert gaps[30] < 300
    assert gaps[-1] < 3000
    assert page.locator("#strip .token").count() < 600, "only the visible lines are there"
    assert page.evaluate(
        "document.getElementById('zhuyi').shadowRoot.querySelectorAll('*').length"
    ) < 6000  # fmt: skip
    page.click("#strip .token >> nth=40")
    assert "nothing is left out" in text(page, "strip-caption")
    assert opened.complaints == []
