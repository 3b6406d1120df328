"""`steer(model, rules)`: within the block, what a model attends to obeys people's rules."""

import copy
from datetime import date
from typing import Any

from torch import nn

from zhuyi.errors import OptionError
from zhuyi.steer.block import Off, Steering
from zhuyi.steer.dose import Form
from zhuyi.steer.placeholder import Placeholder
from zhuyi.steer.readers import FittedModel, ProcessedSubject, reader_of
from zhuyi.steer.reading import Reader, Values
from zhuyi.steer.rules import Rules
from zhuyi.trace.subject import ModelSubject, Subject

__all__ = ["Off", "Steering", "steer"]


def steer(
    model_or_subject: nn.Module | Subject | FittedModel,
    rules: Rules,
    *,
    tokenizer: Any = None,
    reader: Reader | None = None,
    strict: bool = False,
    form: Form = "low-rank",
    today: date | None = None,
    values: Values = None,
) -> "Steering":
    """Steer a model by rules.

        weights = softmax(scores of the model + sum over rules of ln(w), where a rule means a key)

    Rules are matched against what each forward call reads (its token ids, or the pieces of a
    subject), so they hold in `decide`, `watch`, `generate` with caches, and in every explanation or
    test that is run inside the block. Nothing but the bias of attention calls is touched; for a
    veto of the level "input" a constant stands in its place instead, before the model (as
    `zhuyi.steer.certify.removed` does). Leaving the block restores the model bit for bit, also
    after an exception.

    Args:
        model_or_subject: a module, a subject whose decision one module makes, or a fitted
            estimator (its `predict`, `explain` and the rest are steered).
        rules: what shall hold.
        tokenizer: of a module that reads token ids; a subject knows its own.
        reader: how a call's positions are known, where neither of them tells.
        strict: whether a rule that means nothing, and a veto below its guarantee, is an error.
        form: how the bias is written, see `zhuyi.steer.dose`.
        today: the day by which rules expire; None for the day of the call.
        values: what `when` may ask: of every row, or row by row where every call has so many. Rows
            of a table bring their own.

    Returns:
        A context manager whose block gives the `Steering`, which knows what matched and what came
        of it.

    Raises:
        NotSteerable: if the model's positions cannot be known, or its attention not biased; from
            the model's call in another thread, which these rules cannot reach.
        RuleConflict: from the model's call, if two rules contradict each other there.
        OptionError: for a head or layer that does not exist.

    Cost:
        A biased call costs `zhuyi.attend` with that bias, a share one streamed pass more.

    Not:
        A proof: what a rule has done is measured by `Steering.report`, and what a veto guarantees
        is said by `certify`. A finite weight is never a veto.

    Example:
        >>> import torch
        >>> layer = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True).eval()
        >>> from zhuyi.core.record import Unit
        >>> from zhuyi.steer.reading import UnitReader
        >>> from zhuyi.steer.selectors import Column
        >>> units = [Unit(label=name, positions=(i,)) for i, name in enumerate(("age", "sex"))]
        >>> rules = Rules().veto(Column("sex"))
        >>> from zhuyi.trace import watch
        >>> with steer(layer, rules, reader=UnitReader(units)), watch(layer) as tape:
        ...     _ = layer(torch.randn(3, 2, 8))
        >>> tape[0].matrix.received().sum((0, 1)).round().tolist()
        [12.0, 0.0]
    """
    if isinstance(model_or_subject, FittedModel):
        model_or_subject = model_or_subject.subject()
    if isinstance(model_or_subject, nn.Module):
        model = model_or_subject
    elif isinstance(model_or_subject, ModelSubject):
        model = model_or_subject.model
    else:
        raise OptionError(
            "steer needs a torch.nn.Module, a subject with a `model` or a fitted estimator, got "
            f"{type(model_or_subject).__name__}"
        )
    known = model_or_subject

    def fresh(own: Values) -> Reader:
        return copy.copy(reader) if reader is not None else reader_of(known, tokenizer, own)

    subject = None if isinstance(known, nn.Module) else known
    if tokenizer is None and isinstance(subject, ProcessedSubject):
        tokenizer = subject.processor
    steering = Steering(
        model,
        rules,
        reader or fresh(values),
        strict=strict,
        form=form,
        today=today,
        placeholder=Placeholder(model, subject, tokenizer),
    )
    steering._fresh, steering._values = fresh, values
    steering.subject = subject
    return steering
