"""Each column embedded by itself: codes "B N 2 + P" to tokens "B N W".

    number:   t_n = F(x) W_n + b_n,   F(x) = [(x - center) / scale, pieces of x]
    category: t_n = T[n, x];          missing and unseen are entries of T like any other
    text:     t_n = mean_p S[n, p]    over its known pieces p

with piece i of x growing from 0 to 1 between the quantiles i and i + 1, so that an effect can bend
there and nowhere else. Letters: B rows, N columns, T pieces, F features, W width of a token,
P pieces of a text.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from zhuyi.learn.columns import KNOWN, MISSING, UNSEEN, Column
from zhuyi.learn.embedding import Embedding

_CALENDAR: Final = ((7.0, 3.0), (365.2425, 0.0))  # periods in days: a week from Monday, a year
_AT_ONCE: Final = 8192  # rows embedded at a time
_FAR: Final = 8.0  # standard deviations beyond which a straight line is not continued
_RARE: Final = 0.05  # spread of the first entries of pieces: a rare one should hardly say anything
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

    movable: ClassVar[bool] = True
    lower: Tensor
    span: Tensor
    center: Tensor
    scale: Tensor
    dated: Tensor
    by_category: Tensor
    offset: Tensor
    sizes: Tensor
    texts: Tensor
    first: Tensor

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
            ("texts", [c.kind == "text" for c in columns], torch.bool),
            ("first", _starts(columns), torch.long),
        ):
            self.register_buffer(name, torch.tensor(values, dtype=dtype), persistent=False)
        self.any_number = not all(c.by_category or c.kind == "text" for c in columns)
        self.any_text = any(column.kind == "text" for column in columns)
        features = (
            1 + pieces + (2 * len(_CALENDAR) if any(c.kind == "date" for c in columns) else 0)
        )
        self.any_date = features > 1 + pieces
        self.weight = nn.Parameter(torch.empty(len(columns), features, width))
        self.bias = nn.Parameter(torch.empty(len(columns), width))
        self.table = nn.Parameter(torch.empty(sum(entries) + 2 * len(columns), width))
        if self.any_text:
            count = 1 + sum(len(c.categories) for c in columns if c.kind == "text")
            self.pieces = nn.Parameter(torch.empty(count, width))
        if generator is not None:
            self.reset(generator)

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """New parameters, drawn from `generator` alone."""
        bound = self.weight.shape[1] ** -0.5
        self.weight.uniform_(-bound, bound, generator=generator)
        self.bias.uniform_(-bound, bound, generator=generator)
        self.table.normal_(0.0, 0.3, generator=generator)
        if self.any_text:
            self.pieces.normal_(0.0, _RARE, generator=generator)
            self.pieces[0] = 0.0

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
        """Tokens "B N W" of codes "B N 2 + P" (value, state, pieces of a text)."""
        values, state = codes_BN2[..., 0], codes_BN2[..., 1].round().long()
        place = torch.where(self.by_category, values.round().long(), 0)
        place = torch.minimum(place.clamp_min(0), (self.sizes - 1).clamp_min(0))
        place = torch.where(state == KNOWN, place, self.sizes + (state == UNSEEN).long())
        tokens = nn.functional.embedding(self.offset + place, self.table)
        if self.any_text:
            tokens = self._with_texts(tokens, codes_BN2)
        if not self.any_number:
            return tokens
        read = torch.einsum(
            "bnf,nfw->bnw", self.features(values).to(self.weight.dtype), self.weight
        )
        number = (state == KNOWN) & ~self.by_category & ~self.texts
        return torch.where(number[..., None], read + self.bias, tokens)

    @torch.no_grad()
    def settle(self, codes_BN2: Tensor) -> None:
        """Give entries that training never used the mean token of their column.

        A piece of text that it never used gets the mean of those it did.

        A missing value in a column that never missed one, and a category never seen, then say what
        the column says on average. (An entry that was never trained would say something random.)
        """
        if self.any_text:
            self._settle_pieces(codes_BN2)
        known = codes_BN2[..., 1] == KNOWN
        missed = (codes_BN2[..., 1] == MISSING).any(0)
        total = torch.zeros(len(self.offset), self.table.shape[1], dtype=torch.float64)
        for part, there in zip(
            torch.split(codes_BN2, _AT_ONCE), torch.split(known, _AT_ONCE), strict=True
        ):
            total += (self(part).double() * there[..., None]).sum(0)
        mean = (total / known.sum(0).clamp_min(1)[:, None]).to(self.table.dtype)
        gone = self.offset + self.sizes
        self.table[gone] = torch.where(missed[:, None], self.table[gone], mean)
        self.table[gone + 1] = mean
        self._settle_levels(codes_BN2, known, mean)

    def _with_texts(self, tokens_BNW: Tensor, codes_BN2: Tensor) -> Tensor:
        """The mean entry of a text's pieces in the place of its token."""
        codes = codes_BN2[:, self.texts, 2:].round().long()
        places = torch.where(codes > 0, codes + self.first[self.texts, None], 0)
        places = places.clamp(0, len(self.pieces) - 1)
        means = nn.functional.embedding_bag(
            places.flatten(0, 1), self.pieces, mode="mean", padding_idx=0
        ).reshape(*places.shape[:2], -1)
        known = (codes_BN2[:, self.texts, 1].round() == KNOWN)[..., None]
        found = tokens_BNW.clone()
        found[:, self.texts] = torch.where(known, means, tokens_BNW[:, self.texts])
        return found

    def _settle_pieces(self, codes_BN2: Tensor) -> None:
        codes = codes_BN2[:, self.texts, 2:].round().long()
        places = (codes + self.first[self.texts, None])[codes > 0]
        used = torch.zeros(len(self.pieces), dtype=torch.bool)
        used[places] = True
        mean = self.pieces[places].mean(0) if len(places) else torch.zeros_like(self.pieces[0])
        self.pieces[~used] = mean

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


def _starts(columns: Sequence[Column]) -> list[int]:
    """Per column, the place before its first piece in the table of pieces; 0 holds none."""
    sizes = [len(column.categories) if column.kind == "text" else 0 for column in columns]
    return [sum(sizes[:n]) for n in range(len(columns))]
