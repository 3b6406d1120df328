"""Soft logic on shares of attention and on decisions: product t-norm, differentiable.

    a & b = a b      a | b = a + b - a b      ~a = 1 - a      a >> b = 1 - a + a b

On 0 and 1 it is logic; between them a statement is true to a degree, and -ln of the degree is what
a training is asked to lower.

Ref: van Krieken et al. 2022, arXiv:2002.06100 (product real logic; the implication is
    Reichenbach's).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from torch import Tensor

from zhuyi.errors import InputError, OptionError

_LEAST: Final = 1e-6  # of a truth, in a logarithm
_DEEPEST: Final = 32


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """What statements are about, for B inputs.

    Args:
        masses: per rule id, the share of attention "B" on what the rule means (`attended`).
        shares: probabilities of the decisions "B C".
        labels: names of the C decisions.
    """

    masses: Mapping[str, Tensor]
    shares: Tensor
    labels: tuple[str, ...] = ()


class Formula(ABC):
    """A statement about attention and decisions; `&`, `|`, `~` and `>>` make larger ones.

    Example:
        >>> import torch
        >>> world = World(masses={"dx": torch.tensor([0.5])}, shares=torch.tensor([[0.2, 0.8]]))
        >>> (Mass("dx") >> Says(1)).truth(world).tolist()  # 1 - 0.5 + 0.5 * 0.8
        [0.8999999761581421]
    """

    @abstractmethod
    def truth(self, world: World) -> Tensor:
        """How true it is for each input, "B", in [0, 1]."""

    @abstractmethod
    def as_json(self) -> list[Any]:
        """Plain JSON, which `formula_of` reads."""

    def __and__(self, other: "Formula") -> "Formula":
        return And(self, other)

    def __or__(self, other: "Formula") -> "Formula":
        return Or(self, other)

    def __rshift__(self, other: "Formula") -> "Formula":
        return Implies(self, other)

    def __invert__(self) -> "Formula":
        return Not(self)


@dataclass(frozen=True)
class Mass(Formula):
    """The share of attention on what a rule means.

    Args:
        rule: its id. A boost of weight 1 names something without any other effect.
    """

    rule: str

    def truth(self, world: World) -> Tensor:
        """The share."""
        if self.rule not in world.masses:
            known = ", ".join(world.masses) or "none"
            raise OptionError(f"a formula speaks of rule {self.rule!r}; there are: {known}")
        return world.masses[self.rule]

    def as_json(self) -> list[Any]:
        """Plain JSON."""
        return ["mass", self.rule]


@dataclass(frozen=True)
class Says(Formula):
    """The probability of a decision.

    Args:
        label: its name, or its place.
    """

    label: str | int

    def truth(self, world: World) -> Tensor:
        """The probability."""
        place = self.label
        if isinstance(place, str):
            if place not in world.labels:
                known = ", ".join(world.labels) or "none by name"
                raise OptionError(f"a formula speaks of the decision {place!r}; there are: {known}")
            place = world.labels.index(place)
        if not 0 <= place < world.shares.shape[1]:
            raise OptionError(
                f"a formula speaks of decision {place}, and there are {world.shares.shape[1]}"
            )
        return world.shares[:, place]

    def as_json(self) -> list[Any]:
        """Plain JSON."""
        return ["says", self.label]


@dataclass(frozen=True)
class Not(Formula):
    """1 - a."""

    one: Formula

    def truth(self, world: World) -> Tensor:
        """How untrue it is."""
        return 1.0 - self.one.truth(world)

    def as_json(self) -> list[Any]:
        """Plain JSON."""
        return ["not", self.one.as_json()]


@dataclass(frozen=True)
class And(Formula):
    """a b."""

    one: Formula
    other: Formula

    def truth(self, world: World) -> Tensor:
        """How true both are."""
        return self.one.truth(world) * self.other.truth(world)

    def as_json(self) -> list[Any]:
        """Plain JSON."""
        return ["and", self.one.as_json(), self.other.as_json()]


@dataclass(frozen=True)
class Or(Formula):
    """a + b - a b."""

    one: Formula
    other: Formula

    def truth(self, world: World) -> Tensor:
        """How true either is."""
        a, b = self.one.truth(world), self.other.truth(world)
        return a + b - a * b

    def as_json(self) -> list[Any]:
        """Plain JSON."""
        return ["or", self.one.as_json(), self.other.as_json()]


@dataclass(frozen=True)
class Implies(Formula):
    """1 - a + a b."""

    one: Formula
    other: Formula

    def truth(self, world: World) -> Tensor:
        """How true it is that the first brings the second."""
        a, b = self.one.truth(world), self.other.truth(world)
        return 1.0 - a + a * b

    def as_json(self) -> list[Any]:
        """Plain JSON."""
        return ["implies", self.one.as_json(), self.other.as_json()]


_PAIRS: Final[Mapping[str, Callable[[Formula, Formula], Formula]]] = {
    "and": And,
    "or": Or,
    "implies": Implies,
}


def formula_of(data: object, depth: int = 0) -> Formula:
    """The formula of `as_json`. Raises: InputError: when it is not one."""
    match data:
        case _ if depth > _DEEPEST:
            raise InputError(f"a formula is deeper than {_DEEPEST}")
        case ["mass", str(rule)]:
            return Mass(rule)
        case ["says", str(label)]:
            return Says(label)
        case ["says", int(label)] if not isinstance(label, bool):
            return Says(label)
        case ["not", one]:
            return Not(formula_of(one, depth + 1))
        case ["and" | "or" | "implies" as name, one, other]:
            return _PAIRS[name](formula_of(one, depth + 1), formula_of(other, depth + 1))
    raise InputError(f"{data!r:.80} is no formula")


def unlikeliness(formulas: Sequence[Formula], world: World) -> Tensor:
    """-ln of how true each formula is, mean over the inputs, summed over formulas; in nats.

    Not: a proof that they hold where nothing was measured.
    """
    total = world.shares.new_zeros(())
    for one in formulas:
        total = total - one.truth(world).clamp_min(_LEAST).log().mean()
    return total
