"""What every exported method keeps, whatever it computes; and broken methods that are caught.

A new method is found by `zhuyi.explain.__all__`.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, is_dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.trace.subject_models import bert, bert_tokenizer, gpt_tokenizer, llama, vit
from zhuyi import explain
from zhuyi.core.record import Attribution
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.module_subject import ModuleSubject

METHODS = [getattr(explain, name)() for name in explain.__all__]
TEXTS = ("The quick brown fox jumped.", "good film", "很重要的注意力!")


class Encoder(nn.Module):
    """An encoder layer, the mean, a head."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.head = nn.Linear(8, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        return self.head(self.layer(inputs).mean(1))


def module_subject() -> tuple[Any, Any]:
    torch.manual_seed(1)
    subject = ModuleSubject(Encoder(), unit_names=("a", "b", "c"), labels=("no", "yes"))
    return subject, torch.linspace(-2, 2, 72).sin().reshape(3, 3, 8)


def text_subject(kind: str, task: Any = None) -> Any:
    return TransformersSubject(bert(kind), bert_tokenizer(), task=task)


SUBJECTS: dict[str, Callable[[], tuple[Any, Any]]] = {
    "classes": lambda: (text_subject("BertForSequenceClassification"), TEXTS),
    "embedding": lambda: (text_subject("BertModel"), TEXTS),
    "pairs": lambda: (
        text_subject("BertModel", "similarity"),
        tuple(zip(TEXTS, TEXTS[::-1], strict=True)),
    ),
    "next token": lambda: (TransformersSubject(llama(), gpt_tokenizer(padding=True)), TEXTS),
    "images": lambda: (
        TransformersSubject(vit()),
        torch.linspace(-3, 3, 3 * 3 * 144).sin().reshape(3, 3, 12, 12),
    ),
    "module": module_subject,
}


def part(batch: Any, rows: slice) -> Any:
    return batch[rows]


def check_record(method: Any, subject: Any, batch: Any) -> None:
    """Shapes, signs, no NaN, nothing where there is no unit; the record names its method."""
    found = method(subject, batch)
    units = subject.units(batch)
    assert isinstance(found, Attribution)
    assert found.units == units
    assert found.values.shape == (len(batch), max(map(len, units)))
    assert found.values.dtype == torch.float32
    assert not found.values.requires_grad
    assert torch.isfinite(found.values).all()
    assert found.method == repr(method)
    assert len(found.target) == len(batch)
    assert found.signed or (found.values >= 0).all()
    for row, named in enumerate(units):
        assert not found.values[row, len(named) :].any()
    assert found.values.any()


def check_batch(method: Any, subject: Any, batch: Any) -> None:
    """An input is explained the same alone and beside others."""
    together = method(subject, batch)
    for row in range(len(batch)):
        alone = method(subject, part(batch, slice(row, row + 1)))
        count = alone.values.shape[1]
        assert alone.target == together.target[row : row + 1]
        torch.testing.assert_close(
            together.values[row, :count], alone.values[0], atol=2e-5, rtol=2e-4
        )


def check_untouched(method: Any, subject: Any, batch: Any) -> None:
    """Model, batch and global generator are as they were."""
    model = subject.module if isinstance(subject, ModuleSubject) else subject.model
    model.train()
    before = copy.deepcopy(model.state_dict())
    inputs = batch.clone() if isinstance(batch, Tensor) else batch
    generator = torch.get_rng_state()
    method(subject, batch)
    assert torch.equal(torch.get_rng_state(), generator)
    assert torch.equal(batch, inputs) if isinstance(batch, Tensor) else batch == inputs
    assert all(module.training for module in model.modules())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])
    hooks = [m for m in model.modules() if m._forward_hooks or m._forward_pre_hooks]
    assert not hooks


def check_repeats(method: Any, subject: Any, batch: Any) -> None:
    """Twice the same, bit for bit."""
    assert torch.equal(method(subject, batch).values, method(subject, batch).values)


CONTRACTS = [check_record, check_batch, check_untouched, check_repeats]


@pytest.mark.parametrize("contract", CONTRACTS)
@pytest.mark.parametrize("name", SUBJECTS)
@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_contract(method: Any, name: str, contract: Callable[..., None]) -> None:
    subject, batch = SUBJECTS[name]()
    contract(method, subject, batch)


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_methods_are_frozen_records(method: Any) -> None:
    assert is_dataclass(method)
    with pytest.raises(AttributeError):
        method.anything = 1
    assert eval(repr(method), vars(explain)) == method
    assert type(method).__doc__
    for section in ("Returns:", "Cost:", "Not:", "Ref:", "Example:"):
        assert section in type(method).__doc__


@pytest.mark.parametrize("method", METHODS, ids=lambda m: type(m).__name__)
def test_low_precision_stays_close(method: Any) -> None:
    subject = text_subject("BertForSequenceClassification")
    wanted = method(subject, TEXTS, 0).values
    subject.model.to(torch.bfloat16)
    found = method(subject, TEXTS, 0).values
    assert found.dtype == torch.float32
    assert (found - wanted).abs().max() < 0.1 * wanted.abs().max() + 0.05


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A method with one fault."""

    fault: str

    def __call__(self, subject: Any, batch: Any, target: Any = None) -> Attribution:
        units = subject.units(batch)
        values = torch.ones(len(units), max(map(len, units)))
        if self.fault == "values for units that are not there":
            pass
        elif self.fault == "depends on the batch":
            for row, named in enumerate(units):
                values[row, len(named) :] = 0
            values *= values.shape[1]
        elif self.fault == "global generator":
            values = torch.rand_like(values)
        elif self.fault == "leaves a hook":
            subject.model.register_forward_hook(lambda *_: None)
        return Attribution(
            values=values, units=units, method=repr(self), target=(0,) * len(units), signed=False
        )


@pytest.mark.parametrize(
    ("fault", "contract"),
    [
        ("values for units that are not there", check_record),
        ("depends on the batch", check_batch),
        ("global generator", check_untouched),
        ("global generator", check_repeats),
        ("leaves a hook", check_untouched),
    ],
)
def test_broken_methods_are_caught(fault: str, contract: Callable[..., None]) -> None:
    subject, batch = SUBJECTS["classes"]()
    with pytest.raises(AssertionError):
        contract(Broken(fault=fault), subject, batch)
