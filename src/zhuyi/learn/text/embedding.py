"""Codes of texts to tokens: pieces each by itself, or units in reading order."""

import math

import torch
from torch import Tensor, nn

from zhuyi.learn.embedding import Embedding
from zhuyi.learn.mixing import SeededDropout

_SPREAD = 0.02  # of the first entries: a rare piece, hardly trained, should say hardly anything
_SPREAD_IN_CONTEXT = 0.3
_START = 5.0  # times the log-ratio: a weight is a small share, and effects have to make up for it


class TextEmbedding(Embedding):
    """What both ways of reading a text share: a table with one entry a piece.

    Args:
        entries: of the table, the two that are no piece among them.
        width: W of a token.
        dropout: share of factors that are hidden while training.
        generator: of the parameters; None leaves them as memory is, to be loaded.
    """

    spread = _SPREAD

    def __init__(
        self, entries: int, width: int, dropout: float, generator: torch.Generator | None
    ) -> None:
        super().__init__()
        self.table = nn.Parameter(torch.empty(entries, width))
        self.hiding = SeededDropout(dropout)
        if generator is not None:
            self.reset(generator)

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """New parameters, drawn from `generator` alone."""
        self.table.normal_(0.0, self.spread, generator=generator)

    @torch.no_grad()
    def settle(self, codes: Tensor) -> None:
        """Pieces that only validation texts hold say what a piece says on average."""
        used = torch.zeros(len(self.table), dtype=torch.bool)
        used[codes.reshape(-1).long()] = True
        used[1] |= self.hiding.share > 0  # trained wherever a unit was hidden
        pieces = used.clone()
        pieces[:2] = False
        if bool(pieces.any()):  # else rules veto every piece of every text
            self.table[~used] = self.table[pieces].mean(0)

    def lengths(self, codes: Tensor) -> Tensor:
        """How many places of each text hold a factor, "B"."""
        there = codes.flatten(2)[..., 0] > 0 if codes.dim() > 2 else codes > 0
        # the first one from the end, without a large number for every place
        return (codes.shape[1] - there.flip(1).byte().argmax(1)) * there.any(1)

    def hidden(self, there_BN: Tensor) -> Tensor | None:
        """Which factors are hidden this time, bool "B N"; None outside of training."""
        share, generator = self.hiding.share, self.hiding.generator
        if not self.training or not share or generator is None:
            return None
        return torch.rand(there_BN.shape, generator=generator) < share


class PieceEmbedding(TextEmbedding):
    """Each piece by itself: a key and a value from the table, wherever it stands.

        t_n = table[code_n];   the rest, first in every text: the token 0 and a score of its own

    The rest takes weight and says nothing, so that a text with little in it is decided by little
    (without it the weights of one poor piece would be 1). Its score is one number, not a key: a key
    would be trained many times as fast, and most of what the rest is good for would be lost.

    Cost: O(B N W) time and memory.
    """

    def __init__(
        self, entries: int, width: int, dropout: float, generator: torch.Generator | None
    ) -> None:
        super().__init__(entries, width, dropout, generator)
        self.rest = nn.Parameter(torch.zeros(1))

    def forward(self, codes_BN: Tensor) -> Tensor:
        """Tokens "B N W" of codes "B N"."""
        tokens = nn.functional.embedding(codes_BN, self.table)
        return tokens * (codes_BN > 1)[..., None]

    def lift(self, codes_BN: Tensor) -> Tensor:
        """The score of the rest, "B N"; 0 for pieces."""
        return (codes_BN == 1) * self.rest

    @torch.no_grad()
    def start(self, codes: Tensor, target: Tensor, effect: Tensor) -> None:
        """Effects begin as log-ratios of how often a piece stands in texts with the label.

            e_vc = 5 [ln((n_vc + 1) / (n_c + 2)) - ln((n_v - n_vc + 1) / (n - n_c + 2))]

        with n_vc the number of texts with piece v and label c (Wang & Manning 2012, ACL P12-2018),
        and the rest begins with the weight of all pieces of an average text together.
        """
        pieces = (codes > 1).sum(1).double().mean().clamp_min(1.0)
        self.rest.fill_(float(pieces.log()))
        flags = _flags(target, len(effect))
        counts = torch.zeros(len(self.table), 1 + flags.shape[1])
        both = torch.cat([torch.ones(len(flags), 1), flags], 1)
        for row, one in enumerate(codes):
            counts[torch.unique(one).long()] += both[row]
        with_label, texts = counts[:, 1:], both.sum(0)[1:]
        without = counts[:, :1] - with_label
        ratio = torch.log((with_label + 1) / (texts + 2)) - torch.log(
            (without + 1) / (len(flags) - texts + 2)
        )
        # the least values that the effects read as these ratios
        values = ratio @ torch.linalg.pinv(effect).T
        self.table[2:, -values.shape[1] :] += _START * values[2:]

    def present(self, codes_BN: Tensor) -> Tensor:
        """Which places hold a piece, bool "B N"; while training some are hidden."""
        there = codes_BN > 0
        hidden = self.hidden(there)
        return there if hidden is None else there & ~(hidden & (codes_BN > 1))


def _flags(target: Tensor, outputs: int) -> Tensor:
    """Which text has which label, "B C" of 0 and 1; one logit speaks for the second class."""
    if target.dim() == 2:
        return target.float()
    if outputs == 1:
        return target.float()[:, None]
    return nn.functional.one_hot(target.long(), outputs).float()


class ContextEmbedding(TextEmbedding):
    """Each unit with the pieces that end with it, and where it stands.

        t_n = sum_g table[code_ng] + P_n

    with P the sines and cosines of Vaswani et al. 2017 (arXiv:1706.03762, 3.5). A hidden unit is
    read as an unknown one, and pieces that hold it as none.

    Cost: O(B N G W) time and memory.
    """

    spread = _SPREAD_IN_CONTEXT

    def forward(self, codes_BNG: Tensor) -> Tensor:
        """Tokens "B N W" of codes "B N G"."""
        hidden = self.hidden(codes_BNG[..., 0] > 0)
        if hidden is not None:
            codes_BNG = without_units(codes_BNG, hidden)
        found = nn.functional.embedding(codes_BNG, self.table) * (codes_BNG > 0)[..., None]
        return found.sum(-2) + _positions(codes_BNG.shape[1], found)

    def present(self, codes_BNG: Tensor) -> Tensor:
        """Which places hold a unit, bool "B N"; none of a text without any known piece."""
        there = codes_BNG[..., 0] > 0
        return there & (codes_BNG > 1).any(-1).any(-1, keepdim=True)


def without_units(codes_BNG: Tensor, gone_BN: Tensor) -> Tensor:
    """Codes in context where some units are unknown, and pieces that hold one of them none."""
    codes = codes_BNG.clone()
    codes[..., 0] = torch.where(gone_BN & (codes[..., 0] > 0), 1, codes[..., 0])
    touched = gone_BN
    for group in range(1, codes.shape[2]):
        before = torch.zeros_like(gone_BN)
        before[:, group:] = gone_BN[:, : gone_BN.shape[1] - group]
        touched = touched | before
        codes[..., group] = torch.where(touched, 0, codes[..., group])
    return codes


def _positions(count: int, like: Tensor) -> Tensor:
    """Sines and cosines of the places 0 .. count - 1, "N W"."""
    width = like.shape[-1]
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angles = torch.arange(count)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], -1).reshape(count, -1)[:, :width].to(like)
