"""Reading the model: what in it would carry a vetoed position's content past attention.

One small check each; `read_model` runs them all. A check that fails names the modules, so that a
person can see whether it is right.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from torch import nn

from zhuyi.core.record import Said
from zhuyi.steer.certify.certificate import Item
from zhuyi.steer.certify.known import architecture_of, known

Named = tuple[str, nn.Module]

_ACROSS: Final = (
    nn.modules.batchnorm._BatchNorm,
    nn.modules.instancenorm._InstanceNorm,
    nn.GroupNorm,
    nn.LocalResponseNorm,
)
_CONVOLUTIONS: Final = (nn.modules.conv._ConvNd, nn.Unfold, nn.Fold)
_POOLS: Final = (
    nn.modules.pooling._AvgPoolNd,
    nn.modules.pooling._MaxPoolNd,
    nn.modules.pooling._AdaptiveAvgPoolNd,
    nn.modules.pooling._AdaptiveMaxPoolNd,
    nn.modules.pooling._LPPoolNd,
    nn.Flatten,
)
_RECURRENT: Final = (nn.RNNBase, nn.modules.rnn.RNNCellBase)
_OTHERS: Final = (nn.Transformer, nn.TransformerDecoder, nn.TransformerDecoderLayer)


@dataclass(frozen=True, kw_only=True)
class Breaker:
    """One kind of module that lets content pass.

    Args:
        name: of the item.
        holds: whether a module is of the kind.
        held, failed: what is said; "{}" stands for the modules.
    """

    name: str
    holds: Callable[[nn.Module], bool]
    held: Said
    failed: Said

    def __call__(self, modules: list[Named]) -> Item:
        """The check as an item."""
        found = [name or type(one).__name__ for name, one in modules if self.holds(one)]
        if not found:
            return Item(name=self.name, state="held", said=self.held, numbers={"modules": 0})
        return _failed(self.name, self.failed, found)


def _named(pattern: str) -> Callable[[nn.Module], bool]:
    """Whether a module's class is called so: for modules of other libraries."""
    wanted = re.compile(pattern, re.IGNORECASE)
    return lambda module: wanted.search(type(module).__name__) is not None


def _normalizes_across(module: nn.Module) -> bool:
    if isinstance(module, nn.LayerNorm):
        return len(module.normalized_shape) > 1  # positions are among what is normalized
    if isinstance(module, nn.Softmax | nn.LogSoftmax):
        return module.dim != -1
    by_name = _named(r"revin|instance_?norm|batch_?norm|group_?norm|series_?(norm|decomp)")
    return isinstance(module, _ACROSS) or by_name(module)


def _convolves(module: nn.Module) -> bool:
    if isinstance(module, nn.modules.conv._ConvNd):
        return any(size > 1 for size in module.kernel_size) and not _patches(module)
    by_name = _named(r"conv(?!1D$|ert)|token_?shift|fourier|fnet|hyena")
    return isinstance(module, _CONVOLUTIONS) or by_name(module)


def _patches(module: nn.modules.conv._ConvNd) -> bool:
    """Whether a convolution cuts an input into pieces beside each other (or into overlapping ones).

    Overlapping pieces are a finding of their own, so both are no "convolution" here.
    """
    return not module.transposed and all(step > 1 for step in module.stride)


def _overlaps(module: nn.Module) -> bool:
    if not isinstance(module, nn.modules.conv._ConvNd) or not _patches(module):
        return False
    reach = [
        d * (size - 1) + 1 for d, size in zip(module.dilation, module.kernel_size, strict=True)
    ]
    return any(one > step for one, step in zip(reach, module.stride, strict=True))


def _quantized(module: nn.Module) -> bool:
    home = type(module).__module__
    by_home = ".quantized" in home or home.split(".")[0] in ("bitsandbytes", "torchao", "quanto")
    return by_home or _named(r"quant(?!izableLinear)|int8|8bit|4bit|fp8|bitlinear|fake_?quant")(
        module
    )


def _recurrent(module: nn.Module) -> bool:
    by_name = _named(
        r"mamba|rwkv|s4d?$|(?-i:SSM)|state_?space|lstm|gru|^rnn|retention|delta_?net|linear_?attention"
        r"|recurrent"
    )
    return isinstance(module, _RECURRENT) or by_name(module)


