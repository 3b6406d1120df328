"""The logger: when it looks, what it writes, and what it does when something is wrong."""

import math
import re

import numpy as np
import pytest
import torch
from torch import nn

from tests.oracle.attention import attention
from tests.ui.live.trainings import PLACES, Remembering, log, noise, subject_of, tiny, train
from zhuyi.errors import NotWatchable, OptionError
from zhuyi.explain import Occlusion
from zhuyi.trace import watch
from zhuyi.ui.live import AttentionLogger, Probe, logger
from zhuyi.ui.view.pack import unpack
from zhuyi.ui.view.pictures import STATISTICS


def statistics_of(sink: Remembering, step: int, layer: int = 0) -> np.ndarray:
    return unpack(sink.moments["0", step].layers[layer])[1]["statistics"]


def test_it_looks_when_due_and_at_the_end() -> None:
    sink = Remembering()
    log(tiny(), sink, steps=12, every=5)
    assert sink.steps() == sink.steps("1") == [0, 5, 10, 11]
    assert list(sink.numbers) == [0, 5, 10, 11]
    assert sink.closed == 1
    assert [unpack(sink.moments["0", s].head)[0]["written"] for s in sink.steps()] == [1, 2, 3, 4]


def test_heads_in_full_come_with_looks_that_double_and_with_the_last() -> None:
    sink = Remembering()
    log(tiny(), sink, steps=13, every=1)
    assert [step for track, step in sink.in_full if track == "0"] == [0, 1, 3, 7, 12]
    assert [step for step, name in sink.images if name.endswith("_0")] == [0, 1, 3, 7, 12]
    head, _ = unpack(sink.moments["0", 7].head)
    assert head["details"] == sorted(sink.in_full["0", 7]) == list(range(8))


def test_the_budget_of_heads_in_full_is_kept() -> None:
    whole, half, none = Remembering(), Remembering(), Remembering()
    log(tiny(), whole, steps=1)
    one = len(next(iter(whole.in_full["0", 0].values())))
    log(tiny(), half, steps=1, keep=8 * one)  # for two inputs of eight heads
    log(tiny(), none, steps=1, keep=0)
    assert 2 <= len(half.in_full["0", 0]) <= 5
    assert not none.in_full
    assert not none.images


def test_what_is_written_is_what_the_model_does() -> None:
    """Statistics, probability and weights of a look, against NumPy on the model itself."""
    model, sink = tiny(), Remembering()
    inputs = noise(1, 5, 16, seed=9)
    log(model, sink, steps=3, every=1, probe=(subject_of(model), inputs))
    model.eval()
    with torch.no_grad(), watch(model) as tape:
        chances = model(inputs).softmax(1)[0].numpy()
    assert tape[0].matrix is not None
    query, key = tape[0].matrix.query.numpy(), tape[0].matrix.key.numpy()
    weights = attention(query, key, np.zeros_like(key)).weights[0]
    found = statistics_of(sink, 2).astype(np.float64)
    entropy = -(weights * np.log(weights)).sum(-1)
    gap = np.abs(np.arange(5)[:, None] - np.arange(5))
    for name, expected in {
        "reach": np.exp(entropy.mean(-1)),
        "distance": (weights * gap).sum(-1).mean(-1),
        "first": weights[:, :, 0].mean(-1),
        "max": weights.max((1, 2)),
    }.items():
        np.testing.assert_allclose(found[:, STATISTICS.index(name)], expected, rtol=1e-3)
    head, _ = unpack(sink.moments["0", 2].head)
    assert head["probability"] == pytest.approx(chances.max(), abs=1e-6)
    assert head["decision"] == "abc"[int(chances.argmax())]
    assert sink.numbers[2]["attention/layer_00/reach"] == pytest.approx(
        np.exp(entropy.mean(-1)).mean(), rel=1e-5
    )
    assert sink.numbers[2]["attention/probability"] == pytest.approx(chances.max(), abs=1e-6)


