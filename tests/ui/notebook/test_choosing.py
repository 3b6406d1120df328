"""What of a tape is shown: nothing is guessed, and what is not there is an error."""

import pytest
import torch

from tests.ui.notebook.things import WORDS, tape_of, verdict_of
from zhuyi.core import AttentionMatrix, Statistics
from zhuyi.core.record import Site
from zhuyi.errors import NotKept, OptionError
from zhuyi.trace import Keep, watch
from zhuyi.trace.tape import Pass, Sighting, Tape
from zhuyi.ui.notebook.choosing import Choice, check_tape, sightings_of, tokens_of
from zhuyi.ui.notebook.picturing import picture_tape


def encoder(layers: int = 2) -> torch.nn.Module:
    layer = torch.nn.TransformerEncoderLayer(16, 4, 16, batch_first=True)
    return torch.nn.TransformerEncoder(layer, layers, enable_nested_tensor=False).eval()


def test_labels_must_name_every_position() -> None:
    sightings = sightings_of(tape_of(), Choice())
    assert tokens_of(sightings, WORDS).labels == WORDS
    assert tokens_of(sightings, WORDS).special == (True, *[False] * 7, True)
    with pytest.raises(OptionError, match="the 9 positions of this input, one text each, got 8"):
        tokens_of(sightings, WORDS[:-1])
    with pytest.raises(OptionError, match="got one text"):
        tokens_of(sightings, "nine char")


def test_padding_that_nobody_sees_is_left_out() -> None:
    sightings = sightings_of(tape_of(length=12, hidden=3), Choice())
    assert tokens_of(sightings, None).labels == tuple(f"#{i}" for i in range(9))
    assert tokens_of(sightings, WORDS).labels == WORDS
    assert len(tokens_of(sightings, [*WORDS, "", "", ""]).labels) == 12
    with pytest.raises(OptionError, match="got 10"):
        tokens_of(sightings, [*WORDS, ""])


def test_padding_of_a_causal_mask_is_none() -> None:
    sightings = sightings_of(tape_of(length=9, causal=True), Choice())
    assert len(tokens_of(sightings, None).labels) == 9


def test_the_asked_input_of_a_batch_is_shown() -> None:
    """Row 1 of a padded batch gives the pictures that the same input gives alone."""
    model = encoder()
    inputs = torch.randn(2, 7, 16)
    padding = torch.zeros(2, 7, dtype=torch.bool)
    padding[1, 5:] = True
    with watch(model) as both:
        model(inputs, src_key_padding_mask=padding)
    with watch(model) as alone:
        model(inputs[1:, :5])
    pictures = [
        picture_tape(tape, Choice(batch=row), title="t", verdict=None).looked.heads
        for tape, row in ((both, 1), (alone, 0))
    ]
    for left, right in zip(*pictures, strict=True):
        assert left.shape == right.shape == (5, 5)
        for name, value in right.statistics.items():
            assert left.statistics[name] == pytest.approx(value, abs=2e-5), name


