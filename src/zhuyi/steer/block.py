"""The block of `steer`: what happens from entering it to leaving it."""

import copy
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from functools import partial
from types import TracebackType
from typing import Any, Final

import torch
from torch import nn

from zhuyi.core import Bias
from zhuyi.errors import NotSteerable, OptionError, UnmatchedRule
from zhuyi.steer.conflicts import refuse_conflicts, told_conflicts
from zhuyi.steer.dose import Dose, Form
from zhuyi.steer.matching import active_in, check_places, matched_in, real_in
from zhuyi.steer.placeholder import Placeholder
from zhuyi.steer.readers import batch_of
from zhuyi.steer.reading import FollowingReader, Reader, Reading, Values
from zhuyi.steer.record import MatchedRule, Shares
from zhuyi.steer.report import Claims, SteeringReport
from zhuyi.steer.reporting import Decide, Run, measured, quietly
from zhuyi.steer.rule import Rule
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Matched
from zhuyi.trace.biased import Biased
from zhuyi.trace.collector import BiasedCall
from zhuyi.trace.subject import Batch, Subject

OPEN: Final[ContextVar[tuple["Steering", ...]]] = ContextVar("zhuyi_steerings", default=())
"""The blocks that are open in this context, outermost first."""


@dataclass(frozen=True, kw_only=True)
class _Met:
    """What the rules mean in a reading on a day: per rule its rows, and their dose."""

    reading: Reading
    day: date
    rows: Sequence[tuple[Rule, Sequence[Matched]]]
    dose: Dose


_NOTHING: Final = "rule {!r} means nothing in what the model read"