def test_numbers_are_few() -> None:
    sink = Remembering()
    log(tiny(), sink, steps=1)
    assert sorted(sink.numbers[0]) == [
        *(f"attention/layer_{n:02d}/{what}" for n in (0, 1) for what in ("distance", "first",
          "reach")),
        "attention/probability_0",
        "attention/probability_1",
    ]  # fmt: skip


def test_a_module_shows_its_heads_with_names() -> None:
    model, sink = tiny(), Remembering()
    probe = Probe(model=model, inputs=(noise(2, 5, 16),), names=[PLACES, PLACES[:3]])
    log(model, sink, steps=1, probe=probe)
    track, _ = unpack(sink.tracks["1"][1])
    assert track["sequences"][0]["labels"] == ["one", "two", "three"]
    assert [unit[0] for unit in track["units"]] == ["one", "two", "three"]
    assert {tuple(entry["shape"]) for entry in track["entries"]} == {(3, 3)}
    assert not [name for name in sink.numbers[0] if "probability" in name]


def test_a_module_may_be_called_with_keywords() -> None:
    model, sink = tiny(), Remembering()
    log(model, sink, steps=1, probe=(model, {"inputs": noise(1, 5, 16)}))
    track, _ = unpack(sink.tracks["0"][1])
    assert track["sequences"][0]["labels"][4] == "#4"
    assert track["units"] == []


def test_more_inputs_than_are_looked_at_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    model, sink = tiny(), Remembering()
    log(model, sink, probe=(subject_of(model), noise(7, 5, 16)))
    assert sorted(sink.tracks) == ["0", "1", "2", "3"]
    assert capsys.readouterr().err.count("7 inputs, the first 4 are looked at") == 1


def test_words_can_be_left_out() -> None:
    model, sink = tiny(), Remembering()
    subject, inputs = subject_of(model), noise(1, 5, 16)
    log(model, sink, steps=5, probe=Probe(model=subject, inputs=inputs, words=False),
        verify_last=True)  # fmt: skip
    written = [sink.tracks["0"][1], *(m.joined() for m in sink.moments.values())]
    texts = [sink.tracks["0"][0], str(unpack(written[0])[0])]
    texts += [str(unpack(moment.head)[0]) for moment in sink.moments.values()]
    assert not re.search("three|four|five", " ".join(texts))
    assert "'label': 'doubtful'" in texts[-1] or "'label': 'refuted'" in texts[-1]


def test_verdicts_come_when_asked_for() -> None:
    never, last, often = Remembering(), Remembering(), Remembering()
    log(tiny(), never, steps=4)
    log(tiny(), last, steps=4, verify_last=True)
    log(tiny(), often, steps=8, every=1, verify_every=3)
    tested = [
        [s for s in sink.steps() if unpack(sink.moments["0", s].head)[0]["verdict"] is not None]
        for sink in (never, last, often)
    ]
    assert tested == [[], [3], [2, 5]]


def test_another_method() -> None:
    model, sink = tiny(), Remembering()
    probe = Probe(model=subject_of(model), inputs=noise(1, 5, 16), method=Occlusion())
    log(model, sink, steps=1, probe=probe)
    assert unpack(sink.moments["0", 0].head)[0]["method"] == repr(Occlusion())


def test_without_a_method() -> None:
    model, sink = tiny(), Remembering()
    log(model, sink, steps=1,
        probe=Probe(model=subject_of(model), inputs=noise(1, 5, 16), method=None))  # fmt: skip
    head, _ = unpack(sink.moments["0", 0].head)
    assert (head["method"], head["values"]) == ("", [])
    assert head["probability"] is not None


def test_the_first_look_raises() -> None:
    model = tiny()
    logging = AttentionLogger(Remembering(), (nn.Sequential(nn.Linear(16, 3)), noise(1, 5, 16)))
    with pytest.raises(NotWatchable, match="no attention took place"):
        logging.step(0)
    logging = AttentionLogger(Remembering(), (model, noise(1, 5, 15)))
    with pytest.raises((RuntimeError, AssertionError)):
        logging.step(0)
    assert model.training