@pytest.mark.parametrize(
    ("choice", "told"),
    [
        (Choice(layers=(2,)), "layer must be one of 0 or 1, got 2"),
        (Choice(heads=(3,)), "head must be from 0 to 2, got 3"),
        (Choice(batch=1), "batch must be from 0 to 0, got 1"),
        (Choice(batch=-1), "batch must be from 0 to 0, got -1"),
        (Choice(forward=1), "forward must be from 0 to 0, got 1"),
    ],
)
def test_what_is_not_there_is_an_error(choice: Choice, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        check_tape(tape_of(), choice, None)


def test_layers_are_the_sites_of_the_model_and_not_their_places_on_the_tape() -> None:
    model = encoder(layers=3)
    with watch(model, Keep(layers=(0, 2))) as tape:
        model(torch.randn(1, 5, 16))
    (sighting,) = sightings_of(tape, Choice(layers=(2,)))
    assert sighting.site.index == 2
    with pytest.raises(OptionError, match="layer must be one of 0 or 2, got 1"):
        sightings_of(tape, Choice(layers=(1,)))


def test_several_forward_passes_ask_which() -> None:
    model = encoder()
    with watch(model) as tape:
        model(torch.randn(1, 5, 16))
        model(torch.randn(1, 6, 16))
    with pytest.raises(OptionError, match="holds 2 forward passes: say which with forward=0 to 1"):
        check_tape(tape, Choice(), None)
    assert len(check_tape(tape, Choice(forward=1), None)[1].labels) == 6


def test_a_tape_of_statistics_says_what_it_would_need() -> None:
    model = encoder()
    with watch(model, Keep(matrix=False, statistics=Statistics(entropy=True))) as tape:
        model(torch.randn(1, 5, 16))
    with pytest.raises(NotKept, match=r"Keep\(matrix=True\)"):
        check_tape(tape, Choice(), None)


def test_a_verdict_on_fewer_inputs_is_an_error() -> None:
    check_tape(tape_of(), Choice(), verdict_of("trusted"))
    model = encoder()
    with watch(model) as tape:
        model(torch.randn(3, 5, 16))
    with pytest.raises(OptionError, match="the verdict is on 2 inputs, so none is number 2"):
        check_tape(tape, Choice(batch=2), verdict_of("trusted", "trusted"))


def test_heads_that_were_kept_show_their_own_values() -> None:
    """Of 4 heads two are kept: the second's details hold its values, and the look says so."""
    model = encoder(layers=1)
    inputs = torch.randn(1, 5, 16)
    with watch(model, Keep(heads=(1, 3))) as some:
        model(inputs)
    with watch(model) as every:
        model(inputs)
    partly = picture_tape(some, Choice(), title="t", verdict=None)
    whole = picture_tape(every, Choice(), title="t", verdict=None)
    kept, known = partly.detail_of(partly.looked.heads[1]), whole.detail_of(whole.looked.heads[3])
    assert kept is not None
    assert known is not None
    for name in ("logs", "value", "step"):
        assert (kept.arrays[name] == known.arrays[name]).all(), name
    assert "numbered among themselves" in partly.looked.task
    assert "numbered" not in whole.looked.task
    assert (len(partly.looked.heads), partly.looked.heads_in_model) == (2, 4)


def seq2seq(text: int, answer: int) -> Tape:
    """An encoder's self-attention, a decoder's, and the decoder's look at the encoder."""

    def matrix(queries: int, keys: int) -> AttentionMatrix:
        return AttentionMatrix(torch.randn(1, 2, queries, 4), torch.randn(1, 2, keys, 4))

    parts = (("encoder.0", "self", text, text), ("decoder.0", "self", answer, answer),
             ("decoder.0.cross", "cross", answer, text))  # fmt: skip
    sightings = tuple(
        Sighting(site=Site(name=name, kind=kind, index=i, heads=2), matrix=matrix(queries, keys))  # type: ignore[arg-type]
        for i, (name, kind, queries, keys) in enumerate(parts)
    )
    return Tape([Pass("", sightings)])


@pytest.mark.parametrize("answer", [4, 6, 8])
def test_a_decoder_keeps_its_own_positions(answer: int) -> None:
    """The labels name the encoder's text; the decoder is numbered, and never cut to its length."""
    labels = [f"w{i}" for i in range(6)]
    looked = picture_tape(seq2seq(6, answer), Choice(labels=labels), title="t", verdict=None).looked
    shapes = [head.shape for head in looked.heads[::2]]
    assert shapes == [(6, 6), (answer, answer), (answer, 6)]
    names = [
        (looked.sequences[head.queries].labels[0], looked.sequences[head.keys].labels[0])
        for head in looked.heads[::2]
    ]
    assert names == [("w0", "w0"), ("#0", "#0"), ("#0", "w0")]


def test_a_long_padded_input_can_be_opened_in_full() -> None:
    """Padding hidden by a bias leaves no bias behind, so the short form of a long head exists."""
    model = encoder(layers=1)
    padding = torch.zeros(2, 600, dtype=torch.bool)
    padding[1, 550:] = True
    with watch(model) as tape:
        model(torch.randn(2, 600, 16), src_key_padding_mask=padding)
    pictured = picture_tape(tape, Choice(batch=1, heads=(0,)), title="t", verdict=None)
    detail = pictured.detail_of(pictured.looked.heads[0])
    assert detail is not None
    assert (detail.kind, detail.arrays["key"].shape) == ("operator", (550, 4))
