"""The constant that stands for what must not enter a model at all (the level "input")."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from zhuyi.errors import InputError, NotSteerable, NotWatchable
from zhuyi.steer.contents import Kind, aligned, content_of, kind_of, replaced, spread
from zhuyi.steer.reading import Reading
from zhuyi.trace.adapters.transformers_embeddings import embedding_table
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.trace.subject import Subject


@runtime_checkable
class ReferenceSubject(Protocol):
    """A subject that knows typical inputs, as its model reads them."""

    def reference(self, rows: int) -> Tensor | None:
        """So many of them, or None."""
        ...


class Placeholder:
    """Puts one constant where something is vetoed, whatever stood there.

    Args:
        model: the model that reads it.
        subject: the subject whose model it is, or None.
        tokenizer: of a model that reads token ids, or None.
        given: what the caller wants there, or None: the mask token (else the unknown, padding or
            end token), 0, or one fixed typical input of an estimator.
    """

    def __init__(
        self,
        model: nn.Module,
        subject: Subject | None = None,
        tokenizer: Any = None,
        given: float | Tensor | None = None,
    ) -> None:
        self._model = model
        self._subject = subject
        self._tokenizer = tokenizer
        self._given = given

    def put_in_call(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], reading: Reading, keys_BL: Tensor
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """A call's arguments with the constant at the marked positions.

        Raises:
            InputError: for a call without anything to read.
            NotSteerable: for images, and for tokenizers without any token that could stand there.
        """
        name = content_of(args, kwargs)
        if name is None:
            raise InputError("the model was called without a tensor 'B N ...'")
        content = args[name] if isinstance(name, int) else kwargs[name]
        if not bool(keys_BL.any()):
            return args, dict(kwargs)
        return replaced(name, self.put(content, reading, keys_BL), args, kwargs)

    def put(self, content: Tensor, reading: Reading, keys_BL: Tensor) -> Tensor:
        """Content with the constant at the marked positions.

        Raises: NotSteerable: as `put_in_call`.
        """
        free = self._subject is None or isinstance(self._subject, ModuleSubject)
        kind = kind_of(content, reading, tokens=self._tokenizer is not None, free=free)
        if kind == "pixels":
            raise NotSteerable(
                "patches of an image cannot be removed by their positions: gray them before the "
                "model, or use keep= of a subject"
            )
        keys = spread(aligned(keys_BL, content.shape[1]), content)
        return torch.where(keys, self._constant(content, kind), content)

    def _constant(self, content: Tensor, kind: Kind) -> Tensor:
        if kind == "tokens":
            return self._token().to(content)
        if self._tokenizer is not None and content.dim() == 3:  # vectors in the place of ids
            return self._vector().to(content)
        if self._given is not None:
            return torch.as_tensor(self._given).to(content)
        subject: object = self._subject
        if kind == "codes" and isinstance(subject, ReferenceSubject):
            typical = subject.reference(1)
            if typical is not None and typical.shape[1:] == content.shape[1:]:
                return typical.to(content)
        return torch.zeros((), dtype=content.dtype, device=content.device)

    def _token(self) -> Tensor:
        if self._given is not None:
            return torch.as_tensor(self._given)
        names = ("mask_token_id", "unk_token_id", "pad_token_id", "eos_token_id", "bos_token_id")
        for name in names:
            found = getattr(self._tokenizer, name, None)
            if isinstance(found, int):
                return torch.tensor(found)
        raise NotSteerable(
            "the tokenizer has no mask, unknown, padding or end token to stand for what is vetoed: "
            "pass placeholder="
        )

    def _vector(self) -> Tensor:
        """The token's own vector, so that a model fed with vectors reads what it would have read.

        Raises: NotSteerable: for a model without a table of vectors.
        """
        try:
            table = embedding_table(self._model)
        except NotWatchable as wrong:
            raise NotSteerable(f"what is vetoed cannot be replaced: {wrong}") from None
        with torch.no_grad():
            found: Tensor = table(self._token().to(table.weight.device))
        return found
