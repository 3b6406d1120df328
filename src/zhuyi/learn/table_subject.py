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
from zhuyi.learn.table_reader import TableReader
from zhuyi.steer.reading import Reader, Values
from zhuyi.trace.subject import Batch

DRAWN: Final = "values drawn from the training data, on average"
GONE: Final = "missing"
DRAWS: Final = 16
_MIXED_DRAWS: Final = 4  # with mixing layers each is a run of the whole model


class TableSubject(GlassBoxSubject):
    """The rows of a table and the glass box that decides on them, as a Subject.

    A batch is a tensor of codes "B N 2 + P" (what `read` gives) or a sequence of rows, mappings
    from column names to cells or sequences of cells in order. Units can be removed in two ways:
    "values drawn from the training data, on average" (the decision of the mean logit over 16
    typical cells of the column, evenly spread over its values, each column by itself; 4 with
    mixing layers) and "missing". One drawn value would often be much like the one that it
    replaces, and then nothing is removed.

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
        self._gone = torch.zeros(schema.numbers, dtype=torch.float64)
        self._gone[1] = MISSING
        self._typical = torch.from_numpy(schema.typical())
        mixed = module.shape.mixing_layers > 0
        self._drawn = torch.from_numpy(schema.spread(_MIXED_DRAWS if mixed else DRAWS))
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

    def reader(self, values: Values = None) -> Reader:
        """Columns by name; `when` may ask for a row's cells."""
        return TableReader(self.schema, layers=self._sites, values=values)

    def decide(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """Probabilities "B C", with the columns outside `keep` (bool "B N") removed."""
        codes = self._codes(batch)
        if keep is not None:
            self._check_keep(codes, keep)
        with torch.no_grad():
            if keep is None or self._removal == GONE:
                if keep is not None:
                    codes = torch.where(keep[..., None], codes, self._gone)
                return self._objective.shares(self.module(codes)).float()
            logits = self._mixed(codes, keep) if self._joint() else self._by_sums(codes, keep)
            return self._objective.shares(logits).float()

    def reference(self, rows: int) -> Tensor:
        """Codes of typical rows, each column drawn by itself: none is a row of the training data.

        What `explain` judges the method on where a person asks about a few rows only.
        """
        return torch.from_numpy(self.schema.spread(rows, seed=1))

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
        scale = torch.tensor([c.scale if c.kind in ("numeric", "date") else 0.0
                              for c in self.schema.columns])  # fmt: skip
        known = codes[..., 1] == KNOWN
        codes[..., 0] += torch.where(known, size * scale * noise.to(codes), 0.0)
        yield codes

    def _mixed(self, codes: Tensor, keep: Tensor) -> Tensor:
        """Mean logits "B C" over typical tokens in the removed ones' place."""
        own, drawn = self.module.factors(codes), self.module.factors(self._drawn)
        logits = [self.module(codes, torch.where(keep[..., None], own, row)) for row in drawn]
        return torch.stack(logits).mean(0)

    def _by_sums(self, codes: Tensor, keep: Tensor) -> Tensor:
        """The same without mixing layers, where scores and effects are each factor's own."""
        read, drawn = self.module.read(codes), self.module.read(self._drawn)
        kept_BCN = keep[:, None]
        scores_KBCN = torch.where(kept_BCN, read.scores, drawn.scores[:, None])
        effects_KBCN = torch.where(kept_BCN, read.effects, drawn.effects[:, None])
        # a row of which rules veto every factor has no weights, and its constant decides
        nothing_KBC1 = scores_KBCN.isneginf().all(-1, keepdim=True)
        weights_KBCN = scores_KBCN.softmax(-1).masked_fill(nothing_KBC1, 0.0)
        sums_KBC = (weights_KBCN * effects_KBCN).sum(-1)
        return self.module.constant + sums_KBC.mean(0)

    def _joint(self) -> bool:
        """Whether a column's score can depend on the others' cells."""
        ruling = self.module.ruling
        told = ruling is not None and (ruling.by_row or not ruling.per_key)
        return told or self.module.shape.mixing_layers > 0

    def _check_keep(self, codes: Tensor, keep: Tensor) -> None:
        expected = (len(codes), len(self._units))
        if keep.dtype != torch.bool or tuple(keep.shape) != expected:
            got = f"{keep.dtype} {tuple(keep.shape)}"
            raise ShapeError(f"keep must be bool (B, N) = {expected}, got {got}")

    def _codes(self, batch: Batch) -> Tensor:
        codes = batch if isinstance(batch, Tensor) else self.read(_rows(batch))
        expected = (len(codes), len(self._units), self.schema.numbers)
        if codes.dtype != torch.float64 or tuple(codes.shape) != expected:
            raise ShapeError(
                f"batch must be codes (B, N, K) with N = {len(self._units)} columns in float64, "
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
