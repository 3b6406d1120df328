"""Where a number becomes an outcome. Every default comes from the calibration in docs."""

from dataclasses import dataclass

from zhuyi.errors import OptionError


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """Where a number becomes an outcome; docs/calibration.md shows what each default gets right.

    Args:
        trusted: skill (share of the way from random to the best order) that an explanation must
            surely exceed to be trusted, in [0, 1]. The default is that of an explanation which is
            right on half of the inputs and random on the others.
        refuted: skill that it must surely stay below to be refuted, in [0, 1].
        significance: largest p-value that counts as better than random orders.
        effect: least difference in probability between the best and the worst order; below it the
            decision rests on no unit and nothing can be tested.
        sanity: largest rank correlation with the explanation of a randomized model.
        stability: least rank correlation with the explanation of a slightly changed input.
        alternative: largest rank correlation at which another attention counts as different.
        deception: share of inputs on which the explanation hides a unit that decides, from which
            it counts as deceiving.

    Raises: OptionError: if a number is outside [0, 1], or `refuted` is above `trusted`.

    Example:
        >>> Thresholds(trusted=0.6).trusted
        0.6
    """

    trusted: float = 0.5
    refuted: float = 0.25
    significance: float = 0.01
    effect: float = 0.02
    sanity: float = 0.75
    stability: float = 0.5
    alternative: float = 0.5
    deception: float = 0.2

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0.0 <= value <= 1.0:
                raise OptionError(f"{name} must be within [0, 1], got {value}")
        if self.refuted > self.trusted:
            raise OptionError(
                f"refuted must not be above trusted ({self.trusted}), got {self.refuted}"
            )
