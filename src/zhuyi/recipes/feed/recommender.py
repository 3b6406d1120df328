"""A small attention recommender of the SASRec family, made so that its history can be steered.

    x_n = film_n + place_n,   x_ask = ask + place_ask
    x = mixing layers among (x_1 ... x_N, x_ask);   score(film) = <norm(x_ask), film> + constant

What to watch next is read at a position of its own ("ask") that holds no film. So a veto of any
film of the history is exact: no position that is read out holds it.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from zhuyi._check import check_at_least
from zhuyi.core import Mask
from zhuyi.errors import OptionError, ShapeError
from zhuyi.learn.mixing import MixingLayer, SeededDropout, mixing_layers

_START: Final = 0.05  # spread of fresh embeddings


@dataclass(frozen=True, kw_only=True)
class Form:
    """What a recommender is built by.

    Args:
        films: how many there are.
        width: of a film's vector.
        layers: of attention.
        num_heads: of each.
        length: films of a history that are read, the latest ones.
        dropout: while training.
    Raises: OptionError: for a number out of range.
    """

    films: int
    width: int = 64
    layers: int = 2
    num_heads: int = 2
    length: int = 50
    dropout: float = 0.2

    def __post_init__(self) -> None:
        for name in ("films", "width", "layers", "num_heads", "length"):
            check_at_least(name, getattr(self, name), 1)
        if self.width % self.num_heads:
            raise OptionError(f"width {self.width} must be divisible by num_heads {self.num_heads}")
        if not 0.0 <= self.dropout < 1.0:
            raise OptionError(f"dropout must be within [0, 1), got {self.dropout}")

    @property
    def ask(self) -> int:
        """The code of the position that asks for a film."""
        return self.films

    @property
    def nothing(self) -> int:
        """The code of a position that holds nothing."""
        return self.films + 1


class FilmEmbedding(nn.Module):
    """Codes "B L" to vectors "B L W": a film by itself, and its place.

    Args:
        form: its sizes.
    """

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.form = form
        self.film = nn.Parameter(torch.empty(form.films, form.width))
        self.ask = nn.Parameter(torch.empty(form.width))
        self.place = nn.Parameter(torch.empty(form.length + 1, form.width))

    def forward(self, codes: Tensor) -> Tensor:
        """The vectors of the codes."""
        table = torch.cat([self.film, self.ask[None], torch.zeros_like(self.ask)[None]])
        return nn.functional.embedding(codes, table) + self.place[: codes.shape[1]]

    def asking(self) -> Tensor:
        """The vectors "length W" of `ask` after one film, after two, ..."""
        return self.ask + self.place[1:]


class Recommender(nn.Module):
    """Codes "B L" to scores "B films".

    A row of codes is a history, then `ask`, then `nothing` up to the longest row. `nothing` may
    also stand within a history: nobody sees it.

    Args:
        form: its sizes.
        generator: of the parameters; None leaves them as memory is, to be loaded.

    Cost: O(B L (layers W^2 + L W) + B films W).

    Example:
        >>> model = Recommender(Form(films=9, width=8), torch.Generator().manual_seed(0)).eval()
        >>> model(torch.tensor([[3, 1, 9], [4, 9, 10]])).shape
        torch.Size([2, 9])
    """

    def __init__(self, form: Form, generator: torch.Generator | None) -> None:
        super().__init__()
        self.form = form
        self.layers = mixing_layers(form.layers, form.width, form.num_heads, form.dropout)
        with torch.device("meta"):  # draws nothing from the global generator
            self.embedding = FilmEmbedding(form)
            self.norm = nn.LayerNorm(form.width)
            self.constant = nn.Parameter(torch.empty(form.films))
        self.dropout = SeededDropout(form.dropout)
        self.to_empty(device="cpu")
        if generator is not None:
            self.reset(generator)

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """New parameters, drawn from `generator` alone."""
        for layer in self.layers:
            assert isinstance(layer, MixingLayer)
            layer.reset(generator)
        for tensor in self.embedding.parameters():
            tensor.normal_(0.0, _START, generator=generator)
        self.constant.zero_()
        self.norm.weight.fill_(1.0)
        self.norm.bias.zero_()

    def draw_from(self, generator: torch.Generator | None) -> None:
        """What dropout draws from; None for no dropout."""
        for module in self.modules():
            if isinstance(module, SeededDropout):
                module.generator = generator

    def forward(self, codes: Tensor, vectors: Tensor | None = None) -> Tensor:
        """Scores "B films" of every film, those of the history included.

        Args:
            codes: int64 "B L".
            vectors: "B L W" in place of those that the embedding makes of the codes.
        Raises: ShapeError: if a row has no `ask`, or is longer than the model reads.
        """
        form = self.form
        if codes.dim() != 2 or codes.shape[1] > form.length + 1:
            raise ShapeError(
                f"codes must be (B, L) with L <= {form.length + 1}, got {tuple(codes.shape)}"
            )
        asks = codes == form.ask
        if not bool((asks.sum(1) == 1).all()):
            raise ShapeError(f"every row of codes must hold `ask` = {form.ask} once")
        if vectors is None:
            vectors = self.embedding(codes)
        return self.scores(self.read(vectors, self.mask_of(codes))[asks])

    def mask_of(self, codes: Tensor) -> Mask:
        """Which positions each may see: those before it that hold something, and itself."""
        return Mask.padding(codes != self.form.nothing) & Mask.causal()

    def read(self, vectors_BLW: Tensor, mask: Mask) -> Tensor:
        """States "B L W" after all layers."""
        vectors_BLW = self.dropout(vectors_BLW)
        for layer in self.layers:
            vectors_BLW = layer(vectors_BLW, mask)
        states: Tensor = self.norm(vectors_BLW)
        return states

    def scores(self, states: Tensor) -> Tensor:
        """Scores "... films" of states "... W"."""
        return states @ self.embedding.film.T + self.constant
