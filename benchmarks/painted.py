"""How soon after a hand moves a slider of the panel is the new decision painted?

In a browser, over the shipped model's real server: from the slider's event to the first frame that
shows the answer, what the panel itself waits for included. Rows for `benchmarks.serving`.
"""

import shutil
import statistics
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.measure import Row
from zhuyi.ui.server.running import prepare
from zhuyi.ui.steering.notes_desk import NotesDesk
from zhuyi.ui.steering.routes import make_steering_site

BAR = 150.0
MOVES = 40
DRAGS = 10

#: One event of the slider, and the milliseconds until a frame shows what is decided now.
_MOVE = """async (step) => {
  const root = document.getElementById('zhuyi').shadowRoot;
  const slider = root.querySelector('#popover input[type=range]');
  const decision = root.getElementById('decision');
  slider.value = String(step);
  const begun = performance.now();
  const painted = new Promise((done) => {
    let asked = false;
    const watch = new MutationObserver(() => {
      const busy = decision.getAttribute('aria-busy') === 'true';
      asked ||= busy;
      if (!asked || busy) return;
      watch.disconnect();
      requestAnimationFrame(() => setTimeout(() => done(performance.now())));
    });
    watch.observe(decision, { attributes: true });
  });
  slider.dispatchEvent(new Event('input', { bubbles: true }));
  return await painted - begun;
}"""
#: Sixty places in a second; milliseconds from the last until nothing is asked any more and painted.
_DRAG = """async (last) => {
  const root = document.getElementById('zhuyi').shadowRoot;
  const slider = root.querySelector('#popover input[type=range]');
  let begun = 0;
  for (let i = 59; i >= 0; i--) {
    slider.value = String(last - Math.sign(last) * i / 2);
    begun = performance.now();
    slider.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise((go) => setTimeout(go, 16));
  }
  const decision = root.getElementById('decision');
  while (decision.getAttribute('aria-busy') !== 'false') await new Promise(requestAnimationFrame);
  await new Promise((go) => requestAnimationFrame(() => setTimeout(go)));
  return performance.now() - begun - 16;
}"""


def painted_rows() -> list[Row]:
    """The rows; none where there is no browser to look with."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        return []
    with _panel(chromium) as page:
        page.evaluate(_MOVE, 3)
        steps = [(-1) ** n * (10 + n) for n in range(MOVES)]
        resting = _measured(lambda step: page.evaluate(_MOVE, step), steps)
        page.wait_for_selector("#verdict :is(.level, .note)")
        checked = _measured(lambda step: _while_checking(page, step), steps[: MOVES // 2])
        drags = [(-1) ** n * (40 + n) for n in range(DRAGS)]
        dragged = _measured(lambda step: page.evaluate(_DRAG, step), drags)
    return [
        _row("slider to painted decision, one rule", resting, BAR),
        _row("the same while the verdict is being tested", checked, None),
        _row("the last place of a drag, 60 places in a second", dragged, None),
    ]


def _while_checking(page: Any, step: int) -> float:
    """A move in the midst of the check that follows a rest."""
    with page.expect_request("**/verdict"):
        page.evaluate(_MOVE, -step)
    found: float = page.evaluate(_MOVE, step)
    return found


def _measured(move: Callable[[int], float], steps: list[int]) -> list[float]:
    return sorted(move(step) for step in steps)


def _row(case: str, found: list[float], bar: float | None) -> Row:
    return Row(
        case=case,
        figure=statistics.median(found),
        bar=bar,
        unit="ms",
        low=found[len(found) // 4],
        high=found[-1 - len(found) // 4],
        detail={"slowest": found[-1], "moves": len(found)},
    )


@contextmanager
def _panel(chromium: str) -> Iterator[Any]:
    """A browser's tab in which a word of the first example is being weighed."""
    from playwright.sync_api import sync_playwright

    served = prepare(make_steering_site(NotesDesk()))
    thread = threading.Thread(target=served.run)
    thread.start()
    try:
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page()
            page.goto(served.new_link())
            page.wait_for_selector("#zhuyi[data-ready=yes]")
            page.click("#pieces .word:has-text('高血脂')")
            page.wait_for_selector("#popover")
            yield page
            browser.close()
    finally:
        served.stop()
        thread.join()
