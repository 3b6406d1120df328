"""What the desks of all saved estimators share: decisions, contributions, verdicts."""

import math
from typing import Any, Final, TypeAlias

import torch

from zhuyi.core.record import Said, Verdict
from zhuyi.learn import Contributions
from zhuyi.learn.loading import Estimator
from zhuyi.learn.subject import GlassBoxSubject
from zhuyi.trace.subject import Batch
from zhuyi.ui.estimators.predicting import task_of
from zhuyi.ui.steering.desk import QUICK, Decision, Measure
from zhuyi.verify import verify

Fitted: TypeAlias = Estimator

_BESIDE: Final = 7  # typical inputs among which one is judged
_EVIDENCE: Final = Said(
    en="The model mixes what it reads before it decides: the numbers beside the pieces sum to the "
    "decision, and still are evidence, not proof. The verdict says what tests found.",
    zh="模型在作出决定之前会混合所读内容：各部分的数值之和等于决定，但仍只是证据而非证明，结论会说明检验的结果。",
)
_COMPUTED: Final = Said(
    en="The decision is exactly the sum of the numbers beside the pieces and a constant.",
    zh="决定恰为各部分数值之和再加一个常数。",
)


class GlassBoxDesk:
    """A saved estimator and what it says of coded inputs.

    Args:
        model: the estimator.
    """

    def __init__(self, model: Fitted) -> None:
        self._model: Any = model
        self.subject: GlassBoxSubject = model.subject()
        self.number = task_of(model) == "number"

    @property
    def many(self) -> bool:
        """Whether each label is a question of its own."""
        return task_of(self._model) == "labels"

    @property
    def note(self) -> Said:
        """How far its numbers are its computation."""
        return _EVIDENCE if self._model.explanation_ == "evidence" else _COMPUTED

    @property
    def measure(self) -> Measure:
        """What each piece adds."""
        if self.number:
            said = Said(
                en="what each piece adds to the predicted number, in its unit",
                zh="每个部分对预测值的贡献（与预测值同单位）",
            )
            return Measure(kind="contribution", unit="", said=said)
        said = Said(
            en="what each piece adds to the answer that is asked about (logit)",
            zh="每个部分对所问答案的贡献（logit）",
        )
        return Measure(kind="contribution", unit="logit", said=said)

    def decide(self, batch: Batch) -> list[Decision]:
        """What the model says of each input."""
        if not self.number:
            return [self._chosen(shares) for shares in self.subject.decide(batch).tolist()]
        assert isinstance(batch, torch.Tensor)
        with torch.no_grad():
            logits = self._model.module_(batch)[:, 0].double()
        values = (logits * self._model.scale_ + self._model.center_).tolist()
        return [Decision(shares=(), index=0, value=value) for value in values]

    def _chosen(self, shares: list[float]) -> Decision:
        index = max(range(len(shares)), key=shares.__getitem__)
        threshold = self._model.threshold_
        if threshold is not None and not self.many:
            index = int(shares[1] >= threshold)
        return Decision(shares=tuple(shares), index=index)

    def values(self, batch: Batch, target: int) -> tuple[float, ...]:
        """What each piece adds to the target's logit, or to the number."""
        found = self.subject.contributions(batch, (target,))[0].double()
        scale = self._model.scale_ if self.number else 1.0
        values: list[float] = (found * scale).tolist()
        return tuple(value if math.isfinite(value) else 0.0 for value in values)

    def judge(self, batch: Batch, target: int) -> tuple[Verdict, int]:
        """The removal test on contributions, among typical inputs."""
        judged = self.subject.by_logits()
        beside = self.beside(batch, _BESIDE)
        verdict = verify(
            judged, beside, Contributions(), target=[target] * len(beside), tests=[QUICK]
        )
        return verdict, 0

    def beside(self, batch: Batch, more: int) -> Batch:
        """The input with so many typical ones after it."""
        typical = self.subject.reference(more)
        if typical is None or not isinstance(batch, torch.Tensor):
            return batch
        return torch.cat([batch, typical])
