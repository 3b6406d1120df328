"""The tasks: their truth by another computation, and what holds of any model, trained or not."""

import math
import re
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from zhuyi.steer.certify import certify
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column
from zhuyi.testing.planted.reader import Block
from zhuyi.testing.steering import (
    conflicting,
    decoy_patches,
    distractor,
    hidden_use,
    horn,
    sensor_channel,
    shortcut_column,
)
from zhuyi.testing.steering.curves import Way, best, curves
from zhuyi.testing.steering.network import Network
from zhuyi.testing.steering.record import Line
from zhuyi.testing.steering.ways import meant, plain, random_heads, random_spans, ruled
from zhuyi.testing.steering.words import WordReader


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tiny_corpus() -> distractor.Corpus:
    reviews = [("a good film", 1), ("a bad film", 0), ("very good", 1), ("very bad", 0)] * 4
    others = ["we prove a theorem", "models are trained on data"]
    return distractor.corpus(reviews, reviews, others, draw(), words=20)


TINY: dict[str, Callable[[int], tuple[Line, ...]]] = {
    "conflict": lambda seed: conflicting.measure(seed, steps=2, inputs=8),
    "hidden": lambda seed: hidden_use.measure(seed, steps=2, inputs=2, vocabulary=30),
    "forbidden": lambda seed: hidden_use.measure(
        seed, kind="copy", hide=math.inf, steps=2, inputs=2, vocabulary=30
    ),
    "distractor": lambda seed: distractor.measure(seed, data=tiny_corpus(), steps=4),
    "shortcut": lambda seed: shortcut_column.measure(seed, steps=2, inputs=20),
    "decoy": lambda seed: decoy_patches.measure(seed, steps=2, inputs=20),
    "horn": lambda seed: horn.measure(seed, steps=2, inputs=20),
    "sensor": lambda seed: sensor_channel.measure(seed, steps=2, inputs=20),
}


@pytest.mark.parametrize("name", TINY)
def test_every_task_runs_in_its_smallest_form(name: str) -> None:
    before = torch.get_rng_state()
    lines = TINY[name](3)
    assert torch.equal(before, torch.get_rng_state()), "the global generator was drawn from"
    assert lines[0].method == "no rule"
    assert any(line.method.startswith("veto") or "boost" in line.method for line in lines)
    for wanted in ("PASTA", "SpotLight", "InstABoost", "2 (of 4|random) heads", "random|another"):
        assert any(re.search(wanted, line.method) for line in lines), f"no line for {wanted}"
    assert all(math.isfinite(one) for line in lines for one in line.numbers.values())
    keys = [(line.method, line.dose) for line in lines]
    assert len(set(keys)) == len(keys), "two lines of one name and dose"


@pytest.mark.parametrize("name", ["horn", "shortcut"])
def test_the_same_seed_gives_the_same_numbers(name: str) -> None:
    assert TINY[name](5) == TINY[name](5)
    assert TINY[name](5) != TINY[name](6)


def number(lines: tuple[Line, ...], method: str, name: str) -> float:
    return next(line.numbers[name] for line in lines if line.method == method)


@pytest.mark.parametrize("name", ["shortcut", "decoy", "sensor"])
def test_a_veto_lets_nothing_through_and_what_is_none_does(name: str) -> None:
    lines = TINY[name](3)
    veto = "veto of the sensor" if name == "sensor" else "veto"
    assert number(lines, veto, "leak") == 0.0
    assert number(lines, "no rule", "leak") > 1e-4
    for twin in ("veto, last layer only", "veto, 2 of 4 heads"):
        assert number(lines, twin, "leak") > 1e-6, f"{twin} should leak"


# --- the truth of each task, found again -------------------------------------------------------


def test_answers_are_what_the_sources_say() -> None:
    held = conflicting.questions(50, draw())
    for row, ids in enumerate(held.ids.tolist()):
        words = [conflicting.VOCABULARY[number] for number in ids]
        ask = words.index("ask")
        told: dict[str, dict[str, str]] = {}
        source = ""
        for place, word in enumerate(words[:ask]):
            if word in conflicting.SOURCES:
                source, told[word] = word, {}
            elif word in conflicting.KEYS:
                told[source][word] = words[place + 1]
        assert len(words[ask + 1 :]) == conflicting.ASKED
        for asked, key in enumerate(words[ask + 1 :]):
            for number, name in enumerate(conflicting.SOURCES):
                answer = int(held.answers[row, asked, number])
                said = told[name].get(key)
                assert said == (None if answer < 0 else conflicting.VALUES[answer])
    assert held.conflicted.float().mean() == pytest.approx(1 / 3)


