"""What is looked at again and again: a model with some inputs that never change."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from torch import Tensor, nn

from zhuyi.core.record import Attribution
from zhuyi.errors import OptionError
from zhuyi.explain import Received, Rollout
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.subject import Batch, Subject
from zhuyi.ui.looked import Looked, Tokens
from zhuyi.ui.questions import QUESTIONS

Method = Callable[..., Attribution]
Inputs = Batch | tuple[object, ...] | Mapping[str, object]
_HIDDEN = "hidden"


@dataclass(frozen=True)
class Cheapest:
    """The method that costs about one pass: `Received` for a model that reads from left to right,
    `Rollout` for others.

    Raises: NotWatchable: if layers look across sequences, so that neither can follow them.
    """

    def __call__(
        self, subject: Subject, batch: Batch, target: int | Sequence[int] | None = None
    ) -> Attribution:
        """Explain the batch."""
        causal = isinstance(subject, TransformersSubject) and subject.task == "next-token"
        method: Method = Received() if causal else Rollout()
        return method(subject, batch, target)


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A model with the inputs at which an `AttentionLogger` looks.

    With a subject each input gets its decision, its probability and how much every unit counts;
    with a bare module only its heads.

    Args:
        model: a `Subject`, or any module that `zhuyi.watch` can watch.
        inputs: for a subject a batch; for a module what it is called with: one tensor, a tuple of
            arguments, or a mapping of keyword arguments.
        method: how much each unit counts, for a subject; None for no values.
        names: for a module, what stands at each position: texts for all inputs, or one sequence
            of texts an input, shorter ones for inputs with padding at the end.
        most: inputs that are looked at, from the first on.
        words: whether the texts of the input are written; otherwise numbers stand in their place,
            pictures and cells are left out, and tests say no more than their outcome. Shapes,
            weights and class names are always written.
        title: what the model is called; None for the name of its class.
        describe: called with the number of an input and what was found, returns it with more
            (a row's cells, a series, an image).

    Example:
        >>> import torch
        >>> layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        >>> Probe(model=layer, inputs=torch.zeros(1, 3, 8), names=("a", "b", "c")).most
        4
    """

    model: Subject | nn.Module = field(repr=False)
    inputs: Inputs = field(repr=False)
    method: Method | None = field(default_factory=Cheapest)
    names: Sequence[str] | Sequence[Sequence[str]] | None = None
    most: int = 4
    words: bool = True
    title: str | None = None
    describe: Callable[[int, Looked], Looked] | None = None

    def __post_init__(self) -> None:
        if self.most < 1:
            raise OptionError(f"most must be 1 or more, got {self.most}")
        watch = getattr(self.model, "watch", None)
        if not isinstance(self.model, nn.Module) and not callable(watch):
            raise OptionError(
                "a probe must be (subject, batch) or (module, inputs), got "
                f"{type(self.model).__name__}"
            )

    def called(self, number: int, text: str) -> str:
        """What an input is called."""
        short = " ".join(text.split())
        if not self.words or not short:
            return f"input {number + 1}"
        return short if len(short) <= 60 else short[:59] + "…"

    def told(self, number: int, looked: Looked) -> Looked:
        """What is written of an input."""
        if self.describe is not None:
            looked = self.describe(number, looked)
        return looked if self.words else without_words(looked)


def probe_of(given: "Probe | tuple[Subject | nn.Module, Inputs]") -> Probe:
    """A probe from what a person passes.

    Raises: OptionError: if it is neither a `Probe` nor a pair.
    """
    if isinstance(given, Probe):
        return given
    if not isinstance(given, tuple) or len(given) != 2:
        raise OptionError(
            "probe must be (subject, batch), (module, inputs) or a Probe, got "
            + (f"a tuple of {len(given)}" if isinstance(given, tuple) else type(given).__name__)
        )
    return Probe(model=given[0], inputs=given[1])


def without_words(looked: Looked) -> Looked:
    """The look with numbers in the place of the input's texts; special tokens keep their names."""
    units = tuple(
        replace(unit, label=unit.label if unit.special else f"#{n}", span=None)
        for n, unit in enumerate(looked.units)
    )
    sequences = tuple(
        Tokens(
            name=one.name,
            labels=tuple(
                label if special else f"#{n}"
                for n, (label, special) in enumerate(zip(one.labels, one.special, strict=True))
            ),
            special=one.special,
        )
        for one in looked.sequences
    )
    checked = looked.checked
    if checked is not None:  # a test's sentence may quote a word
        verdict = replace(checked.verdict, findings=(), reasons=(), input_reasons=((),))
        checked = replace(checked, verdict=verdict)
    of_words = looked.task == QUESTIONS["next-token"]
    return replace(
        looked,
        texts=("",),
        units=units,
        sequences=sequences,
        decision=_HIDDEN if of_words else looked.decision,
        alternatives=() if of_words else looked.alternatives,
        image=None,
        signal=None,
        cells=(),
        checked=checked,
    )


def rows_of(inputs: Inputs) -> list[Batch]:
    """A subject's batch as batches of one.

    Raises: OptionError: if it is no sequence and no tensor.
    """
    if not isinstance(inputs, Sequence | Tensor) or isinstance(inputs, str):
        raise OptionError(
            "a subject's inputs must be a list of inputs or a tensor, got "
            f"{type(inputs).__name__}: write [input] for one"
        )
    return [inputs[n : n + 1] for n in range(len(inputs))]
