"""What one look found: the record that the page, the terminal and the JSON output all show."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from zhuyi.core.record import Finding, Said, Unit, Verdict
from zhuyi.trace.words import gaps


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """The positions of one sequence that went through the model.

    Args:
        name: what a person calls the sequence ("text", "second text", "image").
        labels: one text per position.
        special: per position, whether the model added it ([CLS], <s>, ...).
    """

    name: str
    labels: tuple[str, ...]
    special: tuple[bool, ...]


@dataclass(frozen=True, kw_only=True)
class Link:
    """One query that gives weight to one key.

    Args:
        query, key: positions in their sequences.
        weight: in [0, 1].
    """

    query: int
    key: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class HeadPicture:
    """One head on one sequence, small enough to keep for every head.

    Args:
        layer: index of the site among the sites of the pass, from 0.
        head: index of the query head, from 0.
        site: module path.
        kind: "self" or "cross".
        queries, keys: index of the sequence that asks and of the one that answers.
        shape: Q, K.
        kernel: which kernel produced the model's output there.
        backend: which kernel computed the weights shown here, from the same queries and keys.
        statistics: name -> number, see `view.pictures.STATISTICS`.
        thumbnail: uint8 [s, t], max-pooled weights in a logarithmic code.
        received: uint8 [K], weight received per key, 255 for the largest.
        links: strongest links, strongest first.
        standing: how far the head stands out among all heads, >= 0 (robust deviations).
        reason: the statistic in which it stands out, with "+" (high) or "-" (low) before it.
    """

    layer: int
    head: int
    site: str
    kind: str
    queries: int
    keys: int
    shape: tuple[int, int]
    kernel: str
    backend: str
    statistics: Mapping[str, float]
    thumbnail: npt.NDArray[np.uint8]
    received: npt.NDArray[np.uint8]
    links: tuple[Link, ...]
    standing: float = 0.0
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An input image as the page shows it.

    Args:
        png: the encoded bytes, already small.
        grid: rows and columns of patches, or None when the positions are not a grid.
    """

    png: bytes
    grid: tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class Signal:
    """A series as the view shows it.

    Args:
        names: one a channel.
        values: float32 [C, T]; NaN where nothing was measured.
        spans: per unit of the look its channel (-1: all of them), first step and step after the
            last.
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.float32]
    spans: tuple[tuple[int, int, int], ...]


_TOLD_FIRST = ("refutes", "cautions", "supports", "skipped", "informs")


@dataclass(frozen=True, kw_only=True)
class Checked:
    """What the tests say of the explanation that a look shows.

    Args:
        verdict: of the one input, with every finding.
        headline: the verdict in one sentence, to be read after its label and a colon.
        notes: how far it reaches, and what was left out to bound the cost.
    """

    verdict: Verdict
    headline: Said
    notes: tuple[Said, ...]

    def findings(self) -> tuple[Finding, ...]:
        """The findings, those against the explanation first, as `verdict.reasons` are."""
        return tuple(sorted(self.verdict.findings, key=lambda one: _TOLD_FIRST.index(one.outcome)))


@dataclass(frozen=True, kw_only=True)
class Looked:
    """Everything one look found. Evidence, not proof, even where the tests trust it.

    Args:
        model: name or folder of the model as it was given.
        task: what the model was asked, in plain words.
        texts: the text or texts (or the image file's name) as they were given.
        decision: label of what was decided (the explained target).
        probability: its probability, or None where it is not one.
        alternatives: the most probable labels with their probabilities, best first.
        method: repr of the method behind the values.
        reason: why that method was used, one sentence.
        units, values: the pieces of the input and how much each counts.
        signed: whether negative values mean "speaks against".
        sequences: the sequences that went through the model.
        heads: one picture per sequence, layer and head.
        heads_in_model: number of heads of the model on these sequences, shown or not.
        kernels: kernels that produced the model's own outputs.
        dtype, device: of the model on the host.
        versions: package -> version.
        unseen: attention-like modules that ran and could not be seen.
        image: the input image, or None.
        signal: the input series, or None.
        cells: for a table's row, the text of each unit's cell, as many as units; else empty.
        checked: what the tests say of the values, or None where nothing was tested.
    """

    model: str
    task: str
    texts: tuple[str, ...]
    decision: str
    probability: float | None
    alternatives: tuple[tuple[str, float], ...]
    method: str
    reason: str
    units: tuple[Unit, ...]
    values: tuple[float, ...]
    signed: bool
    sequences: tuple[Tokens, ...]
    heads: tuple[HeadPicture, ...]
    heads_in_model: int
    kernels: tuple[str, ...]
    dtype: str
    device: str
    versions: Mapping[str, str] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    image: Picture | None = None
    signal: Signal | None = None
    cells: tuple[str, ...] = ()
    checked: Checked | None = None

    @property
    def source(self) -> str:
        """The whole input as one text."""
        return "\n".join(self.texts)

    def gaps(self) -> tuple[str, ...]:
        """What stands in the source before each unit and after the one before it."""
        return gaps(self.units, self.texts)
