"""The frozen records in which the sibling packages meet.

A record only holds; whoever computes it lives elsewhere. Letters: B inputs, N units, K keys.
Attribution is what `explain` says, Finding and Verdict what `verify` says of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch


@dataclass(frozen=True, kw_only=True)
class Site:
    """One place in a model where attention runs.

    Args:
        name: module path, as in `model.named_modules()`; a second run of a shared module in the
            same pass gets "#2", a third "#3".
        kind: "self" when queries and keys come from the same sequence, else "cross".
        index: order of execution within a pass, from 0.
        heads: number of query heads H.
    """

    name: str
    kind: Literal["self", "cross"]
    index: int
    heads: int


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A named piece of an input that a person recognizes: a word, a character, a patch, a column.

    Args:
        label: what a person reads.
        positions: the sequence positions (keys) that make it up, ascending.
        special: True for pieces the model adds ([CLS], <s>, ...), which are kept apart.
        span: start and end in the source text, in characters, or None.
    """

    label: str
    positions: tuple[int, ...]
    special: bool = False
    span: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class Attribution:
    """How much each unit of each input counts, according to one method. Evidence, not proof.

    Args:
        values: float32 [B, N], N the largest number of units; units that do not exist have 0.
        units: per input, its units in reading order.
        method: repr of the method object that computed it.
        target: per input, the index of the decision explained.
        signed: whether a negative value means "speaks against"; else values are >= 0.
        evidence: named numbers or short texts that back the values (for example the completeness
            error of integrated gradients).
    """

    values: torch.Tensor
    units: tuple[tuple[Unit, ...], ...]
    method: str
    target: tuple[int, ...]
    signed: bool
    evidence: Mapping[str, object] = field(default_factory=dict)

    def show(
        self,
        verdict: "Verdict | None" = None,
        *,
        batch: int | None = None,
        decisions: Sequence[str] = (),
        title: str = "",
        budget: int | None = None,
    ) -> None:
        """Display the pieces with their values: in a notebook's cell, or as text in a terminal.

        Args:
            verdict: on this explanation; without one it says "not verified".
            batch: index of the input; None for all.
            decisions: names of the decisions.
            title: what to call it; "" for the method.
            budget: bytes that the cell may take, 2,000,000 when None.
        Raises: OptionError: an input that is not there.
        """
        from zhuyi.ui.notebook import Choice, view  # a door from a record to its faces

        choice = Choice(batch=batch)
        view(
            self, choice=choice, verdict=verdict, decisions=decisions, title=title, budget=budget
        ).show()

    def plot(
        self,
        verdict: "Verdict | None" = None,
        *,
        batch: int = 0,
        decisions: Sequence[str] = (),
        title: str = "",
        most: int = 20,
    ) -> Any:
        """A matplotlib Figure of one input: its text in color, and the largest values as bars.

        Args:
            verdict: on this explanation; without one the caption says "not verified".
            batch: index of the input.
            decisions: names of the decisions.
            title: what to call it; "" for none.
            most: bars, at most.
        Raises: OptionError: an input that is not there. InputError: matplotlib is not installed.
        """
        from zhuyi.ui.figures import plot_attribution  # a door from a record to its faces

        return plot_attribution(
            self, verdict, batch=batch, decisions=decisions, title=title, most=most
        )


Outcome = Literal["supports", "cautions", "refutes", "informs", "skipped"]
"""What a finding says of an explanation: for it, a doubt, against it, neither, or not tested."""

Label = Literal["trusted", "doubtful", "refuted"]
"""A verdict in one word."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """One sentence for a lay reader, in two languages.

    Args:
        en: in English.
        zh: in Chinese.
    """

    en: str
    zh: str


@dataclass(frozen=True, kw_only=True)
class Finding:
    """What one test found about one explanation of a batch.

    Args:
        test: name of the test's class ("Deletion").
        settings: repr of the test object, with all its settings.
        outcome: what it says of the explanation.
        said: the same as a sentence, numbers included.
        numbers: every number behind it, by name; None where one could not be computed.
        inputs: per input (B of them) its own outcome, or empty where the test knows none.
        details: numbers of each input by name, B long each (None: not tested on this input).
        calls: reduced or changed inputs that the model decided for this test.
    """

    test: str
    settings: str
    outcome: Outcome
    said: Said
    numbers: Mapping[str, float | int | str | None] = field(default_factory=dict)
    inputs: tuple[Outcome, ...] = ()
    details: Mapping[str, tuple[float | None, ...]] = field(default_factory=dict)
    calls: int = 0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Whether an explanation may be believed, and why.

    Args:
        label: of the explanation on the whole batch.
        reasons: why, the most important first.
        inputs: the label of each input's explanation (B of them).
        input_reasons: per input, why.
        findings: what each test found.
        method: repr of the method, or what the attribution says.
        removal: how units were removed.
    """

    label: Label
    reasons: tuple[Said, ...]
    inputs: tuple[Label, ...]
    input_reasons: tuple[tuple[Said, ...], ...]
    findings: tuple[Finding, ...]
    method: str
    removal: str

    @property
    def trusted(self) -> bool:
        """Whether the label is "trusted"."""
        return self.label == "trusted"

    def finding(self, test: str) -> Finding | None:
        """The finding of the test of this name, or None when it was not run."""
        return next((one for one in self.findings if one.test == test), None)

    def show(self, *, title: str = "") -> None:
        """Display the verdict with every finding: in a notebook's cell, or as text in a terminal.

        Args:
            title: what to call it; "" for the method.
        """
        from zhuyi.ui.notebook import view  # a door from a record to its faces

        view(self, title=title).show()
