"""Each column embedded by itself: codes "B N 2" to tokens "B N W".

    number:   t_n = F(x) W_n + b_n,   F(x) = [(x - center) / scale, pieces of x]
    category: t_n = T[n, x];          missing and unseen are entries of T like any other

with piece i of x growing from 0 to 1 between the quantiles i and i + 1, so that an effect can bend
there and nowhere else. Letters: B rows, N columns, T pieces, F features, W width of a token.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import torch
from torch import Tensor, nn

from zhuyi.learn.columns import KNOWN, MISSING, UNSEEN, Column
from zhuyi.learn.embedding import Embedding

_CALENDAR: Final = ((7.0, 3.0), (365.2425, 0.0))  # periods in days: a week from Monday, a year
_FAR: Final = 8.0  # standard deviations beyond which a straight line is not continued
_BEYOND: Final = 1e30  # where a piece begins that a column does not have


class Factors(Embedding):
    """The embedding of every column, of its missing values and of what was never seen.

    Args:
        columns: N of them.
        width: W of a token.
        generator: of the parameters; None leaves them as memory is, to be loaded.
    Cost: O(B N T W) time for numbers, O(B N W) memory for tokens.
    Ref:  Gorishniy et al. 2022, arXiv:2203.05556, eq. 1 (piecewise-linear encoding).
    """

    lower: Tensor
    span: Tensor
    center: Tensor
    scale: Tensor
    dated: Tensor
    by_category: Tensor
    offset: Tensor
    sizes: Tensor

    def __init__(
        self, columns: Sequence[Column], width: int, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        pieces = max((len(column.edges) - 1 for column in columns if column.edges), default=1)
        lower, span = zip(*(_pieces(column, pieces) for column in columns), strict=True)
        entries = [len(c.categories) if c.by_category else 0 for c in columns]
        starts = [sum(entries[:n]) + 2 * n for n in range(len(columns))]
        # all of this follows from the schema, so it is not saved with the weights
        for name, values, dtype in (
            ("lower", lower, torch.float64),
            ("span", span, torch.float64),
            ("center", [c.center for c in columns], torch.float64),
            ("scale", [c.scale for c in columns], torch.float64),
            ("dated", [c.kind == "date" for c in columns], torch.bool),
            ("by_category", [c.by_category for c in columns], torch.bool),
            ("offset", starts, torch.long),
            ("sizes", entries, torch.long),
        ):
            self.register_buffer(name, torch.tensor(values, dtype=dtype), persistent=False)
        self.any_number = not all(column.by_category for column in columns)
        features = (
            1 + pieces + (2 * len(_CALENDAR) if any(c.kind == "date" for c in columns) else 0)
        )
        self.any_date = features > 1 + pieces
        self.weight = nn.Parameter(torch.empty(len(columns), features, width))
        self.bias = nn.Parameter(torch.empty(len(columns), width))
        self.table = nn.Parameter(torch.empty(sum(entries) + 2 * len(columns), width))
        if generator is not None:
            self.reset(generator)

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """New parameters, drawn from `generator` alone."""
        bound = self.weight.shape[1] ** -0.5
        self.weight.uniform_(-bound, bound, generator=generator)
        self.bias.uniform_(-bound, bound, generator=generator)
        self.table.normal_(0.0, 0.3, generator=generator)

    def features(self, values_BN: Tensor) -> Tensor:
        """What a number is read by: "B N F", in float64; a value far out counts as the farthest."""
        standard = ((values_BN - self.center) / self.scale).clamp(-_FAR, _FAR)
        pieces = ((values_BN[..., None] - self.lower) / self.span).clamp(0.0, 1.0)
        parts = [standard[..., None], pieces]
        if self.any_date:
            for period, start in _CALENDAR:
                turn = (values_BN + start)[..., None] * (2 * torch.pi / period)
                parts += [turn.sin() * self.dated[:, None], turn.cos() * self.dated[:, None]]
        return torch.cat(parts, -1)

    def forward(self, codes_BN2: Tensor) -> Tensor:
        """Tokens "B N W" of codes "B N 2" (value, state)."""
        values, state = codes_BN2[..., 0], codes_BN2[..., 1].round().long()
        place = torch.where(self.by_category, values.round().long(), 0)
        place = torch.minimum(place.clamp_min(0), (self.sizes - 1).clamp_min(0))
        place = torch.where(state == KNOWN, place, self.sizes + (state == UNSEEN).long())
        tokens = nn.functional.embedding(self.offset + place, self.table)
        if not self.any_number:
            return tokens
        read = torch.einsum(
            "bnf,nfw->bnw", self.features(values).to(self.weight.dtype), self.weight
        )
        number = (state == KNOWN) & ~self.by_category
        return torch.where(number[..., None], read + self.bias, tokens)

    @torch.no_grad()
    def settle(self, codes_BN2: Tensor) -> None:
        """Give entries that training never used the mean token of their column.

        A missing value in a column that never missed one, and a category never seen, then say what
        the column says on average. (An entry that was never trained would say something random.)
        """
        known = codes_BN2[..., 1] == KNOWN
        missed = (codes_BN2[..., 1] == MISSING).any(0)
        tokens = self(codes_BN2).double() * known[..., None]
        mean = (tokens.sum(0) / known.sum(0).clamp_min(1)[:, None]).to(self.table.dtype)
        gone = self.offset + self.sizes
        self.table[gone] = torch.where(missed[:, None], self.table[gone], mean)
        self.table[gone + 1] = mean
        self._settle_levels(codes_BN2, known, mean)

    def _settle_levels(self, codes_BN2: Tensor, known: Tensor, mean: Tensor) -> None:
        """The same for a declared category without a single training row."""
        places = self.offset + codes_BN2[..., 0].round().long()
        used = torch.zeros(len(self.table), dtype=torch.bool)
        used[places[known & self.by_category]] = True
        for n in self.by_category.nonzero()[:, 0].tolist():
            rows = torch.arange(int(self.sizes[n])) + int(self.offset[n])
            self.table[rows[~used[rows]]] = mean[n]


def _pieces(column: Column, count: int) -> tuple[list[float], list[float]]:
    """Where each piece begins and how long it is; pieces that a column lacks begin beyond all."""
    edges = column.edges
    lower = [*edges[:-1], *([_BEYOND] * count)][:count]
    span = [*(b - a for a, b in pairwise(edges)), *([1.0] * count)][:count]
    return lower, span