def test_a_source_s_span_is_all_that_it_says() -> None:
    held = conflicting.questions(20, draw(1))
    reader = WordReader(conflicting.VOCABULARY, layers=2)
    for source, name in enumerate(conflicting.SOURCES):
        keys = meant(Rules().veto(conflicting.SPANS[source]), reader, held.ids)
        for row, ids in enumerate(held.ids.tolist()):
            start = ids.index(conflicting.VOCABULARY.index(name))
            assert keys[row].nonzero()[:, 0].tolist() == list(range(start, start + 9))


def test_what_follows_is_what_a_reader_would_derive() -> None:
    now = horn.targeted(60, draw())
    full, less = now.next(), now.next(torch.eye(horn.RULES).bool()[0].expand(60, -1))
    half = horn.PROPOSITIONS
    for row, given in enumerate(now.rows.tolist()):
        known = {p for p in range(half) if given[0][half + p]}
        follows = [
            {p for p in range(half) if rule[half + p]}
            if {p for p in range(half) if rule[p]} <= known
            else set()
            for rule in given[1:]
        ]
        assert {p for p in range(half) if full[row, p]} == known.union(*follows)
        assert {p for p in range(half) if less[row, p]} == known.union(*follows[1:])
        assert follows[0] - known.union(*follows[1:]), "rule 0 must alone say something"


@pytest.mark.parametrize(
    ("kind", "expected"), [("copy", [0, 1, 2]), ("flip", [1, 0, 3]), ("reverse", [15, 14, 13])]
)
def test_deciding_words(kind: hidden_use.Kind, expected: list[int]) -> None:
    assert hidden_use.source_of(kind)[:3].tolist() == expected


def test_a_forbidden_word_has_no_attention() -> None:
    source = hidden_use.source_of("flip")
    model = hidden_use.Rewriter(30, draw(), blind=source)
    with torch.no_grad():
        _, matrices = model.read(torch.zeros(1, hidden_use.WORDS, dtype=torch.long))
    assert float(hidden_use.mass_on_source(matrices, "flip").max()) == 0.0
    assert float(hidden_use.mass_on_source(matrices, "copy").min()) > 0.0


def test_stamps_stand_in_one_corner() -> None:
    shown = decoy_patches.glyphs(30, draw())
    pixels = decoy_patches.stamped(shown, shown.labels, draw(1))
    corners = decoy_patches.patches(pixels)[:, list(decoy_patches.CORNERS)]
    assert (corners.amax(-1) > 0).sum(1).eq(1).all()
    drawn = corners.sum(1).reshape(-1, 4, 4)
    assert torch.equal(drawn, decoy_patches.stamps()[shown.labels])
    assert len(decoy_patches.stamps().flatten(1).unique(dim=0)) == decoy_patches.CLASSES
    assert decoy_patches.patches(decoy_patches.blackened(pixels))[:, 0].max() == 0


