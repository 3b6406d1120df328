"""`removed(model, rules)`: a constant stands where a veto is, before the model reads anything.

What holds for any architecture: the model never receives the content. (It still receives that
something stood there, and how long it was.)
"""

from types import TracebackType
from typing import Any

import torch
from torch import Tensor, nn

from zhuyi.errors import OptionError
from zhuyi.steer.certify.places import meant
from zhuyi.steer.placeholder import Placeholder
from zhuyi.steer.readers import FittedModel, reader_of
from zhuyi.steer.reading import Reader
from zhuyi.steer.rules import Rules
from zhuyi.trace.subject import ModelSubject, Subject


def removed(
    model_or_subject: nn.Module | Subject | FittedModel,
    rules: Rules,
    *,
    tokenizer: Any = None,
    reader: Reader | None = None,
    placeholder: float | Tensor | None = None,
) -> "Removed":
    """Within the block, what the vetoes among the rules mean is replaced by a constant.

        input_n <- constant, for every position n that a veto means

    The level "input": it holds for convolutions, pooling, recurrent layers and modules that nobody
    has read, because the content never enters. Other rules are not applied; open `steer` outside
    of this block for them.

    Args:
        model_or_subject: as for `steer`.
        rules: vetoes are applied, whatever their layers and heads; all others are passed over.
        tokenizer, reader: as for `steer`.
        placeholder: what stands there: a token's id, a number, or a tensor that broadcasts to one
            position's numbers. None for the mask token (else the unknown, padding or end token),
            for 0, or for one fixed typical input of an estimator.

    Returns:
        A context manager whose block gives nothing.

    Raises:
        NotSteerable: for images, and for tokenizers without any token that could stand there.

    Cost:
        One copy of the input.

    Not:
        Deletion: length and positions stay. Not a guarantee about copies of the content elsewhere.

    Example:
        >>> from zhuyi.core.record import Unit
        >>> from zhuyi.steer.reading import UnitReader
        >>> from zhuyi.steer.selectors import Column
        >>> reader = UnitReader([Unit(label=n, positions=(i,)) for i, n in enumerate("ab")])
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(2, 1))
        >>> with removed(model, Rules().veto(Column("b")), reader=reader):
        ...     one = model(torch.tensor([[[1.0], [2.0]]]))
        ...     other = model(torch.tensor([[[1.0], [9.0]]]))
        >>> bool((one == other).all())
        True
    """
    if isinstance(model_or_subject, FittedModel):
        model_or_subject = model_or_subject.subject()
    if isinstance(model_or_subject, nn.Module):
        model, subject = model_or_subject, None
    elif isinstance(model_or_subject, ModelSubject):
        model, subject = model_or_subject.model, model_or_subject
    else:
        raise OptionError(
            "removed needs a torch.nn.Module, a subject or a fitted estimator, got "
            f"{type(model_or_subject).__name__}"
        )
    if tokenizer is None and subject is not None:
        tokenizer = getattr(subject, "processor", None)
    found = reader or reader_of(model_or_subject, tokenizer, None)
    return Removed(model, rules, found, Placeholder(model, subject, tokenizer, placeholder))


class Removed:
    """The context manager of `removed`.

    Args:
        model: the module.
        rules: vetoes are applied.
        reader: says what a forward call reads.
        placeholder: what stands in the place of what is vetoed.
    """

    def __init__(
        self, model: nn.Module, rules: Rules, reader: Reader, placeholder: "Placeholder"
    ) -> None:
        self._model = model
        self._vetoes = [rule for rule in rules if rule.action == "veto"]
        self._reader = reader
        self._placeholder = placeholder
        self._hook: Any = None

    def __enter__(self) -> None:
        if self._hook is not None:
            raise OptionError("this block is open already: call removed(...) for another")
        self._reader.begin()
        self._hook = self._model.register_forward_pre_hook(self._replace, with_kwargs=True)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._hook.remove()
        self._hook = None
        self._reader.begin()

    def _replace(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        reading = self._reader.read(args, kwargs)
        keys = torch.zeros(
            len(reading.layouts), max(one.length for one in reading.layouts), dtype=torch.bool
        )
        for row, layout in enumerate(reading.layouts):
            for rule in self._vetoes:
                keys[row, sorted(meant(rule, layout).positions)] = True
        return self._placeholder.put_in_call(args, kwargs, reading, keys)
