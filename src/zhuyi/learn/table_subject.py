"""A fitted table estimator as a Subject: units are the columns, in order."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor

from zhuyi.core.record import Unit
from zhuyi.errors import InputError, ShapeError
from zhuyi.learn.columns import KNOWN, MISSING, UNSEEN
from zhuyi.learn.glass_box import GlassBox
from zhuyi.learn.objectives import Objective
from zhuyi.learn.reading import read_table
from zhuyi.learn.schema import Schema
from zhuyi.learn.subject import GlassBoxSubject
from zhuyi.trace.replacements import Constant, ReferenceDraw, Replacement
from zhuyi.trace.subject import Batch

DRAWN: Final = "value drawn from the training data"
GONE: Final = "missing"


class TableSubject(GlassBoxSubject):
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
        super().__init__(module, labels, objective, (DRAWN, GONE))
        self.schema = schema
        gone = torch.tensor([0.0, float(MISSING)], dtype=torch.float64)
        self._typical = torch.from_numpy(schema.typical())
        self._ways: dict[str, Replacement] = {
            DRAWN: ReferenceDraw(self._typical),
            GONE: Constant(gone),
        }
        self._units = tuple(Unit(label=name, positions=(n,)) for n, name in enumerate(schema.names))

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

    def baseline(self, batch: Batch) -> Tensor:
        """The mean token of each column over typical cells, "B N W"."""
        with torch.no_grad():
            tokens: Tensor = self.module.factors(self._typical)
        return tokens.mean(0).expand(len(self._codes(batch)), -1, -1).clone()

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
