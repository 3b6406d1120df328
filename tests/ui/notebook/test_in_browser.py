"""Cells in a real browser with the network off: many on one page, each within its frame."""

import base64
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.ui.notebook.things import EVIL, WORDS, attribution_of, tape_of, verdict_of
from tests.ui.synthetic_audit import synthetic_audit
from zhuyi.ui.notebook import Choice, View, view
from zhuyi.ui.view.page import bundle

Visit = Callable[..., Any]

# What VS Code's notebooks allow: scripts and styles in the page, addresses of its own.
VSCODE = (
    "default-src 'none'; script-src https://*.vscode-cdn.net 'unsafe-inline' 'unsafe-eval'; "
    "style-src https://*.vscode-cdn.net 'unsafe-inline'; img-src https: http: data:; "
    "font-src https:; connect-src https:; child-src https: data: blob:"
)
STRICT = "default-src 'none'; script-src 'none'; style-src 'unsafe-inline'; img-src data:"


def notebook(folder: Path, *cells: View, policy: str = "") -> Path:
    """A page with the cells' HTML one below the other, as a notebook puts them."""
    meta = f'<meta http-equiv="Content-Security-Policy" content="{policy}">' if policy else ""
    outputs = "".join(
        f'<div class="output_html">{cell._repr_mimebundle_()["text/html"]}</div>' for cell in cells
    )
    path = folder / "notebook.html"
    path.write_text(
        f'<!doctype html><html><head><meta charset="utf-8"><link rel="icon" href="data:,">{meta}'
        f"<title>a notebook</title></head><body>{outputs}</body></html>",
        encoding="utf-8",
    )
    return path


def frame(opened: Any, place: int) -> Any:
    """What is inside the frame of one cell, once it has drawn itself."""
    inside = opened.page.frame_locator(f"iframe >> nth={place}")
    inside.locator("#zhuyi[data-ready=yes]").wait_for()
    return inside


def silent(opened: Any, path: Path) -> None:
    assert opened.complaints == []
    others = [url for url in opened.requests if not url.startswith(("data:", "blob:", "about:"))]
    assert others == [path.resolve().as_uri()], "a cell asked for something"


def two_layers(**options: Any) -> View:
    return view(tape_of(width=16), choice=Choice(labels=WORDS), title="two layers", **options)


@pytest.mark.parametrize("policy", ["", VSCODE], ids=["jupyter", "vscode"])
def test_every_kind_opens_beside_the_others(policy: str, visit: Visit, tmp_path: Path) -> None:
    path = notebook(
        tmp_path,
        two_layers(),
        view(
            attribution_of("not bad at all"),
            verdict=verdict_of("doubtful"),
            decisions=("no", "yes"),
        ),
        view(verdict_of("refuted", "trusted")),
        view(synthetic_audit()),
        two_layers(verdict=verdict_of("trusted")),
        policy=policy,
    )
    opened = visit(path)
    said = [
        ("two layers", "Not verified", "Layer "),
        ("What does “yes” rest on?", "Doubtful", "bad"),
        ("Verdict on Occlusion()", "Refuted", "1 trusted, 0 doubtful, 1 refuted"),
        None,
        ("two layers", "Trusted", "not on what single heads look at"),
    ]
    for place, parts in enumerate(said):
        if parts is None:
            inside = opened.page.frame_locator(f"iframe >> nth={place}")
            inside.locator("#title", has_text="demo/sentiment-mini").wait_for()
            continue
        main = str(frame(opened, place).locator("main").text_content())
        for part in parts:
            assert part in main, (place, part)
    silent(opened, path)


def test_views_of_a_tape_open_and_other_cells_stay(visit: Visit, tmp_path: Path) -> None:
    path = notebook(tmp_path, two_layers(), two_layers())
    opened = visit(path, viewport={"width": 1100, "height": 1800})
    first, second = frame(opened, 0), frame(opened, 1)
    before = second.locator("#head-title").text_content()
    for mode in ("scores", "results", "weights"):
        first.locator(f"[data-mode={mode}]").click()
        assert first.locator(f"[data-mode={mode}]").get_attribute("aria-pressed") == "true"
        assert second.locator("[data-mode=weights]").get_attribute("aria-pressed") == "true"
    for index in range(6):
        first.locator(f"#grid [data-i='{index}']").click()
        title = f"Layer {index // 3}, head {index % 3}"
        first.locator("#head-title", has_text=title).wait_for()
    assert second.locator("#head-title").text_content() == before
    first.locator("#language").click()
    first.locator("text=未经验证").first.wait_for()
    assert "Not verified" in str(second.locator("main").text_content())
    first.locator("#theme").click()
    silent(opened, path)