class Steering:
    """The context manager of `steer`, and what is known of its block.

    Args:
        model: the module that is steered.
        rules: what shall hold.
        reader: says what a forward call reads.
        strict, form, today: see `steer`.
        placeholder: stands for what a veto of the level "input" keeps from the model.
    """

    def __init__(
        self,
        model: nn.Module,
        rules: Rules,
        reader: Reader,
        *,
        strict: bool = False,
        form: Form = "low-rank",
        today: date | None = None,
        placeholder: Placeholder | None = None,
    ) -> None:
        self.model = model
        self.rules = rules
        self.reader = reader
        self.strict = strict
        self.form: Form = form
        self.today = today
        self.matched: dict[str, MatchedRule] = {}
        self.unknown = 0  # positions that were in a cache before the rules
        self.calls = 0
        self.shares: Shares | None = None
        self.subject: Subject | None = None
        self._placeholder = placeholder or Placeholder(model)
        self._fresh: Callable[[Values], Reader] = lambda _: copy.copy(reader)
        self._values: Values = None
        self._looks = False  # rules are matched and measured, and nothing is biased
        self._rests = False  # calls are not even read: a report runs others
        self._off = False
        self._dose: Dose | None = None
        self._met: _Met | None = None
        self._told: set[str] = set()
        self._open: tuple[Biased | None, Any, Any] | None = None
        self._thread = 0

    def __enter__(self) -> "Steering":
        if self._open is not None:
            raise OptionError("this block is open already: call steer(...) for another")
        if self.model.training:
            raise NotSteerable("the model is in training mode: call model.eval() first")
        check_places(self.rules, self.reader.layers)
        self.reader.begin()
        self.matched, self.unknown, self.calls = {}, 0, 0
        self._told, self._met = set(), None
        inner = self._biased()
        if inner is not None:
            inner.__enter__()
        before = self.model.register_forward_pre_hook(self._begin, prepend=True, with_kwargs=True)
        after = self.model.register_forward_hook(self._end, always_call=True, with_kwargs=True)
        self._open = (inner, before, after)
        self._thread = threading.get_ident()
        OPEN.set((*OPEN.get(), self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._open is None:
            raise OptionError("this block is not open: enter it with a with statement")
        inner, before, after = self._open
        self._open, self._dose = None, None
        OPEN.set(tuple(one for one in OPEN.get() if one is not self))
        before.remove()
        after.remove()
        self.reader.begin()
        if not self.calls:  # no call at all, or all of them by `off`: nothing had to be heard
            error = error or NotSteerable("nothing ran under the rules")
        if inner is not None:
            inner.__exit__(kind, error, trace)
        if error is None:
            self._tell_unmatched()

    def _biased(self) -> Biased | None:
        """What biases attention; None where no rule does: then there need be none in the model."""
        only_inputs = bool(self.rules) and all(rule.removes for rule in self.rules)
        return None if only_inputs and self.shares is None else Biased(self.model, self._bias)

    def off(self) -> "Off":
        """A context manager in whose block no rule holds: the model is the one it was."""
        return Off(self)

    def report(
        self,
        batch: Batch,
        *,
        others: Batch | None = None,
        target: int | Sequence[int] | None = None,
        decide: Decide | None = None,
        draws: int = 5,
        seed: int = 0,
        certificate: Claims | None = None,
    ) -> SteeringReport:
        """What the rules do to these inputs, measured against runs without them.

        Every input is run by itself: without the rules, with them, without each of them, and with
        each on as many other positions. It can be asked inside the block and after it.

        Args:
            batch: inputs of the subject that is steered, or what `decide` takes: a sequence or a
                tensor of B inputs.
            others: inputs that the rules should leave alone, for collateral.
            target: the decision that was wanted, for all or for each input; None for what each
                input was decided as without the rules.
            decide: inputs to probabilities "B C" by a run of the steered model; None for the
                subject's.
            draws: random places a rule is tried at for the control; 0 for none.
            seed: of these draws.
            certificate: of the same rules, as `certify` gives it: each veto's level and leaks;
                without it the level is "steer", which claims nothing.

        Raises:
            OptionError: without a subject and without `decide`, or for a target that is none.

        Cost: B (2 + R + R draws) decisions for R rules, and twice as many streamed passes for the
            first two; for one rule B (2 + draws).

        Not: a guarantee. What was measured on these inputs may be otherwise on others.
        """
        decides = decide or (None if self.subject is None else self.subject.decide)
        if decides is None:
            raise OptionError("a report on a bare module needs decide=, inputs to probabilities")
        self._rests, before = True, self._rests
        try:
            return measured(
                partial(self._decided, decides),
                self.rules,
                batch_of(self.subject, batch),
                others=batch_of(self.subject, others),
                target=target,
                draws=draws,
                seed=seed,
                certificate=certificate,
                labels=() if self.subject is None else self.subject.labels,
            )
        finally:
            self._rests = before

    def _decided(self, decide: Decide, batch: Batch, place: int, rules: Rules, looks: bool) -> Run:
        """One input of a batch decided under some rules."""
        values = self._values
        if values is not None and not isinstance(values, Mapping):
            values = [values[place]]
        inner = Steering(
            self.model,
            rules,
            self._fresh(values),
            form=self.form,
            today=self.today,
            placeholder=self._placeholder,
        )
        inner.shares, inner._looks = Shares(), looks
        one = batch[place : place + 1] if isinstance(batch, torch.Tensor) else [batch[place]]
        told: list[str] = []
        with quietly(told), inner:
            shares = decide(one)
        return Run(
            shares=shares[0].detach().float().cpu(),
            matched=dict(inner.matched),
            attention=inner.shares,
            told=tuple(told),
            unknown=inner.unknown,
        )

    def _begin(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]] | None:
        """Forward pre-hook: what does this call read, and which rules mean something there."""
        if not self._hears() or self._rests:
            return None
        self._dose = None
        reading = self.reader.read(args, kwargs)
        if self._off:
            return None
        self._check_cache(reading)
        self.calls += 1
        met = self._meet(reading)
        for rule, rows in met.rows:
            self._note(rule, rows)
        self._dose = met.dose
        gone = [one.keys for one in met.dose.active if one.rule.removes]
        if self._looks or not gone:
            return None
        keys_BL = torch.stack(gone).any(0)
        return self._placeholder.put_in_call(args, kwargs, reading, keys_BL)

    def _meet(self, reading: Reading) -> "_Met":
        """What the rules mean in a reading; where the last one was the same, what was found then.

        Raises: RuleConflict: if two rules contradict each other there.
        """
        day = self.today or date.today()
        conditional = any(rule.when for rule in self.rules)  # values may have changed in place
        if self._met is None or conditional or (self._met.reading, self._met.day) != (reading, day):
            rows = [
                (rule, [matched_in(rule, layout) for layout in reading.layouts])
                for rule in self._valid(day)
            ]
            active = [
                active_in(rule, found, reading.layouts)
                for rule, found in rows
                if any(row.positions for row in found)
            ]
            refuse_conflicts(active, self.reader.layers)
            for told in told_conflicts(active):
                self._warn(told)
            dose = Dose(
                active=tuple(active),
                layers=self.reader.layers,
                form=self.form,
                length=reading.layouts[0].length if reading.layouts else 0,
                new=reading.new,
                cached=reading.cached,
                real=real_in(reading.layouts),
            )
            self._met = _Met(reading=reading, day=day, rows=rows, dose=dose)
        return self._met

    def _end(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any], output: object
    ) -> None:
        """Forward hook: readers that go on from call to call see what came out."""
        if self._hears(told=False) and not self._rests:
            self._dose = None
            if isinstance(self.reader, FollowingReader) and output is not None:
                self.reader.follow(kwargs, output)

    def _hears(self, *, told: bool = True) -> bool:
        """Whether this call is of the block's own thread and context.

        Raises: NotSteerable: for a call elsewhere that no block of its own steers: it would run
            without the rules, and nobody would know.
        """
        mine = OPEN.get()
        if self in mine and threading.get_ident() == self._thread:
            return True
        if told and not any(one.model is self.model and one is not self for one in mine):
            raise NotSteerable(
                f"{type(self.model).__name__} was called in another thread or task than the one "
                "that steers it, where these rules do not reach: call it in the thread of the "
                "block, or leave the block first"
            )
        return False

    def _check_cache(self, reading: Reading) -> None:
        """Tell of positions that a cache held before the rules."""
        self.unknown = max(self.unknown, reading.unknown)
        if not reading.unknown:
            return
        told = (
            f"{reading.unknown} positions were put into a cache before these rules: no rule "
            "matches there, and no veto holds for what was computed from them"
        )
        hard = next(
            (rule.id for rule in self.rules if rule.guarantee not in ("steer", "direct")), ""
        )
        if self.strict and hard:
            raise NotSteerable(f"{told}, so rule {hard!r} cannot hold: begin with an empty cache")
        self._warn(told)

    def _valid(self, day: date) -> Iterator[Rule]:
        """The rules that have not expired."""
        for rule in self.rules:
            if rule.holds_on(day):
                yield rule
            else:
                self._warn(f"rule {rule.id!r} expired on {rule.expires}")

    def _note(self, rule: Rule, rows: Sequence[Matched]) -> None:
        """Remember what matched; under `strict` nothing is an error."""
        before = self.matched.get(rule.id)
        now = MatchedRule.of(rule, rows)
        self.matched[rule.id] = now if before is None else before.joined(now)
        if self.strict and not self.matched[rule.id].positions and not rule.when:
            raise NotSteerable(_NOTHING.format(rule.id))

    def _tell_unmatched(self) -> None:
        """Warn of rules that meant nothing in any call."""
        for name, one in self.matched.items():
            if not one.positions and not one.rule.when:
                self._warn(_NOTHING.format(name))

    def _warn(self, told: str) -> None:
        if told not in self._told:
            self._told.add(told)
            warnings.warn(told, UnmatchedRule, stacklevel=2)

    def _bias(self, call: BiasedCall) -> Bias | None:
        if self._off or self._rests:
            return None
        if self._dose is None:
            raise NotSteerable(
                f"{call.site.name} ran by itself, not as a part of a call of "
                f"{type(self.model).__name__}, so what it reads is not known: call the whole model"
            )
        if not self._dose.active:
            return None
        bias = None if self._looks else self._dose.bias(call)
        if self.shares is not None:
            self.shares.measure(call, bias, self._dose)
        return bias


class Off:
    """The context manager of `Steering.off`."""

    def __init__(self, steering: Steering) -> None:
        self._steering = steering
        self._before = False

    def __enter__(self) -> None:
        self._before, self._steering._off = self._steering._off, True

    def __exit__(self, *_: object) -> None:
        self._steering._off = self._before
