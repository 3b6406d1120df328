"""What was decided, what counted in words, and whether to believe it, in a real browser."""

import re
from dataclasses import replace

import pytest

from tests.ui.synthetic import synthetic_look
from tests.ui.view.input_looks import bare_look, drawn, write, write_steps
from tests.ui.view.pages import ROOT, Pages, Visit, silent, text


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Pages:
    return Pages(tmp_path_factory.mktemp("pages"))


def test_first_sight_says_what_a_reader_must_know(pages: Pages, visit: Visit) -> None:
    page = drawn(visit(pages.short))
    main = str(page.text_content("main"))
    for part in (
        "Not verified",
        "synthetic/wave",
        "POSITIVE · 91.3 %",
        "Next: NEGATIVE · 8.7 %",
        "Rollout(residual=0.5)",
        "model: sdpa · weights: ",
        "float32 · cpu",
        "12 tokens · 8 of 8 heads shown",
    ):
        assert part in main, part
    assert "is not drawn here" in text(page, "links-note")
    notes = text(page, "notes")
    assert re.search(r"a score is off by at most [\d.e−]+ and a weight by at most", notes)
    assert "This file is complete" in notes
    assert "zhuyi 0.1.0" in notes
    assert page.get_attribute("html", "lang") == "en"
    assert page.title() == "zhuyi · synthetic/wave"


def test_words_tell_their_value_share_and_rank(pages: Pages, visit: Visit) -> None:
    page = drawn(visit(pages.short))
    looked, _, _ = synthetic_look(layers=2, heads=4, length=12, width=16)
    total = sum(looked.values)
    own = sorted(looked.values[1:-1], reverse=True)
    for index in (1, 4, 10):
        page.hover(f".word[data-i='{index}']")
        read = text(page, "words-readout")
        found = re.search(
            r"“(.+)”: ([\d.e−]+) \(([\d.e−]+) % of the total; rank (\d+) of 10\)", read
        )
        assert found, read
        value = looked.values[index]
        assert found[1] == looked.units[index].label
        assert float(found[2].replace("−", "-")) == pytest.approx(value, rel=0.04)
        assert float(found[3].replace("−", "-")) == pytest.approx(100 * value / total, rel=0.06)
        assert int(found[4]) == own.index(value) + 1
    page.hover(".word[data-i='0']")
    assert "was added by the model" in text(page, "words-readout")
    page.hover("#words-title")
    assert "Strongest: " in text(page, "words-readout")


def test_the_shade_of_a_word_follows_its_value(pages: Pages, visit: Visit) -> None:
    looked, _, _ = synthetic_look(layers=1, heads=1, length=12, width=8)
    signed = tuple(-x if i % 4 == 1 else x for i, x in enumerate(looked.values))
    path = write(pages.folder, "signed", replace(looked, values=signed, signed=True))
    page = drawn(visit(path))
    assert "spoke against" in text(page, "words-caption")
    top = max(abs(x) for x in signed[1:-1])
    for index, value in enumerate(signed):
        word = page.locator(f".word[data-i='{index}']")
        against = "against" in str(word.get_attribute("class"))
        assert against == (value < 0)
        share = min(1.0, abs(value) / top)
        shown = float(word.evaluate("e => e.style.getPropertyValue('--share')"))
        assert shown == pytest.approx(share if against else share**0.8, abs=2e-3)
        dashed = word.evaluate("e => getComputedStyle(e).textDecorationStyle") == "dashed"
        assert dashed == against, "texture, not only color"


def test_words_by_keyboard(pages: Pages, visit: Visit) -> None:
    opened = visit(pages.medium)
    page = drawn(opened)
    page.focus("#words .word[tabindex='0']")
    page.keyboard.press("ArrowRight")
    assert "“attention”" in text(page, "words-readout")
    page.keyboard.press("ArrowDown")
    assert page.evaluate(f"{ROOT}.activeElement.dataset.i") == "11"
    page.keyboard.press("End")
    assert "“[SEP]” was added" in text(page, "words-readout")
    assert page.locator("#words .word[tabindex='0']").count() == 1
    page.keyboard.press("Home")
    assert "“[CLS]” was added" in text(page, "words-readout")
    page.check("#numbers")
    assert page.locator("#words .word[tabindex='0']").count() == 1
    assert opened.complaints == []


VERDICTS = {"trusted": "可信", "doubtful": "存疑", "refuted": "不成立"}


