"""One look at a probe: per input what was decided, how much each unit counts, and every head."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

import torch
from torch import Tensor, nn

from zhuyi.core.record import Attribution, Unit
from zhuyi.errors import InputError, NotWatchable, OptionError
from zhuyi.trace.keep import Keep
from zhuyi.trace.subject import Batch, Subject
from zhuyi.trace.tape import Sighting
from zhuyi.trace.watch import watch
from zhuyi.ui import describing
from zhuyi.ui.checking import check
from zhuyi.ui.live.probe import Cheapest, Probe, rows_of
from zhuyi.ui.live.untouched import beside, unwrapped
from zhuyi.ui.looked import Checked, HeadPicture, Looked, Tokens
from zhuyi.ui.passages import Checkable
from zhuyi.ui.view.detail import Detail
from zhuyi.ui.view.drawing import Drawing, Drawn, draw

_SIZE: Final = 16
_LINKS: Final = 4
_KEEP: Final = Keep(device="cpu")


class NotFinite(InputError):
    """A model whose numbers are no longer finite; the text says where."""


@dataclass(frozen=True, kw_only=True)
class Glance:
    """One look at one input.

    Args:
        looked: what was found.
        drawn: the pictures with the matrices behind them.
    """

    looked: Looked
    drawn: Drawn

    def detail_of(self, head: HeadPicture) -> Detail | None:
        """One head in full."""
        return self.drawn.detail_of(head)


class Glances(Protocol):
    """A probe that can be looked at."""

    @property
    def module(self) -> nn.Module | None:
        """Whose modes a look changes and puts back."""
        ...

    @property
    def offered(self) -> int:
        """Inputs that the probe has, looked at or not; 0 before it is known."""
        ...

    def look(self, verify: bool) -> list[Glance]:
        """Look at every input.

        Args: verify: whether the explanation is tested, which costs hundreds of passes.
        Raises: NotFinite: if numbers of the model are not finite.
        """
        ...


def glances_of(probe: Probe) -> Glances:
    """How this probe is looked at."""
    if isinstance(probe.model, nn.Module):
        return ModuleGlances(probe, unwrapped(probe.model))
    return SubjectGlances(probe, probe.model)


class SubjectGlances:
    """Looks at a subject's inputs one by one, so that none has another's padding."""

    def __init__(self, probe: Probe, subject: Subject) -> None:
        self._probe = probe
        self._subject = subject
        self._rows = rows_of(probe.inputs)
        if not self._rows:
            raise OptionError("a probe must have at least one input, got none")
        self.module = describing.module_of(subject)
        if self.module is not None:
            unwrapped(self.module)  # refuses what cannot be looked at

    @property
    def offered(self) -> int:
        """Inputs that the probe has."""
        return len(self._rows)

    def look(self, verify: bool) -> list[Glance]:
        """Look at every input."""
        rows = [
            beside(self.module, row) if isinstance(row, Tensor) else row
            for row in self._rows[: self._probe.most]
        ]
        return [self._look(number, row, verify) for number, row in enumerate(rows)]

    def _look(self, number: int, batch: Batch, verify: bool) -> Glance:
        subject = self._subject
        tape = subject.watch(batch, _KEEP)
        sightings = tuple(tape)
        _require_finite(sightings, tape.logits)
        attribution, reason = self._attribution(batch)
        config = getattr(self.module, "config", None)
        shifted = bool(getattr(config, "is_encoder_decoder", False))
        how = Drawing(size=_SIZE, links=_LINKS, shifted=shifted)
        drawn = draw(sightings, describing.sequences_of(subject, batch), how)
        shares = subject.decide(batch)[0]
        units = subject.units(batch)[0]
        target = int(shares.argmax()) if attribution is None else attribution.target[0]
        decision, chance, others = describing.decision_of(subject, shares, target)
        values = () if attribution is None else attribution.values[0].tolist()
        checked = self._checked(batch, attribution) if verify else None
        looked = Looked(
            model=self._probe.title or type(self.module or subject).__name__,
            task=describing.task_of(subject),
            texts=describing.texts_of(batch[0]),
            decision=decision,
            probability=chance,
            alternatives=others,
            method="" if attribution is None else attribution.method,
            reason=reason,
            units=units,
            values=tuple(values[: len(units)]),
            signed=attribution is not None and attribution.signed,
            sequences=tuple(drawn.sequences),
            heads=drawn.pictures,
            heads_in_model=len(drawn.pictures),
            kernels=tuple(dict.fromkeys(one.kernel for one in sightings)),
            dtype=describing.type_of(self.module),
            device=describing.place_of(self.module),
            versions=describing.versions_of(subject),
            unseen=tape.unseen,
            checked=checked,
        )
        return Glance(looked=self._probe.told(number, looked), drawn=drawn)

    def _checked(self, batch: Batch, attribution: Attribution | None) -> Checked | None:
        subject, method = self._subject, self._probe.method
        if attribution is None or method is None:
            return None
        if not isinstance(subject, Checkable):
            raise OptionError(
                f"an explanation of {type(subject).__name__} cannot be tested: that takes a "
                "subject with model, removals, removing and nearby"
            )
        return check(subject, batch, method, attribution)

    def _attribution(self, batch: Batch) -> tuple[Attribution | None, str]:
        method = self._probe.method
        if method is None:
            return None, "No method was asked for."
        try:
            found = method(self._subject, batch)
        except NotWatchable as error:
            if not isinstance(method, Cheapest):
                raise
            return None, f"No cheap method fits this model: {error}."
        if not bool(found.values.isfinite().all()):
            raise NotFinite(f"the values of {found.method} are not finite")
        cheap = isinstance(method, Cheapest)
        return found, "It costs about one pass." if cheap else "You chose it."


class ModuleGlances:
    """Looks at the heads of a module that is called with tensors; of decisions it knows nothing."""

    def __init__(self, probe: Probe, module: nn.Module) -> None:
        self._probe = probe
        self.module = module
        self.offered = 0

    def look(self, verify: bool) -> list[Glance]:
        """Look at every input."""
        if verify:
            raise OptionError(
                "a module's heads are no explanation that could be tested: pass a Subject as the "
                "probe, for example zhuyi.trace.ModuleSubject(module, ...)"
            )
        inputs = beside(self.module, self._probe.inputs)
        with watch(self.module, _KEEP) as tape:
            if isinstance(inputs, Mapping):
                self.module(**inputs)
            elif isinstance(inputs, tuple):
                self.module(*inputs)
            else:
                self.module(inputs)
        sightings = tuple(tape)
        _require_finite(sightings, None)
        self.offered = min(_matrix_rows(one) for one in sightings)
        return [
            self._row(number, sightings, tape.unseen)
            for number in range(min(self.offered, self._probe.most))
        ]

    def _row(self, number: int, sightings: Sequence[Sighting], unseen: tuple[str, ...]) -> Glance:
        mine = [_one_row(one, number) for one in sightings]
        how = Drawing(size=_SIZE, links=_LINKS)
        drawn = draw(mine, [self._sequence(number, mine)], how)
        first = drawn.sequences[0]
        named = () if self._probe.names is None else first.labels
        looked = Looked(
            model=self._probe.title or type(self.module).__name__,
            task="Where do the heads look in one forward pass?",
            texts=("",),
            decision="",
            probability=None,
            alternatives=(),
            method="",
            reason="The probe is a module, which shows its heads and no decision.",
            units=tuple(Unit(label=name, positions=(n,)) for n, name in enumerate(named)),
            values=(),
            signed=False,
            sequences=tuple(drawn.sequences),
            heads=drawn.pictures,
            heads_in_model=len(drawn.pictures),
            kernels=tuple(dict.fromkeys(one.kernel for one in mine)),
            dtype=describing.type_of(self.module),
            device=describing.place_of(self.module),
            versions=describing.versions_of(self.module),
            unseen=unseen,
        )
        return Glance(looked=self._probe.told(number, looked), drawn=drawn)

    def _sequence(self, number: int, sightings: Sequence[Sighting]) -> Tokens:
        first = next((one for one in sightings if one.site.kind == "self"), sightings[0])
        assert first.matrix is not None
        keys = first.matrix.shape[3]
        names = self._probe.names
        if names is None:
            labels = tuple(f"#{position}" for position in range(keys))
            return Tokens(name="positions", labels=labels, special=(False,) * keys)
        mine = _names_of(names, number)
        if len(mine) > keys:
            raise OptionError(f"names must be at most {keys}, one a position, got {len(mine)}")
        return Tokens(name="input", labels=mine, special=(False,) * len(mine))


def _require_finite(sightings: Sequence[Sighting], logits: Tensor | None) -> None:
    for one in sightings:
        matrix = one.matrix
        if matrix is None:
            raise NotWatchable(f"{one.site.name} was seen without queries and keys")
        parts = (("queries", matrix.query), ("keys", matrix.key), ("values", one.value))
        for name, tensor in parts:
            if tensor is not None and not bool(torch.isfinite(tensor).all()):
                raise NotFinite(
                    f"the {name} of layer {one.site.index} ({one.site.name}) are not all finite"
                )
    if logits is not None and not bool(torch.isfinite(logits).all()):
        raise NotFinite("the decision's logits are not finite")


def _matrix_rows(sighting: Sighting) -> int:
    assert sighting.matrix is not None
    return sighting.matrix.shape[0]


def _one_row(sighting: Sighting, row: int) -> Sighting:
    assert sighting.matrix is not None
    value = None if sighting.value is None else sighting.value[row : row + 1]
    matrix = sighting.matrix.select(batch=[row])
    return replace(sighting, matrix=matrix, value=value, output=None, guard=())


def _names_of(names: Sequence[str] | Sequence[Sequence[str]], number: int) -> tuple[str, ...]:
    """One input's names."""
    if all(isinstance(one, str) for one in names):
        return tuple(str(one) for one in names)
    if number >= len(names):
        raise OptionError(f"names must be one sequence an input, got {len(names)} sequences")
    return tuple(str(one) for one in names[number])
