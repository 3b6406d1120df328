"""What is known before any data: rules that hold, and wishes that training is asked to meet."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from zhuyi.errors import InputError, OptionError
from zhuyi.steer.penalty.logic import Formula, formula_of
from zhuyi.steer.penalty.supervision import CrossEntropy, Hinge, Supervision
from zhuyi.steer.rules import Rules

_SUPERVISIONS: Final[Mapping[str, Supervision]] = {"Hinge": Hinge(), "CrossEntropy": CrossEntropy()}


@dataclass(frozen=True, kw_only=True)
class Monotone:
    """A larger value never makes a decision less likely, all else as it is.

    Args:
        column: a number, date or grade.
        falls: whether it is the other way round: never more likely.
        label: which decision, by name; None for the second of two classes or a regressor's number.
    """

    column: str
    falls: bool = False
    label: str | None = None

    @property
    def told(self) -> str:
        """In words."""
        of = "" if self.label is None else f" for {self.label!r}"
        return f"{self.column!r} {'falls' if self.falls else 'rises'}{of}"


@dataclass(frozen=True, kw_only=True)
class Prior:
    """What a model shall know before it sees any data.

        loss = loss of the data + strength * (wishes + monotone + unused + logic)

    `rules` hold: they are in the bias of every attention while training and in every decision
    after. All else are wishes: terms of the loss, checked after training and told
    (`prior_checks_`), never guaranteed.

    Args:
        rules: what holds; a veto is a factor that cannot matter.
        wishes: rules as `Rules.penalty` reads them: attention is supervised, the bias left alone.
        monotone: directions of a table's columns; a penalty on finite differences of the log-odds.
        unused: columns of a table that should not matter; a penalty on what changes when their
            cells are swapped. (Weaker than a veto, and it may keep what a wish of low attention
            does not: that the column is used all the same.)
        logic: statements about attention and decisions; `Mass` names rules and wishes by id.
        strength: of all wishes against the data.
        supervision: how far attention is from what is wished.
    Raises: OptionError: for a strength below 0, or an id that rules and wishes share.
    Not: fairness. What goes with a column that is gone may stand in the others.

    Example:
        >>> from zhuyi.steer.selectors import Column
        >>> prior = Prior(rules=Rules().veto(Column("sex")), monotone=(Monotone(column="dose"),))
        >>> [one.told for one in prior.monotone]
        ["'dose' rises"]
    """

    rules: Rules = field(default_factory=Rules)
    wishes: Rules = field(default_factory=Rules)
    monotone: tuple[Monotone, ...] = ()
    unused: tuple[str, ...] = ()
    logic: tuple[Formula, ...] = ()
    strength: float = 1.0
    supervision: Supervision = field(default_factory=CrossEntropy)

    def __post_init__(self) -> None:
        if not 0.0 <= self.strength < float("inf"):
            raise OptionError(f"strength must be a finite number >= 0, got {self.strength!r}")
        _ = self.rules + self.wishes  # refuses two of one id
        for name in ("monotone", "unused", "logic"):  # so that a list does as well
            object.__setattr__(self, name, tuple(getattr(self, name)))

    @property
    def wishing(self) -> bool:
        """Whether anything is asked of the training."""
        return bool(self.wishes.rules or self.monotone or self.unused or self.logic)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON, rules as YAML text.

        Raises: OptionError: for a selector or a supervision of one's own. InputError: without the
            extra `steer`.
        """
        kind = type(self.supervision).__name__
        if _SUPERVISIONS.get(kind) != self.supervision:
            raise OptionError(f"a supervision of one's own cannot be saved: {kind}")
        return {
            "rules": self.rules.to_yaml() if self.rules else "",
            "wishes": self.wishes.to_yaml() if self.wishes else "",
            "monotone": [[one.column, one.falls, one.label] for one in self.monotone],
            "unused": list(self.unused),
            "logic": [one.as_json() for one in self.logic],
            "strength": self.strength,
            "supervision": kind,
        }

    @classmethod
    def from_json(cls, data: object) -> "Prior":
        """The prior of `as_json`, from somebody unknown: patterns and files are refused.

        Raises: InputError: when it is not one.
        """
        match data:
            case {
                "rules": str(rules),
                "wishes": str(wishes),
                "monotone": list(monotone),
                "unused": list(unused),
                "logic": list(logic),
                "strength": int(strength) | float(strength),
                "supervision": str(kind),
            } if kind in _SUPERVISIONS and all(isinstance(one, str) for one in unused):
                try:
                    return cls(
                        rules=_read(rules),
                        wishes=_read(wishes),
                        monotone=tuple(_monotone(one) for one in monotone),
                        unused=tuple(unused),
                        logic=tuple(formula_of(one) for one in logic),
                        strength=float(strength),
                        supervision=_SUPERVISIONS[kind],
                    )
                except OptionError as wrong:
                    raise InputError(f"model.json has a prior that cannot be: {wrong}") from None
        raise InputError("model.json has a prior of other entries")


def prior_of(given: object) -> Prior | None:
    """What an estimator was given as `rules`.

    Raises: OptionError: for anything but rules, a prior and None.
    """
    if given is None or isinstance(given, Prior):
        return given
    if isinstance(given, Rules):
        return Prior(rules=given)
    raise OptionError(f"rules must be Rules, a Prior or None, got {type(given).__name__}")


def _read(text: str) -> Rules:
    return Rules.from_yaml(text, trusted=False) if text else Rules()


def _monotone(data: object) -> Monotone:
    match data:
        case [str(column), bool(falls), str() | None as label]:
            return Monotone(column=column, falls=falls, label=label)
    raise InputError("model.json has a prior with a direction that cannot be")
