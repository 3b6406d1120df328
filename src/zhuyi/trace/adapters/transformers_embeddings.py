"""A text model's embedding of ids, and the vector that stands for no token."""

import contextlib
import inspect
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from zhuyi.errors import NotWatchable


def embedding_table(model: nn.Module) -> nn.Embedding:
    """The model's embedding of ids.

    Raises: NotWatchable: if it has none that gives plain vectors, or takes no vectors.
    """
    table: object = None
    if "inputs_embeds" in inspect.signature(model.forward).parameters:
        with contextlib.suppress(NotImplementedError):
            table = model.get_input_embeddings()  # type: ignore[operator]
    if not isinstance(table, nn.Embedding):
        raise NotWatchable(
            f"{type(model).__name__} cannot be fed with embeddings: use Occlusion, or attention"
        )
    return table


def blank_vector(table: nn.Embedding, candidates: Sequence[int | None]) -> Tensor:
    """The embedding "E" of the token that stands for no token.

    Args:
        table: the embedding of ids.
        candidates: ids of tokens that say little, the best first; None is passed over, and so is
            one whose embedding is zero, as the padding token's often is.
    Returns: the first candidate's embedding, or the vocabulary's mean when none is left.
    """
    usual = table.weight.norm(dim=1).median()
    chosen = [
        index
        for index in candidates
        if index is not None and table.weight[index].norm() > 0.01 * usual
    ]
    wanted = torch.tensor(chosen[:1] or range(len(table.weight)), device=table.weight.device)
    # Through the table itself, because some scale what they look up.
    vectors: Tensor = table(wanted)
    return vectors.mean(0)
