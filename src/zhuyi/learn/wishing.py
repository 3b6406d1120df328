"""What a prior asks of a training, as terms of its loss.

    monotone   mean_b max(0, 0.05 - sign (z(v) - z(u)) / (v - u) * scale)    u < v values of it
    unused     mean_b sum_c (z_c(x) - z_c(x with the column of another row))^2
    wishes     Rules.penalty on the attention of this very pass
    logic      -ln truth on the attention and the decisions of this very pass

with z the log-odds of a decision. Letters: B rows, N columns, C logits.
"""

from typing import Final

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix
from zhuyi.errors import OptionError
from zhuyi.learn.columns import KNOWN, Column
from zhuyi.learn.glass_box import GlassBox, Read
from zhuyi.learn.objectives import Binary, Multiclass, Objective
from zhuyi.learn.prior import Monotone, Prior
from zhuyi.learn.ruling import check_conditions, tell_meaningless
from zhuyi.learn.sources import Source, with_cells
from zhuyi.learn.table_reader import TableRows
from zhuyi.steer.layout import Layout
from zhuyi.steer.matching import matched_in
from zhuyi.steer.penalty.logic import World, unlikeliness
from zhuyi.steer.penalty.mass import attended
from zhuyi.trace.watch import watch

_MARGIN: Final = 0.05  # log-odds a standard deviation: what is only just met is soon lost again
_JUDGED: Final = 256  # rows
_ROWS: Final = 1024  # looked at together before the training
_STEP: Final = 1e-2  # standard deviations: nearer values say more of rounding than of a direction


