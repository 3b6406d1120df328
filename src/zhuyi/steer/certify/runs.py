"""Running a model under its rules again and again, with other content at the same positions.

Rules are matched against the content as it came; only then, behind the rules' own hook, is the
content changed. So every run vetoes the same positions, and whatever differs between two runs has
come from there.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from zhuyi.errors import InputError, NotSteerable, OptionError
from zhuyi.steer.certify.entry import Call, Receivers
from zhuyi.steer.certify.outputs import Watched, tensors_of
from zhuyi.steer.contents import content_of, kind_of, replaced
from zhuyi.steer.readers import FittedModel, batch_of, reader_of
from zhuyi.steer.reading import Reader, Reading
from zhuyi.trace.evaluating import evaluating
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.trace.subject import Batch, ModelSubject, Subject

Applied = Callable[[], AbstractContextManager[object]]
"""Opens a block in which the rules hold: of `steer`, or of `removed`."""

Change = Callable[[Call, Tensor], Tensor]
"""Content "B N ..." or vectors "B N E" of a call -> what stands there instead."""


class Runs:
    """The runs of one certificate.

    Args:
        target: a module, a subject that one module decides, or a fitted estimator.
        batch: what the subject reads; for a module its keyword arguments, its arguments, one
            tensor, or texts where `tokenizer` is known.
        tokenizer, reader: see `zhuyi.steer.steering.steer`.
    Raises:
        NotSteerable: where nobody says what stands at a position.
    """

    def __init__(
        self,
        target: nn.Module | Subject | FittedModel,
        batch: Batch | Mapping[str, Any],
        *,
        tokenizer: Any = None,
        reader: Reader | None = None,
    ) -> None:
        if isinstance(target, FittedModel):
            target = target.subject()
        self.target = target
        self.subject: Subject | None = None
        if isinstance(target, nn.Module):
            self.model = target
        elif isinstance(target, ModelSubject):
            self.model, self.subject = target.model, target
        else:
            raise OptionError(
                "certify needs a torch.nn.Module, a subject with a `model` or a fitted estimator, "
                f"got {type(target).__name__}"
            )
        self.tokenizer = tokenizer
        if tokenizer is None and self.subject is not None:
            self.tokenizer = getattr(self.subject, "processor", None)
        self.reader = reader or reader_of(target, tokenizer, None)
        self.batch = batch_of(self.subject, batch)
        self._free = self.subject is None or isinstance(self.subject, ModuleSubject)
        self.calls: tuple[Call, ...] = ()
        self.read_rows: tuple[Tensor | None, ...] = ()

    def recalling(self) -> Reader:
        """A reader that knows the recorded calls again, and asks the other for new ones."""
        return _Recalling(self.reader, self.calls)

    def begin(self) -> None:
        """One plain run: what the model is called with, and where content enters it."""
        with torch.no_grad():
            self._record()
            self._embedders()

    @contextmanager
    def changed(
        self, content: Change | None = None, vectors: Change | None = None
    ) -> Iterator[None]:
        """Within the block the content, or the vectors made of it, is changed.

        Open it inside the block of the rules: its hooks then run behind theirs.
        """
        counter = _Counter(self.calls)
        handles = [self.model.register_forward_pre_hook(counter.next, with_kwargs=True)]

        def before(module: nn.Module, args: Any, kwargs: Any) -> Any:
            call, change = counter.call, content
            if call.kind == "values" and vectors is not None:
                change = vectors
            if change is None:
                return None
            given = args[call.name] if isinstance(call.name, int) else kwargs[call.name]
            return replaced(call.name, change(call, given), args, kwargs)

        def after(module: nn.Module, args: Any, output: Tensor) -> Tensor:
            assert vectors is not None
            return vectors(counter.call, output)

        handles.append(self.model.register_forward_pre_hook(before, with_kwargs=True))
        if vectors is not None:
            modules = {id(one): one for call in self.calls for one in call.embedders}
            handles += [one.register_forward_hook(after) for one in modules.values()]
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def outputs(
        self,
        applied: Applied,
        content: Change | None = None,
        vectors: Change | None = None,
        *,
        by_row: bool = False,
    ) -> list[Tensor]:
        """The decision and what it is read from, under the rules.

        With `by_row` each has one row an input: the mean of the positions that count.
        """
        with torch.no_grad(), applied(), self.changed(content, vectors):
            watched = Watched(self.model)
            try:
                decision = self._decide()
            finally:
                watched.close()
        found = [decision] if self.subject is not None else []
        if by_row:
            return [one.detach() for one in (*found, *self._means(watched.outputs))]
        return [one.detach() for one in (*found, *self._rows(watched.outputs))]

    def differentiable(self, applied: Applied, vectors: Change) -> list[Tensor]:
        """The same of the model alone, with a graph that begins at its vectors."""
        found: list[object] = []
        with torch.enable_grad(), evaluating(self.model), applied(), self.changed(None, vectors):
            for call in self.calls:
                kwargs = fresh(call.kwargs)
                # Logits of some positions only are those of other positions in other rows.
                kwargs.pop("logits_to_keep", None)
                found.append(self.model(*call.args, **kwargs))
        return self._rows(found)

    def replayed_all(self) -> None:
        """Every recorded call once more."""
        for call in self.calls:
            self.replayed(call.args, call.kwargs)

    def replayed(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> object:
        """The model's output for other arguments."""
        with torch.no_grad(), evaluating(self.model):
            return self.model(*args, **fresh(kwargs))

    def _record(self) -> None:
        calls: list[Call] = []
        self.reader.begin()

        def heard(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            reading = self.reader.read(args, kwargs)
            name = content_of(args, kwargs)
            if name is None:
                raise InputError("the model was called without a tensor 'B N ...'")
            content = args[name] if isinstance(name, int) else kwargs[name]
            kind = kind_of(content, reading, tokens=self.tokenizer is not None, free=self._free)
            length = max(one.length for one in reading.layouts)
            leading = 0 if kind == "pixels" else length - content.shape[1] - reading.unknown
            calls.append(
                Call(
                    args=args,
                    kwargs=fresh(kwargs),
                    reading=reading,
                    name=name,
                    kind=kind,
                    leading=leading,
                )
            )

        handle = self.model.register_forward_pre_hook(heard, with_kwargs=True)
        try:
            self._decide()
        finally:
            handle.remove()
        if not calls:
            raise NotSteerable(
                f"{type(self.model).__name__} was not called as a whole, so what is read at its "
                "positions is not known"
            )
        self.calls = tuple(calls)

    def _embedders(self) -> None:
        found = []
        for call in self.calls:
            if call.kind == "values":
                found.append(call)
                continue
            receivers = Receivers(self.model, call.content, call.length)
            try:
                self.replayed(call.args, call.kwargs)
            finally:
                modules = receivers.close()
            found.append(
                Call(
                    args=call.args,
                    kwargs=call.kwargs,
                    reading=call.reading,
                    name=call.name,
                    kind=call.kind,
                    leading=call.leading,
                    embedders=tuple(one for one in modules if one is not self.model),
                )
            )
        self.calls = tuple(found)

    def _decide(self) -> Tensor:
        if self.subject is not None:
            return self.subject.decide(self.batch)
        batch: Any = self.batch
        with torch.no_grad():
            if isinstance(batch, Mapping):
                output = self.model(**fresh(batch))
            elif isinstance(batch, Tensor):
                output = self.model(batch)
            elif isinstance(batch, tuple) and all(isinstance(one, Tensor) for one in batch):
                output = self.model(*batch)
            elif self.tokenizer is not None:
                encoded = self.tokenizer(list(batch), padding=True, return_tensors="pt")
                output = self.model(**encoded)
            else:
                raise InputError(
                    "a module's batch must be its keyword arguments, a tensor or tensors, got "
                    f"{type(batch).__name__}"
                )
        return tensors_of(output)[0]

    def _rows(self, outputs: Sequence[object]) -> list[Tensor]:
        """What is compared: whole decisions, and of outputs position by position the rows read."""
        found = []
        for place, output in enumerate(outputs):
            rows = self.read_rows[place] if place < len(self.read_rows) else None
            for tensor in tensors_of(output):
                by_row = rows is not None and tensor.dim() > 2
                if by_row and rows is not None and tensor.shape[:2] == rows.shape:
                    found.append(tensor[rows.to(tensor.device)])
                elif not by_row or self.subject is None:
                    found.append(tensor)
                # A subject's decision is compared anyway, and these may be rows nobody reads.
        return found

    def _means(self, outputs: Sequence[object]) -> list[Tensor]:
        found = []
        for place, output in enumerate(outputs):
            rows = self.read_rows[place]
            for tensor in tensors_of(output):
                if rows is None or tensor.dim() < 3 or tensor.shape[:2] != rows.shape:
                    found.append(tensor)
                    continue
                weight = rows.to(tensor).reshape(*rows.shape, *(1,) * (tensor.dim() - 2))
                kept = torch.where(weight > 0, tensor, 0.0)
                found.append(kept.sum(1) / weight.sum(1).clamp_min(1.0))
        return found


def fresh(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with a cache of their own: a model writes into the one it is given."""
    return {
        name: copy.deepcopy(given) if name == "past_key_values" else given
        for name, given in kwargs.items()
    }


class _Recalling:
    """Some readers are told beforehand what will be read; a call that is repeated is remembered."""

    def __init__(self, reader: Reader, calls: tuple[Call, ...]) -> None:
        self._reader = reader
        self._calls = calls

    @property
    def layers(self) -> int | None:
        """Attention sites of a pass, if known."""
        return self._reader.layers

    def begin(self) -> None:
        """Forget earlier calls."""
        self._reader.begin()

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        """What the call reads."""
        name = content_of(args, kwargs)
        given = None if name is None else args[name] if isinstance(name, int) else kwargs[name]
        for call in self._calls:
            known = call.content
            if given is known or (
                isinstance(given, Tensor)
                and (given.dtype, given.shape) == (known.dtype, known.shape)
                and torch.equal(given, known)
            ):
                return call.reading
        return self._reader.read(args, kwargs)


class _Counter:
    """Which of the recorded calls is running."""

    def __init__(self, calls: tuple[Call, ...]) -> None:
        self._calls = calls
        self._place = -1

    def next(self, module: nn.Module, args: Any, kwargs: Any) -> None:
        self._place += 1

    @property
    def call(self) -> Call:
        if not 0 <= self._place < len(self._calls):
            raise InputError("the model made more calls than in its plain run")
        return self._calls[self._place]
