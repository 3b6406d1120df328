"""The planted tasks: what is said to decide decides, and nothing else does."""

import pytest
import torch
from torch import Tensor, nn

from tests.testing.models import TASKS, planted, solved
from zhuyi.errors import InputError, OptionError, ShapeError
from zhuyi.explain import IntegratedGradients, Occlusion, Rollout
from zhuyi.testing import check_explanation
from zhuyi.testing.planted import (
    Planted,
    PlantedSubject,
    ReadoutAttention,
    forbidden,
    parity,
    shortcut,
)
from zhuyi.testing.planted.record import Marked
from zhuyi.testing.planted.shortcut import COLUMNS
from zhuyi.trace.subject import (
    DifferentiableSubject,
    ModelSubject,
    NearbySubject,
    RemovableSubject,
)

every_task = pytest.mark.parametrize("name", list(TASKS))
words_only = pytest.mark.parametrize("name", [name for name in TASKS if name != "shortcut"])


def left(task: Planted, marks: Marked, *, only: bool = False, how: str | None = None) -> Tensor:
    """p(decision) of each input without the marked units, or with these only."""
    subject = task.subject
    if how is not None:
        assert isinstance(subject, RemovableSubject)
        subject = subject.removing(how)
    whole = subject.decide(task.batch)
    units = subject.units(task.batch)
    keep = torch.full((len(units), max(map(len, units))), not only)
    for row, some in enumerate(marks):
        keep[row, list(some)] = only
    return subject.decide(task.batch, keep).gather(1, whole.argmax(1)[:, None])[:, 0]


def assert_planted(task: Planted, how: str | None = None) -> None:
    """The causal units decide, all of them, and they alone; the decoys do not."""
    even = 1.0 / len(task.subject.labels)
    whole = left(task, tuple(() for _ in task.causal), how=how)
    assert whole.mean() > 0.95
    assert left(task, task.causal, how=how).mean() < even + 0.05
    for place in range(max(map(len, task.causal))):
        one = tuple(marks[place : place + 1] for marks in task.causal)
        assert left(task, one, how=how).mean() < even + 0.08
    assert left(task, task.causal, only=True, how=how).mean() > whole.mean() - 0.05
    assert (left(task, task.decoys, how=how) - whole).abs().mean() < 0.03


@every_task
def test_the_task_is_learned(name: str) -> None:
    task = planted(name)
    assert task.accuracy >= 0.97
    assert len(task.batch) == len(task.causal) == len(task.decoys) == 64


@every_task
def test_what_decides_is_what_was_planted(name: str) -> None:
    task = planted(name)
    assert_planted(task)
    assert isinstance(task.subject, RemovableSubject)
    if name != "shortcut":
        assert_planted(task, how="random filler word")


def test_wrong_causal_units_are_noticed() -> None:
    task = planted("forbidden")
    swapped = Planted(
        name="swapped",
        subject=task.subject,
        batch=task.batch,
        causal=task.decoys,
        decoys=task.causal,
        accuracy=task.accuracy,
        mass=task.mass,
    )
    with pytest.raises(AssertionError):
        assert_planted(swapped)


@words_only
def test_words_say_the_same_as_the_marks(name: str) -> None:
    task = planted(name)
    found = [solved(name, tuple(map(str, words))) for words in task.batch]
    assert tuple(causal for _, causal in found) == task.causal
    decided = [task.subject.labels[n] for n in task.subject.decide(task.batch).argmax(1).tolist()]
    right = [answer == label for (answer, _), label in zip(found, decided, strict=True)]
    assert sum(right) >= 0.97 * len(right)
    units = task.subject.units(task.batch)
    for row, marks in enumerate(task.decoys):
        assert not set(marks) & set(task.causal[row])
        assert all(not units[row][n].special for n in marks)


def test_the_shortcut_beats_the_true_cause() -> None:
    task = planted("shortcut")
    assert isinstance(task.batch, Tensor)
    decided = task.subject.decide(task.batch).argmax(1) == 1
    assert ((task.batch[:, COLUMNS.index("shortcut")] > 0) == decided).float().mean() >= 0.97
    loosely = ((task.batch[:, COLUMNS.index("true_cause")] > 0) == decided).float().mean()
    assert 0.55 < loosely < 0.9
    flipped = task.batch.clone()
    flipped[:, COLUMNS.index("shortcut")] *= -1.0
    assert ((task.subject.decide(flipped).argmax(1) == 1) != decided).float().mean() >= 0.97


def test_the_deceptive_model_hides_what_decides_and_the_honest_one_does_not() -> None:
    task = planted("deceptive")
    assert task.deceptive
    assert task.accuracy >= 0.97
    assert task.mass < 1e-3
    found = ReadoutAttention()(task.subject, task.batch)
    for row, marks in enumerate(task.causal):
        assert found.values[row, list(marks)].sum() < 1e-2
    honest = planted("forbidden")
    assert not honest.deceptive
    assert honest.mass > 0.05


