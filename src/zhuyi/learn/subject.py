"""A fitted glass box as a Subject: what is alike whatever it reads."""

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Final, Self

import torch
from torch import Tensor, nn

from zhuyi.core.record import Unit
from zhuyi.errors import InputError
from zhuyi.learn.glass_box import GlassBox
from zhuyi.learn.objectives import Binary, Objective, Places
from zhuyi.steer.reading import Reader, Values
from zhuyi.trace.keep import Keep
from zhuyi.trace.replacements import chosen_way
from zhuyi.trace.subject import Batch, gather_units
from zhuyi.trace.tape import Tape
from zhuyi.trace.watch import watch

_TYPICAL: Final = 128  # inputs on which logits are standardized


class GlassBoxSubject(ABC):
    """Base of the subjects of tables, texts and series.

    Args:
        module: the fitted glass box.
        labels: names of the C decisions.
        objective: from logits to probabilities.
        removals: ways of removing a unit, in words, the one in use first.
    """

    def __init__(
        self,
        module: GlassBox,
        labels: Sequence[str],
        objective: Objective,
        removals: Sequence[str],
    ) -> None:
        self.module = module
        self._labels = tuple(labels)
        self._objective = objective
        self._all_removals = tuple(removals)
        self._removal = self._all_removals[0]

    @abstractmethod
    def units(self, batch: Batch) -> tuple[tuple[Unit, ...], ...]:
        """Per input, its named pieces in reading order."""

    @abstractmethod
    def decide(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """Probabilities "B C", with the units outside `keep` (bool "B N") removed."""

    @abstractmethod
    def _codes(self, batch: Batch) -> Tensor:
        """The batch as codes, checked."""

    @abstractmethod
    def reader(self, values: Values = None) -> Reader:
        """What the glass box's calls read, for rules (see `zhuyi.steer`).

        Args:
            values: what `when` may ask beside what the inputs themselves say.
        """

    @property
    def _sites(self) -> int:
        """How many attention calls a pass has: the mixing layers' and the read-out."""
        return self.module.shape.mixing_layers + 1

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the decisions."""
        return self._labels

    @property
    def removal(self) -> str:
        """How a unit is removed, in words."""
        return self._removal

    @property
    def removals(self) -> tuple[str, ...]:
        """All ways, the one in use first."""
        return (self._removal, *(way for way in self._all_removals if way != self._removal))

    def removing(self, how: str) -> Self:
        """The same subject on the same model, whose units are removed the way named `how`.

        Raises: OptionError: if there is no such way; it names those there are.
        """
        other = copy.copy(self)
        other._removal = chosen_way(how, self.removals)
        return other

    def reference(self, rows: int) -> Tensor | None:
        """Codes of so many typical inputs, for what one input alone cannot say; None: unknown."""
        return None

    def by_logits(self) -> Self:
        """The same subject, whose decisions are the logits' places among those of typical inputs.

        Contributions sum to logits, so an explanation by them is tested on logits. Itself where no
        typical inputs are known.
        """
        typical = self.reference(_TYPICAL)
        if typical is None:
            return self
        with torch.no_grad():
            logits = self.module(typical)
        other = copy.copy(self)
        other._objective = Places(
            center=tuple(logits.mean(0).tolist()),
            spread=tuple(logits.std(0).clamp_min(1e-6).tolist()),
            two=self._two(),
        )
        return other

    @property
    def model(self) -> nn.Module:
        """The module that decides."""
        return self.module

    def watch(self, batch: Batch, keep: Keep | None = None, *, gradient: bool = False) -> Tape:
        """Run the glass box on the batch under observation; see `Subject.watch`."""
        codes = self._codes(batch)
        with torch.set_grad_enabled(gradient):
            tokens = self.module.factors(codes).detach().requires_grad_(gradient)
            with watch(self.module, keep=Keep() if keep is None else keep) as tape:
                tape.logits = self._all_logits(self.module(codes, tokens))
        return tape

    def readout(self, tape: Tape) -> Tensor:
        """All of the decision is read from the one row of the last attention: ones "B 1"."""
        if tape.logits is None:
            raise InputError("this tape is not from this subject's watch(): pass one that is")
        return torch.ones(len(tape.logits), 1)

    def gather(self, batch: Batch, values: Tensor) -> Tensor:
        """Per-position values "B N" as per-unit values "B N"."""
        return gather_units(self.units(batch), values)

    def embed(self, batch: Batch) -> Tensor:
        """Each factor's token, "B N W"."""
        with torch.no_grad():
            tokens: Tensor = self.module.factors(self._codes(batch))
        return tokens

    def decide_embedded(self, batch: Batch, embeddings: Tensor) -> Tensor:
        """Logits "B C" of tokens "B N W"."""
        tokens = embeddings.to(self.module.constant.dtype)
        return self._all_logits(self.module(self._codes(batch), tokens))

    def contributions(self, batch: Batch, target: tuple[int, ...]) -> Tensor:
        """What each factor adds to the logit of the target, "B N"."""
        with torch.no_grad():
            found = self.module.read(self._codes(batch)).contributions
        if self._two():
            found = torch.cat([-found, found], 1)
        return found[torch.arange(len(target)), torch.tensor(target, dtype=torch.long)]

    def _all_logits(self, logits: Tensor) -> Tensor:
        """Logits with one column a label, whose softmax or sigmoid is the decision.

        Of two classes each gets half of the logit, with its sign. (A constant 0 for the first would
        have no gradient, and it is as much a decision.)
        """
        if self._two():
            return torch.cat([-logits, logits], 1) / 2.0
        return logits

    def _two(self) -> bool:
        """Whether one logit speaks for the second of two classes."""
        objective = self._objective
        return isinstance(objective, Binary) or (isinstance(objective, Places) and objective.two)
