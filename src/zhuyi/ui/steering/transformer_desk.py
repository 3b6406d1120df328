"""The desk of a Hugging Face model that decides on texts, or goes on with them."""

from collections.abc import Sequence
from typing import Final

import torch

from zhuyi.core.record import Attribution, Said, Verdict
from zhuyi.errors import InputError, OptionError
from zhuyi.explain import Received
from zhuyi.explain.targets import Target
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.subject import Batch, Subject
from zhuyi.ui.passages import Passages, owners
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

TASKS: Final = ("text-classification", "next-token")
_LISTED: Final = 50  # labels; more are not listed
_PARTS: Final = 8  # that a long text is judged in, so that all combinations can be tried
_FIRST: Final = (
    Example(
        name="English · 英文",
        given=Given(text="The food was not bad at all, but the waiter was rude."),
    ),
    Example(name="Chinese · 中文", given=Given(text="菜的味道不错，但是服务员态度很差。")),
)
_LONE: Final = Said(
    en="The numbers are attention that each piece receives, averaged over layers and heads: where "
    "a model looks, which is not yet why it decides. One input alone never earns full trust.",
    zh="数值是每个部分受到的关注，按层与头平均：它说明模型看向哪里，还不等于它为何如此决定。"
    "单凭一个输入不足以完全可信。",
)
_NO_PROMISE: Final = Said(
    en="A weight steers; only a veto comes with a certificate, and it says how far it goes.",
    zh="权重只是引导；只有否决才附有证明，并写明其效力。",
)


class TransformerDesk:
    """Texts for a model with a tokenizer.

    Args:
        subject: the model.
        name: of it, for people.
        more: a person's own examples.
    Raises: OptionError: if the model decides on something else than one text.
    """

    kind: Kind = "text"
    unit = ""
    columns: tuple[ColumnOf, ...] = ()
    notes = (_LONE, _NO_PROMISE)
    measure = Measure(
        kind="attention",
        unit="share",
        said=Said(
            en="share of all attention that each piece receives",
            zh="每个部分受到的关注占全部关注的比例",
        ),
    )

    def __init__(
        self, subject: TransformersSubject, name: str, more: Sequence[Example] = ()
    ) -> None:
        if subject.task not in TASKS:
            raise OptionError(
                f"the page steers models that decide on one text ({', '.join(TASKS)}), and {name} "
                f"is for {subject.task}: steer it from Python with zhuyi.steer"
            )
        self.steered = subject
        self.model, self.title = name, f"zhuyi · {name}"
        few = len(subject.labels) <= _LISTED and subject.task != "next-token"
        self.labels = subject.labels if few else ()
        decision = subject.decide(["a"])[0]
        self.many = few and abs(float(decision.sum()) - 1.0) > 1e-3
        self.examples = (*more, *_FIRST)

    def batch(self, given: Given) -> Batch:
        """One text."""
        if not given.text or not given.text.strip():
            raise InputError("the text must hold at least one word")
        return [given.text]

    def pieces(self, batch: Batch) -> tuple[Piece, ...]:
        """Its words, and what the tokenizer adds."""
        return tuple(
            Piece(
                name=unit.label,
                positions=unit.positions,
                start=None if unit.span is None or unit.special else unit.span[0],
                end=None if unit.span is None or unit.special else unit.span[1],
                special=unit.special,
            )
            for unit in self.steered.units(batch)[0]
        )

    def decide(self, batch: Batch) -> list[Decision]:
        """What the model says of each text."""
        return [
            Decision(shares=tuple(shares.tolist()), index=int(shares.argmax()))
            for shares in self.steered.decide(batch)
        ]

    def explain(self, batch: Batch, target: int, decision: Decision) -> Explained:
        """The share of attention that each piece receives; the same for every target."""
        with torch.no_grad():
            received = Received()(self.steered, batch, target).values[0].double()
        return Explained(values=tuple((received / received.sum().clamp_min(1e-12)).tolist()))

    def names(self, indices: Sequence[int]) -> list[str]:
        """Names of some decisions."""
        return [self.steered.labels[index] for index in indices]

    def judge(self, batch: Batch, target: int) -> tuple[Verdict, int] | None:
        """Of the removal test on this text alone, in passages where it is long."""
        units = self.steered.units(batch)[0]
        parts = Passages(self.steered, units, tuple(owners(units, _PARTS)))
        verdict = verify(parts, batch, _InParts(parts), target=[target], tests=[QUICK])
        return verdict, 0

    def beside(self, batch: Batch) -> Batch:
        """The text alone."""
        return batch


class _InParts:
    """Received attention of passages."""

    def __init__(self, parts: Passages) -> None:
        self._parts = parts

    def __call__(self, subject: Subject, batch: Batch, target: Target = None) -> Attribution:
        return self._parts.of(Received()(self._parts.subject, batch, target))
