"""The model of every task here: a small transformer, every parameter drawn from one generator.

    h_0 = vectors + places;  h_l = h + attention(norm h), then h + mlp(norm h);  rows = norm h_L

Letters: B inputs, L positions, E width.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zhuyi.core import AttentionMatrix, Mask
from zhuyi.layers import Attention
from zhuyi.testing.planted.reader import Block


class Network(nn.Module):
    """A transformer encoder of pre-normed blocks over vectors that somebody else made.

    Args:
        width: width E of the rows.
        num_heads: heads of each attention.
        num_layers: attention layers.
        generator: of the parameters.

    Example:
        >>> network = Network(width=8, num_heads=2, generator=torch.Generator().manual_seed(0))
        >>> network(torch.zeros(3, 5, 8)).shape
        torch.Size([3, 5, 8])
    """

    def __init__(
        self,
        *,
        width: int = 64,
        num_heads: int = 4,
        num_layers: int = 2,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        # On "meta" the layers' own initialization draws nothing from the global generator.
        with torch.device("meta"):
            self.blocks = nn.ModuleList(Block(width, num_heads) for _ in range(num_layers))
            self.norm = nn.LayerNorm(width)
        self.to_empty(device="cpu")
        draw_parameters(self, generator)

    def forward(self, rows_BLE: Tensor, mask: Mask | None = None) -> Tensor:
        """Rows "B L E" to rows "B L E"."""
        return self.read(rows_BLE, mask)[0]

    def read(
        self, rows_BLE: Tensor, mask: Mask | None = None
    ) -> tuple[Tensor, Sequence[AttentionMatrix]]:
        """The rows, and the attention matrix of every layer."""
        matrices = []
        for block in self.blocks:
            rows_BLE, matrix = block(rows_BLE, mask)
            matrices.append(matrix)
        return self.norm(rows_BLE), matrices


@torch.no_grad()
def draw_parameters(module: nn.Module, generator: torch.Generator) -> None:
    """Draw every parameter of a module again: linear maps by their width, all else 0.5 N(0, 1).

    Rows that are alike attend to each other from the start: matching is learned in seconds that way
    (Trockman & Kolter 2023, arXiv:2305.09828).
    """
    for name, parameter in module.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()
        elif "norm" in name:
            parameter.fill_(1.0)
        elif name.endswith("weight"):
            parameter.normal_(0.0, parameter[0].numel() ** -0.5, generator=generator)
        else:
            parameter.normal_(0.0, 0.5, generator=generator)
    for one in module.modules():
        if isinstance(one, Attention):
            one.key.weight.copy_(one.query.weight)


def drawn(*shape: int, generator: torch.Generator) -> nn.Parameter:
    """A parameter of that shape, 0.5 N(0, 1)."""
    return nn.Parameter(0.5 * torch.randn(*shape, generator=generator))


def linear(inputs: int, outputs: int, generator: torch.Generator) -> nn.Linear:
    """A linear map whose parameters come from the generator."""
    with torch.device("meta"):
        made = nn.Linear(inputs, outputs)
    made.to_empty(device="cpu")
    draw_parameters(made, generator)
    return made