def test_numbers_in_the_frame_are_those_of_the_matrix(visit: Visit, tmp_path: Path) -> None:
    tape = tape_of(width=16)
    path = notebook(tmp_path, view(tape, choice=Choice(labels=WORDS)))
    inside = frame(visit(path), 0)
    for layer, head in ((0, 1), (1, 2)):
        inside.locator(f"#grid [data-i='{3 * layer + head}']").click()
        inside.locator("#head-title", has_text=f"Layer {layer}, head {head}").wait_for()
        inside.locator("#matrix-readout", has_text="weight").wait_for()
        read = str(inside.locator("#matrix-readout").text_content())
        found = re.search(r"“(.+?)” looks at “(.+?)”: weight ([\d.e−]+)", read)
        assert found, read
        matrix = tape[layer].matrix
        assert matrix is not None
        weight = matrix.weights()[0, head, WORDS.index(found[1]), WORDS.index(found[2])]
        assert float(found[3].replace("−", "-")) == pytest.approx(float(weight), abs=2e-3)


def test_the_inputs_of_an_attribution_can_be_chosen(visit: Visit, tmp_path: Path) -> None:
    path = notebook(
        tmp_path,
        view(
            attribution_of("not bad at all", "what a mess"),
            verdict=verdict_of("trusted", "refuted"),
        ),
    )
    opened = visit(path)
    inside = frame(opened, 0)
    assert "Trusted" in str(inside.locator("main").text_content())
    inside.locator("#input").select_option("1")
    inside.locator("#words", has_text="mess").wait_for()
    inside.locator("text=Do not rely on it").first.wait_for()
    silent(opened, path)


def test_hostile_text_is_inert_in_the_frame_and_around_it(visit: Visit, tmp_path: Path) -> None:
    path = notebook(
        tmp_path,
        view(tape_of(width=16), choice=Choice(labels=[EVIL, *WORDS[1:]]), title=EVIL),
        view(
            attribution_of(EVIL.replace(" ", "_")),
            title=EVIL,
            decisions=(EVIL, EVIL),
            verdict=verdict_of("doubtful", text=EVIL),
        ),
        view(synthetic_audit(evil=EVIL)),
    )
    opened = visit(path)
    for place in (0, 1):
        inside = frame(opened, place)
        assert EVIL in str(inside.locator("h1").text_content()) or place == 1
        assert inside.locator("main img").count() == 0
    opened.page.frame_locator("iframe >> nth=2").locator("#title", has_text="onerror").wait_for()
    assert opened.page.locator("img, script").count() == 0
    assert opened.page.evaluate("window.stolen") is None
    silent(opened, path)


def test_a_frame_sees_nothing_of_its_notebook(visit: Visit, tmp_path: Path) -> None:
    opened = visit(notebook(tmp_path, two_layers()))
    frame(opened, 0)
    (inside,) = [one for one in opened.page.frames if one != opened.page.main_frame]
    assert inside.evaluate("self.origin") == "null"
    for reach in ("parent.document.title", "localStorage.length", "document.cookie"):
        denied = inside.evaluate(
            f"(() => {{ try {{ return [{reach}]; }} catch (e) {{ return e.name; }} }})()"
        )
        assert denied == "SecurityError", reach
    sent = inside.evaluate("fetch('https://example.org').then(() => 'sent', () => 'refused')")
    assert sent == "refused"


@pytest.mark.parametrize(
    "policy", [STRICT, "sandbox; default-src 'none'; style-src 'unsafe-inline'"]
)
def test_where_no_script_may_run_the_text_is_there(
    policy: str, visit: Visit, tmp_path: Path
) -> None:
    opened = visit(notebook(tmp_path, two_layers(), policy=policy))
    inside = opened.page.frame_locator("iframe")
    text = inside.locator("pre.quiet")
    text.wait_for()
    assert "NOT VERIFIED: attention shows where a model looked" in str(text.text_content())
    opened.page.locator("summary").click()
    below = opened.page.locator("pre")
    assert below.is_visible()
    assert "Strongest links" in str(below.text_content())


def test_a_frame_is_high_enough_for_what_matters(visit: Visit, tmp_path: Path) -> None:
    """In a cell of usual width what was asked needs no scrolling."""
    path = notebook(
        tmp_path,
        two_layers(),
        view(attribution_of("not bad at all"), verdict=verdict_of("doubtful")),
        view(verdict_of("refuted")),
    )
    opened = visit(path, viewport={"width": 960, "height": 2600})
    for place, name in enumerate(("#grid", "#words", ".belief")):
        inside = frame(opened, place)
        inside.locator(name).wait_for()
        box = inside.locator(name).bounding_box()
        around = opened.page.locator("iframe").nth(place).bounding_box()
        assert box["y"] + box["height"] <= around["y"] + around["height"], name
        assert around["width"] > 900


