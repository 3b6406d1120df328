"""Several rules as one value: made by calls, by YAML or by inline emphasis; all three are one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import torch
from torch import Tensor

from zhuyi.errors import OptionError
from zhuyi.steer.layers import LayerRange
from zhuyi.steer.rule import Action, Guarantee, Rule, usual_guarantee
from zhuyi.steer.selectors import Selector, Text

if TYPE_CHECKING:
    from zhuyi.steer.penalty.mass import Attention, Reads
    from zhuyi.steer.penalty.supervision import Supervision

What: TypeAlias = str | Selector | Sequence[str | Selector]
"""A phrase, a selector, or several of them (their union)."""


@dataclass(frozen=True)
class Rules:
    """Rules in order; an empty one changes nothing. Immutable: every call gives a new value.

        weights = softmax(scores + sum of ln(w) over the rules that mean a key)

    Args:
        rules: the rules, each with its own id.
        expect: what must hold of them, see `steer.expect`; kept and written back.

    Raises: OptionError: if two rules share an id.

    Example:
        >>> rules = Rules().boost("diagnosis", 2, why="guideline").veto("she")
        >>> [(rule.id, round(rule.bias, 3)) for rule in rules]
        [('boost-1', 0.693), ('veto-2', -inf)]
    """

    rules: tuple[Rule, ...] = ()
    expect: tuple[Any, ...] = field(default=())

    def __post_init__(self) -> None:
        seen = set[str]()
        for rule in self.rules:
            if rule.id in seen:
                raise OptionError(f"two rules are called {rule.id!r}: give each its own id")
            seen.add(rule.id)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __len__(self) -> int:
        return len(self.rules)

    def __add__(self, other: "Rules") -> "Rules":
        return Rules((*self.rules, *other.rules), (*self.expect, *other.expect))

    def __getitem__(self, id: str) -> Rule:
        """The rule of this id. Raises: OptionError: if there is none."""
        for rule in self.rules:
            if rule.id == id:
                return rule
        known = ", ".join(rule.id for rule in self.rules) or "none"
        raise OptionError(f"there is no rule {id!r}; there are: {known}")

    def without(self, *ids: str) -> "Rules":
        """All rules but these: how one is undone. Raises: OptionError: for an unknown id."""
        for one in ids:
            self[one]
        # What is expected of a rule goes with it.
        expect = tuple(one for one in self.expect if one.rule not in ids)
        return Rules(tuple(rule for rule in self.rules if rule.id not in ids), expect)

    def boost(self, what: What, weight: float, **options: Any) -> "Rules":
        """More of something: its odds are multiplied by `weight`, 1 or more.

        Args:
            what: what the rule is about.
            weight: 1 is neutral; |ln w| is clamped to 3 unless `beyond=True`.
            options: `id`, `why`, `sender`, `layers`, `heads`, `when`, `expires`, `beyond`, as in
                `Rule`; `layers` may be text ("0.3-0.8") and `expires` a date as text.
        """
        return self._with("boost", what, weight=weight, **options)

    def damp(self, what: What, weight: float, **options: Any) -> "Rules":
        """Less of something: its odds are multiplied by `weight`, in (0, 1]. No veto."""
        return self._with("damp", what, weight=weight, **options)

    def veto(self, what: What, *, guarantee: Guarantee | None = None, **options: Any) -> "Rules":
        """Never this: nobody may look at it, in any layer and head.

        Args:
            what: what the rule is about.
            guarantee: what it must be able to claim; None for "exact", or for "direct" where
                `layers`, `heads` or `sender` leave a way around it.
            options: as in `boost`.
        """
        if guarantee is None:
            partial = any(options.get(name) for name in ("layers", "heads", "sender"))
            guarantee = usual_guarantee("veto", partial=partial)
        return self._with("veto", what, guarantee=guarantee, **options)

    def share(self, what: What, at_least: float, **options: Any) -> "Rules":
        """At least this share of every row's attention, in every head that can see it."""
        return self._with("share", what, at_least=at_least, **options)

    def link(self, relation: Selector, weight: float, **options: Any) -> "Rules":
        """Pairs that a relation joins attend to each other more (or less)."""
        return self._with("link", relation, weight=weight, **options)

    def penalty(
        self,
        attention: "Attention",
        reads: "Reads",
        *,
        supervision: "Supervision | None" = None,
        today: date | None = None,
    ) -> Tensor:
        """The rules as a term of a loss, for any training: what they ask for becomes a wish.

            sum over rules of the mean over rows, heads and layers of   short(p, t)

        with p the share of a row's attention on what a rule means and t what the rule would make of
        an even attention (`share`: what it asks for). Rows that do as asked add nothing; rows that
        see none of it, or nothing else, are not in the mean.

        Args:
            attention: the tape of a watched pass, or the matrices of its layers in order; that of
                a pass with gradients.
            reads: what stands at its positions: a `Reading`, layouts row by row, or the names of
                the positions where they are the same in all rows.
            supervision: `CrossEntropy()` (None) or `Hinge()`, see `zhuyi.steer.penalty`.
            today: the day by which rules expire; None for the day of the call.
        Returns: a number >= 0, 0 where every rule is obeyed; differentiable in queries and keys.
        Raises:  ShapeError: if the positions are not those of the attention. NotKept: for a tape
            without matrices. OptionError: for a layer or head that does not exist.
        Cost:    one streamed product with 2 R columns a layer for R rules, and the same without
            gradient where a mask is; O(L) memory, in the backward pass too.
        Not:     a veto. A model can attend less to something and use it all the same (Pruthi et al.
            2020, arXiv:1909.07913); what must not be used is vetoed in the bias.

        Example:
            >>> import torch
            >>> from zhuyi import AttentionMatrix
            >>> from zhuyi.steer.selectors import Column
            >>> even = AttentionMatrix(torch.zeros(1, 1, 4, 2), torch.zeros(1, 1, 4, 2))
            >>> rules = Rules().share(Column("age"), 0.5)
            >>> names = ["age", "sex", "bp", "bmi"]
            >>> round(float(rules.penalty(even, names)), 4)  # ln(1 / 0.75) + ... = KL(0.5 || 0.25)
            0.1438
        """
        from zhuyi.steer.penalty.mass import mass_penalties

        found = mass_penalties(self.rules, attention, reads, supervision=supervision, today=today)
        return torch.stack(list(found.values())).sum() if found else torch.zeros(())

    @classmethod
    def from_yaml(cls, source: str | Path, *, trusted: bool = True) -> "Rules":
        """Rules from a YAML file (a `Path`) or YAML text (a `str`).

        Args:
            source: see `zhuyi.steer.form.read_yaml`.
            trusted: False refuses what reads files or can take forever, for rules of strangers.
        Raises:
            InputError: if the file cannot be read, or is no such YAML; the text says where.
        Needs: pydantic and PyYAML (the extra `steer`).
        """
        from zhuyi.steer.form import read_yaml

        return cls(*read_yaml(source, trusted=trusted))

    def to_yaml(self) -> str:
        """The same rules as YAML text; reading it gives equal rules."""
        from zhuyi.steer.form import write_yaml

        return write_yaml(self)

    def to_python(self) -> str:
        """The same rules as a Python expression of calls."""
        from zhuyi.steer.spelling import spelled

        return spelled(self)

    def _with(self, action: Action, what: What, **options: Any) -> "Rules":
        name = options.pop("id", None) or f"{action}-{len(self.rules) + 1}"
        if isinstance(options.get("layers"), str):
            options["layers"] = LayerRange(options["layers"])
        if isinstance(options.get("expires"), str):
            options["expires"] = date.fromisoformat(options["expires"])
        if "heads" in options:
            options["heads"] = tuple(options["heads"])
        if "sender" in options:
            options["sender"] = selectors_of(options["sender"])
        rule = Rule(id=name, action=action, select=selectors_of(what), **options)
        return Rules((*self.rules, rule), self.expect)


def selectors_of(what: What) -> tuple[Selector, ...]:
    """A phrase, a selector or several as selectors.

    Raises: OptionError: for anything else.
    """
    given: Iterable[object] = what if isinstance(what, list | tuple) else [what]
    found: list[Selector] = []
    for one in given:
        if isinstance(one, str):
            found.append(Text(one))
        elif isinstance(one, Selector):
            found.append(one)
        else:
            raise OptionError(f"a rule is about texts and selectors, got {type(one).__name__}")
    return tuple(found)
