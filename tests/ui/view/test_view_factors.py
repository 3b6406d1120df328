"""The factors of a table's row, in a real browser: bars, order, running sum, folding, names."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.ui.view.input_looks import drawn, table_look, with_heads, write, write_steps
from tests.ui.view.pages import EVIL, ROOT, Visit, silent, text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("factors")


def rows(page: Any) -> list[dict[str, Any]]:
    """What stands in the table, with each bar's edges as shares of its chart."""
    found: list[dict[str, Any]] = page.evaluate(
        f"""() => [...{ROOT}.querySelectorAll('#factors tbody tr')].map((row) => {{
        const edge = row.querySelector('.chart').getBoundingClientRect();
        const bar = row.querySelector('.bar').getBoundingClientRect();
        const zero = row.querySelector('.zero').getBoundingClientRect();
        const share = (x) => (x - edge.left) / edge.width;
        const cells = [...row.querySelectorAll('td:not(.bars)')].map((cell) => cell.textContent);
        return {{name: row.querySelector('th').textContent, cells, kind: row.className,
          left: share(bar.left), right: share(bar.right), zero: share(zero.left),
          against: row.querySelector('.bar').classList.contains('contra'),
          texture: getComputedStyle(row.querySelector('.bar')).backgroundImage}}; }})"""
    )
    return found


