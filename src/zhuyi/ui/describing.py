"""What a subject says of one input, in the words of a picture: positions, decision, versions."""

import platform
from collections.abc import Sequence
from importlib.metadata import version

import torch
from torch import Tensor, nn

import zhuyi
from zhuyi.core.record import Unit
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.subject import Batch, ModelSubject, Subject
from zhuyi.ui.looked import Tokens
from zhuyi.ui.questions import QUESTIONS

_SHOWN = 5  # labels at a time


def module_of(subject: Subject) -> nn.Module | None:
    """The module that decides, or None where the subject does not say."""
    return subject.model if isinstance(subject, ModelSubject) else None


def task_of(subject: Subject) -> str:
    """What is asked, as a person would say it."""
    if isinstance(subject, TransformersSubject):
        return QUESTIONS[subject.task]
    count = len(subject.labels)
    names = [label_of(subject, n) for n in range(min(count, _SHOWN))]
    names += [f"{count - _SHOWN} others"] if count > _SHOWN else []
    return f"Which of {', '.join(names)}?"


def texts_of(item: object) -> tuple[str, ...]:
    """The input as texts, where it is one text or a pair of them."""
    if isinstance(item, str):
        return (item,)
    if isinstance(item, tuple | list) and all(isinstance(part, str) for part in item):
        return tuple(str(part) for part in item)
    return ("",)


def sequences_of(subject: Subject, batch: Batch) -> list[Tokens]:
    """The sequences that run through the model for a batch of one input."""
    if isinstance(subject, TransformersSubject):
        image = subject.task == "image-classification"
        names = ("image",) if image else ("text", "second text")
        pairs = zip(subject.tokens(batch), subject.sequences(batch), strict=True)
        return [
            Tokens(name=names[n], labels=labels, special=_special(units, len(labels)))
            for n, (labels, units) in enumerate(pairs)
        ]
    units = subject.units(batch)[0]
    # an input without a position of its own still has the one that is read for it
    count = 1 + max((p for unit in units for p in unit.positions), default=0)
    labels = [f"#{position}" for position in range(count)]
    for unit in units:
        for position in unit.positions:
            labels[position] = unit.label
    return [Tokens(name="input", labels=tuple(labels), special=_special(units, count))]


def decision_of(
    subject: Subject, shares: Tensor, index: int
) -> tuple[str, float | None, tuple[tuple[str, float], ...]]:
    """What was decided, its probability, and the most probable labels.

    Args:
        subject: what decided.
        shares: probabilities "C".
        index: of the decision that is explained.
    """
    if isinstance(subject, TransformersSubject) and subject.task == "embedding":
        return "the embedding of the whole text", None, ()
    best = shares.topk(min(_SHOWN, shares.numel()))
    others = tuple(
        (label_of(subject, place), share)
        for place, share in zip(best.indices.tolist(), best.values.tolist(), strict=True)
    )
    return label_of(subject, index), float(shares[index]), others


def label_of(subject: Subject, index: int) -> str:
    """The name of a decision."""
    return subject.labels[index] or f"class {index}"


def type_of(module: nn.Module | None) -> str:
    """Number format of the parameters, "" where there are none."""
    first = None if module is None else next(module.parameters(), None)
    return "" if first is None else str(first.dtype).removeprefix("torch.")


def place_of(module: nn.Module | None) -> str:
    """Where the parameters are, as a person would say it."""
    first = None if module is None else next(module.parameters(), None)
    if first is not None and first.device.type == "cuda":
        return torch.cuda.get_device_name(first.device)
    return f"{'cpu' if first is None else first.device.type} ({platform.machine()})"


def versions_of(subject: object) -> dict[str, str]:
    """Versions of what took part."""
    found = {"zhuyi": zhuyi.__version__, "torch": str(torch.__version__)}
    if isinstance(subject, TransformersSubject):
        found["transformers"] = version("transformers")
    return found


def _special(units: Sequence[Unit], count: int) -> tuple[bool, ...]:
    added = {position for unit in units if unit.special for position in unit.positions}
    return tuple(position in added for position in range(count))
