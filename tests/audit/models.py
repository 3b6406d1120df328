"""A small attention model with the same weights in every process, and inputs for it."""

import torch
from torch import Tensor, nn

from zhuyi.trace import ModuleSubject

COLUMNS = 10
WIDTH = 8


class Attending(nn.Module):
    """Columns as tokens, one encoder layer, the mean of its rows as logits."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(WIDTH, 2, 16, dropout=0.0, batch_first=True)
        self.head = nn.Linear(WIDTH, 2)
        generator = torch.Generator().manual_seed(7)
        with torch.no_grad():
            for name, parameter in self.named_parameters():
                if parameter.dim() > 1:
                    parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.6)
                elif name.endswith("bias"):
                    parameter.zero_()
            self.head.weight *= 4.0  # decisions that hang on something
        self.eval()

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.layer(inputs).mean(1))


def subject() -> ModuleSubject:
    names = [f"c{index}" for index in range(COLUMNS)]
    return ModuleSubject(Attending(), unit_names=names, labels=("no", "yes"))


def inputs(count: int = 40) -> Tensor:
    return torch.randn(count, COLUMNS, WIDTH, generator=torch.Generator().manual_seed(3))
