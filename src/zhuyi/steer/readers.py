"""Which reader fits a model or a subject."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import nn

from zhuyi.errors import NotSteerable
from zhuyi.steer.reading import Reader, UnitReader
from zhuyi.steer.token_reading import TokenReader
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.trace.subject import Subject


@runtime_checkable
class ReadableSubject(Protocol):
    """A subject that knows itself what its model's calls read."""

    def reader(self, values: Mapping[str, object] | None) -> Reader:
        """A reader of its model's calls."""
        ...


@runtime_checkable
class ProcessedSubject(Protocol):
    """A subject with a tokenizer, or an image processor."""

    @property
    def processor(self) -> Any:
        """What makes the model's inputs."""
        ...


def reader_of(
    model_or_subject: nn.Module | Subject, tokenizer: Any, values: Mapping[str, object] | None
) -> Reader:
    """The reader for what is steered.

    Raises: NotSteerable: where nobody says what stands at a position.
    """
    if isinstance(model_or_subject, ReadableSubject):
        return model_or_subject.reader(values)
    model = model_or_subject if isinstance(model_or_subject, nn.Module) else None
    if isinstance(model_or_subject, ModuleSubject):
        return UnitReader(model_or_subject._units)
    if tokenizer is None and isinstance(model_or_subject, ProcessedSubject):
        tokenizer, model = model_or_subject.processor, model_or_subject.model  # type: ignore[attr-defined]
    if tokenizer is None:
        raise NotSteerable(
            f"what stands at a position of {type(model_or_subject).__name__} is not known: pass "
            "tokenizer= for a model that reads token ids, or reader=UnitReader(units)"
        )
    config = getattr(model, "config", None)
    if getattr(config, "is_encoder_decoder", False):
        raise NotSteerable(
            f"{type(model).__name__} reads two sequences, and rules are matched in one: encoder-"
            "decoder models are not supported"
        )
    layers = getattr(config, "num_hidden_layers", None)
    return TokenReader(tokenizer, layers=layers, values=values)


def names_of(subject: Subject, batch: Sequence[object]) -> tuple[str, ...]:
    """Names of the pieces of a batch's first input."""
    return tuple(unit.label for unit in subject.units(batch)[0])
