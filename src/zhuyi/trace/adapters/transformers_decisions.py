"""What a Hugging Face model decides, and how its output becomes logits "B C": one class a kind."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from zhuyi.errors import ShapeError
from zhuyi.trace.readout import Readout, last_positions

_LEAST = 1e-6  # keeps log(1 - cosine) finite for a sentence compared with itself


class Decision(Protocol):
    """A question that a model answers: run it, and read logits or probabilities off."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the C answers."""
        ...

    @property
    def per_input(self) -> int:
        """Sequences an input is run as."""
        ...

    def logits(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor, whole: Tensor | None
    ) -> Tensor:
        """Logits "B C" for inputs of B' rows with readable positions "B' T" (bool).

        `whole` is what `reference` gave for the complete inputs, where it gives something.
        """
        ...

    def reference(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor
    ) -> Tensor | None:
        """What of the complete inputs has to be known to judge reduced ones; often None."""
        ...

    def shares(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor, whole: Tensor | None
    ) -> Tensor:
        """Probabilities "B C" of the same."""
        ...

    def readable(self, inputs: Mapping[str, Tensor], real: Tensor) -> Tensor:
        """The positions "B' T" (bool) that the decision may be read from."""
        ...


@dataclass(frozen=True, kw_only=True)
class ClassDecision:
    """The classes of a classification head.

    A head with one score is shown as two classes with logits (0, score), so that its probability is
    the score's sigmoid; a multi-label head gives one sigmoid a class.

    Args:
        labels: names of the classes.
        independent: multi-label: the classes do not exclude each other.
        score: name of the head that gives logits at every position, of which those of the last real
            token count, for decoders whose own pooling cannot see padding when it is fed
            embeddings; None takes the model's output.
        padding: the id that such a decoder never reads its decision from, or None.
    """

    labels: tuple[str, ...]
    independent: bool = False
    score: str | None = None
    padding: int | None = None
    per_input: int = 1

    def logits(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor, whole: Tensor | None
    ) -> Tensor:
        """Logits "B C" of the head."""
        if self.score is None:
            logits: Tensor = model(**inputs).logits
        else:
            logits = _scored_last(model, self.score, inputs, real)
        if logits.dim() != 2:
            raise ShapeError(f"the head must give logits (B, C), got {tuple(logits.shape)}")
        return torch.cat((torch.zeros_like(logits), logits), 1) if logits.shape[1] == 1 else logits

    def readable(self, inputs: Mapping[str, Tensor], real: Tensor) -> Tensor:
        """Real positions, without those that a decoder takes for padding by their id."""
        if self.score is None or self.padding is None or "input_ids" not in inputs:
            return real
        return real & (inputs["input_ids"] != self.padding)

    def reference(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor
    ) -> Tensor | None:
        """Nothing: classes are judged alone."""
        return None

    def shares(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor, whole: Tensor | None
    ) -> Tensor:
        """Softmax, or one sigmoid a class where they do not exclude each other."""
        logits = self.logits(model, inputs, real, whole).float()
        return logits.sigmoid() if self.independent else logits.softmax(1)


def _scored_last(
    model: nn.Module, score: str, inputs: Mapping[str, Tensor], real: Tensor
) -> Tensor:
    """Logits "B C" of the last real positions, in a call of the whole model.

    The model itself picks positions by the padding token's id, and refuses batches where it knows
    none; what it picks is not read here, so any id will do meanwhile.
    """
    head: nn.Module = getattr(model, score)
    thread, heard = threading.get_ident(), list[Tensor]()

    def listen(module: nn.Module, args: object, output: Tensor) -> None:
        if threading.get_ident() == thread:
            heard.append(output)

    config: Any = model.config
    text = config.get_text_config()
    missing = getattr(text, "pad_token_id", None) is None
    handle = head.register_forward_hook(listen)
    try:
        if missing:
            text.pad_token_id = 0
        model(**inputs, use_cache=False)
    finally:
        handle.remove()
        if missing:
            text.pad_token_id = None
    everywhere = heard[-1]
    rows = torch.arange(everywhere.shape[0], device=everywhere.device)
    return everywhere[rows, last_positions(real)]


