"""The model of every planted task: a small transformer that reads word vectors by a leading row.

    h_0 = [start, x + place];  h_l = h + attention(norm h), then h + mlp(norm h);
    logits = head(norm h_L at the leading row)

Letters: B inputs, W words, E width, H heads, C classes.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zhuyi.core import AttentionMatrix, Mask
from zhuyi.errors import OptionError
from zhuyi.layers import Attention


class Block(nn.Module):
    """One layer: attention of the sequence over itself, then a small network row by row."""

    def __init__(self, width: int, num_heads: int) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(width)
        self.attention = Attention(width, num_heads=num_heads, output_map=True)
        self.norm_mlp = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, rows_BLE: Tensor, mask: Mask | None) -> tuple[Tensor, AttentionMatrix]:
        """Rows "B L E" to rows "B L E", and the attention's matrix."""
        normed = self.norm_attention(rows_BLE)
        found = self.attention(normed, normed, normed, mask=mask)
        rows_BLE = rows_BLE + found.output
        return rows_BLE + self.mlp(self.norm_mlp(rows_BLE)), found.matrix


class Reader(nn.Module):
    """A small transformer that reads word vectors and decides at a leading row of its own.

    A word whose vector is exactly zero is padding: nothing attends to it. The parameters are drawn
    from `generator` alone.

    Args:
        words: size of the vocabulary; its first word is the padding.
        length: most words of an input.
        classes: number of decisions C.
        width: width E of the rows.
        num_heads: heads of each attention.
        num_layers: attention layers.
        roles: number of roles that words take in turn (2 where keys and values alternate); the
            places begin as the sum of one vector a turn and one a role.
        generator: of the parameters.

    Raises: OptionError: if `roles` is below 1.

    Example:
        >>> draw = torch.Generator().manual_seed(0)
        >>> model = Reader(words=5, length=3, classes=2, generator=draw)
        >>> model(model.vectors(torch.tensor([[1, 2, 0]]))).shape
        torch.Size([1, 2])
    """

    def __init__(
        self,
        *,
        words: int,
        length: int,
        classes: int,
        width: int = 32,
        num_heads: int = 2,
        num_layers: int = 1,
        roles: int = 1,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        if roles < 1:
            raise OptionError(f"roles must be at least 1, got {roles}")
        # On "meta" the layers' own initialization draws nothing from the global generator.
        with torch.device("meta"):
            self.words = nn.Parameter(torch.empty(words, width))
            self.places = nn.Parameter(torch.empty(length, width))
            self.start = nn.Parameter(torch.empty(width))
            self.blocks = nn.ModuleList(Block(width, num_heads) for _ in range(num_layers))
            self.norm = nn.LayerNorm(width)
            self.head = nn.Linear(width, classes)
        self.to_empty(device="cpu")
        self._draw(roles, generator)

    def vectors(self, ids_BW: Tensor) -> Tensor:
        """The vectors "B W E" of words "B W"; those of padding (word 0) are zero."""
        return self.words[ids_BW] * (ids_BW != 0)[..., None]

    def forward(self, vectors_BWE: Tensor) -> Tensor:
        """Word vectors "B W E" to logits "B C"."""
        return self.read(vectors_BWE)[0]

    def read(self, vectors_BWE: Tensor) -> tuple[Tensor, Sequence[AttentionMatrix]]:
        """The logits "B C", and the attention matrix of every layer."""
        B = vectors_BWE.shape[0]
        real_BW = (vectors_BWE != 0).any(-1)
        placed_BWE = vectors_BWE + self.places
        rows_BLE = torch.cat([self.start.expand(B, 1, -1), placed_BWE], 1)
        mask = Mask.padding(nn.functional.pad(real_BW, (1, 0), value=True))
        matrices = []
        for block in self.blocks:
            rows_BLE, matrix = block(rows_BLE, mask)
            matrices.append(matrix)
        logits: Tensor = self.head(self.norm(rows_BLE[:, 0]))
        return logits, matrices

    @torch.no_grad()
    def _draw(self, roles: int, generator: torch.Generator) -> None:
        for name, parameter in self.named_parameters():
            if name.endswith("bias"):
                parameter.zero_()
            elif "norm" in name:
                parameter.fill_(1.0)
            elif name.endswith("weight"):
                parameter.normal_(0.0, parameter.shape[1] ** -0.5, generator=generator)
            else:
                parameter.normal_(0.0, 0.5, generator=generator)
        for block in self.modules():
            # Rows that are alike attend to each other from the start: matching is learned in
            # seconds that way (Trockman & Kolter 2023, arXiv:2305.09828).
            if isinstance(block, Attention):
                block.key.weight.copy_(block.query.weight)
        length, width = self.places.shape
        turns = torch.randn(-(-length // roles), width, generator=generator)
        takes = torch.randn(roles, width, generator=generator)
        place = torch.arange(length)
        self.places.copy_(0.5 * (turns[place // roles] + takes[place % roles]))
