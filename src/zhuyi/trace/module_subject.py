"""Any PyTorch module that reads a tensor of N pieces and gives C logits, as a Subject."""

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from zhuyi.core.record import Site, Unit
from zhuyi.errors import InputError, OptionError, ShapeError
from zhuyi.trace.adapters.projection import find_projection
from zhuyi.trace.evaluating import evaluating
from zhuyi.trace.keep import Keep
from zhuyi.trace.readout import MeasuredRows, Readout, measure_rows
from zhuyi.trace.replacements import (
    Constant,
    ReferenceDraw,
    ReferenceMean,
    Replacement,
    chosen_way,
)
from zhuyi.trace.subject import Batch, gather_units
from zhuyi.trace.tape import Tape
from zhuyi.trace.watch import watch


class ModuleSubject:
    """A module from a tensor "B N ..." to logits "B C", as a Subject.

    Unit n is what stands at index n of dimension 1: a column, a time step, a token's vector. The
    module's attention is taken to work on these positions, after `leading` ones of its own.

    A removed unit holds `removed`. With `reference` rows there are two more ways, which `removing`
    chooses by name: "value drawn from the reference" (what some reference row holds there, the
    same for the same input) and "mean of the reference".

    Args:
        module: from a floating tensor "B N ..." to logits "B C" (or "B 1": two classes with logits
            (0, score)). It is run in evaluation mode and left as it was.
        unit_names: names of the N units.
        removed: what a removed unit holds: a number, or a tensor that broadcasts to "N ..." (such
            as the mean of the training data).
        removal: how that is called in words.
        labels: names of the C classes.
        readout: which query rows feed the decision.
        leading: names of positions that the module itself puts before the units ("[CLS]").
        reference: typical inputs "R N ...", R >= 1 (rows of the training data), or None.

    Raises:
        OptionError: if a name is repeated or missing.
        ShapeError: if the reference is not "R N ...".

    Example:
        >>> layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        >>> class Model(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.layer, self.head = layer, nn.Linear(8, 3)
        ...     def forward(self, x):
        ...         return self.head(self.layer(x).mean(1))
        >>> subject = ModuleSubject(Model(), unit_names=("age", "income"), labels=("a", "b", "c"))
        >>> subject.decide(torch.zeros(4, 2, 8)).shape
        torch.Size([4, 3])
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        unit_names: Sequence[str],
        labels: Sequence[str],
        removed: float | Tensor = 0.0,
        removal: str = "",
        readout: Readout | None = None,
        leading: Sequence[str] = (),
        reference: Tensor | None = None,
    ) -> None:
        names = tuple(unit_names)
        if not names or len(set(names)) != len(names):
            raise OptionError(f"unit_names must be different names, at least one, got {names}")
        self.module = module
        self._labels = tuple(labels)
        self._removal = removal or f"replaced by {_described(removed)}"
        self._reference = None if reference is None else _typical(reference, len(names))
        self._ways = _ways(self._removal, removed, self._reference)
        self._rows: Readout = MeasuredRows() if readout is None else readout
        self._leading = len(leading)
        self._units = tuple(
            Unit(label=label, positions=(position,), special=position < len(leading))
            for position, label in enumerate((*leading, *names))
        )
        self._readouts: WeakKeyDictionary[Tape, Tensor] = WeakKeyDictionary()

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self._labels

    @property
    def removal(self) -> str:
        """What a removed unit is replaced by, in words."""
        return self._removal

    @property
    def removals(self) -> tuple[str, ...]:
        """All ways to remove a unit, the one in use first."""
        return (self._removal, *(way for way in self._ways if way != self._removal))

    def removing(self, how: str) -> "ModuleSubject":
        """The same subject on the same module, whose units are removed the way named `how`.

        Raises: OptionError: if there is no such way; it names those there are.
        """
        other = copy.copy(self)
        other._removal = chosen_way(how, self.removals)
        return other

    @property
    def model(self) -> nn.Module:
        """The module that decides: `module` by the name that tests ask for."""
        return self.module

    def units(self, batch: Batch) -> tuple[tuple[Unit, ...], ...]:
        """Per input, the named units, the module's own leading positions first."""
        return (self._units,) * self._checked(batch).shape[0]

    def decide(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """Probabilities "B C", with the units outside `keep` (bool "B N") removed."""
        inputs = self._checked(batch)
        if keep is not None:
            inputs = self._reduced(inputs, keep)
        with torch.no_grad():
            return self._logits(inputs).softmax(1).float()

    def watch(self, batch: Batch, keep: Keep | None = None, *, gradient: bool = False) -> Tape:
        """Run the module on the batch under observation; see `Subject.watch`."""
        inputs = self._checked(batch)
        tape = self._run(inputs, Keep() if keep is None else keep, gradient)
        if isinstance(self._rows, MeasuredRows):
            measured = tape if gradient else self._run(inputs, Keep(), True)
            self._readouts[tape] = _measured(measured)
        else:
            real = torch.ones(len(inputs), len(self._units), dtype=torch.bool, device=inputs.device)
            self._readouts[tape] = self._rows.rows(real)
        return tape

    def readout(self, tape: Tape) -> Tensor:
        """Weights "B Q" of the query rows that feed the decision; each row sums to 1."""
        if tape not in self._readouts:
            raise InputError("this tape is not from this subject's watch(): pass one that is")
        return self._readouts[tape]

    def gather(self, batch: Batch, values: Tensor) -> Tensor:
        """Per-position values "B K" as per-unit values "B N"."""
        return gather_units(self.units(batch), values)

    def embed(self, batch: Batch) -> Tensor:
        """Each unit's numbers as one vector "B T E"; leading positions have zeros."""
        return self._flat(self._checked(batch).detach())

    def baseline(self, batch: Batch) -> Tensor:
        """The same with every unit removed."""
        inputs = self._checked(batch).detach()
        nothing = torch.zeros(len(inputs), len(self._units), dtype=torch.bool, device=inputs.device)
        return self._flat(self._reduced(inputs, nothing))

    def decide_embedded(self, batch: Batch, embeddings: Tensor) -> Tensor:
        """Logits "B C" of the batch with its numbers replaced by `embeddings` "B T E"."""
        shape = self._checked(batch).shape
        return self._logits(embeddings[:, self._leading :].reshape(shape))

    @contextmanager
    def nearby(self, batch: Batch, *, size: float, generator: torch.Generator) -> Iterator[Batch]:
        """Inputs with Gaussian noise of `size` standard deviations added to every number.

        The standard deviation is that of the same entry over the reference rows; without a
        reference over the batch; of a single input nothing but its own magnitude |x| is known, and
        that is taken. Whole numbers and flags (a one-hot column) get noise like any other.
        """
        inputs = self._checked(batch).detach()
        noise = torch.randn(inputs.shape, generator=generator, device=generator.device).to(inputs)
        yield inputs + size * self._spread(inputs) * noise

    def output_projection(self, site: Site) -> Tensor | None:
        """Weight "E (H D)" of the linear map behind a site's attention, or None."""
        return find_projection(self.module, site)

    def _run(self, inputs: Tensor, keep: Keep, gradient: bool) -> Tape:
        entering = inputs.detach().requires_grad_(gradient)
        with torch.set_grad_enabled(gradient), watch(self.module, keep=keep) as tape:
            logits = self._logits(entering)
        tape.logits = logits
        return tape

    def _logits(self, inputs: Tensor) -> Tensor:
        with evaluating(self.module):
            logits: Tensor = self.module(inputs)
        if logits.dim() != 2 or logits.shape[0] != inputs.shape[0]:
            raise ShapeError(
                f"the module must give logits (B, C) with B = {inputs.shape[0]}, got "
                f"{tuple(logits.shape)}"
            )
        if logits.shape[1] == 1:
            logits = torch.cat((torch.zeros_like(logits), logits), 1)
        if logits.shape[1] != len(self._labels):
            raise ShapeError(
                f"the module gives {logits.shape[1]} classes for {len(self._labels)} labels"
            )
        return logits

    def _reduced(self, inputs: Tensor, keep: Tensor) -> Tensor:
        expected = (inputs.shape[0], len(self._units))
        if keep.dtype != torch.bool or tuple(keep.shape) != expected:
            raise ShapeError(
                f"keep must be bool (B, N) = {expected}, got {keep.dtype} {tuple(keep.shape)}"
            )
        kept = keep[:, self._leading :].to(inputs.device)
        kept = kept.reshape(*kept.shape, *(1,) * (inputs.dim() - 2))
        return torch.where(kept, inputs, self._ways[self._removal](inputs))

    def _spread(self, inputs: Tensor) -> Tensor:
        """Standard deviation of each entry, broadcasting to the inputs."""
        if self._reference is None and len(inputs) < 2:
            return inputs.abs()
        rows = inputs if self._reference is None else self._reference
        return rows.double().std(0, correction=0).to(inputs)

    def _flat(self, inputs: Tensor) -> Tensor:
        vectors = inputs.reshape(*inputs.shape[:2], -1)
        return nn.functional.pad(vectors, (0, 0, self._leading, 0))

    def _checked(self, batch: Batch) -> Tensor:
        pieces = len(self._units) - self._leading
        if not isinstance(batch, Tensor) or not batch.is_floating_point():
            kind = batch.dtype if isinstance(batch, Tensor) else type(batch).__name__
            raise InputError(f"expected a floating tensor (B, N, ...), got {kind}")
        if batch.dim() < 2 or batch.shape[1] != pieces:
            raise ShapeError(
                f"batch must be (B, N, ...) with N = {pieces} units, got {tuple(batch.shape)}"
            )
        return batch


def _measured(tape: Tape) -> Tensor:
    output = tape[-1].output
    if output is None or tape.logits is None:
        raise InputError("this readout has to be measured: watch with Keep(), or pass readout=")
    return measure_rows(tape.logits, output)


def _described(removed: float | Tensor) -> str:
    return "given values" if isinstance(removed, Tensor) else f"{removed:g}"


def _typical(reference: Tensor, pieces: int) -> Tensor:
    """Reference rows, checked."""
    shape = tuple(reference.shape)
    if len(shape) < 2 or shape[0] == 0 or shape[1] != pieces or not reference.is_floating_point():
        raise ShapeError(
            f"reference must be floating (R, N, ...) with R >= 1 rows of N = {pieces} units, got "
            f"{reference.dtype} {shape}: pass rows as the module reads them"
        )
    return reference.detach()


def _ways(own: str, removed: float | Tensor, reference: Tensor | None) -> dict[str, Replacement]:
    """What stands in a removed unit's place, by the name of the way."""
    if reference is None:
        return {own: Constant(removed)}
    return {
        "value drawn from the reference": ReferenceDraw(reference),
        "mean of the reference": ReferenceMean(reference),
        own: Constant(removed),  # last: a caller's own name wins
    }