BREAKERS: Final[tuple[Breaker, ...]] = (
    Breaker(
        name="training mode",
        holds=lambda module: module.training,
        held=Said(en="the model is in evaluation mode", zh="模型处于评估模式"),
        failed=Said(
            en="in training mode ({}): dropout and batch statistics mix inputs; call model.eval()",
            zh="处于训练模式（{}）：dropout 与批统计会混合输入；请调用 model.eval()",
        ),
    ),
    Breaker(
        name="normalization",
        holds=_normalizes_across,
        held=Said(
            en="nothing normalizes across positions or inputs", zh="没有跨位置或跨输入的归一化"
        ),
        failed=Said(
            en="{} normalizes across positions or inputs, so each position reaches all the others",
            zh="{} 跨位置或跨输入归一化，每个位置都会影响其他位置",
        ),
    ),
    Breaker(
        name="convolution",
        holds=_convolves,
        held=Said(en="nothing convolves along the sequence", zh="没有沿序列的卷积"),
        failed=Said(
            en="{} reads neighboring positions together, beside attention",
            zh="{} 在注意力之外一并读取相邻位置",
        ),
    ),
    Breaker(
        name="patch overlap",
        holds=_overlaps,
        held=Said(en="no patches overlap", zh="图块互不重叠"),
        failed=Said(
            en="{} cuts overlapping patches: a neighbor's patch holds part of the vetoed one",
            zh="{} 切出的图块相互重叠：相邻图块含有被否决图块的一部分",
        ),
    ),
    Breaker(
        name="recurrence",
        holds=_recurrent,
        held=Said(en="no recurrent or state-space module", zh="没有循环或状态空间模块"),
        failed=Said(
            en="{} carries a state from position to position, beside attention",
            zh="{} 在注意力之外把状态从一个位置带到下一个位置",
        ),
    ),
    Breaker(
        name="pooling",
        holds=lambda module: isinstance(module, _POOLS),
        held=Said(en="no module pools or joins positions", zh="没有合并位置的池化模块"),
        failed=Said(en="{} pools or joins positions", zh="{} 会池化或合并各位置"),
    ),
    Breaker(
        name="quantization",
        holds=_quantized,
        held=Said(en="no scale is taken from a whole tensor", zh="没有取自整个张量的量化尺度"),
        failed=Said(
            en="{} is quantized: a scale taken from all positions lets each change the others",
            zh="{} 经过量化：取自所有位置的尺度会让每个位置改变其他位置",
        ),
    ),
    Breaker(
        name="experts",
        holds=_named(r"moe|expert|router|gating|switch"),
        held=Said(en="no mixture of experts", zh="没有专家混合"),
        failed=Said(
            en="{} routes positions to experts: they may compete for room there",
            zh="{} 把各位置分派给专家：它们可能在那里争夺容量",
        ),
    ),
    Breaker(
        name="second sequence",
        holds=lambda module: isinstance(module, _OTHERS) or _named(r"cross_?att")(module),
        held=Said(en="no second encoder or cross-attention", zh="没有第二个编码器或交叉注意力"),
        failed=Said(
            en="{} reads a second sequence, in which the rules were not matched",
            zh="{} 读取第二个序列，而规则没有在其中匹配",
        ),
    ),
)


def read_model(
    model: nn.Module, trusted: tuple[type[nn.Module], ...] = (), *, evaluated: bool = False
) -> tuple[Item, ...]:
    """Every structural check of a model.

    Args:
        model: the model.
        trusted: types of modules that the caller vouches for: they mix positions by attention only.
        evaluated: whether a subject puts the model into evaluation mode itself.
    """
    modules = list(model.named_modules())
    checks = [one for one in BREAKERS if not (evaluated and one.name == "training mode")]
    # What somebody vouches for is passed over by name, never by what it holds.
    read = [(name, one) for name, one in modules if type(one) not in trusted]
    found = [check(read) for check in checks]
    return (*found, _second_encoder(model), _hooks(modules), _unknown(model, read, trusted))


def _second_encoder(model: nn.Module) -> Item:
    config = getattr(model, "config", None)
    said = [
        name
        for name in ("is_encoder_decoder", "add_cross_attention")
        if getattr(config, name, False)
    ]
    held = Said(en="the model reads one sequence", zh="模型只读取一个序列")
    if not said:
        return Item(name="one sequence", state="held", said=held)
    failed = Said(
        en="its configuration says {}: a second sequence is read without the rules",
        zh="其配置为 {}：另一个序列在没有规则的情况下被读取",
    )
    return _failed("one sequence", failed, said)


def _hooks(modules: list[Named]) -> Item:
    found = [
        name or type(one).__name__
        for name, one in modules
        if one._forward_hooks or one._forward_pre_hooks or _changed(one)
    ]
    held = Said(en="no foreign hook changes what modules compute", zh="没有外来钩子改变模块的计算")
    if not found:
        return Item(name="hooks", state="held", said=held)
    failed = Said(
        en="{} has hooks, parametrizations or a forward of its own, which may do anything: remove "
        "them first",
        zh="{} 带有钩子、参数化或自己的 forward，它们可能做任何事：请先移除",
    )
    return _failed("hooks", failed, found)


def _changed(module: nn.Module) -> bool:
    """Whether this one module computes something else than its class."""
    return "forward" in vars(module) or nn.utils.parametrize.is_parametrized(module)


def _unknown(model: nn.Module, modules: list[Named], trusted: tuple[type[nn.Module], ...]) -> Item:
    architecture = architecture_of(model)
    kinds = list(_unknown_kinds(modules, architecture))
    vouched = ", ".join(kind.__name__ for kind in trusted)
    held = Said(
        en="every module is known to mix positions by attention alone"
        + (f"; {vouched} on the caller's word" if vouched else ""),
        zh="已知所有模块只经由注意力混合各位置" + (f"；{vouched} 由调用者担保" if vouched else ""),
    )
    if not kinds:
        return Item(name="unknown modules", state="held", said=held, numbers={"modules": 0})
    failed = Said(
        en="nobody has checked that {} mixes positions by attention alone: take the level input, "
        "or pass trusted= after reading its code",
        zh="没有人检查过 {} 是否只经由注意力混合各位置：请改用 input 级，或读过代码后传入 trusted=",
    )
    return _failed("unknown modules", failed, kinds)


def _unknown_kinds(modules: list[Named], architecture: str) -> Iterator[str]:
    told = set()
    for _, module in modules:
        kind = type(module)
        if not known(module, architecture) and kind not in told:
            told.add(kind)
            yield kind.__name__


def _failed(name: str, said: Said, found: list[str]) -> Item:
    shown = ", ".join(found[:3]) + (f" and {len(found) - 3} more" if len(found) > 3 else "")
    return Item(
        name=name,
        state="failed",
        said=Said(en=said.en.replace("{}", shown), zh=said.zh.replace("{}", shown)),
        numbers={"modules": len(found), "which": shown},
    )
