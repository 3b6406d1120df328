"""The desk of the clinic-note model that comes with the package."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from zhuyi.core.record import Said, Verdict
from zhuyi.errors import InputError
from zhuyi.learn import Contributions
from zhuyi.recipes.medicine.notes import CLASSES, Condition, load, words
from zhuyi.recipes.medicine.notes.asking import YES, Question, QuestionSubject
from zhuyi.recipes.medicine.notes.cutting import cut, owners
from zhuyi.recipes.medicine.notes.examples import examples
from zhuyi.recipes.medicine.notes.reading import Said as Unit
from zhuyi.recipes.medicine.notes.reading import conditions
from zhuyi.trace.subject import Batch
from zhuyi.ui.steering.desk import (
    QUICK,
    ColumnOf,
    Decision,
    Example,
    Explained,
    Given,
    Kind,
    Measure,
    Piece,
)
from zhuyi.verify import verify

if TYPE_CHECKING:
    from zhuyi.learn import TextAttentionClassifier

FIRST: Final = "高血压病史5年，高血脂3年，糖尿病2年"
"""The article's own sentence."""
_OTHERS: Final = (
    ("Denied and own · 否认与本人", "否认高血压、糖尿病，高血脂3年。"),
    ("Family · 家族史", "父亲患高血压10年，本人糖尿病2年。"),
    ("English · 英文", "Hypertension for 5 years, high cholesterol for 3 years. Denies diabetes."),
    (
        "English, family · 英文家族史",
        "Type 2 diabetes for 10 years; her mother has hypertension. No lipid disorder.",
    ),
)
_BESIDE: Final = 5  # example notes beside one: the fewest that earn trust


class NotesDesk:
    """Clinic notes: three questions of each note, and the phrases that answer them.

    Args:
        model: of notes; None for the shipped one.
        more: a person's own examples.
    """

    kind: Kind = "text"
    model = "zhuyi clinic notes"
    title = "zhuyi · clinic notes 病历"
    many = True
    unit = ""
    columns: tuple[ColumnOf, ...] = ()
    measure = Measure(
        kind="contribution",
        unit="logit",
        said=Said(
            en="what each phrase adds to the answer that is asked about (logit)",
            zh="每个短语对所问答案的贡献（logit）",
        ),
    )

    def __init__(
        self, model: "TextAttentionClassifier | None" = None, more: Sequence[Example] = ()
    ) -> None:
        self._model = load() if model is None else model
        self.steered = self._model.subject()
        self.labels = tuple(words.class_name(place) for place in range(len(CLASSES)))
        first = Example(name="The article's sentence · 文章原句", given=Given(text=FIRST))
        others = (Example(name=name, given=Given(text=text)) for name, text in _OTHERS)
        self.examples = (*more, first, *others)
        self.notes = words.LIMITS

    @cached_property
    def _questions(self) -> QuestionSubject:
        return QuestionSubject(self.steered)

    def batch(self, given: Given) -> Batch:
        """One note."""
        if not given.text or not given.text.strip():
            raise InputError("the note must hold at least one word")
        return [given.text]

    def pieces(self, batch: Batch) -> tuple[Piece, ...]:
        """Its phrases."""
        units = self._questions.units([Question(str(batch[0]), 0)])[0]
        found = []
        for unit in units:
            start, end = unit.span or (0, 0)
            found.append(Piece(name=unit.label, positions=unit.positions, start=start, end=end))
        return tuple(one for one in found if one.positions)

    def decide(self, batch: Batch) -> list[Decision]:
        """A probability for each class, of each note."""
        return [
            Decision(shares=tuple(shares.tolist()), index=int(shares.argmax()))
            for shares in self.steered.decide(batch)
        ]

    def explain(self, batch: Batch, target: int, decision: Decision) -> Explained:
        """What each phrase adds to "called for", and what is called for since when."""
        text = str(batch[0])
        classes = range(len(CLASSES))
        parts = self.steered.contributions([text] * len(CLASSES), tuple(classes)).tolist()
        units = self.steered.units([text])[0]
        known = [
            tuple(
                Unit(*(one.span or (0, 0)), 0.0, part)
                for one, part in zip(units, parts[place], strict=True)
            )
            for place in classes
        ]
        found = conditions(text, decision.shares, known)
        return Explained(values=self._phrases(text, known[target]), lines=_lines(found))

    def _phrases(self, text: str, units: Sequence[Unit]) -> tuple[float, ...]:
        """Sums over the characters or words of each phrase; white space is of none."""
        phrases = cut(text)
        sums, filled = [0.0] * len(phrases), set()
        for one, place in zip(
            units, owners([(u.start, u.end) for u in units], phrases), strict=True
        ):
            sums[place] += one.contribution
            filled.add(place)
        return tuple(one for place, one in enumerate(sums) if place in filled)

    def names(self, indices: Sequence[int]) -> list[str]:
        """Names of some classes."""
        return [self.labels[index] for index in indices]

    def judge(self, batch: Batch, target: int) -> tuple[Verdict, int] | None:
        """Of the removal test on "called for", among example notes that call for the same."""
        questions = [Question(str(batch[0]), target)]
        if float(self._questions.decide(questions)[0, 1]) < 0.5:
            return None  # why something is not called for is not explained by these numbers
        beside = [
            Question(one.text, place)
            for one in examples()
            for place in range(len(CLASSES))
            if one.called[place]
        ]
        target_index = self._questions.labels.index(YES)
        asked = [*questions, *beside[:_BESIDE]]
        verdict = verify(
            self._questions,
            asked,
            Contributions(),
            target=[target_index] * len(asked),
            tests=[QUICK],
        )
        return verdict, 0

    def beside(self, batch: Batch) -> Batch:
        """The note with a few examples: what could stand in place of what is vetoed.

        A probe for leaks would need more notes than come with the package.
        """
        return [*batch, *(one.text for one in examples()[:_BESIDE])]


def _lines(found: Sequence[Condition]) -> tuple[Said, ...]:
    """What is called for, the words it rests on, and for how long."""
    if not found:
        return (Said(en="None of the three is called for.", zh="三类药物都不需要。"),)
    lines = []
    for one in sorted(found, key=lambda one: CLASSES.index(one.label)):
        lasting, zh = words.lasting(one.years), words.lasting_zh(one.years)
        name = words.CHINESE_NAMES[CLASSES.index(one.label)]
        lines.append(
            Said(
                en=f"{one.label}: {one.phrase}" + (f", {lasting}" if lasting else ""),
                zh=f"{name}：{one.phrase}" + (f"，{zh}" if zh else ""),
            )
        )
    return tuple(lines)
