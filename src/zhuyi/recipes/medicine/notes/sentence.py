"""The article's own sentence, and notes that must not count: what the model says, and why."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from zhuyi.audit import About, AuditReport, audit
from zhuyi.audit.progress import Progress
from zhuyi.explain import GradientAttention, Occlusion
from zhuyi.learn import Contributions
from zhuyi.recipes.medicine.notes import words
from zhuyi.recipes.medicine.notes.asking import YES, Question, QuestionSubject
from zhuyi.recipes.medicine.notes.examples import examples
from zhuyi.recipes.medicine.notes.judging import Truth
from zhuyi.recipes.medicine.notes.naming import find_names
from zhuyi.recipes.medicine.notes.phrases import CLASSES
from zhuyi.recipes.medicine.notes.reading import Condition, read
from zhuyi.recipes.medicine.notes.shipped import load
from zhuyi.recipes.records import Check, Decision, Factor, Options, Part
from zhuyi.verify import Deletion, Method, verify

if TYPE_CHECKING:
    from zhuyi.learn import TextAttentionClassifier

SENTENCE: Final = "高血压病史5年，高血脂3年，糖尿病2年。"
"""The article's own."""

NOT_OWN: Final = (
    ("否认高血压、糖尿病，高血脂3年。", 0),
    ("无糖尿病史。", 2),
    ("父亲患高血压10年，本人体健。", 0),
    ("查体：血压、血糖未见异常。", 0),
)
"""Notes that name a condition or its quantity, and the class that they do not call for."""

_TELLING: Final = 0.02  # share of the largest contribution that a phrase needs to be shown
_BESIDE: Final = 12  # examples that other notes are tested among
_YEARS: Final = (("高血压", 5.0), ("高血脂", 3.0), ("糖尿病", 2.0))


def shown(options: Options) -> Part:
    """The sentence alone, with an audit over the shipped example notes; needs no data.

    Cost: about half a minute on one core.
    """
    model = load()
    options.listener(words.PART, "audit", 0, 2)
    own = Truth(SENTENCE, (True,) * len(CLASSES), (5.0, 3.0, 2.0))
    asked, _ = questions([own, *examples()])
    report = audited(model, asked, options, methods=(Contributions(),))
    options.listener(words.PART, "decisions", 1, 2)
    told = decisions(model, [one.label for one in report.inputs[: len(CLASSES)]])
    return Part(
        name=words.PART,
        title=words.SENTENCE_TITLE,
        answer=words.sentence_answer(read(SENTENCE, model)),
        data=words.EXAMPLES,
        checks=sentence_checks(model),
        decisions=told,
        audit=report,
        limits=words.LIMITS,
    )


def questions(notes: Sequence[Truth]) -> tuple[list[Question], list[Question]]:
    """The questions worth asking of notes: what they call for, and what they only name."""
    called, named = [], []
    for note in notes:
        names = {label for name in find_names(note.text) for label in name.labels}
        for label in range(len(CLASSES)):
            if note.called[label]:
                called.append(Question(note.text, label))
            elif label in names:
                named.append(Question(note.text, label))
    return called, named


def audited(
    model: "TextAttentionClassifier",
    asked: Sequence[Question],
    options: Options,
    methods: Sequence[Method] = (Contributions(), Occlusion(), GradientAttention()),
) -> AuditReport:
    """The audit of what notes call for: each class of each note is a decision of its own.

    Args:
        model: of notes.
        asked: questions whose right answer is yes.
        options: for the seed and the listener.
        methods: to be compared.
    """

    def heard(progress: Progress) -> None:
        options.listener(words.PART, f"audit: {progress.stage.en}", progress.done, progress.total)

    return audit(
        QuestionSubject.of(model),
        asked,
        truth=[YES] * len(asked),
        methods=methods,
        about=About(title="the model of notes", task=words.TASK.en),
        seed=options.seed,
        progress=heard,
    )


def decisions(
    model: "TextAttentionClassifier", verdicts: Sequence[str] | None = None
) -> tuple[Decision, ...]:
    """The article's sentence for each class, and notes that must not count, with verdicts.

    Args:
        model: of notes.
        verdicts: on the sentence's classes where they are known; None tests them now, among the
            shipped examples. Those on the other notes are always tested, among examples that only
            name a condition.
    """
    sentence = [Question(SENTENCE, label) for label in range(len(CLASSES))]
    called, named = questions(examples())
    if verdicts is None:
        verdicts = _verdicts(model, sentence, called)
    others = _not_own()
    told = [*verdicts, *_verdicts(model, others, named[:_BESIDE])]
    return tuple(
        decision(model, question, label)
        for question, label in zip([*sentence, *others], told, strict=True)
    )


def _verdicts(
    model: "TextAttentionClassifier", asked: Sequence[Question], beside: Sequence[Question]
) -> list[str]:
    """Of the removal test, on the asked among others of their kind."""
    subject = QuestionSubject.of(model)
    verdict = verify(subject, [*asked, *beside], Contributions(), tests=[Deletion()])
    return list(verdict.inputs[: len(asked)])


def decision(model: "TextAttentionClassifier", question: Question, verdict: str) -> Decision:
    """One question with its answer and what it rests on.

    Args:
        model: of notes.
        question: what is asked.
        verdict: on the explanation.
    """
    name = CLASSES[question.label]
    found = {one.label: one for one in read(question.text, model, least=0.0)}
    one = found[name]
    yes = one.probability >= 0.5
    return Decision(
        title=words.class_name(question.label),
        label=words.decided(one.phrase, one.years) if yes else words.NOT_DECIDED,
        said=f"{one.probability:.1%}",
        truth="",
        constant=model.constants_[name],
        factors=_largest_first(one),
        verdict=verdict,
        text=question.text,
    )


def sentence_checks(model: "TextAttentionClassifier") -> tuple[Check, Check]:
    """Whether the article's sentence is read as it says, and other notes not counted."""
    got = {one.label: (one.phrase, one.years) for one in read(SENTENCE, model)}
    quiet = [decision(model, question, "").label == words.NOT_DECIDED for question in _not_own()]
    return (
        Check(
            name=words.CHECK_SENTENCE,
            measured="; ".join(f"{name}: {one[0]}, {one[1]}" for name, one in got.items()),
            bar="高血压 5, 高血脂 3, 糖尿病 2",
            held=got == dict(zip(CLASSES, _YEARS, strict=True)),
        ),
        Check(
            name=words.CHECK_NOT_OWN,
            measured=f"{sum(quiet)} of {len(quiet)} notes",
            bar=f"{len(quiet)}",
            held=all(quiet),
        ),
    )


def _not_own() -> list[Question]:
    return [Question(text, label) for text, label in NOT_OWN]


def _largest_first(one: Condition) -> tuple[Factor, ...]:
    """The phrases that add something, the largest first, and all others as one factor."""
    peak = max((abs(factor.contribution) for factor in one.factors), default=0.0)
    parts = sorted(one.factors, key=lambda factor: -abs(factor.contribution))
    large = [factor for factor in parts if abs(factor.contribution) >= _TELLING * peak]
    rest = parts[len(large) :]
    if not rest:
        return tuple(large)
    others = Factor(
        name=words.REST,
        value="",
        weight=sum(factor.weight for factor in rest),
        contribution=sum(factor.contribution for factor in rest),
    )
    return (*large, others)
