"""How smooth are pan and zoom in a head of 10,000 tokens, by the page's own measure?

The page counts the frames of the last second while the picture moves and shows the number below it.
Here a real browser's mouse turns the wheel and drags; no network, one page with one head.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.measure import Row, save
from tests.conftest import find_chromium
from tests.ui.view.pages import Pages

QUESTION = "frames a second while panning and zooming in a head, by the page's own measure"
NOTE = (
    "Chromium without a window and without a graphics card, a canvas of 560 points; the median of "
    "the page's readings of itself while it also computes the picture, quartiles beside it. 60 is "
    "what the screen allows."
)
CASES = ((1_000, 1), (10_000, 1), (10_000, 2))  # tokens, pixels a point
SECONDS = 3.5
LISTEN = """(one) => { window.seen = []; window.listening = setInterval(
  () => { if (one.dataset.fps) window.seen.push(+one.dataset.fps); }, 100); }"""


def zoom(page: Page, x: float, y: float, turn: int) -> None:
    """One notch of the wheel: sixty in, then sixty out."""
    page.mouse.move(x, y)
    page.mouse.wheel(0, -60 if turn % 120 < 60 else 60)


def pan(page: Page, x: float, y: float, turn: int) -> None:
    """A drag that goes back and forth along the diagonal."""
    if turn == 0:
        page.mouse.move(x, y)
        page.mouse.down()
    away = 12 * (turn % 40 if turn % 80 < 40 else 40 - turn % 40)
    page.mouse.move(x - away, y - away / 2)


def readings(page: Page, act: Callable[[Page, float, float, int], None]) -> list[int]:
    """What the page says of itself, ten times a second, while `act` goes on."""
    box = page.locator("#matrix").bounding_box()
    assert box is not None
    x, y = box["x"] + 0.55 * box["width"], box["y"] + 0.55 * box["height"]
    act(page, x, y, 0)
    page.locator("#matrix").evaluate(LISTEN)
    start, turn = time.monotonic(), 1
    while time.monotonic() - start < SECONDS:
        act(page, x, y, turn)
        page.wait_for_timeout(8)
        turn += 1
    seen: list[int] = page.evaluate(
        "() => { clearInterval(window.listening); return window.seen; }"
    )
    page.mouse.up()
    return seen[10:]  # a reading covers the last second: the first ones saw what was before


def measure(page: Page, title: str, path: Path) -> list[Row]:
    """Three motions in three kinds of numbers."""
    page.goto(path.as_uri())
    page.wait_for_selector("#zhuyi[data-ready=yes]")
    page.wait_for_function(
        "document.getElementById('zhuyi').shadowRoot.getElementById('matrix-readout')?.textContent"
    )
    rows: list[Row] = []
    for mode in ("weights", "scores", "results"):
        page.click(f"[data-mode={mode}]")
        page.focus("#matrix")
        for name, act, slider in (
            ("zoom", zoom, 0),
            ("pan, a third in sight", pan, 15),
            ("pan, single cells", pan, 70),
        ):
            page.fill("#zoom", str(slider))
            seen = readings(page, act)
            low, _, high = statistics.quantiles(seen, n=4)
            rows.append(
                Row(
                    case=f"{title}, {mode}: {name}",
                    figure=statistics.median(seen),
                    bar=30,
                    at_least=True,
                    unit="frames/s",
                    low=low,
                    high=high,
                    detail={"lowest": min(seen), "readings": len(seen)},
                )
            )
    return rows


def main() -> None:
    """A short head, a long one, and the long one on a fine screen."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        pages = Pages(Path(folder))
        browser = play.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        for length, ratio in CASES:
            path = pages.page(f"long{length}", layers=1, heads=1, length=length, width=32)
            context = browser.new_context(
                offline=True, viewport={"width": 1280, "height": 900}, device_scale_factor=ratio
            )
            title = f"{length:,} tokens" + (f", {ratio} pixels a point" if ratio > 1 else "")
            rows += measure(context.new_page(), title, path)
            context.close()
        browser.close()
    save("frames", QUESTION, rows, NOTE)


if __name__ == "__main__":
    main()
