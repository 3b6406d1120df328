"""A fitted table estimator as a Subject: units are the columns, in order."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, nn

from zhuyi.core.record import Unit
from zhuyi.errors import InputError, ShapeError
from zhuyi.learn.columns import KNOWN, MISSING, UNSEEN
from zhuyi.learn.glass_box import GlassBox
from zhuyi.learn.objectives import Binary, Objective
from zhuyi.learn.reading import read_table
from zhuyi.learn.schema import Schema
from zhuyi.trace.keep import Keep
from zhuyi.trace.replacements import Constant, ReferenceDraw, Replacement, chosen_way
from zhuyi.trace.subject import Batch, gather_units
from zhuyi.trace.tape import Tape
from zhuyi.trace.watch import watch

DRAWN: Final = "value drawn from the training data"
GONE: Final = "missing"


class TableSubject:
    """The rows of a table and the glass box that decides on them, as a Subject.

    A batch is a tensor of codes "B N 2" (what `read` gives), or a sequence of rows: mappings from
    column names to cells, or sequences of cells in order. Units can be removed in two ways:
    "value drawn from the training data" (what a typical row holds in this column, each column by
    itself, the same draw for the same row) and "missing".

    For a regressor `decide` gives one column: the prediction's place between low and high,
    sigmoid((prediction - mean) / standard deviation), and logits are in standard deviations.

    Args:
        module: the fitted glass box.
        schema: how columns are read.
        labels: names of the C decisions.
        objective: from logits to probabilities.

    Example:
        >>> import numpy as np
        >>> from zhuyi.learn import AttentionClassifier
        >>> X = np.random.default_rng(0).normal(size=(100, 3))
        >>> model = AttentionClassifier(max_epochs=5, random_state=0).fit(X, X[:, 0] > 0)
        >>> subject = model.subject()
        >>> [unit.label for unit in subject.units(subject.read(X[:1]))[0]]
        ['x0', 'x1', 'x2']
    """

    def __init__(
        self, module: GlassBox, schema: Schema, labels: Sequence[str], objective: Objective
    ) -> None:
        self.module = module
        self.schema = schema
        self._labels = tuple(labels)
        self._objective = objective
        self._removal = DRAWN
        gone = torch.tensor([0.0, float(MISSING)], dtype=torch.float64)
        self._typical = torch.from_numpy(schema.typical())
        self._ways: dict[str, Replacement] = {
            DRAWN: ReferenceDraw(self._typical),
            GONE: Constant(gone),
        }
        self._units = tuple(Unit(label=name, positions=(n,)) for n, name in enumerate(schema.names))

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
        """Both ways, the one in use first."""
        return (self._removal, *(way for way in self._ways if way != self._removal))

    def removing(self, how: str) -> "TableSubject":
        """The same subject on the same model, whose units are removed the way named `how`.

        Raises: OptionError: if there is no such way; it names those there are.
        """
        other = copy.copy(self)
        other._removal = chosen_way(how, self.removals)
        return other

    @property
    def model(self) -> nn.Module:
        """The module that decides."""
        return self.module

    def read(self, table: object) -> Tensor:
        """Codes "B N 2" of a table, an array or rows.

        Raises: InputError: cells that are not of their column's kind.
        """
        cells = read_table(table, self.schema.names)
        return torch.from_numpy(self.schema.encode(cells)[0])

    def units(self, batch: Batch) -> tuple[tuple[Unit, ...], ...]:
        """Per input, its columns in order."""
        return (self._units,) * len(self._codes(batch))

    def decide(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """Probabilities "B C", with the columns outside `keep` (bool "B N") removed."""
        codes = self._codes(batch)
        if keep is not None:
            expected = (len(codes), len(self._units))
            if keep.dtype != torch.bool or tuple(keep.shape) != expected:
                got = f"{keep.dtype} {tuple(keep.shape)}"
                raise ShapeError(f"keep must be bool (B, N) = {expected}, got {got}")
            codes = torch.where(keep[..., None], codes, self._ways[self._removal](codes))
        with torch.no_grad():
            return self._objective.shares(self.module(codes)).float()

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
        """Each column's token, "B N W"."""
        with torch.no_grad():
            tokens: Tensor = self.module.factors(self._codes(batch))
        return tokens

    def baseline(self, batch: Batch) -> Tensor:
        """The mean token of each column over typical cells, "B N W"."""
        with torch.no_grad():
            tokens: Tensor = self.module.factors(self._typical)
        return tokens.mean(0).expand(len(self._codes(batch)), -1, -1).clone()

    def decide_embedded(self, batch: Batch, embeddings: Tensor) -> Tensor:
        """Logits "B C" of tokens "B N W"."""
        tokens = embeddings.to(self.module.constant.dtype)
        return self._all_logits(self.module(self._codes(batch), tokens))

    @contextmanager
    def nearby(self, batch: Batch, *, size: float, generator: torch.Generator) -> Iterator[Batch]:
        """Rows whose numbers and dates have Gaussian noise of `size` standard deviations.

        Categories, truth values and missing cells stay what they are: there is nothing a little
        beside them.
        """
        codes = self._codes(batch).clone()
        noise = torch.randn(codes.shape[:2], generator=generator, device=generator.device)
        scale = torch.tensor([0.0 if c.by_category or c.kind == "ordinal" else c.scale
                              for c in self.schema.columns])  # fmt: skip
        known = codes[..., 1] == KNOWN
        codes[..., 0] += torch.where(known, size * scale * noise.to(codes), 0.0)
        yield codes

    def contributions(self, batch: Batch, target: tuple[int, ...]) -> Tensor:
        """What each column adds to the logit of the target, "B N"."""
        with torch.no_grad():
            found = self.module.read(self.module.factors(self._codes(batch))).contributions
        if isinstance(self._objective, Binary):
            found = torch.cat([-found, found], 1)
        return found[torch.arange(len(target)), torch.tensor(target, dtype=torch.long)]

    def _all_logits(self, logits: Tensor) -> Tensor:
        """Logits with one column a label, whose softmax or sigmoid is the decision.

        Of two classes each gets half of the logit, with its sign. (A constant 0 for the first would
        have no gradient, and it is as much a decision.)
        """
        if isinstance(self._objective, Binary):
            return torch.cat([-logits, logits], 1) / 2.0
        return logits

    def _codes(self, batch: Batch) -> Tensor:
        codes = batch if isinstance(batch, Tensor) else self.read(_rows(batch))
        expected = (len(codes), len(self._units), 2)
        if codes.dtype != torch.float64 or tuple(codes.shape) != expected:
            raise ShapeError(
                f"batch must be codes (B, N, 2) with N = {len(self._units)} columns in float64, "
                f"got {codes.dtype} {tuple(codes.shape)}: pass subject.read(table)"
            )
        if bool((~codes.isfinite()).any()) or not bool(
            ((codes[..., 1] >= KNOWN) & (codes[..., 1] <= UNSEEN)).all()
        ):
            raise InputError("codes must be finite, with a state of 0, 1 or 2: use subject.read")
        return codes


def _rows(batch: Sequence[object]) -> list[object]:
    rows = list(batch)
    if not rows:
        raise InputError("there are no rows to decide on")
    return rows
