"""Reading the matrix of the shown head from a page: its place, numbers and colors."""

import base64
import re
from typing import Any

import torch

from tests.ui.view.pages import ROOT, text

# Colors of the cells in sight, away from a cell's middle, where its number is.
SHADES = """([rows, cols, left, top, off]) => {
  const c = document.getElementById('zhuyi').shadowRoot.getElementById('matrix');
  const pen = c.getContext('2d'), ratio = c.width / c.clientWidth, size = c.clientWidth - left;
  const out = [], { data } = pen.getImageData(0, 0, c.width, c.height);
  for (let i = 0; i < rows; i++) for (let j = 0; j < cols; j++) {
    const x = Math.floor((left + (j + off) * size / cols) * ratio);
    const y = Math.floor((top + (i + off) * size / rows) * ratio);
    const at = 4 * (y * c.width + x);
    out.push(String.fromCharCode(data[at], data[at + 1], data[at + 2])); }
  return btoa(out.join('')); }"""
LABELS = 92  # pixels of margin where every token has a label
NUMBERS = 36  # and where only positions are written


def place_of(page: Any) -> tuple[int, int]:
    """Layer and head that are shown."""
    layer, head = (int(x) for x in re.findall(r"\d+", text(page, "head-title")))
    return layer, head


def shades(
    page: Any, rows: int, cols: int, left: int = LABELS, top: int = LABELS, off: float = 0.13
) -> torch.Tensor:
    """Red, green and blue of every cell, [rows, cols, 3]."""
    finished(page)
    found = base64.b64decode(page.evaluate(SHADES, [rows, cols, left, top, off]))
    return torch.tensor(list(found)).reshape(rows, cols, 3).float()


def finished(page: Any) -> None:
    """Wait until every cell in sight was read and drawn."""
    page.wait_for_function(
        f"() => !{ROOT}.getElementById('matrix-caption').textContent.includes('Drawing more')"
    )
    page.evaluate(
        "() => new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(go)))"
    )


def shown_cell(page: Any) -> tuple[float, float]:
    """Weight and score of the chosen cell, as written."""
    found = re.search(r"weight ([\d.e−]+), score ([−\d.]+)", text(page, "matrix-readout"))
    assert found, text(page, "matrix-readout")
    weight, score = (float(x.replace("−", "-")) for x in found.groups())
    return weight, score
