"""Whether a model may call torch's attention itself, or only through transformers' interface.

The torch function mode costs about two microseconds for every torch operation: nothing beside a
long forward pass, much beside a decoding step of a thousand small operations. Models all of
whose classes come from transformers files that never name torch's attention do without it.
Everything else, a user's subclass included, gets the mode.
"""

import sys
from functools import lru_cache
from pathlib import Path
from typing import Final

from torch import nn

DIRECT: Final = (
    "scaled_dot_product_attention",
    "multi_head_attention_forward",
    "MultiheadAttention",
    "nn.Transformer",
    "ALL_ATTENTION_FUNCTIONS[",
    "zhuyi",
)
ATTENDING: Final = (
    nn.MultiheadAttention,
    nn.TransformerEncoderLayer,
    nn.TransformerDecoderLayer,
)


def may_call_torch_attention(model: nn.Module) -> bool:
    """Whether some module could attend without the transformers interface."""
    kinds = {type(module) for module in model.modules()}
    if any(issubclass(kind, ATTENDING) for kind in kinds):
        return True
    # A forward may have been replaced from outside, on the class or on one module.
    files = {kind.__module__ for kind in kinds} | {kind.forward.__module__ for kind in kinds}
    if any(_names_attention(file) for file in files):
        return True
    return any("forward" in vars(module) for module in model.modules())


@lru_cache(maxsize=4096)
def _names_attention(python_module: str) -> bool:
    if python_module.startswith("torch.nn."):
        return False
    if not python_module.startswith("transformers."):
        return True
    file = getattr(sys.modules.get(python_module), "__file__", None)
    if file is None or not file.endswith(".py"):
        return True
    text = Path(file).read_text(encoding="utf-8")
    return any(name in text for name in DIRECT)
