"""What a glass box says of itself: weight times effect of every factor, as an attribution."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor

from zhuyi.core.record import Attribution
from zhuyi.errors import NotWatchable
from zhuyi.explain.targets import Target, chosen
from zhuyi.trace.subject import Batch, Subject


@runtime_checkable
class SelfExplaining(Subject, Protocol):
    """A subject whose decision is a sum over its units."""

    def contributions(self, batch: Batch, target: tuple[int, ...]) -> Tensor:
        """What each unit adds to the logit of the target, "B N"."""
        ...


@dataclass(frozen=True, kw_only=True)
class Contributions:
    """Contributions: what each factor adds to the decision, as the model computes it.

        a_n = w_cn e_cn,   z_c = b_c + sum_n a_n

    Returns: Attribution with signed values "B N" that sum to the logit less the label's constant.
    Raises:  NotWatchable: if the subject is no glass box.
    Cost:    one forward pass.
    Not:     what would happen without the factor: the others' weights then grow. And with mixing
             layers a factor's token holds more than its own column. So verify it like any other.

    Example:
        >>> Contributions()
        Contributions()
    """

    def __call__(self, subject: Subject, batch: Batch, target: Target = None) -> Attribution:
        """Explain the batch."""
        if not isinstance(subject, SelfExplaining):
            raise NotWatchable(
                f"{type(subject).__name__} does not decide by a sum over its units: use another "
                "method, such as Occlusion"
            )
        explained = chosen(subject.decide(batch), target)
        return Attribution(
            values=subject.contributions(batch, explained).float(),
            units=subject.units(batch),
            method=repr(self),
            target=explained,
            signed=True,
        )
