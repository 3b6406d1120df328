"""Figures of attributions: the bars are the values, and no sign is told by color alone."""

from dataclasses import replace
from typing import Any

import pytest
import torch

pytest.importorskip("matplotlib")

from tests.ui.notebook.things import attribution_of, verdict_of
from zhuyi.core.record import Unit
from zhuyi.errors import InputError, OptionError
from zhuyi.ui.figures.paper import AGAINST, FOR

TEXT = "this film is not bad at all , in fact a delight"


def bars(figure: Any) -> list[tuple[str, float, str]]:
    """Name, length and hatch of each bar, from the top."""
    axes = figure.axes[1]
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    return [(n, p.get_width(), p.get_hatch()) for n, p in zip(names, axes.patches, strict=True)]


def caption(figure: Any) -> str:
    return str(figure.get_supxlabel()).replace("\n", " ")


def test_bars_are_the_largest_values_in_order() -> None:
    attribution = attribution_of(TEXT)
    figure = attribution.plot(most=5)
    units = attribution.units[0]
    words = [(unit.label, float(attribution.values[0, i])) for i, unit in enumerate(units)]
    expected = sorted(words[1:-1], key=lambda pair: -abs(pair[1]))[:5]
    assert [(n, pytest.approx(v)) for n, v, _ in bars(figure)] == expected
    for _, value, hatch in bars(figure):
        assert bool(hatch) == (value < 0), "what speaks against it is hatched as well"
    colors = [patch.get_facecolor() for patch in figure.axes[1].patches]
    assert len(set(colors)) == 2
    said = caption(figure)
    assert f"Bars: the 5 largest of {len(TEXT.split())} pieces." in said
    assert "Blue speaks for the decision; orange, hatched, against it." in said
    assert "Decision explained: class 1. Values by Occlusion()." in said
    assert "Not verified" in said


def test_the_text_stands_above_in_order() -> None:
    figure = attribution_of(TEXT).plot(decisions=("no", "yes"), title="A review")
    words = [text.get_text() for text in figure.axes[0].texts]
    assert words == ["[CLS]", *TEXT.split(), "[SEP]"]
    places = [text.get_position() for text in figure.axes[0].texts]
    assert places == sorted(places, key=lambda place: (place[1], place[0]))
    assert "Decision explained: yes." in caption(figure)
    assert figure.get_suptitle() == "A review"


def test_strength_of_a_color_is_the_share_of_the_largest_value() -> None:
    attribution = attribution_of("a b")
    attribution = replace(attribution, values=torch.tensor([[9.0, 0.5, -1.0, 9.0]]))
    boxes = attribution.plot().axes[0].patches
    from matplotlib.colors import to_rgb

    assert [box.get_facecolor()[:3] for box in boxes[1:3]] == [to_rgb(FOR), to_rgb(AGAINST)]
    assert boxes[1].get_alpha() == pytest.approx(0.31)
    assert boxes[2].get_alpha() == pytest.approx(0.62)
    assert boxes[0].get_alpha() == pytest.approx(0.62), "added pieces do not set the scale"


def test_values_without_a_sign_have_one_color() -> None:
    figure = attribution_of(TEXT, signed=False).plot()
    assert "orange" not in caption(figure)
    assert all(hatch == "" or hatch is None for _, _, hatch in bars(figure))


def test_the_verdict_of_the_asked_input() -> None:
    attribution = attribution_of("a b c", "d e f")
    verdict = verdict_of("trusted", "refuted")
    assert "✔ Trusted:" in caption(attribution.plot(verdict))
    said = caption(attribution.plot(verdict, batch=1))
    assert "✘ Refuted:" in said
    assert "input 2 of 2" in said


def test_odd_inputs(tmp_path: Any) -> None:
    attribution = attribution_of("$a$ 注意力 \U0001f9ff " + "long" * 40 + " b" * 40)
    figure = attribution.plot(title="$")
    figure.savefig(tmp_path / "odd.png")
    assert "Of the text, the first 30 lines are shown." not in caption(figure)
    figure = attribution_of("word " * 400 + "end").plot()
    assert "Of the text, the first 30 lines are shown." in caption(figure)
    zeros = replace(attribution, values=torch.zeros_like(attribution.values))
    zeros.plot().savefig(tmp_path / "zeros.png")


def test_columns_without_a_place_in_a_text() -> None:
    units = (Unit(label="age", positions=(0,)), Unit(label="income", positions=(1,)))
    attribution = replace(attribution_of("a"), units=(units,), values=torch.tensor([[1.0, -2.0]]))
    assert [name for name, _, _ in bars(attribution.plot())] == ["income", "age"]


def test_what_cannot_be_drawn_is_an_error() -> None:
    attribution = attribution_of("a b")
    with pytest.raises(OptionError, match="batch must be from 0 to 0, got 3"):
        attribution.plot(batch=3)
    with pytest.raises(OptionError, match="most must be at least 1, got 0"):
        attribution.plot(most=0)
    with pytest.raises(InputError, match="values that are not finite"):
        replace(attribution, values=torch.full((1, 4), float("nan"))).plot()
    with pytest.raises(InputError, match="has no pieces"):
        replace(attribution, units=((),), values=torch.zeros(1, 0)).plot()
