"""Figures of heads: the dots are the numbers, computed again in numpy; the caption is honest."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch

pytest.importorskip("matplotlib")

from tests.ui.notebook.things import WORDS, tape_of, verdict_of
from zhuyi.core import AttentionMatrix, Mask
from zhuyi.core.record import Site
from zhuyi.errors import NotKept, OptionError
from zhuyi.trace import Keep, watch
from zhuyi.trace.tape import Pass, Sighting, Tape
from zhuyi.ui.figures import Choice, plot_tape
from zhuyi.ui.figures.pooling import results, small
from zhuyi.ui.live.overview import light_ramp

Array = npt.NDArray[np.float64]


def truth(tape: Tape, layer: int, head: int, *, causal: bool) -> tuple[Array, Array, Array]:
    """Scores, weights and results of one head in float64, by the formula."""
    sighting = tape[layer]
    assert sighting.matrix is not None
    assert sighting.value is not None
    query, key = (x[0, head].double().numpy() for x in (sighting.matrix.query, sighting.matrix.key))
    scores = query @ key.T / np.sqrt(query.shape[1])
    if causal:
        scores[np.triu_indices(len(scores), 1)] = -np.inf
    grown = np.exp(scores - scores.max(1, keepdims=True))
    weights = grown / grown.sum(1, keepdims=True)
    return scores, weights, weights @ sighting.value[0, head].double().numpy()


def blocks(dense: Array, side: int) -> Array:
    """The largest entry of each of side x side even parts, which may share a row or a column."""
    rows, columns = (
        [(i * n // side, -(-(i + 1) * n // side)) for i in range(side)] for n in dense.shape
    )
    return np.array([[dense[a:b, c:d].max() for c, d in columns] for a, b in rows])


def caption(figure: Any) -> str:
    return str(figure.get_supxlabel()).replace("\n", " ")


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("what", ["weights", "scores", "results"])
def test_one_head_shows_its_numbers(what: str, causal: bool) -> None:
    tape = tape_of(causal=causal)
    figure = tape.plot(WORDS, layer=1, head=2, what=what)  # type: ignore[arg-type]
    scores, weights, result = truth(tape, 1, 2, causal=causal)
    shown = figure.axes[0].get_images()[0].get_array()
    expected = {"weights": weights, "scores": scores, "results": result}[what]
    hidden = ~np.isfinite(expected)
    assert (np.ma.getmaskarray(shown) == hidden).all()
    assert np.asarray(shown)[~hidden] == pytest.approx(expected[~hidden], abs=2e-5)
    names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert names == list(WORDS)
    said = caption(figure)
    assert "Layer 1, head 2 (encoder.1.self)." in said
    assert ("Gray: pairs that the mask hides." in said) == (what == "scores" and causal)
    assert "Pooled" not in said


@pytest.mark.parametrize("length", [100, 257, 300])
def test_a_long_head_is_pooled_by_the_largest(length: int) -> None:
    tape = tape_of(layers=1, heads=2, length=length, causal=True)
    scores, weights, result = truth(tape, 0, 1, causal=True)
    matrix, value = tape[0].matrix, tape[0].value
    assert matrix is not None
    assert value is not None
    one = matrix.select(heads=[1])
    side = min(length, 64)
    assert small(one, scores=False, size=64)[0].numpy() == pytest.approx(
        blocks(weights, side), abs=2e-6
    )
    pooled = small(one, scores=True, size=64)[0].numpy()
    expected = blocks(scores, side)
    assert (np.isfinite(pooled) == np.isfinite(expected)).all()
    finite = np.isfinite(expected)
    assert pooled[finite] == pytest.approx(expected[finite], abs=2e-5)
    means = [result[i * length // side : -(-(i + 1) * length // side)].mean(0) for i in range(side)]
    assert results(matrix, value, size=64)[1].numpy() == pytest.approx(np.array(means), abs=2e-5)


def test_the_pooling_test_can_fail() -> None:
    """The broken twin: means of blocks are something else, so one strong link would be lost."""
    tape = tape_of(layers=1, heads=2, length=100)
    _, weights, _ = truth(tape, 0, 1, causal=False)
    matrix = tape[0].matrix
    assert matrix is not None
    dense = torch.from_numpy(weights)[None]
    means = torch.nn.functional.adaptive_avg_pool2d(dense, 64)[0].numpy()
    pooled = small(matrix.select(heads=[1]), scores=False, size=64)[0].numpy()
    assert np.abs(pooled - means).max() > 0.01


def test_a_pooled_figure_says_so() -> None:
    tape = tape_of(layers=1, heads=1, length=300, width=4)
    said = caption(tape.plot(layer=0, head=0))
    assert "Pooled from 300 × 300 pairs: each dot is the largest of up to 2 × 2." in said
    assert "Logarithmic colors" in said
    figure = tape.plot(layer=0, head=0, what="results")
    assert "Each row is the mean of up to 2 positions." in caption(figure)
    names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert names == [f"#{20 * i}" for i in range(15)]


def test_all_heads_stand_in_their_places() -> None:
    tape = tape_of(layers=3, heads=4)
    figure = tape.plot()
    picture = np.asarray(figure.axes[0].get_images()[0].get_array())
    side, pitch = len(WORDS), len(WORDS) + 3
    floor = 1 / (8 * side)
    for layer in range(3):
        for head in range(4):
            _, weights, _ = truth(tape, layer, head, causal=False)
            top, left = layer * pitch, head * pitch
            shown = picture[top : top + side, left : left + side, :3]
            place = np.log(np.maximum(weights, floor) / floor) / np.log(1 / floor)
            colors = light_ramp()[np.minimum((place * 256).astype(int), 255)] / 255
            # a weight at the edge of a color may fall to its neighbor
            assert np.abs(shown - colors).max() < 0.02, (layer, head)
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["0", "1", "2", "3"]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["0", "1", "2"]
    assert "12 heads, each with queries down and keys across." in caption(figure)


@pytest.mark.parametrize(
    ("asked", "count"), [({"layer": 1}, "4 heads"), ({"head": 3}, "3 heads"), ({}, "12 heads")]
)
def test_a_layer_a_head_or_all(asked: dict[str, int], count: str) -> None:
    assert caption(tape_of(layers=3, heads=4).plot(**asked)).startswith(count)  # type: ignore[arg-type]


@pytest.mark.parametrize("what", ["scores", "results"])
def test_many_heads_of_scores_and_results(what: str) -> None:
    figure = tape_of(causal=True).plot(what=what)  # type: ignore[arg-type]
    assert np.isfinite(np.asarray(figure.axes[0].get_images()[0].get_array())).all()
    assert ("Gray" in caption(figure)) == (what == "scores")


def test_padding_is_not_drawn() -> None:
    figure = tape_of(length=12, hidden=3).plot(WORDS, layer=0, head=0)
    assert figure.axes[0].get_images()[0].get_array().shape == (9, 9)


def test_the_caption_carries_the_verdict_or_says_that_there_is_none() -> None:
    tape = tape_of()
    without = caption(tape.plot(layer=0, head=0))
    assert "Not verified: attention shows where a model looked, not why it decided." in without
    tested = caption(tape.plot(layer=0, head=0, verdict=verdict_of("refuted")))
    assert "✘ Refuted: the tests speak against this explanation. Do not rely on it." in tested
    assert "not on what single heads look at" in tested
    assert "Not verified" not in tested


def test_names_are_drawn_as_text(tmp_path: Any) -> None:
    """Dollars are no formula, Chinese has its glyphs, what has none is marked; no warning."""
    labels = ["$x^2$", "注意", "\U0001f9ff", "a\nb", "\x1b[31m", "e\u0301", r"\$", "%%", "\ud83d"]
    figure = tape_of().plot(labels, layer=0, head=0, title="$\\alpha$ 注")
    figure.savefig(tmp_path / "names.svg")
    names = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert names[0] == r"\$x^2\$"
    assert names[1] in ("注意", "\N{REPLACEMENT CHARACTER}" * 2)
    assert names[3] == "a b"
    assert "\x1b" not in names[4]
    assert figure.get_suptitle().startswith(r"\$\alpha\$")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"layer": 5}, "layer must be one of 0 or 1, got 5"),
        ({"head": 3}, "head must be from 0 to 2, got 3"),
        ({"what": "logits"}, "what must be 'weights', 'scores' or 'results', got 'logits'"),
        ({"batch": 1}, "batch must be from 0 to 0, got 1"),
        ({"labels": ["a"]}, "labels must name the 9 positions"),
    ],
)
def test_what_is_not_there_is_an_error(options: dict[str, Any], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        tape_of().plot(**options)


def test_results_need_values() -> None:
    layer = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True).eval()
    with watch(layer, Keep(value=False)) as tape:
        layer(torch.randn(1, 4, 8))
    with pytest.raises(NotKept, match=r"Keep\(value=True\)"):
        plot_tape(tape, Choice(), layer=0, head=0, what="results")


def test_grouped_heads_read_their_own_values() -> None:
    """4 query heads on 2 key heads: head 3 reads the second."""
    generator = torch.Generator().manual_seed(3)
    query, key, value = (torch.randn(1, n, 5, 4, generator=generator) for n in (4, 2, 2))
    site = Site(name="gqa", kind="self", index=0, heads=4)
    sighting = Sighting(site=site, matrix=AttentionMatrix(query, key), value=value)
    figure = Tape([Pass("", (sighting,))]).plot(layer=0, head=3, what="results")
    weights = (query[0, 3].double() @ key[0, 1].double().T / 2).softmax(-1)
    shown = np.asarray(figure.axes[0].get_images()[0].get_array())
    assert shown == pytest.approx((weights @ value[0, 1].double()).numpy(), abs=2e-6)


def test_a_row_that_sees_nothing_is_empty() -> None:
    keep = torch.ones(4, 4, dtype=torch.bool)
    keep[1] = False
    matrix = AttentionMatrix(
        torch.randn(1, 1, 4, 4), torch.randn(1, 1, 4, 4), mask=Mask.dense(keep[None, None])
    )
    site = Site(name="s", kind="self", index=0, heads=1)
    tape = Tape([Pass("", (Sighting(site=site, matrix=matrix),))])
    assert (
        np.asarray(tape.plot(layer=0, head=0).axes[0].get_images()[0].get_array())[1] == 0
    ).all()
    shown = tape.plot(layer=0, head=0, what="scores").axes[0].get_images()[0].get_array()
    assert np.ma.getmaskarray(shown)[1].all()
