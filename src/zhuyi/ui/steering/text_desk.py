"""The desk of a saved estimator of texts: characters and words as factors."""

from collections.abc import Sequence
from typing import Final

from zhuyi.core.record import Said, Verdict
from zhuyi.errors import InputError
from zhuyi.learn import Contributions, TextAttentionClassifier
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
from zhuyi.ui.steering.glass_box import GlassBoxDesk
from zhuyi.verify import verify

_BESIDE: Final = 5  # the fewest that earn trust
_TYPICAL: Final = Said(
    en="The example is made up of frequent pieces of the training texts: no text of the training "
    "is in the model. Serve your own with --examples.",
    zh="示例由训练文本中常见的片段拼成：模型中没有保存任何一条训练文本。"
    "可用 --examples 提供自己的文本。",
)


class TextDesk:
    """Texts.

    Args:
        model: the estimator.
        name: of it, for people.
        more: a person's own examples; a made-up text is offered without any.
    """

    kind: Kind = "text"
    unit = ""
    columns: tuple[ColumnOf, ...] = ()

    def __init__(
        self, model: TextAttentionClassifier, name: str, more: Sequence[Example] = ()
    ) -> None:
        self._box = GlassBoxDesk(model)
        self.steered = model.subject()
        self.model, self.title = name, f"zhuyi · {name}"
        self.labels: tuple[str, ...] = model.labels_
        self.many = self._box.many
        self.measure: Measure = self._box.measure
        made = " ".join(model.vocabulary_.typical(1)[0].split()[:12])
        typical = Example(name="made up · 虚构", given=Given(text=made))
        self.examples = tuple(more) or (typical,)
        self.notes = (self._box.note, *(() if more else (_TYPICAL,)))

    def batch(self, given: Given) -> Batch:
        """One text."""
        if not given.text or not given.text.strip():
            raise InputError("the text must hold at least one word")
        return [given.text]

    def pieces(self, batch: Batch) -> tuple[Piece, ...]:
        """Its characters and words."""
        return tuple(
            Piece(
                name=unit.label,
                positions=unit.positions,
                start=None if unit.span is None else unit.span[0],
                end=None if unit.span is None else unit.span[1],
            )
            for unit in self.steered.units(batch)[0]
        )

    def decide(self, batch: Batch) -> list[Decision]:
        """What the model says of each input."""
        return self._box.decide(batch)

    def explain(self, batch: Batch, target: int, decision: Decision) -> Explained:
        """What each character or word adds."""
        return Explained(values=self._box.values(batch, target))

    def names(self, indices: Sequence[int]) -> list[str]:
        """Names of some decisions."""
        return [self.labels[index] for index in indices]

    def judge(self, batch: Batch, target: int) -> tuple[Verdict, int] | None:
        """Of the removal test, among made-up texts of frequent pieces."""
        texts = [*batch, *self.steered.vocabulary.typical(_BESIDE)]
        targets = [target] * len(texts)
        verdict = verify(self.steered, texts, Contributions(), target=targets, tests=[QUICK])
        return verdict, 0

    def beside(self, batch: Batch) -> Batch:
        """The text with made-up ones: what could stand in place of what is vetoed."""
        return [*batch, *self.steered.vocabulary.typical(_BESIDE)]
