"""Which reader fits a model or a subject."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn

from zhuyi.errors import NotSteerable
from zhuyi.steer.image_reading import ImageReader
from zhuyi.steer.reading import Reader, UnitReader, Values
from zhuyi.steer.token_reading import TokenReader
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.trace.subject import Batch, Subject


@runtime_checkable
class ReadableSubject(Protocol):
    """A subject that knows itself what its model's calls read."""

    def reader(self, values: Values = None) -> Reader:
        """A reader of its model's calls."""
        ...


@runtime_checkable
class FittedModel(Protocol):
    """An estimator that has a subject."""

    def subject(self) -> Subject:
        """The fitted model as a subject."""
        ...


@runtime_checkable
class TabularSubject(Protocol):
    """A subject that makes batches of tables, arrays and other holders of rows."""

    def read(self, given: object, /) -> Batch:
        """A batch of what holds the rows."""
        ...


@runtime_checkable
class ProcessedSubject(Subject, Protocol):
    """A subject with a tokenizer, or an image processor."""

    @property
    def task(self) -> str:
        """What is decided."""
        ...

    @property
    def processor(self) -> Any:
        """What makes the model's inputs."""
        ...

    @property
    def model(self) -> nn.Module:
        """The module that decides."""
        ...


def reader_of(model_or_subject: nn.Module | Subject, tokenizer: Any, values: Values) -> Reader:
    """The reader for what is steered.

    Raises: NotSteerable: where nobody says what stands at a position.
    """
    if isinstance(model_or_subject, ReadableSubject):
        return model_or_subject.reader(values)
    model = model_or_subject if isinstance(model_or_subject, nn.Module) else None
    if isinstance(model_or_subject, ModuleSubject):
        return UnitReader(model_or_subject._units, values=values)
    if tokenizer is None and isinstance(model_or_subject, ProcessedSubject):
        tokenizer, model = model_or_subject.processor, model_or_subject.model
        if model_or_subject.task == "image-classification":
            layers = getattr(getattr(model, "config", None), "num_hidden_layers", None)
            return ImageReader(model_or_subject, layers=layers, values=values)
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


def batch_of(subject: object, given: Any) -> Any:
    """What a subject takes, of what its estimator takes: a data frame or an array is read."""
    plain = given is None or isinstance(given, Sequence | Mapping | Tensor)
    if plain or not isinstance(subject, TabularSubject):
        return given
    return subject.read(given)
