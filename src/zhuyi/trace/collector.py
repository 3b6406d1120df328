"""Who is watching, which module runs, and what was seen: the state of one watch.

Every watch has one `Collector`. Which collectors hear an attention call is context-local, so
nested and concurrent watches each see what their own thread runs, and nothing else.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import torch
from torch import nn

from zhuyi.core import AttentionMatrix, Bias
from zhuyi.core.record import Site
from zhuyi.errors import NotWatchable, OptionError, ShapeError, ZhuyiError
from zhuyi.trace.keep import Keep
from zhuyi.trace.tape import Pass, Sighting, Tape


@dataclass(frozen=True, kw_only=True)
class BiasedCall:
    """An attention call that a rule may bias, before it runs.

    Args:
        site: where it happens.
        shape: (B, H, Q, K), B counting sequences as the model runs them, padding included.
        matrix: gives the call's weights without the bias, padding rows computed like the others;
            nothing is computed until the matrix is asked.
    """

    site: Site
    shape: tuple[int, int, int, int]
    matrix: Callable[[], AttentionMatrix]


BiasRule: TypeAlias = Callable[[BiasedCall], Bias | None]
"""What to add to the scores of a call."""

ACTIVE: ContextVar[tuple["Collector", ...]] = ContextVar("zhuyi_watches", default=())
"""The watches of this context, outermost first."""

SUPPRESSED: ContextVar[bool] = ContextVar("zhuyi_suppressed", default=False)
"""Set while an attention call that is already recorded runs its kernel."""

ATTENTION_CLASS: Final = re.compile(r"attention|attn", re.IGNORECASE)
ATTENTION_NAME: Final = re.compile(r"(attention|attn)$", re.IGNORECASE)
PART_OF_ATTENTION: Final = re.compile(
    r"norm|projection|output|embed|mask|position|rotary|dropout|bottleneck|sequential",
    re.IGNORECASE,
)


class Frame:
    """One running module of the watched model."""

    __slots__ = ("args", "kwargs", "module", "name", "seen_before", "unseen_before")

    def __init__(
        self,
        name: str,
        module: nn.Module,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        seen_before: int,
        unseen_before: int,
    ) -> None:
        self.name = name
        self.module = module
        self.args = args
        self.kwargs = kwargs
        self.seen_before = seen_before
        self.unseen_before = unseen_before


class Claim:
    """A place on one collector's tape, reserved before the attention call runs."""

    __slots__ = ("_asked", "collector", "index", "name")

    def __init__(self, collector: "Collector", index: int, name: str) -> None:
        self.collector = collector
        self.index = index
        self.name = name
        self._asked: tuple[Bias | None] | None = None

    @property
    def place(self) -> str:
        """The module's path, or the model's class where the model itself attends."""
        return self.name or self.collector.model_class

    def bias(self, call: BiasedCall) -> Bias | None:
        """What the collector's rule adds to this call; it is asked once a call."""
        if self._asked is None:
            self._asked = (self._ask(call),)
        return self._asked[0]

    def _ask(self, call: BiasedCall) -> Bias | None:
        rule = self.collector.rule
        if rule is None:
            return None
        with suppressed():  # attention inside the rule is none of the model's
            bias = rule(call)
        if bias is None:
            return None
        where = f"site {self.index} ({self.place})"
        if not isinstance(bias, Bias):
            raise OptionError(
                f"the bias of {where} must be a Bias or None, got {type(bias).__name__}: "
                "wrap a tensor with Bias.dense"
            )
        try:
            bias.check(call.shape)
        except ShapeError as wrong:
            raise ShapeError(f"{where}: {wrong}") from None
        return bias


