"""Modules that are known to work row by row, and architectures whose code was checked.

A module that is not here may mix rows in ways that nobody has looked at, so it refuses "exact".
Add a type only with a test in `tests/steer/certify` that runs it.
"""

from typing import Final

from torch import nn

from zhuyi.layers import Attention

#: Leaves that compute every position from that position alone.
ROW_WISE: Final[tuple[type[nn.Module], ...]] = (
    nn.Linear,
    nn.Embedding,
    nn.Identity,
    nn.RMSNorm,
    nn.Dropout,
    nn.AlphaDropout,
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.PReLU,
    nn.ELU,
    nn.CELU,
    nn.SELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Sigmoid,
    nn.Tanh,
    nn.Softplus,
    nn.Softsign,
    nn.Hardtanh,
    nn.Hardsigmoid,
    nn.Hardswish,
)

#: Composites whose forward mixes rows through attention alone.
THROUGH_ATTENTION: Final[tuple[type[nn.Module], ...]] = (
    nn.Sequential,
    nn.ModuleList,
    nn.ModuleDict,
    nn.MultiheadAttention,
    nn.TransformerEncoderLayer,
    nn.TransformerEncoder,
    Attention,
)

#: `model_type` of Hugging Face models whose code was read and which the tests certify.
ARCHITECTURES: Final = frozenset(
    "bert distilbert roberta albert electra modernbert gpt2 gpt_neox llama qwen2 mistral "
    "opt vit".split()
)

#: Ours, by name, because steer stands below learn. Not the text estimator's ContextEmbedding:
#: there a position holds its neighbors' words as well.
_OURS: Final = {
    "zhuyi.learn.glass_box": {"GlassBox"},
    "zhuyi.learn.mixing": {"MixingLayer", "SeededDropout"},
    "zhuyi.learn.factors": {"Factors"},
    "zhuyi.learn.text.embedding": {"PieceEmbedding"},
    "zhuyi.learn.series.factors": {"StretchFactors"},
}
_SHARED_BY_TRANSFORMERS: Final = {
    "transformers.activations": None,  # all of them, element by element
    "transformers.pytorch_utils": {"Conv1D"},  # a linear map, in spite of its name
}


_PATCHES: Final = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def cuts_patches(module: nn.Module) -> bool:
    """Whether a convolution does no more than cut an input into pieces beside each other."""
    assert isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d)
    beside = module.kernel_size == module.stride and set(module.dilation) == {1}
    return beside and not any(map(bool, module.padding))


def _plain(activation: object) -> bool:
    """Whether an activation given as a function is one of torch's; a module is read by itself."""
    return isinstance(activation, nn.Module) or activation in (
        nn.functional.relu,
        nn.functional.gelu,
    )


def known(module: nn.Module, architecture: str) -> bool:
    """Whether this very type (no subclass of it) is known not to mix rows but by attention.

    Args:
        module: one module of the model.
        architecture: `model_type` of a Hugging Face model, else "".
    """
    kind = type(module)
    if isinstance(module, nn.TransformerEncoderLayer) and not _plain(module.activation):
        return False
    if kind in THROUGH_ATTENTION or kind in ROW_WISE or kind is nn.LayerNorm:
        return True
    if kind is nn.modules.linear.NonDynamicallyQuantizableLinear:
        return True
    if kind in _PATCHES:
        return cuts_patches(module)
    if kind in (nn.Softmax, nn.LogSoftmax):
        return bool(module.dim == -1)
    home, name = kind.__module__, kind.__name__
    for homes in (_OURS, _SHARED_BY_TRANSFORMERS):
        if home in homes:
            names = homes[home]
            return names is None or name in names
    return architecture in ARCHITECTURES and home.startswith(f"transformers.models.{architecture}.")


def architecture_of(model: nn.Module) -> str:
    """`model_type` of a Hugging Face model, else ""."""
    return str(getattr(getattr(model, "config", None), "model_type", "") or "")
