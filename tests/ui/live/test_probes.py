"""Probes of every kind: what is written of texts, pairs, tokens to come, and glass boxes."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.ui.live.trainings import PLACES, Remembering, noise, tiny
from zhuyi.errors import NotWatchable, OptionError
from zhuyi.explain import Received, Rollout
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.ui.live import AttentionLogger, Probe
from zhuyi.ui.looked import Looked
from zhuyi.ui.view.pack import unpack

FOX = "The quick brown fox jumps over the lazy dog."


def written(probe: object, **options: object) -> tuple[dict, dict, Remembering]:
    """Headers of the first track and of its only moment."""
    sink = Remembering()
    with AttentionLogger(sink, probe, **options) as logger:
        logger.step(0)
    return unpack(sink.tracks["0"][1])[0], unpack(sink.moments["0", 0].head)[0], sink


def text_subject(**options: object) -> TransformersSubject:
    pytest.importorskip("transformers")
    from tests.trace.subject_models import bert, bert_tokenizer

    return TransformersSubject(bert(**options), bert_tokenizer())


def next_token() -> TransformersSubject:
    pytest.importorskip("transformers")
    from tests.trace.subject_models import gpt_tokenizer, llama

    return TransformersSubject(llama(), gpt_tokenizer())


def test_a_text_has_its_words_and_values() -> None:
    subject = text_subject()
    track, moment, sink = written((subject, [FOX]))
    assert sink.tracks["0"][0] == FOX
    assert track["source"] == FOX
    assert track["task"] == "What kind of text is this?"
    assert [unit[0] for unit in track["units"]][:4] == ["[CLS]", "The", "quick", "brown"]
    assert "".join(gap + unit for unit, special, gap in track["units"] if not special) == FOX
    truth = Rollout()(subject, [FOX])
    np.testing.assert_allclose(moment["values"], truth.values[0].tolist(), rtol=1e-4)
    shares = subject.decide([FOX])[0]
    assert moment["probability"] == pytest.approx(float(shares.max()))
    assert moment["decision"] == (subject.labels[int(shares.argmax())])
    assert track["sequences"][0]["special"][0] == 1


def test_a_causal_model_shows_what_is_received() -> None:
    subject = next_token()
    track, moment, _ = written((subject, ["the fox"]))
    assert moment["method"] == repr(Received())
    assert track["task"] == "Which token comes next?"
    assert len(moment["alternatives"]) == 5


def test_texts_can_be_private() -> None:
    """No word of the input in any byte that is written, packs opened."""
    for subject in (text_subject(), next_token()):
        track, moment, sink = written(
            Probe(model=subject, inputs=["quick brown fox"], words=False), verify_last=True
        )
        everything = json.dumps([track, moment, sink.tracks["0"][0]])
        packs = [p for kept in sink.in_full.values() for p in kept.values()]
        everything += json.dumps([unpack(one)[0] for one in packs])
        for word in ("quick", "brown", "fox", "\\u0120"):
            assert word not in everything
        assert track["units"][1][0] == "#1"
        assert moment["verdict"]["label"] in ("trusted", "doubtful", "refuted")
    assert moment["decision"] == "hidden"


def test_a_pair_has_two_sequences() -> None:
    pytest.importorskip("transformers")
    from tests.trace.subject_models import bert, bert_tokenizer

    subject = TransformersSubject(bert("BertModel"), bert_tokenizer(), task="similarity")
    track, moment, _ = written((subject, [("a good film", "a bad film was it")]))
    assert [one["name"] for one in track["sequences"]] == ["text", "second text"]
    assert {entry["keys"] for entry in track["entries"]} == {0, 1}
    assert len(moment["values"]) == len(track["units"])


def test_where_no_cheap_method_fits_there_are_no_values() -> None:
    from zhuyi.learn import AttentionClassifier

    rows = np.random.default_rng(0).normal(size=(60, 3))
    model = AttentionClassifier(max_epochs=2, random_state=0).fit(rows, rows[:, 0] > 0)
    subject = model.subject()
    batch = subject.read(rows[:1])
    track, moment, _ = written((subject, batch))
    assert (moment["method"], moment["values"]) == ("", [])
    assert moment["reason"].startswith("No cheap method fits this model: ")
    assert [unit[0] for unit in track["units"]] == ["x0", "x1", "x2"]
    assert moment["probability"] == pytest.approx(float(subject.decide(batch)[0].max()))
    with pytest.raises(NotWatchable):  # a method that was asked for is an error
        written(Probe(model=subject, inputs=batch, method=Rollout()))


def test_more_can_be_described() -> None:
    def described(number: int, looked: Looked) -> Looked:
        return replace(looked, cells=tuple(f"{number}: {u.label}" for u in looked.units))

    model = tiny()
    probe = Probe(
        model=model, inputs=noise(1, 5, 16), names=PLACES, describe=described, title="mine"
    )
    track, _, _ = written(probe)
    assert track["cells"][1] == "0: two"
    assert track["model"] == "mine"
    track, _, _ = written(replace(probe, words=False))
    assert track["cells"] == []


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("a",) * 6, "names must be at most 5, one a position, got 6"),
        ([("a",) * 5], "one sequence an input, got 1 sequences"),
    ],
)
def test_names_that_do_not_fit(names: object, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        written(Probe(model=tiny(), inputs=noise(2, 5, 16), names=names))


def test_hostile_words_are_written_as_they_are() -> None:
    wild = "</script><script>alert(1)</script>\u2028\ud800 \x00"
    probe = Probe(model=tiny(), inputs=noise(1, 5, 16), names=(wild, "b", "c", "d", "e"))
    track, _, _ = written(probe)
    assert track["sequences"][0]["labels"][0] == wild.replace("\ud800", "?")


def test_half_precision_and_other_numbers() -> None:
    model = tiny().to(torch.bfloat16)
    track, _, sink = written((model, noise(1, 5, 16).to(torch.bfloat16)))
    assert track["dtype"] == "bfloat16"
    assert sink.numbers[0]["attention/layer_00/reach"] > 1.0


def test_a_bare_model_is_called_with_what_its_tokenizer_gives() -> None:
    pytest.importorskip("transformers")
    from tests.trace.subject_models import bert, bert_tokenizer

    tokenizer = bert_tokenizer()
    texts = ["a good film", "the quick brown fox was lazy"]
    inputs = tokenizer(texts, padding=True, return_tensors="pt")
    names = [tokenizer.tokenize(text, add_special_tokens=True) for text in texts]
    track, _, sink = written(Probe(model=bert(), inputs=inputs, names=names))
    assert [unit[0] for unit in track["units"]] == ["[CLS]", "a", "good", "film", "[SEP]"]
    assert {tuple(entry["shape"]) for entry in track["entries"]} == {(5, 5)}  # without padding
    second = unpack(sink.tracks["1"][1])[0]
    assert {tuple(entry["shape"]) for entry in second["entries"]} == {(8, 8)}