def test_four_thousand_tokens_open_in_a_cell(visit: Visit, tmp_path: Path) -> None:
    tape = tape_of(layers=1, heads=2, length=4000, width=32, causal=True)
    path = notebook(tmp_path, view(tape))
    assert path.stat().st_size < 2_001_000
    opened = visit(path)
    inside = frame(opened, 0)
    inside.locator("#matrix-readout", has_text="weight").wait_for()
    assert "4000 tokens" in str(inside.locator("main").text_content())
    silent(opened, path)


# --- the widget: the module's default export, as anywidget calls it ----------------------------

HOST = """
async ([code, index]) => {
  const module = await import(URL.createObjectURL(new Blob([code], {type: 'text/javascript'})));
  const heard = new Map();
  window.values = {index};
  const model = {
    get: (name) => window.values[name],
    on: (event, action) => heard.set(event, [...(heard.get(event) ?? []), action]),
    off: (event, action) => heard.set(event, (heard.get(event) ?? []).filter((x) => x !== action)),
    send: async (message) => {
      const [content, data] = await window.ask(JSON.stringify(message));
      const bytes = data === null ? [] : [Uint8Array.from(atob(data), (c) => c.charCodeAt(0))];
      for (const action of heard.get('msg:custom') ?? [])
        action(content, bytes.map((one) => new DataView(one.buffer)));
    },
  };
  window.change = (index) => {
    window.values.index = index;
    for (const action of heard.get('change:index') ?? []) action();
  };
  window.leave = module.default.render({model, el: document.getElementById('cell')});
}
"""


def test_the_widget_asks_the_kernel_for_a_head_when_it_is_opened(
    visit: Visit, tmp_path: Path
) -> None:
    pytest.importorskip("anywidget")
    tape = tape_of(width=16)
    widget = view(tape, choice=Choice(labels=WORDS), title="two layers").widget()
    sent: list[tuple[Mapping[str, Any], list[bytes]]] = []
    widget.send = lambda content, buffers=None: sent.append((content, buffers or []))
    asked: list[str] = []

    def ask(message: str) -> tuple[Mapping[str, Any], str | None]:
        asked.append(json.loads(message)["ask"])
        widget._handle_custom_msg(json.loads(message), [])
        content, buffers = sent[-1]
        return content, base64.b64encode(buffers[0]).decode() if buffers else None

    path = tmp_path / "widget.html"
    path.write_text(
        '<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><div id="cell"></div>',
        encoding="utf-8",
    )
    opened = visit(path)
    page = opened.page
    page.expose_function("ask", ask)
    page.evaluate(HOST, [bundle(), widget.index])
    page.locator("#head-title").wait_for()
    assert asked[:2] == ["track/0", "moment/0/0"]
    page.locator("#matrix-readout", has_text="weight").wait_for()
    details = [name for name in asked if name.startswith("detail/")]
    assert len(details) <= 2, "heads are asked for when they are opened"
    page.locator("#grid [data-i='5']").click()
    page.locator("#head-title", has_text="Layer 1, head 2").wait_for()
    page.locator("#matrix-readout", has_text="weight").wait_for()
    assert "detail/0/0/5" in asked
    page.evaluate("window.leave()")
    assert page.locator("#head-title").count() == 0, "what was drawn is taken away again"
    silent(opened, path)


def test_the_widget_shows_steps_that_come_later(visit: Visit, tmp_path: Path) -> None:
    """`change:index` with a track that was not there before: the view goes to it by itself."""
    pytest.importorskip("anywidget")
    widget = view(tape_of(width=16), choice=Choice(labels=WORDS), title="two layers").widget()
    sent: list[tuple[Any, list[bytes]]] = []
    widget.send = lambda content, buffers=None: sent.append((content, buffers or []))

    def ask(message: str) -> tuple[Any, str | None]:
        widget._handle_custom_msg(json.loads(message), [])
        content, buffers = sent[-1]
        return content, base64.b64encode(buffers[0]).decode() if buffers else None

    path = tmp_path / "widget.html"
    path.write_text('<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,">'
                    '<div id="cell"></div>', encoding="utf-8")  # fmt: skip
    opened = visit(path)
    opened.page.expose_function("ask", ask)
    opened.page.evaluate(HOST, [bundle(), {**widget.index, "tracks": []}])
    opened.page.locator("#cell .stop").wait_for()
    opened.page.evaluate("(index) => window.change(index)", widget.index)
    opened.page.locator("#head-title").wait_for()
    assert opened.complaints == []