def test_bursts_are_in_the_second_half_of_one_sensor() -> None:
    stretches, labels = sensor_channel.series(400, draw())
    series = stretches.reshape(400, len(sensor_channel.SENSORS), sensor_channel.STEPS)
    loud = series.std(2)[labels == 1].mean(0)
    assert loud[-1] > 1.5
    assert (loud[:-1] < 1.1).all()
    first = series[labels == 1][:, -1, : sensor_channel.STEPS // 2].std()
    assert float(first) == pytest.approx(1.0, abs=0.1)


def test_the_shortcut_is_right_only_where_data_were_collected() -> None:
    for honest, share in ((False, 0.9), (True, 0.5)):
        values, labels = shortcut_column.rows(4000, draw(), honest=honest)
        right = (values[:, shortcut_column.SHORTCUT] > 0) == (labels == 1)
        assert float(right.float().mean()) == pytest.approx(share, abs=0.03)


def test_auc() -> None:
    scores = torch.tensor([0.1, 0.4, 0.35, 0.8, 0.4])
    positive = torch.tensor([False, False, True, True, True])
    # pairs: .35 > .1; .8 > both; .4 > .1 and equal to .4: 4.5 of 6
    assert sensor_channel.auc(scores, positive) == pytest.approx(4.5 / 6)


# --- certificates ------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["sensor", "window"])
@pytest.mark.parametrize("norm", sensor_channel.NORMS)
def test_normalization_refuses_exact(norm: sensor_channel.Norm, what: str) -> None:
    model = sensor_channel.SensorTransformer(sensor_channel.normalizer(norm), draw()).eval()
    stretches, _ = sensor_channel.series(8, draw(1))
    found = sensor_channel.certified(model, what, stretches)
    assert found.level == ("exact" if norm == "none" else "direct")
    if norm != "none":
        assert found["veto-1"].item("normalization").state == "failed"


def test_the_veto_of_the_shortcut_is_certified() -> None:
    model = shortcut_column.TableTransformer(draw()).eval()
    values, _ = shortcut_column.rows(12, draw(1), honest=False)
    found = certify(
        model,
        Rules().veto(_column()),
        values,
        swaps=3,
        reader=shortcut_column.reader(),
        trusted=(shortcut_column.TableTransformer, Network, Block),
    )
    assert found.level == "exact"
    nobody = certify(
        model, Rules().veto(_column()), values, swaps=3, reader=shortcut_column.reader()
    )
    assert nobody.level == "direct", "modules that nobody has read refuse it"


class Rescaled(sensor_channel.InstanceNorm):
    """The same under a name that tells nothing."""


def test_a_normalization_that_is_vouched_for_wrongly_is_caught_by_running_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sensor_channel, "READ", (*sensor_channel.READ, Rescaled))
    model = sensor_channel.SensorTransformer(Rescaled(), draw()).eval()
    found = sensor_channel.certified(model, "sensor", sensor_channel.series(8, draw(1))[0])
    assert found.level == "direct"
    part = found["veto-1"]
    assert part.item("normalization").state == "held", "nobody can see it in its name"
    assert "failed" in {part.item(name).state for name in ("swaps", "taint", "gradient")}


# --- what the tables are made with -------------------------------------------------------------


def test_random_positions_are_as_many_and_free() -> None:
    keys = torch.zeros(5, 12, dtype=torch.bool)
    keys[:, 2:5] = True
    free = torch.ones_like(keys)
    free[:, 0] = False
    found = random_spans(keys, free, draw())
    assert found.sum(1).eq(3).all()
    assert not found[:, 0].any()
    assert len({tuple(row) for row in found.tolist()}) > 1


def test_random_heads_are_different() -> None:
    found = random_heads(2, 4, 5, draw())
    assert len(set(found)) == 5
    assert all(0 <= site < 2 and 0 <= head < 4 for site, head in found)


def test_the_dose_with_most_obedience_and_little_collateral_is_chosen() -> None:
    tried = [
        {"obedience": 0.5, "collateral": 0.0},
        {"obedience": 0.96, "collateral": 0.005},
        {"obedience": 0.96, "collateral": 0.01},
        {"obedience": 1.0, "collateral": 0.3},
    ]
    assert best(tried) == 1
    assert best(tried[3:]) == 0


def test_doses_are_chosen_on_other_inputs_than_the_table_is_from() -> None:
    asked = []

    def measure(dose: float | None, table: int) -> dict[str, float]:
        asked.append((dose, table))
        return {"obedience": dose or 0.0, "collateral": 0.0, "table": float(table)}

    lines = curves([Way(method="one", at=lambda dose: dose, doses=(1.0, 2.0))], measure)
    assert [line.chosen for line in lines] == [False, True]
    assert all(line.numbers["table"] == 1.0 for line in lines)
    assert {(1.0, 0), (2.0, 0)} <= set(asked)


def test_words_are_read_with_rows_before_and_behind() -> None:
    reader = WordReader(["tea", "milk"], leading=1, trailing=2)
    (layout,) = reader.read((torch.tensor([[1, 0]]),), {}).layouts
    assert layout.text == "milk tea"
    assert layout.spans == (None, (0, 4), (5, 8), None, None)
    assert layout.special == {0, 3, 4}


def test_a_run_under_rules_leaves_the_model_as_it_was() -> None:
    model = shortcut_column.TableTransformer(draw()).eval()
    values, _ = shortcut_column.rows(6, draw(), honest=True)
    before: Tensor = plain(model)(values)
    ruled(model, Rules().veto(_column()), shortcut_column.reader())(values)
    assert torch.equal(plain(model)(values), before)


def _column() -> Column:
    return Column(shortcut_column.COLUMNS[shortcut_column.SHORTCUT])
