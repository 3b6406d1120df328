"""Runs of a model under rules or under a baseline, each a function from inputs to logits."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from zhuyi.core import Bias
from zhuyi.steer.matching import active_in, matched_in
from zhuyi.steer.reading import Reader
from zhuyi.steer.rules import Rules
from zhuyi.steer.steering import steer
from zhuyi.testing.steering.baselines import Head
from zhuyi.trace.biased import Biased
from zhuyi.trace.collector import BiasedCall, BiasRule

Run = Callable[[Tensor], Tensor]
"""Inputs to logits."""


def plain(model: nn.Module) -> Run:
    """The model without any rule."""

    def run(inputs: Tensor) -> Tensor:
        with torch.no_grad():
            logits: Tensor = model(inputs)
        return logits

    return run


def ruled(model: nn.Module, rules: Rules, reader: Reader) -> Run:
    """The model steered by rules."""

    def run(inputs: Tensor) -> Tensor:
        with steer(model, rules, reader=reader):
            return plain(model)(inputs)

    return run


def biased_by(model: nn.Module, rule: Callable[[Tensor], BiasRule]) -> Run:
    """The model under a bias that is made for its inputs."""

    def run(inputs: Tensor) -> Tensor:
        with Biased(model, rule(inputs)):
            return plain(model)(inputs)

    return run


def meant(rules: Rules, reader: Reader, inputs: Tensor) -> Tensor:
    """The positions that any of the rules is about, bool "B L"."""
    layouts = reader.read((inputs,), {}).layouts
    found = [
        active_in(rule, [matched_in(rule, one) for one in layouts], layouts).keys for rule in rules
    ]
    return torch.stack(found).any(0)


def on_heads(keys_BL: Tensor, heads: Sequence[Head], bias: float) -> BiasRule:
    """The same number on the same keys, in some heads only.

    `Rule.heads` names heads of all layers; here each layer has its own.
    """

    def rule(call: BiasedCall) -> Bias | None:
        own = [head for site, head in heads if site == call.site.index]
        if not own:
            return None
        values_BHK = torch.zeros(len(keys_BL), call.shape[1], keys_BL.shape[1])
        values_BHK[:, own] = torch.where(keys_BL, bias, 0.0)[:, None]
        return Bias.per_key(values_BHK)

    return rule


def random_spans(keys_BL: Tensor, free_BL: Tensor, generator: torch.Generator) -> Tensor:
    """As many positions as are meant, drawn at random from the free ones: bool "B L"."""
    order = torch.rand(free_BL.shape, generator=generator).masked_fill(~free_BL, 2.0).argsort(1)
    return (order.argsort(1) < keys_BL.sum(1, keepdim=True)) & free_BL


def random_heads(
    sites: int, heads: int, count: int, generator: torch.Generator
) -> tuple[Head, ...]:
    """Different (site, head), drawn at random."""
    picks = torch.randperm(sites * heads, generator=generator)[:count].tolist()
    return tuple((pick // heads, pick % heads) for pick in picks)
