"""The tape of a watch: what was seen at every site, pass by pass."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from zhuyi.core import AttentionMatrix, AttentionSummary
from zhuyi.core.record import Site, Verdict
from zhuyi.errors import NotKept, OptionError


@dataclass(frozen=True, kw_only=True, eq=False)
class Sighting:
    """One attention call of the watched model.

    Args:
        site: where it happened.
        matrix: the attention matrix (queries, keys, masks, biases), or None when not kept.
        summary: the streamed statistics, or None when not asked for.
        value: [B, G, K, Dv], or None when not kept.
        output: [B, H, Q, Dv], weights @ value before the output projection, or None when not kept.
            It is the very tensor of the model's autograd graph, so
            `torch.autograd.grad(logit, sighting.output)` works; see `Keep` for the two exceptions.
        kernel: what computed the model's output: "sdpa", "eager", "streaming", ...
        guard: tensors with the version they had when seen; a later write into one is an error.
    """

    site: Site
    matrix: AttentionMatrix | None = None
    summary: AttentionSummary | None = None
    value: torch.Tensor | None = None
    output: torch.Tensor | None = None
    kernel: str = ""
    guard: tuple[tuple[torch.Tensor, int], ...] = field(default=(), repr=False)

    def checked(self) -> "Sighting":
        """Returns itself, or raises `NotKept` when the model has since overwritten its tensors."""
        for tensor, version in self.guard:
            if tensor._version != version:
                raise NotKept(
                    f"the tensors seen at {self.site.name!r} were overwritten in place by the "
                    "model afterwards: watch with Keep(device=...) on another device, or with "
                    "Keep(matrix=False, statistics=Statistics(...))"
                )
        return self


class Pass:
    """One forward pass: the sightings in the order of execution.

    Args:
        root: module path of the outermost watched module that was called, "" for the model.
        sightings: what was seen.
        unseen: attention-like modules that ran in this pass but could not be seen.
    """

    def __init__(
        self, root: str, sightings: tuple[Sighting, ...], unseen: tuple[str, ...] = ()
    ) -> None:
        self.root = root
        self.unseen = unseen
        self._sightings = sightings
        self._names = {sighting.site.name: sighting for sighting in sightings}

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites that were recorded, in the order of execution."""
        return tuple(sighting.site for sighting in self._sightings)

    def __getitem__(self, key: Site | int | str) -> Sighting:
        """The sighting at a site, at a place in the order of this pass, or at a module path."""
        if isinstance(key, int):
            if not -len(self._sightings) <= key < len(self._sightings):
                raise OptionError(f"site index must be below {len(self._sightings)}, got {key}")
            return self._sightings[key].checked()
        name = key.name if isinstance(key, Site) else key
        if name not in self._names:
            raise OptionError(f"no site is called {name!r}; there are {_listed(self._names)}")
        return self._names[name].checked()

    def __iter__(self) -> Iterator[Sighting]:
        return (sighting.checked() for sighting in self._sightings)

    def __len__(self) -> int:
        return len(self._sightings)

    def __repr__(self) -> str:
        return f"Pass(root={self.root!r}, sites={len(self._sightings)})"


class Tape:
    """What a watch saw: one `Pass` for every forward call of the watched model.

    Indexing, iteration and `len` speak of the only pass; after several passes (generation) they
    ask for one of `passes`. Reading an empty tape raises `NotWatchable` with the reason, so an
    empty result is never mistaken for a model without attention.

    Args:
        passes: the passes.
        why_empty: called when an empty tape is read; returns the error to raise.
        logits: [B, C], set by a `Subject` that ran the model; None otherwise.
    """

    def __init__(
        self,
        passes: list[Pass],
        why_empty: Callable[[], Exception] | None = None,
        logits: torch.Tensor | None = None,
    ) -> None:
        self._passes = passes
        self._why_empty = why_empty
        self.logits = logits

    @property
    def passes(self) -> tuple[Pass, ...]:
        """Every pass in which something was seen, in order of time."""
        if not self._passes and self._why_empty is not None:
            raise self._why_empty()
        return tuple(self._passes)

    @property
    def sites(self) -> tuple[Site, ...]:
        """The sites of all passes, each once, in the order of their first appearance."""
        first: dict[str, Site] = {}
        for one in self.passes:
            for site in one.sites:
                first.setdefault(site.name, site)
        return tuple(first.values())

    @property
    def unseen(self) -> tuple[str, ...]:
        """Attention-like modules that ran but could not be seen, with the reason, each once."""
        return tuple(dict.fromkeys(name for one in self.passes for name in one.unseen))

    def __getitem__(self, key: Site | int | str) -> Sighting:
        return self._only()[key]

    def __iter__(self) -> Iterator[Sighting]:
        return iter(self._only())

    def __len__(self) -> int:
        return len(self._only())

    def __repr__(self) -> str:
        return f"Tape(passes={len(self._passes)})"

    def show(
        self,
        labels: Sequence[str] | None = None,
        *,
        batch: int = 0,
        layers: Sequence[int] | None = None,
        heads: Sequence[int] | None = None,
        forward: int | None = None,
        verdict: Verdict | None = None,
        title: str = "",
        budget: int | None = None,
    ) -> None:
        """Display every head: in a notebook's cell, or as text in a terminal.

        Args:
            labels: a text per position, special ones included; None for numbers.
            batch: index of the input.
            layers, heads: indexes to show; None for all.
            forward: index of the forward pass, where the tape holds several.
            verdict: on an explanation of the same inputs; without one it says "not verified".
            title: what to call it.
            budget: bytes that the cell may take, 2,000,000 when None; heads are left out above.
        Raises: OptionError: something that is not there, or labels of another length.
            NotKept: a tape of statistics only.
        Cost:   one streamed pass over each site, never Q x K memory.
        """
        from zhuyi.ui.notebook import Choice, view  # a door from a record to its faces

        choice = Choice(batch=batch, labels=labels, layers=layers, heads=heads, forward=forward)
        view(self, choice=choice, verdict=verdict, title=title, budget=budget).show()

    def plot(
        self,
        labels: Sequence[str] | None = None,
        *,
        layer: int | None = None,
        head: int | None = None,
        what: Literal["weights", "scores", "results"] = "weights",
        batch: int = 0,
        forward: int | None = None,
        verdict: Verdict | None = None,
        title: str = "",
    ) -> Any:
        """A matplotlib Figure: all heads side by side, those of one layer, or one head.

        Args:
            labels: a text per position, special ones included; None for numbers.
            layer, head: which; None for all.
            what: weights (after softmax), scores (before it), or results (weights times values).
            batch: index of the input.
            forward: index of the forward pass, where the tape holds several.
            verdict: on an explanation of the same inputs; else the caption says "not verified".
            title: what to call it; "" for none.
        Raises: OptionError: something that is not there, or labels of another length.
            NotKept: a tape of statistics only. InputError: matplotlib is not installed.
        Cost:   O(Q K D) time a head in blocks of rows, never Q x K memory.
        """
        from zhuyi.ui.figures import Choice, plot_tape  # a door from a record to its faces

        choice = Choice(batch=batch, labels=labels, forward=forward)
        return plot_tape(
            self, choice, layer=layer, head=head, what=what, verdict=verdict, title=title
        )

    def _only(self) -> Pass:
        passes = self.passes
        if len(passes) != 1:
            raise OptionError(
                f"the tape holds {len(passes)} forward passes: use tape.passes[i][...] to say which"
            )
        return passes[0]


def _listed(names: dict[str, Sighting], most: int = 6) -> str:
    shown = ", ".join(repr(name) for name in list(names)[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