@dataclass(frozen=True, kw_only=True)
class NextToken:
    """Which token a causal model puts next: C is the vocabulary.

    Args:
        labels: the vocabulary's tokens.
        selects: whether the model can be asked for the logits of some positions only.
    """

    labels: tuple[str, ...]
    selects: bool
    per_input: int = 1

    def logits(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor, whole: Tensor | None
    ) -> Tensor:
        """Logits "B V" after each row's last real token."""
        last = last_positions(real)
        rows = torch.arange(real.shape[0], device=real.device)
        if not self.selects:
            full: Tensor = model(**inputs, use_cache=False).logits
            return full[rows, last]
        # Only the rows' last positions go through the vocabulary: B L V logits would not fit.
        wanted = last.new_tensor(sorted(set(last.tolist())))
        place = torch.searchsorted(wanted, last)
        logits: Tensor = model(**inputs, use_cache=False, logits_to_keep=wanted).logits
        return logits[rows, place]

    def readable(self, inputs: Mapping[str, Tensor], real: Tensor) -> Tensor:
        """Every real position."""
        return real

    def reference(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor
    ) -> Tensor | None:
        """Nothing: a next token is judged alone."""
        return None

    def shares(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor, whole: Tensor | None
    ) -> Tensor:
        """Softmax over the vocabulary, in float32."""
        return self.logits(model, inputs, real, whole).float().softmax(1)


@dataclass(frozen=True, kw_only=True)
class Similarity:
    """Whether two sentences mean the same, by the cosine of their pooled embeddings.

        p(similar) = (1 + cos) / 2,   logits = log p

    Args:
        pooling: how an encoder's rows become one embedding.
    """

    pooling: Readout
    labels: tuple[str, ...] = ("different", "similar")
    per_input: int = 2

    def logits(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor, whole: Tensor | None
    ) -> Tensor:
        """Logits "B 2" of sentence pairs, rows 2 b and 2 b + 1 being a pair."""
        pooled = _pooled(model, inputs, real, self.pooling)
        return _cosine_shares(pooled[0::2], pooled[1::2]).clamp_min(_LEAST).log()

    def readable(self, inputs: Mapping[str, Tensor], real: Tensor) -> Tensor:
        """Every real position."""
        return real

    def reference(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor
    ) -> Tensor | None:
        """Nothing: the two sentences are each other's reference."""
        return None

    def shares(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor, whole: Tensor | None
    ) -> Tensor:
        """The exponential: the logits are log probabilities."""
        return self.logits(model, inputs, real, whole).exp()


@dataclass(frozen=True, kw_only=True)
class KeptEmbedding:
    """How much of its own complete embedding a text keeps, for encoders that decide nothing else.

        p(unchanged) = (1 + cos(e, e_whole)) / 2
        logits = (0, e · e_whole / |e_whole|²)

    The logits are not the logarithm of the probabilities on purpose: a cosine is flat where it is
    1, so every gradient at the complete text would be zero. The projection is 1 there too, but its
    gradient says which position carries the embedding.

    Args:
        pooling: how an encoder's rows become one embedding.
    """

    pooling: Readout
    labels: tuple[str, ...] = ("changed", "unchanged")
    per_input: int = 1

    def logits(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor, whole: Tensor | None
    ) -> Tensor:
        """Logits "B 2": (0, share kept along the complete embedding)."""
        embedding = _pooled(model, inputs, real, self.pooling)
        whole = embedding.detach() if whole is None else whole
        kept = (embedding * whole).sum(1) / whole.square().sum(1).clamp_min(1e-12)
        return torch.stack((torch.zeros_like(kept), kept), 1)

    def readable(self, inputs: Mapping[str, Tensor], real: Tensor) -> Tensor:
        """Every real position."""
        return real

    def reference(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor
    ) -> Tensor | None:
        """The complete inputs' embeddings "B E"."""
        return _pooled(model, inputs, real, self.pooling).detach()

    def shares(
        self, model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor, whole: Tensor | None
    ) -> Tensor:
        """By the cosine with the complete embedding."""
        embedding = _pooled(model, inputs, real, self.pooling)
        return _cosine_shares(embedding, embedding if whole is None else whole)


def _pooled(
    model: nn.Module, inputs: Mapping[str, Tensor], real: Tensor, pooling: Readout
) -> Tensor:
    hidden: Tensor = model(**inputs).last_hidden_state
    weights = pooling.rows(real).to(hidden.dtype)
    return torch.einsum("bt,bte->be", weights, hidden).float()


def _cosine_shares(one: Tensor, other: Tensor) -> Tensor:
    cosine = torch.cosine_similarity(one, other, dim=1).clamp(-1.0, 1.0)
    return torch.stack((1.0 - cosine, 1.0 + cosine), 1) / 2.0