@pytest.mark.parametrize("label", VERDICTS)
def test_the_banner_leads_with_the_verdict(pages: Pages, visit: Visit, label: str) -> None:
    path = pages.page(label, layers=1, heads=2, length=12, width=8, verdict=label)
    opened = visit(path)
    page = drawn(opened)
    assert page.is_hidden("#unverified")
    assert "Not verified" not in page.inner_text("main")
    assert page.inner_text("#belief-word") == label.capitalize()
    assert page.locator(f"#belief-word svg.{label}").count() == 1, "a shape, not only a color"
    assert text(page, "belief-said") == "Headline word"
    first = {
        "trusted": ["✔ For it"],
        "doubtful": ["? A doubt", "✔ For it"],
        "refuted": ["✘ Against it", "? A doubt", "✔ For it"],
    }[label]
    assert page.locator("#belief-why .outcome").all_text_contents() == first
    assert "It supports: word." in text(page, "belief-why")
    assert "Could not be tested here: " in text(page, "belief-note")
    assert "note word" in text(page, "belief-note")
    assert "not proof" in text(page, "belief-note")
    assert "cannot prove it right" in text(page, "notes")
    words = page.locator("#words").bounding_box()
    assert page.locator("#belief").bounding_box()["y"] < words["y"]
    page.click("#language")
    page.wait_for_selector(".zhuyi[lang=zh-Hans]")
    assert page.inner_text("#belief-word") == VERDICTS[label]
    assert text(page, "belief-said") == "标题 word"
    assert "结果supports：word。" in text(page, "belief-why")
    assert "附注 word" in text(page, "belief-note")
    assert "It supports" not in page.inner_text("main")
    silent(opened, path)


def test_every_number_is_behind_the_details(pages: Pages, visit: Visit) -> None:
    path = pages.page("refuted", layers=1, heads=2, length=12, width=8, verdict="refuted")
    page = drawn(visit(path))
    assert page.is_hidden("#findings")
    page.focus("#belief-all summary")
    page.keyboard.press("Enter")
    assert page.is_visible("#findings")
    assert page.locator("#findings .finding").count() == 5
    shown = page.inner_text("#findings")
    for part in (
        "Deletion",
        "Sanity",
        "Not tested",
        "To know",
        "0.4375",
        "0.0625",
        "17",
        "Sanity(setting='word')",
        "Pieces were removed by: word.",
    ):
        assert part in shown, part


def test_without_a_verdict_the_page_says_so(pages: Pages, visit: Visit) -> None:
    page = drawn(visit(pages.short))
    assert page.is_visible("#unverified")
    assert page.is_hidden("#belief")
    assert "no test has shown" in text(page, "notes")


def test_an_attribution_alone(pages: Pages, visit: Visit) -> None:
    path = write(pages.folder, "bare", bare_look())
    opened = visit(path)
    page = drawn(opened)
    assert page.locator("#words .word").count() == 12
    assert "Nothing here has been tested" in text(page, "unverified")
    assert "one method says" in text(page, "unverified")
    assert "head" not in page.inner_text("main").lower()
    assert "16-bit" not in text(page, "notes")
    for name in ("heads", "links", "grid", "strip"):
        assert page.locator(f"#{name}").count() == 0, name
    silent(opened, path)


def test_a_tape_alone(pages: Pages, visit: Visit) -> None:
    looked, _, _ = synthetic_look(layers=1, heads=2, length=12, width=8)
    nothing = {"decision": "", "method": "", "reason": "", "task": "", "probability": None}
    path = write(
        pages.folder, "tape", replace(looked, units=(), values=(), alternatives=(), **nothing)
    )
    opened = visit(path)
    page = drawn(opened)
    assert page.locator("#words, #words-title, #numbers, #decision, #task").count() == 0
    assert page.is_visible("#unverified")
    assert [t for t in page.locator("#facts dt").all_text_contents() if t.startswith("Why")] == []
    silent(opened, path)


def test_words_that_no_method_judged_are_plain(pages: Pages, visit: Visit) -> None:
    path = write(pages.folder, "plain", replace(bare_look(), values=(), method=""))
    page = drawn(visit(path))
    assert "No method has said" in text(page, "words-caption")
    assert page.locator("#words .word").count() == 12
    assert page.locator("#words .against, #words small, #words-readout").count() == 0
    shares = "[...%s.querySelectorAll('.word')].map(e => +e.style.getPropertyValue('--share'))"
    assert set(page.evaluate(shares % ROOT)) == {0}


def test_changes_stand_beside_the_words(pages: Pages, visit: Visit) -> None:
    first, _, _ = synthetic_look(layers=1, heads=2, length=12, width=8)
    then = list(first.values)
    then[3] += 0.25
    then[5] -= 0.0625
    then[7] += 1e-5
    path = write_steps(pages.folder, "steps", [first, replace(first, values=tuple(then))])
    page = drawn(visit(path))
    assert page.locator("#words .change").count() == 0
    page.click("#first")
    page.wait_for_selector("#words .change")
    marks = page.locator("#words .change").all_text_contents()
    assert marks == ["+0.25", "−0.063"], "a change of a thousandth is not worth a mark"
    assert page.locator(".word[data-i='3'] .change").count() == 1
    page.hover(".word[data-i='5']")
    assert re.search(r"Change against .+: −0.0625\.", text(page, "words-readout"))
    page.click("#alone")
    page.wait_for_function(f"!{ROOT}.querySelector('#words .change')")


def test_another_methods_values_are_not_compared(pages: Pages, visit: Visit) -> None:
    first, _, _ = synthetic_look(layers=1, heads=2, length=12, width=8)
    other = replace(first, method="Occlusion()", values=tuple(x + 1 for x in first.values))
    page = drawn(visit(write_steps(pages.folder, "methods", [first, other])))
    page.click("#first")
    page.wait_for_selector("#alone")
    page.wait_for_timeout(100)
    assert page.locator("#words .change").count() == 0