class Collector:
    """The state of one watch: the running modules, the pass in progress, the finished passes.

    Args:
        model: what is watched.
        keep: what is put on the tape.
        rule: makes it the collector of a `biased` block instead: every call is claimed, none is
            recorded, and one that cannot be read is refused.
    """

    def __init__(self, model: nn.Module, keep: Keep, rule: BiasRule | None = None) -> None:
        self.keep = keep
        self.rule = rule
        self.names = {id(module): name for name, module in model.named_modules()}
        self.model_class = type(model).__name__
        self.passes: list[Pass] = []
        self.tape = Tape(self.passes, self.why_empty)
        self.closed = False
        self.meanings: dict[object, int] = {}  # kind of call -> which reading explained it
        self.frames: list[Frame] = []
        # Per pass, by the id of a mask, which the layers share: the mask and its real rows.
        self.mask_readings: dict[int, tuple[torch.Tensor, torch.Tensor | None]] = {}
        self._thread = threading.get_ident()
        self._ran = False
        self._seen_total = 0
        self._blind: dict[str, None] = {}  # unseen modules of passes that saw nothing
        self._begin_pass()

    def _begin_pass(self) -> None:
        self._sightings: list[Sighting] = []
        self._runs: dict[str, int] = {}
        self._seen = 0
        self._unseen: dict[str, None] = {}
        self.mask_readings.clear()

    @property
    def listens(self) -> bool:
        """Whether a module that runs now runs under this watch."""
        return self._called and not _again()

    @property
    def _called(self) -> bool:
        return not self.closed and self in ACTIVE.get() and self._thread == threading.get_ident()

    def enter(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
    ) -> None:
        """Forward pre-hook of every watched module.

        Raises: NotWatchable: if a rule wants to bias it and its place in the pass is unknown.
        """
        if not self.listens:
            if self.rule is not None and self._called:
                raise NotWatchable(
                    f"{self.model_class} runs layers again in the backward pass (gradient "
                    "checkpointing), where no bias can be added: switch that off"
                )
            return
        if kwargs is None:
            # Another thread leaves its watch of this model: torch has the hook, not its flag.
            kwargs = {}
        name = self.names[id(module)]
        self.frames.append(Frame(name, module, args, kwargs, self._seen, len(self._unseen)))

    def leave(self, module: nn.Module, args: tuple[Any, ...], output: object) -> None:
        """Forward hook of every watched module; runs after an exception too."""
        if not self.listens or not any(frame.module is module for frame in self.frames):
            return
        frame = self.frames.pop()
        while frame.module is not module:  # left by an exception that skips hooks
            frame = self.frames.pop()
        nothing = self._seen == frame.seen_before and len(self._unseen) == frame.unseen_before
        # Without an output an exception came before any attention could be seen.
        if nothing and output is not None and _attention_like(frame):
            self._unseen[f"{frame.name} ({type(module).__name__})"] = None
        if not self.frames:
            self._end_pass(frame.name)

    def claim(self, module: nn.Module | None) -> Claim | None:
        """Count an attention call; a place for it when the plan keeps it."""
        name = self.names.get(id(module)) if module is not None else None
        if name is None:
            name = self.frames[-1].name
        runs = self._runs[name] = self._runs.get(name, 0) + 1
        index, self._seen = self._seen, self._seen + 1
        if not self.keep.wants(index):
            return None
        return Claim(self, index, name if runs == 1 else f"{name}#{runs}")

    def unclaim(self, claim: Claim, reason: str) -> None:
        """Give a claimed place back: what runs there cannot be read.

        Raises: NotWatchable: if a rule wants to bias it.
        """
        name = claim.name.partition("#")[0]
        self._runs[name] -= 1
        self._seen -= 1
        self._note(f"{claim.name}: {reason}")

    def add(self, sighting: Sighting) -> None:
        """Put a sighting on the tape of the pass in progress."""
        self._sightings.append(sighting)

    def miss(self, reason: str) -> None:
        """Note that the running module computes attention which cannot be read.

        Raises: NotWatchable: if a rule wants to bias it.
        """
        self._note(f"{self.frames[-1].name}: {reason}")

    def _note(self, told: str) -> None:
        self._unseen[told] = None
        if self.rule is not None:
            raise NotWatchable(f"no bias can be added in {self.model_class}: {told}")

    def refuse_unheard(self) -> None:
        """Raise when a model that ran did not get its bias everywhere.

        Raises: NotWatchable: if nothing was heard, or attention ran that was not.
        """
        if not self._seen_total:
            raise self.why_empty()
        if self._blind:
            raise NotWatchable(
                f"{self.model_class} ran without a bias in {_shortened(list(self._blind))}, whose "
                "attention cannot be heard: what it computed in this block is not what was asked"
            )

    def why_empty(self) -> ZhuyiError:
        """The error that an empty tape raises when it is read."""
        if not self._ran:
            return NotWatchable(
                f"no module of the watched {self.model_class} ran yet inside this watch (in this "
                "thread): call the model inside the with block"
            )
        if self._seen_total:
            return OptionError(
                f"Keep(layers={self.keep.layers}) matches none of the {self._seen_total} sites "
                f"that ran in {self.model_class}"
            )
        told = [name for name in self._blind if ": " in name]
        if told:
            return NotWatchable(
                f"{self.model_class} ran, but its attention cannot be seen: {_shortened(told, 1)}"
            )
        if self._blind:
            return NotWatchable(
                f"{self.model_class} ran, but its attention cannot be seen: it is made of own "
                "operations, not of scaled_dot_product_attention, nn.MultiheadAttention, the "
                "transformers attention interface or zhuyi.attend, in "
                f"{_shortened(list(self._blind))}"
            )
        return NotWatchable(
            f"{self.model_class} ran, but no attention took place in it (none of its modules "
            "looks like attention)"
        )

    def _end_pass(self, root: str) -> None:
        self._ran = True
        self._seen_total = max(self._seen_total, self._seen)
        if self._sightings:
            self.passes.append(Pass(root, tuple(self._sightings), tuple(self._unseen)))
        elif not self._seen or self.rule is not None:
            self._blind.update(self._unseen)
        self._begin_pass()


def _again() -> bool:
    """Gradient checkpointing runs a layer again during backward; it is the same sighting."""
    return bool(torch._C._current_graph_task_id() != -1)


def site(claim: Claim, cross: bool, heads: int) -> Site:
    """The record of where a claimed call happened."""
    return Site(name=claim.name, kind="cross" if cross else "self", index=claim.index, heads=heads)


@contextmanager
def suppressed() -> Iterator[None]:
    """Attention calls in this block belong to one that is counted already."""
    token = SUPPRESSED.set(True)
    try:
        yield
    finally:
        SUPPRESSED.reset(token)


def listening() -> tuple[Collector, ...]:
    """The collectors that hear an attention call made now; most often none."""
    active = ACTIVE.get()
    if not active or SUPPRESSED.get():
        return ()
    return tuple(one for one in active if one.frames and one.listens)


def claim_all(collectors: tuple[Collector, ...], module: nn.Module | None) -> list[Claim]:
    """Count an attention call in every collector; the places of those that keep it."""
    claims = (collector.claim(module) for collector in collectors)
    return [claim for claim in claims if claim is not None]


def _attention_like(frame: Frame) -> bool:
    last, kind = frame.name.rpartition(".")[2], type(frame.module).__name__
    *head, tail = ATTENTION_CLASS.split(kind)
    if PART_OF_ATTENTION.search(tail):  # what follows the word: SelfAttentionProjection is none
        return False
    if head:
        return True
    # A name alone is weak evidence: GPT-2 calls one of its linear maps `c_attn`.
    return bool(ATTENTION_NAME.search(last)) and next(frame.module.children(), None) is not None


def _shortened(names: list[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
