"""Texts and images a little different from the given ones, as a Hugging Face model reads them."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from zhuyi.trace.adapters.transformers_embeddings import embedding_table

_SAMPLE = 4096  # rows of a table from which its spread is measured


@contextmanager
def jittered(model: nn.Module, size: float, generator: torch.Generator) -> Iterator[None]:
    """Within the block every token's embedding is off by a fixed Gaussian vector of its own.

        e'(token) = e(token) + size * std(table) * z(token),   z ~ N(0, I)

    The table is not written to: a forward hook adds the noise, so a head that is tied to the table
    keeps its parameters, and nothing has to be put back. A token's vector depends on the draw and
    the token only, not on when it is first read.

    Args:
        model: a Hugging Face model that embeds ids.
        size: in standard deviations of the table's numbers.
        generator: of the draw.
    Raises:  NotWatchable: if the model has no table of embeddings.
    Cost:    memory for the distinct tokens that are read within the block.
    """
    table = embedding_table(model)
    draw = int(torch.randint(2**31, (1,), generator=generator, device=generator.device))
    scale = size * _spread(table)
    known: dict[int, Tensor] = {}

    def noise_of(ids: Tensor) -> Tensor:
        distinct, place = torch.unique(ids.detach().cpu(), return_inverse=True)
        tokens: list[int] = distinct.tolist()
        for token in tokens:
            if token not in known:
                # Knuth's multiplier spreads neighboring ids; the generator reads 32 bits.
                seed = (draw + token * 2_654_435_761) % 2**32
                own = torch.Generator().manual_seed(seed)
                known[token] = torch.randn(table.embedding_dim, generator=own)
        return torch.stack([known[token] for token in tokens])[place]

    def add(
        _: nn.Module, args: tuple[Any, ...], named: Mapping[str, Any], output: Tensor
    ) -> Tensor:
        ids: Tensor = args[0] if args else named["input"]
        return output if not ids.numel() else output + (scale * noise_of(ids)).to(output)

    handle = table.register_forward_hook(add, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()


def noisy(pixels: Tensor, size: float, generator: torch.Generator) -> Tensor:
    """Pixels "B C H W" with Gaussian noise of `size` standard deviations of each image's channel.

    Args:
        pixels: as they enter the model.
        size: in standard deviations of the channel's pixels, per image.
        generator: of the noise.
    """
    noise = torch.randn(pixels.shape, generator=generator, device=generator.device)
    spread = pixels.std((2, 3), correction=0, keepdim=True)
    return pixels + size * spread * noise.to(pixels)


def _spread(table: nn.Embedding) -> float:
    """Standard deviation of the numbers that the table gives, from evenly spaced rows."""
    count = table.num_embeddings
    rows = torch.arange(0, count, max(count // _SAMPLE, 1), device=table.weight.device)
    with torch.no_grad():
        # Through the table itself, because some scale what they look up.
        vectors: Tensor = table(rows)
        return float(vectors.double().std(correction=0))