class Wishes:
    """The wishes of a prior.

    Args:
        prior: what is asked.
        source: what says what rows are made of.
        labels: names of the decisions.
        objective: from logits to probabilities.
    Raises: OptionError: columns or decisions that do not exist, a direction of a category, and
        directions and unused columns of what is no table.
    """

    def __init__(
        self, prior: Prior, source: Source, labels: tuple[str, ...], objective: Objective
    ) -> None:
        self.prior = prior
        self.source = source
        self.labels = labels
        self.objective = objective
        self._named = prior.rules + prior.wishes
        self._by_row = source.whole is None or any(rule.when for rule in self._named)
        _check_kind(prior, source)
        check_conditions(prior.wishes, source)
        self._places = {one.column: self.place(one.column) for one in prior.monotone}
        self._unused = [self.place(name) for name in prior.unused]
        for one in prior.monotone:
            self._check(one)

    def check(self, codes: Tensor, *, strict: bool) -> None:
        """Tell of wishes that mean nothing in the training rows.

        Raises: NotSteerable: under `strict`.
        """
        meant = {
            rule.id
            for rows in torch.split(codes if self._by_row else codes[:1], _ROWS)
            for layout in self.source.layouts(rows, _none)
            for rule in self.prior.wishes
            if matched_in(rule, layout).positions
        }
        tell_meaningless(self.prior.wishes, meant, self.source.told, strict=strict)

    def seen(self, model: GlassBox, codes: Tensor) -> tuple[Read, list[AttentionMatrix]]:
        """The decision on a batch, and every attention that made it, read-out last."""
        if not model.shape.mixing_layers or not (self.prior.wishes or self.prior.logic):
            read = model.read(codes)
            return read, [read.matrix]
        with watch(model) as tape:
            read = model.read(codes)
        return read, [one.matrix for one in tape if one.matrix is not None]

    def loss(
        self,
        model: GlassBox,
        codes: Tensor,
        read: Read,
        attention: list[AttentionMatrix],
        generator: torch.Generator,
    ) -> Tensor:
        """All that is asked, of this batch, times its strength.

        Args:
            model: in training.
            codes: of the batch.
            read: what it made of them.
            attention: as `seen` gives it.
            generator: of the values and rows that are tried.
        """
        prior, total = self.prior, read.logits.new_zeros(())
        if prior.wishes:
            total = total + prior.wishes.penalty(
                attention, self._layouts(codes), supervision=prior.supervision
            )
        if prior.logic:
            masses = attended(self._named.rules, attention, self._layouts(codes))
            shares = self.objective.shares(read.logits)
            world = World(masses=masses, shares=shares, labels=self.labels)
            total = total + unlikeliness(prior.logic, world)
        for one in prior.monotone:
            total = total + self._against(one, model, codes, generator)
        for place in self._unused:
            order = torch.randperm(len(codes), generator=generator)
            other = model(with_cells(codes, place, codes[order, place]))
            total = total + (read.logits - other).square().sum(1).mean()
        return prior.strength * total

    @torch.no_grad()
    def judged(self, model: GlassBox, codes: Tensor) -> float:
        """The same of rows kept back, always at the same values: which epoch was best."""
        some = codes[:: max(1, len(codes) // _JUDGED)][:_JUDGED]
        read, attention = self.seen(model, some)
        same = torch.Generator().manual_seed(0)
        return float(self.loss(model, some, read, attention, same))

    def odds(self, logits: Tensor, label: str | None) -> Tensor:
        """Log-odds "B" of a decision; of a regressor its number in standard deviations."""
        place = len(self.labels) - 1 if label is None else self.labels.index(label)
        if isinstance(self.objective, Binary):
            return logits[:, 0] if place == 1 else -logits[:, 0]
        if not isinstance(self.objective, Multiclass):
            return logits[:, place]
        others = torch.arange(logits.shape[1]) != place
        return logits[:, place] - logits[:, others].logsumexp(1)

    def points(self, name: str) -> Tensor:
        """Ascending values of a column between which its encoding is straight, in float64."""
        edges = torch.tensor(self.column(name).edges, dtype=torch.float64)
        return torch.cat([edges, (edges[1:] + edges[:-1]) / 2]).sort().values

    def place(self, name: str) -> int:
        """The place of a column. Raises: OptionError: if there is none of that name."""
        if name not in self.source.names:
            raise OptionError(f"there is no column {name!r}; there are: {self.source.names}")
        return self.source.names.index(name)

    def column(self, name: str) -> Column:
        """The column of that name."""
        assert isinstance(self.source, TableRows)
        return self.source.schema.columns[self.place(name)]

    def _against(
        self, one: Monotone, model: GlassBox, codes: Tensor, generator: torch.Generator
    ) -> Tensor:
        """How steeply the log-odds go the wrong way between two typical values, on average."""
        column, place = self.column(one.column), self._places[one.column]
        points, rows = self.points(one.column), len(codes)
        # half of the pairs are neighbors, so that small dents are seen as well as wrong directions
        start = torch.randint(len(points) - 1, (rows,), generator=generator)
        other = torch.randint(len(points), (rows,), generator=generator)
        other[::2] = start[::2] + 1
        low, high = points[torch.stack([start, other])].sort(0).values
        found = [
            self.odds(model(with_cells(codes, place, known(value, codes))), one.label)
            for value in (low, high)
        ]
        step = ((high - low) / column.scale).clamp_min(_STEP).to(found[0])
        slope = (found[0] - found[1] if one.falls else found[1] - found[0]) / step
        against: Tensor = (_MARGIN - slope).clamp_min(0.0)
        return against.mean()

    def _layouts(self, codes: Tensor) -> list[Layout]:
        if self._by_row:
            return list(self.source.layouts(codes, _none))
        return list(self.source.layouts(codes[:1], _none)) * len(codes)

    def _check(self, one: Monotone) -> None:
        column = self.column(one.column)
        if column.kind not in ("numeric", "date", "ordinal"):
            raise OptionError(
                f"column {one.column!r} is {column.kind}, which has no direction: say columns="
                f'{{{one.column!r}: "ordinal"}} if it has an order'
            )
        if one.label is None and len(self.labels) > 1 and not isinstance(self.objective, Binary):
            raise OptionError(f"of which decision? {one.told}: name one of {self.labels}")
        if one.label is not None and one.label not in self.labels:
            raise OptionError(f"there is no decision {one.label!r}; there are: {self.labels}")


def _check_kind(prior: Prior, source: Source) -> None:
    """Refuse what is asked of columns where there are none. Raises: OptionError."""
    if isinstance(source, TableRows):
        return
    for name, asked in (("monotone", prior.monotone), ("unused", prior.unused)):
        if asked:
            raise OptionError(
                f"Prior({name}=...) is asked of the columns of a table, and {source.told}: leave "
                "it out, and use rules and wishes"
            )


def _none(layout: Layout) -> frozenset[int]:
    """No position whose content decides nothing."""
    return frozenset()


def known(values: Tensor, codes: Tensor) -> Tensor:
    """Numbers "B" as cells."""
    cells = torch.zeros(len(values), codes.shape[2], dtype=codes.dtype)
    cells[:, 0], cells[:, 1] = values, KNOWN
    return cells
