"""What every explanation method promises, as checks that raise AssertionError.

Letters: B inputs, N units, C classes.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from copy import deepcopy
from typing import Protocol

import torch
from torch import Tensor, nn

from zhuyi.core.record import Attribution
from zhuyi.core.seam import observer
from zhuyi.trace.subject import Batch, Subject


class Explainer(Protocol):
    """A method of `zhuyi.explain`: a subject and a batch in, an attribution out."""

    def __call__(
        self, subject: Subject, batch: Batch, target: Sequence[int] | None = None
    ) -> Attribution:
        """Explain the decisions on `batch`, by default the most probable ones."""
        ...


def check_explanation(
    method: Explainer, subject: Subject, batch: Batch, *, model: nn.Module
) -> None:
    """All the promises below, one after another; `model` is what the subject runs."""
    check_well_formed(method, subject, batch)
    check_absent_units_are_zero(method, subject, batch)
    check_same_twice(method, subject, batch)
    check_inputs_untouched(method, subject, batch, model=model)
    check_leaves_nothing_after_an_error(method, subject, batch, model=model)
    check_batch_invariant(method, subject, batch)


def check_well_formed(method: Explainer, subject: Subject, batch: Batch) -> None:
    """Finite float32 [B, N], not negative unless signed, the likeliest targets, its own name."""
    found, units = method(subject, batch), subject.units(batch)
    shape = (len(units), max(len(row) for row in units))
    _require(tuple(found.values.shape) == shape, f"values are {found.values.shape}, not {shape}")
    _require(found.values.dtype == torch.float32, f"values are {found.values.dtype}")
    _require(not found.values.requires_grad, "values hang on an autograd graph")
    _require(bool(torch.isfinite(found.values).all()), "values are not finite")
    _require(found.signed or bool((found.values >= 0).all()), "unsigned values are negative")
    _require(bool((found.values != 0).any()), "all values are 0: nothing was explained")
    _require(found.units == units, "the units are not the subject's")
    _require(found.method == repr(method), f"method is {found.method!r}, not {method!r}")
    likely = tuple(subject.decide(batch).argmax(1).tolist())
    _require(found.target == likely, f"target is {found.target}, the decisions are {likely}")


def check_absent_units_are_zero(method: Explainer, subject: Subject, batch: Batch) -> None:
    """A shorter input's missing units have exactly 0. Needs inputs of different lengths."""
    found = method(subject, batch)
    counts = [len(row) for row in found.units]
    _require(min(counts) < max(counts), "the inputs are equally long: pass some that are not")
    for row, count in zip(found.values, counts, strict=True):
        _require(not bool(row[count:].any()), f"{row[count:].tolist()} for units that do not exist")


def check_same_twice(method: Explainer, subject: Subject, batch: Batch) -> None:
    """The same call gives the same bits, and draws nothing from the global generators."""
    before = torch.get_rng_state()
    first = method(subject, batch)
    _require(torch.equal(before, torch.get_rng_state()), "the global generator was drawn from")
    torch.rand(7)
    second = method(subject, batch)
    torch.set_rng_state(before)
    _require(torch.equal(first.values, second.values), "a second call gave other values")
    _require(first.target == second.target, "a second call gave another target")


def check_inputs_untouched(
    method: Explainer, subject: Subject, batch: Batch, *, model: nn.Module
) -> None:
    """The batch, the weights, their gradients, flags and hooks are as they were."""
    batch_before, before = deepcopy(batch), _state(model)
    method(subject, batch)
    same = (
        torch.equal(batch_before, batch)
        if isinstance(batch_before, Tensor) and isinstance(batch, Tensor)
        else batch_before == batch
    )
    _require(same, "the batch was changed")
    _require_same_state(before, _state(model))


class _Interruption(RuntimeError):
    """What the model raises in the middle of a run."""


def check_leaves_nothing_after_an_error(
    method: Explainer, subject: Subject, batch: Batch, *, model: nn.Module
) -> None:
    """When the model fails in the middle, the error comes through and nothing stays behind."""
    before = _state(model)
    came_through = False
    with _interrupted(model):
        try:
            method(subject, batch)
        except _Interruption:
            came_through = True
    _require_same_state(before, _state(model))
    _require(observer.get() is None, "an observer is still set")
    _require(came_through, "the model's error was swallowed")


@contextmanager
def _interrupted(model: nn.Module) -> Iterator[None]:
    """Within the block the model's last leaf raises as soon as it runs."""

    def interrupt(module: nn.Module, args: object) -> None:
        raise _Interruption("in the middle of the model")

    leaves = [module for module in model.modules() if not list(module.children())]
    handle = leaves[-1].register_forward_pre_hook(interrupt)
    try:
        yield
    finally:
        handle.remove()


def check_batch_invariant(
    method: Explainer, subject: Subject, batch: Batch, *, tolerance: float = 1e-5
) -> None:
    """An input's values do not depend on what else is in the batch, to `tolerance` absolute."""
    together = method(subject, batch)
    for i, row in enumerate(together.values):
        alone = method(subject, batch[i : i + 1], target=together.target[i : i + 1])
        count = len(together.units[i])
        _require(alone.values.shape[1] == count, f"input {i} alone has other units")
        off = float((alone.values[0] - row[:count]).abs().max())
        _require(off <= tolerance, f"input {i} alone differs by {off:.1e} > {tolerance:.0e}")


def _state(model: nn.Module) -> dict[str, object]:
    """All that a run could leave behind on a model and in torch."""
    found: dict[str, object] = {"sdpa": nn.functional.scaled_dot_product_attention}
    for name, tensor in [*model.named_parameters(), *model.named_buffers()]:
        found[f"tensor {name}"] = tensor.detach().clone()
        found[f"flag {name}"] = tensor.requires_grad
        found[f"gradient {name}"] = None if tensor.grad is None else tensor.grad.clone()
    for name, module in model.named_modules():
        found[f"training {name}"] = module.training
        found[f"attributes {name}"] = tuple(sorted(vars(module)))
        config = getattr(module, "config", None)
        found[f"kernel {name}"] = getattr(config, "_attn_implementation", None)
        found[f"hooks {name}"] = sum(
            len(hooks) for kind, hooks in vars(module).items() if kind.endswith("_hooks")
        )
    return found


def _require_same_state(before: dict[str, object], after: dict[str, object]) -> None:
    for name in before.keys() | after.keys():
        was, now = before.get(name), after.get(name)
        if isinstance(was, Tensor) and isinstance(now, Tensor):
            _require(torch.equal(was, now), f"changed: {name}")
        else:
            _require(was is now or was == now, f"changed: {name}: {was!r} -> {now!r}")


def _require(held: bool, text: str) -> None:
    if not held:
        raise AssertionError(text)