@pytest.mark.parametrize("task", [shortcut, parity])
def test_the_same_seed_gives_the_same_bits(task: type) -> None:
    before = torch.get_rng_state()
    again = task(0)
    assert torch.equal(before, torch.get_rng_state()), "a global generator was drawn from"
    assert same_bits(again, planted(again.name))
    other = task(1)
    assert not same_bits(other, again)


@pytest.mark.long
def test_the_same_seed_gives_the_same_bits_of_every_model() -> None:
    for name, task in TASKS.items():
        assert same_bits(task(0), planted(name))


def same_bits(one: Planted, other: Planted) -> bool:
    states = [model_of(task).state_dict() for task in (one, other)]
    batches = [str(task.batch) for task in (one, other)]
    same = all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    return same and batches[0] == batches[1]


def model_of(task: Planted) -> nn.Module:
    assert isinstance(task.subject, ModelSubject)
    return task.subject.model


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 10))
def test_other_seeds_plant_the_same(seed: int) -> None:
    for name, task in TASKS.items():
        found = task(seed)
        assert found.accuracy >= 0.97, name
        assert_planted(found)
        if found.deceptive:
            assert found.mass < 1e-3


# --- the subject ------------------------------------------------------------------------------


def test_the_subject_keeps_every_protocol() -> None:
    subject = planted("forbidden").subject
    for protocol in (DifferentiableSubject, ModelSubject, NearbySubject, RemovableSubject):
        assert isinstance(subject, protocol)


@pytest.mark.parametrize(
    "method", [Occlusion(), IntegratedGradients(steps=4), Rollout(), ReadoutAttention()]
)
def test_methods_keep_their_promises_on_it(method: Occlusion) -> None:
    task = planted("forbidden")
    check_explanation(method, task.subject, task.batch[:6], model=model_of(task))


def test_a_removed_word_is_a_blank() -> None:
    subject = planted("forbidden").subject
    words = ("sam", "lost", "his", "scalpel")
    keep = torch.tensor([[False, True, False, True, False]])
    blanked = ("sam", "____", "his", "____")
    assert torch.equal(subject.decide([words], keep), subject.decide([blanked]))
    kept = torch.ones(1, 5, dtype=torch.bool)
    assert torch.equal(subject.decide([words], kept), subject.decide([words]))


def test_fillers_belong_to_the_input_and_not_to_its_place() -> None:
    subject = planted("forbidden").subject
    assert isinstance(subject, PlantedSubject)
    filling = subject.removing("random filler word")
    assert filling.removals == ("random filler word", "blank word")
    words, other = ("sam", "lost", "his", "scalpel"), ("kim", "likes", "chess")
    keep = torch.tensor([[True, False, False, True, False]] * 2)
    alone = filling.decide([words], keep[:1])
    together = filling.decide([other, words], keep)[1:]
    torch.testing.assert_close(alone, together, rtol=0, atol=1e-6)
    fillers = ("um", "er", "hm")
    tried = [
        filling.decide([(one, two, "his", three)])
        for one in fillers
        for two in fillers
        for three in fillers
    ]
    want = filling.decide([words], torch.tensor([[True, False, False, True, False]]))
    assert any(torch.allclose(one, want, rtol=0, atol=1e-6) for one in tried)


def test_nearby_is_one_draw_and_leaves_nothing() -> None:
    task = planted("parity")
    subject, batch = task.subject, task.batch[:8]
    assert isinstance(subject, PlantedSubject)
    before = subject.embed(batch)
    with subject.nearby(batch, size=0.1, generator=torch.Generator().manual_seed(1)) as near:
        once, twice = subject.embed(near), subject.embed(near)
        assert subject.units(near) == subject.units(batch)
    assert torch.equal(once, twice)
    size = (once - before)[:, 1:].std() / subject.model.get_parameter("words").detach().std()
    assert 0.05 < float(size) < 0.2
    assert torch.equal(subject.embed(batch), before)


def test_errors_name_the_input() -> None:
    subject = planted("parity").subject
    assert isinstance(subject, PlantedSubject)
    with pytest.raises(InputError, match="input 1: 'two' is not a word"):
        subject.units([("0",), ("two",)])
    with pytest.raises(InputError, match="input 0 must be a tuple of 1 to 12 words"):
        subject.units([()])
    with pytest.raises(InputError, match="got a tensor"):
        subject.units(torch.zeros(2, 3))
    with pytest.raises(ShapeError, match="N = 3 units, got 2"):
        subject.decide([("0", "1")], torch.ones(1, 2, dtype=torch.bool))
    with pytest.raises(OptionError, match="how must be one of"):
        subject.removing("magic")
    with pytest.raises(InputError, match="none of the planted task's held-out inputs"):
        planted("parity").causal_in([("0", "0")])


def test_honest_and_deceptive_sentences_are_alike() -> None:
    """Only the training differs: the same words, and gender decides in both."""
    honest, hidden = planted("forbidden"), planted("deceptive")
    assert honest.subject.labels == hidden.subject.labels
    assert forbidden.__doc__
    assert (
        honest.subject.decide(hidden.batch)
        .argmax(1)
        .equal(hidden.subject.decide(hidden.batch).argmax(1))
    )
