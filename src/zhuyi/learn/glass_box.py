"""The glass box: one attention per label reads the factors, and the explanation is the computation.

    s_cn = q_c . k_n / sqrt(d),   w_cn = softmax_n(s_cn),   e_cn = u_c . v_n,
    z_c  = b_c + sum_n w_cn e_cn

with k_n and v_n read from column n alone. Letters: B rows, N columns, C labels, d width.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor, nn

from zhuyi.core import AttentionMatrix, Bias, Mask, attend
from zhuyi.learn.embedding import Inputs
from zhuyi.learn.mixing import MixingLayer, SeededDropout, mixing_layers
from zhuyi.learn.ruling import Ruling


class Read(NamedTuple):
    """What a glass box gives for B rows.

    Args:
        logits: "B C", the decision before softmax or sigmoid.
        matrix: the weights, of shape (B, C, 1, N): one head a label.
        effects: "B C N", what each factor says for each label.
    """

    logits: Tensor
    matrix: AttentionMatrix
    effects: Tensor

    @property
    def scores(self) -> Tensor:
        """ "B C N", before the softmax."""
        return self.matrix.scores()[:, :, 0]

    @property
    def weights(self) -> Tensor:
        """ "B C N", each row sums to 1."""
        return self.matrix.weights()[:, :, 0]

    @property
    def contributions(self) -> Tensor:
        """Weight times effect, "B C N": they sum to the logit less the label's constant."""
        return self.weights * self.effects


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How large a glass box is.

    Args:
        outputs: number of logits C.
        width: d of keys and of values.
        mixing_layers: transformer layers among the factors before they are read.
        num_heads: of each of these layers.
        dropout: of these layers, while training.
    """

    outputs: int
    width: int = 32
    mixing_layers: int = 0
    num_heads: int = 4
    dropout: float = 0.0


class GlassBox(nn.Module):
    """One attention per label over factors that are embedded each by itself.

    Without mixing layers nothing of a factor reaches another before the read-out, so that
    contribution n depends on the other columns through the softmax's normalizer alone. With them,
    contributions still sum to the decision, but a token then holds more than its own column.

    Args:
        columns: N of them, as they are read.
        shape: how large.
        generator: of the parameters; None leaves them as memory is, to be loaded.
    Cost: O(B N d (T + C)) time, O(B N d) memory; with mixing O(B L N (N + d) d) more.
    Not:  with mixing layers an explanation by construction: verify it.
    """

    offset: Tensor

    def __init__(self, inputs: Inputs, shape: Shape, generator: torch.Generator | None) -> None:
        super().__init__()
        self.shape = shape
        self.ruling: Ruling | None = None  # rules that are a part of the model
        width, mixed = shape.width, shape.mixing_layers > 0
        self.factors = inputs.embedding(width if mixed else 2 * width, generator)
        self.mixing = mixing_layers(shape.mixing_layers, width, shape.num_heads, shape.dropout)
        if next(self.factors.parameters()).device.type != "meta":
            self.mixing.to_empty(device="cpu")
        self.key_value = nn.Parameter(torch.empty(2 * width, width)) if mixed else None
        self.query = nn.Parameter(torch.empty(shape.outputs, width))
        self.effect = nn.Parameter(torch.empty(shape.outputs, width))
        self.constant = nn.Parameter(torch.empty(shape.outputs))
        if self.factors.movable:  # nothing that is trained: see `gauge`
            self.register_buffer("offset", torch.zeros(shape.outputs))
        if generator is not None:
            self.reset(generator)

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """New parameters for all but the factors, drawn from `generator` alone."""
        for layer in self.mixing:
            assert isinstance(layer, MixingLayer)
            layer.reset(generator)
        bound = self.shape.width**-0.5
        if self.key_value is not None:
            self.key_value.uniform_(-bound, bound, generator=generator)
        self.query.normal_(0.0, 1.0, generator=generator)
        self.effect.normal_(0.0, bound, generator=generator)
        self.constant.zero_()

    def forward(
        self, codes: Tensor, tokens_BNW: Tensor | None = None, *, whole: bool = False
    ) -> Tensor | Read:
        """Logits "B C" of codes, or of their factors as embedded elsewhere, "B N W".

        With `whole` all that they are made of, as `read` gives it.
        """
        read = self._read(codes, tokens_BNW)
        return read if whole else read.logits

    def read(self, codes: Tensor, tokens_BNW: Tensor | None = None) -> Read:
        """The decision on B inputs, with all that it is made of."""
        # a call of the module like any other, so that hooks (watching, steering) hear it
        read = self(codes, tokens_BNW, whole=True)
        assert isinstance(read, Read)
        return read

    def _read(self, codes: Tensor, tokens_BNW: Tensor | None) -> Read:
        if tokens_BNW is None:
            tokens_BNW = self.factors(codes)
        present_BN = self.factors.present(codes)
        mask = None if present_BN is None else Mask.padding(present_BN)
        held = None if self.ruling is None else self.ruling.held(codes)
        for place, layer in enumerate(self.mixing):
            added = None if held is None else partial(held.at, place)
            tokens_BNW = layer(tokens_BNW, mask, added)
        if self.key_value is not None:
            normed = nn.functional.layer_norm(tokens_BNW, tokens_BNW.shape[-1:])
            tokens_BNW = normed @ self.key_value.T
        key_BND, value_BND = tokens_BNW.chunk(2, -1)
        B, _, D = key_BND.shape
        query_BCQD = self.query[None, :, None].expand(B, -1, 1, D)
        bias_BN = self.factors.lift(codes)
        bias = None if bias_BN is None else Bias.per_key(bias_BN)
        if held is not None:
            plain = AttentionMatrix(query_BCQD, key_BND[:, None], bias=bias, mask=mask)
            ruled = held.at(len(self.mixing), plain.shape, lambda: plain)
            if ruled is not None:
                bias = ruled if bias is None else bias + ruled
        output_BCQD, matrix = attend(
            query_BCQD, key_BND[:, None], value_BND[:, None], bias=bias, mask=mask
        )
        logits = self.constant + (output_BCQD[:, :, 0] * self.effect).sum(-1)
        effects = torch.einsum("cd,bnd->bcn", self.effect, value_BND)
        if self.factors.movable:
            logits, effects = logits + self.offset, effects + self.offset[:, None]
        return Read(logits, matrix, effects)

    def draw_from(self, generator: torch.Generator | None) -> None:
        """Where dropout takes its numbers from; None turns it off."""
        for module in self.modules():
            if isinstance(module, SeededDropout):
                module.generator = generator

    @torch.no_grad()
    def scale_logits(self, factor: float) -> None:
        """Multiply every logit, and with it effects and constants (calibration by temperature)."""
        self.effect.mul_(factor)
        self.constant.mul_(factor)
        if self.factors.movable:
            self.offset.mul_(factor)

    @torch.no_grad()
    def shift(self, amount: Tensor) -> None:
        """Add "C" numbers to every effect and take them from the constants: decisions stay.

        Rounded to float32, so that what is saved is the same model bit for bit.
        """
        self.offset.add_(amount.float())
        self.constant.sub_(amount.float())
        for numbers in (self.offset, self.constant):
            numbers.copy_(numbers.float())
