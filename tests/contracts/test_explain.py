"""What every explanation method promises, over everything that `zhuyi.explain` exports."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from typing import Any

import pytest
import torch
from torch import nn

from tests.trace.subject_models import bert, bert_tokenizer
from zhuyi import explain
from zhuyi.core.record import Attribution
from zhuyi.testing import (
    check_absent_units_are_zero,
    check_batch_invariant,
    check_explanation,
    check_inputs_untouched,
    check_leaves_nothing_after_an_error,
    check_same_twice,
    check_well_formed,
)
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.module_subject import ModuleSubject

METHODS = [getattr(explain, name) for name in explain.__all__]
every_method = pytest.mark.parametrize("kind", METHODS, ids=explain.__all__)


class TwoLayers(nn.Module):
    """Two encoder layers over vectors, mean pooling, three classes."""

    def __init__(self) -> None:
        super().__init__()
        layer = {"dim_feedforward": 12, "dropout": 0.1, "batch_first": True}
        self.first = nn.TransformerEncoderLayer(8, 2, **layer)
        self.second = nn.TransformerEncoderLayer(8, 2, **layer)
        self.head = nn.Linear(8, 3)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        return self.head(self.second(self.first(vectors)).mean(1))


@dataclass(frozen=True)
class Setting:
    """A subject with its model and a batch."""

    subject: Any
    model: nn.Module
    batch: Any


def module_setting() -> Setting:
    torch.manual_seed(3)
    model = TwoLayers()
    names = ("age", "income", "height", "weight", "speed")
    subject = ModuleSubject(model, unit_names=names, labels=("a", "b", "c"))
    return Setting(subject, model, torch.randn(3, 5, 8))


@pytest.fixture(scope="module")
def texts() -> Setting:
    """A tiny classifier of texts of different lengths, so that there is padding."""
    model = bert()
    batch = ["the quick brown fox", "a very good film , i love it", "bad !"]
    return Setting(TransformersSubject(model, bert_tokenizer()), model, batch)


@every_method
def test_promises_on_texts(kind: Callable[[], Any], texts: Setting) -> None:
    check_explanation(kind(), texts.subject, texts.batch, model=texts.model)


@every_method
def test_promises_on_a_module(kind: Callable[[], Any]) -> None:
    """Inputs of a module are equally long, so there are no absent units to look at."""
    one = module_setting()
    check_well_formed(kind(), one.subject, one.batch)
    check_same_twice(kind(), one.subject, one.batch)
    check_inputs_untouched(kind(), one.subject, one.batch, model=one.model)
    check_leaves_nothing_after_an_error(kind(), one.subject, one.batch, model=one.model)
    check_batch_invariant(kind(), one.subject, one.batch)


@every_method
def test_fields_are_the_configuration(kind: Callable[[], Any]) -> None:
    """Frozen, equal by their fields, and written as they are called."""
    assert kind() == kind()
    assert repr(kind()).startswith(f"{kind.__name__}(")
    for name in vars(kind()):
        with pytest.raises(AttributeError):
            setattr(kind(), name, 1)


# --- the broken twins: each breaks one promise, and that check must notice ---------------------


@dataclass(frozen=True, kw_only=True)
class Honest:
    """A method that keeps every promise: received attention under another name."""

    model: Any = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        found = explain.Received()(subject, batch, target)
        return replace(found, method=repr(self))


class GivesNaN(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        found = super().__call__(subject, batch, target)
        return replace(found, values=found.values / 0.0 * 0.0)


class GivesNothing(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        found = super().__call__(subject, batch, target)
        return replace(found, values=found.values * 0.0)


class NegativeWithoutSaying(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        found = super().__call__(subject, batch, target)
        return replace(found, values=-found.values)


class KeepsTheGraph(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        found = super().__call__(subject, batch, target)
        return replace(found, values=found.values * torch.ones(1, requires_grad=True))


class AnotherName(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        return replace(super().__call__(subject, batch, target), method="Received")


class AnotherTarget(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        found = super().__call__(subject, batch, target)
        return replace(found, target=tuple((t + 1) % 3 for t in found.target))


class CountsPadding(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        found = super().__call__(subject, batch, target)
        return replace(found, values=found.values + 1e-6)


class DrawsGlobally(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        found = super().__call__(subject, batch, target)
        return replace(found, values=found.values + 1e-9 * torch.rand(1))


class DividesByTheBatch(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        found = super().__call__(subject, batch, target)
        return replace(found, values=found.values / found.values.max())


class WritesIntoTheBatch(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        found = super().__call__(subject, batch, target)
        batch.mul_(1.5) if isinstance(batch, torch.Tensor) else batch.reverse()
        return found


class LeavesAGradient(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        next(self.model.parameters()).sum().backward()
        return super().__call__(subject, batch, target)


class FreezesTheModel(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        self.model.requires_grad_(False)
        return super().__call__(subject, batch, target)


class SetsEvaluation(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        self.model.train(not self.model.training)
        return super().__call__(subject, batch, target)


class PatchesForward(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        self.model.forward = self.model.forward
        return super().__call__(subject, batch, target)


class LeavesAHook(Honest):
    """Takes its hook away, but not when the model fails."""

    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        handle = self.model.register_forward_hook(lambda *_: None)
        found = super().__call__(subject, batch, target)
        handle.remove()
        return found


class SwallowsTheError(Honest):
    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        try:
            return super().__call__(subject, batch, target)
        except RuntimeError:
            return Attribution(
                values=torch.ones(3, 5), units=(), method="", target=(), signed=False
            )


TWINS: dict[type[Honest], tuple[Callable[..., None], str]] = {
    GivesNaN: (check_well_formed, "not finite"),
    GivesNothing: (check_well_formed, "all values are 0"),
    NegativeWithoutSaying: (check_well_formed, "negative"),
    KeepsTheGraph: (check_well_formed, "graph"),
    AnotherName: (check_well_formed, "method is"),
    AnotherTarget: (check_well_formed, "target is"),
    CountsPadding: (check_absent_units_are_zero, "do not exist"),
    DrawsGlobally: (check_same_twice, "generator"),
    DividesByTheBatch: (check_batch_invariant, "alone differs"),
    WritesIntoTheBatch: (check_inputs_untouched, "batch was changed"),
    LeavesAGradient: (check_inputs_untouched, "gradient"),
    FreezesTheModel: (check_inputs_untouched, "flag"),
    SetsEvaluation: (check_inputs_untouched, "training"),
    PatchesForward: (check_inputs_untouched, "attributes"),
    LeavesAHook: (check_leaves_nothing_after_an_error, "hooks"),
    SwallowsTheError: (check_leaves_nothing_after_an_error, "swallowed"),
}
NEEDS_MODEL = (check_inputs_untouched, check_leaves_nothing_after_an_error)


@pytest.fixture
def restored(texts: Setting) -> Setting:
    """The texts, with a model that twins may spoil."""
    model = deepcopy(texts.model)
    return Setting(TransformersSubject(model, bert_tokenizer()), model, list(texts.batch))


@pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin.__name__)
def test_broken_promise_is_noticed(twin: type[Honest], restored: Setting) -> None:
    check, why = TWINS[twin]
    extra = {"model": restored.model} if check in NEEDS_MODEL else {}
    check(Honest(), restored.subject, restored.batch, **extra)
    with pytest.raises(AssertionError, match=why):
        check(twin(model=restored.model), restored.subject, restored.batch, **extra)
