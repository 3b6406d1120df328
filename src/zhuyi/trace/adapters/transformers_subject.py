"""Any Hugging Face model that decides something, as a Subject."""

import copy
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from zhuyi.core.record import Site, Unit
from zhuyi.errors import InputError, NotWatchable
from zhuyi.trace.adapters.projection import find_projection
from zhuyi.trace.adapters.transformers_heads import Task, decision_of, reader_of, task_of
from zhuyi.trace.adapters.transformers_load import load_parts
from zhuyi.trace.adapters.transformers_text import Encoded
from zhuyi.trace.evaluating import evaluating
from zhuyi.trace.keep import Keep
from zhuyi.trace.readout import MeasuredRows, Readout, measure_rows
from zhuyi.trace.replacements import chosen_way
from zhuyi.trace.subject import Batch, gather_units
from zhuyi.trace.tape import Tape
from zhuyi.trace.watch import watch


class TransformersSubject:
    """A Hugging Face model with its tokenizer or image processor, as a Subject.

    | task | a batch holds | what is decided |
    |---|---|---|
    | text-classification | texts, or pairs read as one sequence | the head's classes |
    | image-classification | images, or pixels "B C H W" | the head's classes |
    | next-token | texts | the token after the text, C = vocabulary |
    | similarity | pairs of texts, two sequences each | ("different", "similar"), by cosine |
    | embedding | texts | ("changed", "unchanged"): the cosine with the complete text's embedding |

    Units are words, single characters of scripts without spaces, or patches; special tokens are
    units of their own and are never removed. `removal` says how `decide` removes a unit, `removals`
    how else it could, and `removing` makes it so:

    | way | a removed unit |
    |---|---|
    | mask token | becomes the tokenizer's mask token; the first choice where there is one |
    | deletion | is gone and the others close up |
    | padding mask | stays where it is and nothing can look at it |
    | gray patch | is zero after normalization; the first choice for images |
    | mean color | has the image's own mean color |

    A few models, OPT for one, count positions by the padding mask: there the others close up.
    For "embedding" the logits are not the probabilities' logarithm; see `KeptEmbedding`.

    A batch is run as one padded forward pass. A few models let padding into their results (FNet,
    ConvBERT, Nystromformer, YOSO); explain their inputs one by one.

    Args:
        model: a Hugging Face model. It is run in evaluation mode and left as it was.
        processor: its tokenizer, or its image processor (None: batches are pixels).
        task: what is decided; None reads it from the model's class.
        readout: which rows feed the decision; for "similarity" and "embedding" also how rows are
            pooled (default: the mean over real tokens). None: known for common families, measured
            by one more run with gradients for the others.

    Raises:
        InputError: if the task cannot be told, or the model or its processor do not fit it.
    """

    def __init__(
        self,
        model: nn.Module,
        processor: Any = None,
        *,
        task: Task | None = None,
        readout: Readout | None = None,
    ) -> None:
        self.model = model
        self.processor = processor
        name = type(model).__name__
        self.task: Task = task_of((name,), name) if task is None else task
        self._reader = reader_of(model, self.task, processor)
        self._decision, self._rows = decision_of(model, self.task, processor, readout)
        self._readouts: WeakKeyDictionary[Tape, Tensor] = WeakKeyDictionary()

    @classmethod
    def load(cls, path_or_name: str, task: Task | None = None) -> "TransformersSubject":
        """Load a model from a local folder or by its name on the Hugging Face hub.

        Only safetensors are read and no code that comes with a model is run. A
        sentence-transformers folder is understood: its pooling (mean, first or last token) becomes
        the readout; normalization does not change a cosine.

        Args:
            path_or_name: a folder, or a name such as "owner/model".
            task: what is decided; None reads it from the checkpoint's configuration.
        Raises:
            InputError: unknown model, no safetensors, no tokenizer, no task, an untrained head.

        Example:
            >>> TransformersSubject.load("no/such/folder")
            Traceback (most recent call last):
            ...
            zhuyi.errors.InputError: no/such/folder is neither a folder here nor a model's name
        """
        parts = load_parts(path_or_name, task)
        return cls(parts.model, parts.processor, task=parts.task, readout=parts.readout)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the C decisions; for "next-token" the vocabulary's tokens."""
        return self._decision.labels

    @property
    def removal(self) -> str:
        """How `decide` removes a unit: "mask token", "deletion", "gray patch", ..."""
        return self._reader.removal

    @property
    def removals(self) -> tuple[str, ...]:
        """All ways to remove a unit that model and tokenizer know, the one in use first."""
        return self._reader.removals(self.model)

    def removing(self, how: str) -> "TransformersSubject":
        """The same subject on the same model, whose units are removed the way named `how`.

        Raises: OptionError: if there is no such way; it names those there are.
        """
        other = copy.copy(self)
        other._reader = self._reader.removing(chosen_way(how, self.removals))
        return other

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return next(self.model.parameters()).device

    def __repr__(self) -> str:
        return f"TransformersSubject({type(self.model).__name__}, task={self.task!r})"

    def target_named(self, name: str) -> int:
        """The index of the decision called `name`: a label, a token, or a text that is one token.

        Raises: InputError: if there is no such decision.
        """
        if name in self.labels:
            return self.labels.index(name)
        if self.task == "next-token":
            ids = self.processor(name, add_special_tokens=False)["input_ids"]
            if len(ids) == 1:
                return int(ids[0])
            raise InputError(f"target {name!r} is {len(ids)} tokens of this vocabulary: name one")
        shown = ", ".join(repr(label) for label in self.labels[:12])
        raise InputError(f"target {name!r} is not one of the {len(self.labels)} labels: {shown}")

    def units(self, batch: Batch) -> tuple[tuple[Unit, ...], ...]:
        """Per input, its words, characters or patches; for pairs those of both texts in turn."""
        sequences = self.sequences(batch)
        step = self._decision.per_input
        return tuple(
            tuple(unit for units in sequences[i : i + step] for unit in units)
            for i in range(0, len(sequences), step)
        )

    def sequences(self, batch: Batch) -> tuple[tuple[Unit, ...], ...]:
        """Per sequence that is run (B' of them), its units, as the tape's matrices count them."""
        return self._encode(batch).sequences

    def tokens(self, batch: Batch) -> tuple[tuple[str, ...], ...]:
        """Per sequence that is run, its tokens as the vocabulary spells them, without padding."""
        return self._encode(batch).tokens

    def decide(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """Probabilities "B C" (float32), with the units outside `keep` (bool "B N") removed.

        Cost: one forward pass; for "embedding" with `keep` one more, of the distinct inputs.
        """
        with evaluating(self.model), torch.no_grad():
            if keep is None:
                encoded, whole = self._encode(batch), None
            else:
                encoded = self._reader.remove(batch, keep, self.device)
                whole = self._whole(batch)
            run = self._decision.shares
            return run(self.model, encoded.inputs, self._readable(encoded), whole).float()

    def watch(self, batch: Batch, keep: Keep | None = None, *, gradient: bool = False) -> Tape:
        """Run the model on the batch under observation.

        Args:
            batch: the inputs.
            keep: what the tape keeps; None for `Keep()`.
            gradient: keep the graph, so that logits can be derived by the sightings' outputs.
        Returns: the tape, with `logits` "B C".
        """
        encoded = self._encode(batch)
        tape = self._run(encoded, Keep() if keep is None else keep, gradient)
        self._readouts[tape] = self._feeding(encoded, tape if gradient else None)
        return tape

    def readout(self, tape: Tape) -> Tensor:
        """Weights "B' Q" of the query rows that feed the decision; each row sums to 1.

        Raises: InputError: if the tape was made by another subject.
        """
        if tape not in self._readouts:
            raise InputError("this tape is not from this subject's watch(): pass one that is")
        return self._readouts[tape]

    def gather(self, batch: Batch, values: Tensor) -> Tensor:
        """Per-position values "B' K" summed into per-unit values "B N"."""
        return gather_units(self.sequences(batch), values, per_input=self._decision.per_input)

    def embed(self, batch: Batch) -> Tensor:
        """Token embeddings, or each patch's pixels: "B' T E", detached."""
        return self._reader.embed(self.model, self._encode(batch))

    def baseline(self, batch: Batch) -> Tensor:
        """The same for an input that says nothing: mask tokens, or gray patches."""
        return self._reader.baseline(self.model, self._encode(batch))

    def decide_embedded(self, batch: Batch, embeddings: Tensor) -> Tensor:
        """Logits "B C" of the batch with its vectors replaced by `embeddings` "B' T E".

        Raises: NotWatchable: if the model takes ids only.
        """
        encoded = self._encode(batch)
        inputs = self._reader.with_embeddings(encoded, embeddings)
        with evaluating(self.model):
            whole = self._whole(batch)
            try:
                return self._decision.logits(self.model, inputs, self._readable(encoded), whole)
            except (NotImplementedError, TypeError) as wrong:  # how models refuse inputs_embeds
                raise NotWatchable(
                    f"{type(self.model).__name__} cannot be fed with embeddings: use Occlusion"
                ) from wrong

    def nearby(
        self, batch: Batch, *, size: float, generator: torch.Generator
    ) -> AbstractContextManager[Batch]:
        """Inputs a little different from `batch`; within the block they may be explained.

        Texts stay, and each token's embedding is off by one Gaussian vector, the same wherever it
        stands, of `size` standard deviations of the table; the output embeddings are not touched.
        Images come back as pixels, with noise of `size` standard deviations of each channel.

        Raises: NotWatchable: if the model has no table of embeddings.
        """
        return self._reader.nearby(self.model, batch, size, generator)

    def output_projection(self, site: Site) -> Tensor | None:
        """Weight "E (H D)" of the linear map behind a site's attention, or None."""
        return find_projection(self.model, site)

    def _encode(self, batch: Batch) -> Encoded:
        return self._reader.encode(batch, self.device)

    def _run(self, encoded: Encoded, keep: Keep, gradient: bool) -> Tape:
        inputs: Mapping[str, Tensor] = encoded.inputs
        if gradient and not any(p.requires_grad for p in self.model.parameters()):
            # A frozen model has no graph of its own: its input has to begin one.
            vectors = self._reader.embed(self.model, encoded).requires_grad_()
            inputs = self._reader.with_embeddings(encoded, vectors.clone())
        grad = torch.set_grad_enabled(gradient)
        with evaluating(self.model), grad, watch(self.model, keep=keep) as tape:
            logits = self._decision.logits(self.model, inputs, self._readable(encoded), None)
        tape.logits = logits
        return tape

    def _feeding(self, encoded: Encoded, tape: Tape | None) -> Tensor:
        """The readout's rows; `tape` is a run with a graph, made here when it is missing."""
        if not isinstance(self._rows, MeasuredRows):
            return self._rows.rows(self._readable(encoded))
        tape = self._run(encoded, Keep(), True) if tape is None else tape
        output = tape[-1].output
        logits = tape.logits
        if output is None or logits is None:
            raise InputError("this model's readout has to be measured: watch with Keep()")
        return measure_rows(logits, output)

    def _readable(self, encoded: Encoded) -> Tensor:
        return self._decision.readable(encoded.inputs, encoded.real)

    def _whole(self, batch: Batch) -> Tensor | None:
        """The decision's reference of the complete inputs, computed once for equal ones."""
        if self.task != "embedding" or isinstance(batch, Tensor):
            return None
        distinct = {item: number for number, item in enumerate(dict.fromkeys(batch))}
        encoded = self._encode(tuple(distinct))
        with torch.no_grad():
            whole = self._decision.reference(self.model, encoded.inputs, encoded.real)
        return None if whole is None else whole[[distinct[item] for item in batch]]