def test_a_later_look_that_fails_warns_once_and_training_goes_on() -> None:
    model, sink = tiny(), Remembering()
    with AttentionLogger(sink, (subject_of(model), noise(1, 5, 16)), every=1) as logging:
        logging.step(0)
        whole = model.head
        model.head = nn.Linear(16, 4)  # another number of classes than the subject knows
        with pytest.warns(UserWarning, match="step 1 failed: the module gives 4 classes"):
            logging.step(1)
        logging.step(2)  # warnings are errors here, so this one was not said again
        model.head = whole
        logging.step(3)
    assert sink.steps() == [0, 3]
    assert model.training


def test_weights_that_are_not_finite_are_told() -> None:
    model, sink = tiny(), Remembering()
    with AttentionLogger(sink, (subject_of(model), noise(1, 5, 16)), every=1) as logging:
        logging.step(0)
        with torch.no_grad():
            model.encoder.layers[1].self_attn.in_proj_weight.fill_(math.nan)
        with pytest.warns(UserWarning, match=r"step 1: the queries of layer 1 \(encoder.layers.1"):
            logging.step(1)
        logging.step(2)
    assert sink.steps() == [0]
    assert sink.closed == 1


def test_a_model_that_begins_with_nan_is_told_too() -> None:
    model, sink = tiny(), Remembering()
    with torch.no_grad():
        model.head.weight.fill_(math.nan)
    logging = AttentionLogger(sink, (subject_of(model), noise(1, 5, 16)))
    with pytest.warns(UserWarning, match="the decision's logits are not finite"):
        logging.step()
    logging.close()
    assert sink.steps() == []


def test_steps_count_by_themselves_and_come_twice() -> None:
    model, sink = tiny(), Remembering()
    with AttentionLogger(sink, (model, noise(1, 5, 16)), every=2) as logging:
        for _ in range(4):
            logging.step()
        for step in (4, 4, 4, 5):
            logging.step(step)
    assert sink.steps() == [0, 2, 4, 5]


def test_a_closed_logger_says_so() -> None:
    model, sink = tiny(), Remembering()
    logging = AttentionLogger(sink, (model, noise(1, 5, 16)))
    logging.step()
    logging.close()
    logging.close()
    assert (sink.steps(), sink.closed) == ([0], 1)
    with pytest.raises(OptionError, match="this logger is closed"):
        logging.step()


def test_an_error_in_the_training_closes_without_another_look() -> None:
    model, sink = tiny(), Remembering()
    with pytest.raises(KeyboardInterrupt):
        with AttentionLogger(sink, (model, noise(1, 5, 16)), every=10) as logging:
            logging.step(0)
            logging.step(1)
            raise KeyboardInterrupt
    assert (sink.steps(), sink.closed) == ([0], 1)


def test_only_the_first_process_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logger, "writes_here", lambda: False)
    sink, model = Remembering(), tiny()
    with AttentionLogger(sink, (model, noise(1, 5, 16)), every=1) as logging:
        train(model, 2, logging.step)
    assert not sink.tracks


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"every": 0}, "every must be 1 or more steps, got 0"),
        ({"keep": -1}, "keep must be 0 or more bytes, got -1"),
        ({"verify_every": 0}, "verify_every must be 1 or more looks, got 0"),
        ({"probe": 3}, "probe must be .* got int"),
        ({"probe": (1, 2, 3)}, "got a tuple of 3"),
        ({"probe": ("model", ["text"])}, r"must be \(subject, batch\) or \(module, inputs\)"),
        ({"probe": (subject_of(tiny()), [])}, "at least one input, got none"),
        ({"probe": (subject_of(tiny()), "one text")}, r"got str: write \[input\] for one"),
    ],
)
def test_wrong_options_are_named(options: dict[str, object], told: str) -> None:
    with pytest.raises(OptionError, match=told):
        AttentionLogger(Remembering(), **{"probe": (tiny(), noise(1, 5, 16)), **options})


def test_a_modules_heads_cannot_be_tested() -> None:
    logging = AttentionLogger(Remembering(), (tiny(), noise(1, 5, 16)), verify_every=1)
    with pytest.raises(OptionError, match="no explanation that could be tested: pass a Subject"):
        logging.step(0)
