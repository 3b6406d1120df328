"""One family under the watch: is every attention matrix the one that eager attention computes?"""

import copy
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import nn
from transformers import AutoModel
from transformers.modeling_utils import AttentionInterface

from tests.zoo.families import Family, Status
from tests.zoo.tiny import tiny_inputs, tiny_model
from zhuyi.core import Statistics
from zhuyi.errors import NotWatchable
from zhuyi.trace import Keep, Sighting, watch

BOUND: Final = 1e-5
SUMMARY: Final = Keep(matrix=False, statistics=Statistics())


@dataclass(frozen=True, kw_only=True)
class Row:
    """What came out: a line of the table, and the numbers a test asserts on.

    Args:
        family: what was examined.
        status: supported, partly or refused.
        sites: for example "2 self, 2 cross".
        remark: which modules stay unseen.
        compared: how many sites were compared with eager weights.
        error: largest absolute difference to them.
        output: largest difference of any output, watched and unwatched, matrices kept.
        streamed: the same when only statistics are kept, relative to the largest number.
        wrong_rows: padding rows that counted, plus real rows that did not.
    """

    family: Family
    status: Status
    sites: str = ""
    remark: str = ""
    compared: int = 0
    error: float = 0.0
    output: float = 0.0
    streamed: float = 0.0
    wrong_rows: int = 0

    def markdown(self) -> str:
        """The table line."""
        cells = (self.family.name, self.family.group, self.status, self.sites, self.remark)
        return "| " + " | ".join(cells) + " |"


def examine(family: Family) -> Row:
    """Run a family watched, unwatched and eager, and compare."""
    torch.manual_seed(0)
    model = tiny_model(family.name, family.overrides)
    inputs = tiny_inputs(model)
    if family.inputs is not None:
        inputs |= family.inputs(torch.Generator().manual_seed(2))
    with torch.no_grad():
        plain = _run(model, inputs)
        try:
            with watch(model) as tape:
                watched = _run(model, inputs)
        except NotWatchable as error:
            return Row(family=family, status="refused", remark=_classes(str(error), family))
        with watch(model, SUMMARY):
            streamed = _run(model, inputs)
        seen = [sighting for one in tape.passes for sighting in one]
        weights = _eager(model, inputs) or _reported(model, inputs, [s.site.name for s in seen])
    compared, error, wrong = 0, 0.0, 0
    for sighting in seen:
        name = sighting.site.name
        if name in weights:
            compared += 1
            difference, rows = compare(sighting, weights.pop(name), inputs, family)
            error, wrong = max(error, difference), wrong + rows
    missed = [name for name in weights if name.partition("#")[0] not in "".join(tape.unseen)]
    complete = not tape.unseen and not missed and family.expected != "partly"
    kinds = Counter(sighting.site.kind for sighting in seen)
    return Row(
        family=family,
        status="supported" if complete else "partly",
        sites=", ".join(f"{kinds[kind]} {kind}" for kind in ("self", "cross") if kinds[kind]),
        remark=family.remark or _classes(", ".join((*tape.unseen, *missed)), family),
        compared=compared,
        error=error,
        output=_difference(plain, watched),
        streamed=_relative(plain, streamed, inputs),
        wrong_rows=wrong,
    )


def _run(model: nn.Module, inputs: dict[str, torch.Tensor]) -> Any:
    torch.manual_seed(0)
    return model(**{name: value.clone() for name, value in inputs.items()})


def _eager(model: nn.Module, inputs: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The weights of eager attention by site name: what `output_attentions` is made of."""
    names = {id(module): name for name, module in model.named_modules()}
    runs: Counter[str] = Counter()
    found: dict[str, torch.Tensor] = {}
    original = AttentionInterface.get_interface

    def listening(interface: Any, implementation: str, default: Any) -> Any:
        function = original(interface, implementation, default)

        def heard(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            result = function(module, *args, **kwargs)
            name = names[id(module)]
            runs[name] += 1
            if isinstance(result[1], torch.Tensor):
                found[name if runs[name] == 1 else f"{name}#{runs[name]}"] = result[1]
            return result

        return heard

    model.set_attn_implementation("eager")
    AttentionInterface.get_interface = listening
    try:
        _run(model, inputs)
    finally:
        AttentionInterface.get_interface = original
    return found


def _reported(
    model: nn.Module, inputs: dict[str, torch.Tensor], names: list[str]
) -> dict[str, torch.Tensor]:
    """`output_attentions` of an eager copy, for models that choose a class instead of a function.

    They are in the order of execution, as the names are.
    """
    config = copy.deepcopy(model.config)
    eager = AutoModel.from_config(config, attn_implementation="eager").eval()
    eager.load_state_dict(model.state_dict())
    output = eager(**inputs, output_attentions=True)
    return dict(zip(names, output.attentions, strict=True))


def compare(
    sighting: Sighting, weights: torch.Tensor, inputs: dict[str, torch.Tensor], family: Family
) -> tuple[float, int]:
    """The largest difference in rows that count, and how many rows are wrongly (not) counted."""
    ours = sighting.matrix.materialize()
    if ours.numel() != weights.numel():
        return float("inf"), 0
    weights = weights.reshape(ours.shape)  # SAM joins inputs and heads
    present_BHQ = ours.sum(-1) > 0
    theirs = ours
    if family.sink_outside:
        theirs = ours / ours.sum(-1, keepdim=True)
    elif torch.equal(weights, weights[:, :1].expand_as(weights)):
        theirs = ours.mean(1, keepdim=True).expand_as(ours)  # WavLM reports the mean of its heads
    error = float((theirs - weights).abs()[present_BHQ].max())
    Q, K = ours.shape[2:]
    real_BQ = torch.ones(ours.shape[0], Q, dtype=torch.bool)
    if Q == K and sighting.site.kind == "self":
        for name in ("attention_mask", "decoder_attention_mask"):
            if name in inputs and inputs[name].shape == real_BQ.shape:
                real_BQ = inputs[name].bool()
    elif Q != K or sighting.site.kind == "cross":
        real_BQ = present_BHQ.any(1)  # a decoder's padding is not this site's concern
    wrong = (present_BHQ != real_BQ[:, None, :]).sum()
    downsampled = "input_values" in inputs  # the model derives its own, shorter padding
    return error, 0 if downsampled else int(wrong)


def _tensors(output: Any) -> list[torch.Tensor]:
    if isinstance(output, torch.Tensor):
        return [output] if output.is_floating_point() else []
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, (list, tuple)):
        return [tensor for one in output for tensor in _tensors(one)]
    return []


def _difference(plain: Any, watched: Any) -> float:
    pairs = list(zip(_tensors(plain), _tensors(watched), strict=True))
    return max(float((one - other).abs().nan_to_num().max()) for one, other in pairs if one.numel())


def _relative(plain: Any, streamed: Any, inputs: dict[str, torch.Tensor]) -> float:
    """The difference in real positions; padding rows may follow another convention."""
    one, other = _tensors(plain)[0], _tensors(streamed)[0]
    for name in ("decoder_attention_mask", "attention_mask"):
        if name in inputs and inputs[name].shape == one.shape[:2]:
            one, other = one[inputs[name].bool()], other[inputs[name].bool()]
            break
    return float((one - other).abs().max() / one.abs().max().clamp_min(1.0))


def _classes(text: str, family: Family) -> str:
    found = re.findall(r"\((\w+)\)", text)
    if found:
        return "own attention in " + ", ".join(dict.fromkeys(found))
    return "has no attention" if "no attention took place" in text else text[:80]
