"""The table of the strongest links: sorted, searched and saved, in a real browser."""

import csv
import io
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.ui.synthetic import synthetic_look
from tests.ui.view.input_looks import drawn, write
from tests.ui.view.pages import ROOT, Pages, Visit, text


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(tmp_path_factory.mktemp("pages"))


def test_table_saves_what_it_says(pages: Pages, visit: Visit) -> None:
    path = pages.page("formula", layers=1, heads=2, length=12, width=8, label='=cmd("x"),"')
    page = drawn(visit(path, accept_downloads=True))
    page.uncheck("#inner")
    listed = int(re.findall(r"\d+", text(page, "links-note"))[0])
    with page.expect_download() as caught:
        page.click("#save")
    assert caught.value.suggested_filename == "zhuyi-links.csv"
    written = Path(caught.value.path()).read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(written)))
    matrices = pages.matrices["formula"]
    assert len(rows) == listed
    assert text(page, "links-note") == f"{listed} links saved."
    for row in rows:
        matrix = matrices[int(row["layer"]), int(row["head"])]
        q, k = int(row["query_position"]), int(row["key_position"])
        weight = matrix.weights(rows=slice(q, q + 1), cols=slice(k, k + 1))
        assert float(row["weight"]) == pytest.approx(float(weight), rel=1e-4)
        assert not row["query"].startswith("="), "a spreadsheet would run it"
    assert any(row["query"] == '\'=cmd("x"),"' for row in rows)


def test_no_cell_of_the_table_is_a_formula(pages: Pages, visit: Visit) -> None:
    starts = "=+-@＝＋－＠"
    looked, _, _ = synthetic_look(layers=1, heads=4, length=12, width=8)
    labels = tuple(f"{starts[i % 8]}1+1" for i in range(12))
    looked = replace(looked, sequences=(replace(looked.sequences[0], labels=labels),))
    page = drawn(visit(write(pages.folder, "formulas", looked), accept_downloads=True))
    page.uncheck("#inner")
    with page.expect_download() as caught:
        page.click("#save")
    written = Path(caught.value.path()).read_bytes().decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(written)))
    cells = {row[name] for row in rows for name in ("query", "key")}
    assert cells == {f"'{start}1+1" for start in starts}


def test_sorting_says_its_direction(pages: Pages, visit: Visit) -> None:
    page = drawn(visit(pages.short))
    weights = f"[...{ROOT}.querySelectorAll('#links .amount')].map((e) => +e.textContent)"
    down = page.evaluate(weights)
    assert down == sorted(down, reverse=True)
    page.click("#links th >> nth=0 >> button")
    up = page.evaluate(weights)
    assert up == sorted(up)
    assert page.get_attribute("#links th >> nth=0", "aria-sort") == "ascending"
    page.focus("#links th >> nth=3 >> button")
    page.keyboard.press("Enter")
    assert page.get_attribute("#links th >> nth=3", "aria-sort") == "ascending"
    assert page.evaluate(f"{ROOT}.activeElement.textContent") == "Layer ↑", "the focus stays"


def test_the_search_finds_tokens_and_heads(pages: Pages, visit: Visit) -> None:
    page = drawn(visit(pages.medium))
    page.fill("#filter", "head 3 layer 1")
    rows = page.locator("#links tbody tr")
    assert rows.count() > 2
    for index in range(rows.count()):
        assert rows.nth(index).locator("td").all_text_contents()[3:] == ["1", "3"]