def amount(shown: str) -> float:
    return float(shown.replace("−", "-"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_factors_open_in_silence(folder: Path, visit: Visit, scheme: str) -> None:
    path = write(folder, scheme, table_look(30))
    opened = visit(path, color_scheme=scheme)
    page = drawn(opened)
    assert text(page, "factors-verdict") == "Trusted"
    assert page.locator("#factors-verdict svg.trusted").count() == 1
    assert page.locator("#words, #signal").count() == 0
    page.check("#running")
    page.click("[data-factors=column]")
    page.click("#factors-all")
    page.click("#language")
    page.wait_for_selector(".zhuyi[lang=zh-Hans]")
    assert "全部 30 个之和" in text(page, "factors")
    page.click("#theme")
    silent(opened, path)


def test_bars_lead_from_a_common_zero(folder: Path, visit: Visit) -> None:
    looked = table_look(12)
    page = drawn(visit(write(folder, "bars", looked)))
    shown = rows(page)
    order = sorted(range(12), key=lambda i: -abs(looked.values[i]))
    low, high = min(looked.values), max(looked.values)
    assert [row["name"] for row in shown] == [looked.units[i].label for i in order]
    for row, index in zip(shown, order, strict=True):
        value = looked.values[index]
        assert row["cells"][0] == looked.cells[index]
        assert amount(row["cells"][1]) == pytest.approx(value, rel=6e-3)
        assert row["cells"][1][0] in "+−", "the sign is written"
        assert row["zero"] == pytest.approx(-low / (high - low), abs=0.004)
        wide = abs(value) / (high - low)
        assert row["right"] - row["left"] == pytest.approx(wide, abs=0.006)
        edge = row["right"] if value < 0 else row["left"]
        assert edge == pytest.approx(row["zero"], abs=0.005)
        assert row["against"] == (value < 0)
        assert ("gradient" in row["texture"]) == (value < 0), "texture, not only color"
    assert amount(re.findall(r"[+−][\d.]+", text(page, "factors-sum"))[0]) == pytest.approx(
        sum(looked.values), rel=6e-3
    )
    page.click("[data-factors=column]")
    assert [row["name"] for row in rows(page)] == [unit.label for unit in looked.units]
    assert page.get_attribute("[data-factors=column]", "aria-pressed") == "true"


def test_the_running_sum_ends_at_the_sum(folder: Path, visit: Visit) -> None:
    looked = table_look(6, values=(1.0, -2.5, 0.5, 0.25, -0.125, 2.0))
    page = drawn(visit(write(folder, "running", looked)))
    page.check("#running")
    page.click("[data-factors=column]")
    shown = rows(page)
    ends = [0.0, 1.0, -1.5, -1.0, -0.75, -0.875, 1.125]
    low, high = -1.5, 1.125
    for row, start, end in zip(shown, ends, ends[1:], strict=False):
        edges = sorted(((start - low) / (high - low), (end - low) / (high - low)))
        assert [row["left"], row["right"]] == pytest.approx(edges, abs=0.006)
        assert amount(row["cells"][2]) == pytest.approx(end, rel=6e-3)
        assert row["against"] == (end < start)
    total = shown[-1]
    assert total["name"] == "Sum of all 6"
    assert total["kind"] == "total"
    assert [amount(cell) for cell in total["cells"][1:]] == pytest.approx([1.125, 1.125], abs=6e-3)
    assert "bar is the sum" in text(page, "words-caption")


def test_values_without_a_sign_have_no_running_sum(folder: Path, visit: Visit) -> None:
    looked = table_look(3, signed=False, verdict=None)
    page = drawn(visit(write(folder, "unsigned", looked)))
    assert page.locator("#running, #factors-sum, #factors .contra, #factors-all").count() == 0
    assert [row["cells"][1] for row in rows(page)] == ["1.6", "0.8", "0.533"]
    assert all(row["zero"] == pytest.approx(0, abs=1e-3) for row in rows(page))
    assert text(page, "factors-verdict") == "△ Not verified"


def test_two_hundred_factors_are_folded_and_nothing_is_lost(folder: Path, visit: Visit) -> None:
    looked = table_look(200, verdict="refuted")
    opened = visit(write(folder, "many", looked))
    page = drawn(opened)
    shown = rows(page)
    assert len(shown) == 21
    rest = shown[-1]
    assert rest["name"] == "180 others together"
    order = sorted(looked.values, key=abs, reverse=True)
    assert amount(rest["cells"][1]) == pytest.approx(sum(order[20:]), rel=6e-3)
    page.check("#running")
    assert amount(rows(page)[-1]["cells"][2]) == pytest.approx(sum(looked.values), rel=6e-3)
    page.uncheck("#running")
    page.click("#factors-all")
    assert len(rows(page)) == 200
    assert page.get_attribute("#factors-all", "aria-pressed") == "true"
    assert opened.complaints == []


def test_long_and_chinese_names_fit_a_phone(folder: Path, visit: Visit) -> None:
    names = ("过去十二个月内逾期三十天以上的次数" * 3, "a_very_long_column_name_without_spaces" * 4)
    looked = table_look(8, names=names, cells=("很长的单元格内容" * 10, "x" * 200))
    for width in (390, 1280):
        path = write(folder, f"names{width}", looked)
        page = drawn(visit(path, viewport={"width": width, "height": 800}))
        page.check("#running")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        assert names[0] in text(page, "factors")
        for row in rows(page):
            assert row["right"] <= 1.005
            assert row["left"] >= -0.005


@pytest.mark.parametrize("values", [(0.0, 0.0, 0.0), (1e-12, -3e-13, 0.0), (-4e5, 3e8, 1.0)])
def test_any_scale_is_drawn(folder: Path, visit: Visit, values: tuple[float, ...]) -> None:
    opened = visit(write(folder, f"scale{values[0]}", table_look(3, values=values)))
    page = drawn(opened)
    for row in rows(page):
        assert 0 <= row["left"] <= row["right"] + 1e-6 <= 1.01
    page.check("#running")
    assert opened.complaints == []


def test_added_pieces_count_but_do_not_lead(folder: Path, visit: Visit) -> None:
    looked = table_look(4, values=(0.5, -0.25, 0.125, 9.0))
    units = (*looked.units[:3], replace(looked.units[3], special=True, label="[CLS]"))
    page = drawn(visit(write(folder, "added", replace(looked, units=units))))
    shown = rows(page)
    assert shown[-1]["name"] == "[CLS]"
    assert shown[-1]["kind"] == "special"
    assert "+9.38" in text(page, "factors-sum") or "+9.37" in text(page, "factors-sum")


def test_a_row_that_no_method_judged(folder: Path, visit: Visit) -> None:
    looked = replace(table_look(3, verdict=None), values=(), method="")
    opened = visit(write(folder, "plain", looked))
    page = drawn(opened)
    assert "No method has said" in text(page, "words-caption")
    assert page.locator("#factors tbody tr").count() == 3
    assert page.locator("#factors .bar").count() == 0
    assert looked.cells[1] in text(page, "factors")
    assert opened.complaints == []


def test_changes_stand_beside_the_factors(folder: Path, visit: Visit) -> None:
    first = with_heads(table_look(5, verdict=None))
    values = list(first.values)
    values[0] -= 0.5
    path = write_steps(folder, "steps", [first, replace(first, values=tuple(values))])
    page = drawn(visit(path))
    page.click("#first")
    page.wait_for_selector("#factors .change")
    shown = {row["name"]: row["cells"] for row in rows(page)}
    assert shown["age"][2] == "−0.5"
    assert shown["income"][2] == "0"
    assert page.locator("#factors .before").count() == 1
    mark = page.locator("#factors tr[data-i='0'] .before").bounding_box()
    chart = page.locator("#factors tr[data-i='0'] .chart").bounding_box()
    # The scale reaches from the lowest, -0.8, to what was there before, 1.6.
    assert (mark["x"] + 1 - chart["x"]) / chart["width"] == pytest.approx(1.0, abs=0.005)
    age = next(row for row in rows(page) if row["name"] == "age")
    assert age["right"] == pytest.approx((1.1 + 0.8) / 2.4, abs=0.006)


def test_hostile_names_and_cells_are_inert(folder: Path, visit: Visit) -> None:
    looked = table_look(3, names=(EVIL, "__proto__", "{n}"), cells=(EVIL, "=1+1", "constructor"))
    path = write(folder, "hostile", replace(looked, decision=EVIL, task=EVIL))
    opened = visit(path)
    page = drawn(opened)
    page.check("#running")
    assert page.inner_text("#factors").count(EVIL) == 2
    for part in ("__proto__", "{n}", "constructor"):
        assert part in text(page, "factors"), part
    assert page.evaluate("window.stolen") is None
    assert page.locator("main img").count() == 0
    silent(opened, path)


def test_the_table_is_a_table_for_screen_readers(folder: Path, visit: Visit) -> None:
    page = drawn(visit(write(folder, "reader", table_look(4))))
    heads = page.locator("#factors thead th").all_text_contents()
    assert heads == ["Factor", "In this row", "Bar", "Value"]
    assert page.locator("#factors tbody th[scope=row]").count() == 4
    assert page.locator("#factors .bars[aria-hidden=true]").count() == 4
