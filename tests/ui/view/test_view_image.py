"""An image with its patches shaded, in a real browser."""

import re

import pytest

from tests.ui.view.input_looks import drawn, image_look, write
from tests.ui.view.pages import Pages, Visit, silent, text


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(tmp_path_factory.mktemp("pages"))


def test_an_image_is_dark_where_it_counted_little(pages: Pages, visit: Visit) -> None:
    looked, detail_of = image_look()
    path = write(pages.folder, "image", looked, detail_of)
    opened = visit(path)
    page = drawn(opened)
    page.wait_for_selector("#image-counted")
    assert page.locator("#words .word").count() == 37
    page.wait_for_timeout(150)
    silent(opened, path)  # before the test itself reads pixels, which Chromium remarks on
    # How much of the plain picture's light is left in every patch of the shaded one.
    left = page.evaluate(
        """([id, side]) => { const root = document.getElementById('zhuyi').shadowRoot;
        const shaded = root.getElementById(id), plain = document.createElement('canvas');
        [plain.width, plain.height] = [shaded.width, shaded.height];
        const pen = plain.getContext('2d');
        pen.drawImage(root.querySelector('#image img'), 0, 0, plain.width, plain.height);
        const sum = (from, r, c) => { const w = shaded.width / side; let total = 0;
          const box = [(c + .3) * w, (r + .3) * w, w * .4, w * .4];
          const dots = from.getContext('2d').getImageData(...box).data;
          for (let i = 0; i < dots.length; i += 4) total += dots[i] + dots[i+1] + dots[i+2];
          return total; };
        return Array.from({length: side * side}, (_, i) =>
          sum(shaded, Math.floor(i / side), i % side) / sum(plain, Math.floor(i / side), i % side));
        }""",
        ["image-counted", 6],
    )
    values = looked.values[1:]
    order = sorted(range(36), key=lambda i: values[i])
    for weak, strong in zip(order, order[8:], strict=False):
        assert left[weak] < left[strong] + 0.12
    assert left[order[-1]] > 0.97
    assert left[order[0]] < 0.5
    box = page.locator("#image-counted").bounding_box()
    step = box["width"] / 6
    page.mouse.click(box["x"] + 2.5 * step, box["y"] + 1.5 * step)
    assert "“row 1, column 2”" in text(page, "words-readout")
    page.keyboard.press("ArrowDown")
    assert "“row 2, column 2”" in text(page, "words-readout")


def test_an_image_shows_what_the_chosen_patch_looks_at(pages: Pages, visit: Visit) -> None:
    looked, detail_of = image_look()
    page = drawn(visit(write(pages.folder, "row", looked, detail_of)))
    page.wait_for_selector("#image-row")
    page.focus("#image-row")
    for _ in range(5):
        page.keyboard.press("ArrowUp")
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    said = text(page, "image-row-caption")
    found = re.fullmatch(
        r"Layer (\d), head (\d): what row 0, column 1 looks at \(brightest = ([\d.e−]+)\)", said
    )
    assert found, said
    matrix = detail_of.matrices[int(found[1]), int(found[2])]  # type: ignore[attr-defined]
    weights = matrix.weights(rows=slice(2, 3))[0, 0, 0, 1:37]
    assert float(found[3].replace("−", "-")) == pytest.approx(float(weights.max()), rel=0.01)


def test_an_image_from_elsewhere_is_not_loaded(pages: Pages, visit: Visit) -> None:
    """A log may name any address; only pictures inside the data are shown."""
    looked, _ = image_look()
    path = write(pages.folder, "foreign", looked)
    opened = visit(path)
    opened.page.add_init_script(
        """const parse = JSON.parse; JSON.parse = (text) => { const value = parse(text);
        if (value.image) value.image.url = 'https://example.org/x.png'; return value; };"""
    )
    opened.page.reload()
    drawn(opened)
    opened.page.wait_for_timeout(100)
    assert opened.page.locator("#image").count() == 0
    assert not [url for url in opened.requests if "example.org" in url]
