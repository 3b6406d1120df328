"""`steer(model, rules)`: within the block, what a model attends to obeys people's rules."""

import warnings
from collections.abc import Mapping
from datetime import date
from types import TracebackType
from typing import Any

import torch
from torch import nn

from zhuyi.core import Bias
from zhuyi.errors import NotSteerable, OptionError, UnmatchedRule
from zhuyi.steer.conflicts import refuse_conflicts, told_conflicts
from zhuyi.steer.dose import Active, Dose, Form
from zhuyi.steer.layout import Layout
from zhuyi.steer.reading import Reader, Reading
from zhuyi.steer.readers import reader_of
from zhuyi.steer.record import MatchedRule, Shares
from zhuyi.steer.rule import Rule
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Matched
from zhuyi.steer.when import holds
from zhuyi.trace.biased import Biased
from zhuyi.trace.collector import BiasedCall
from zhuyi.trace.subject import ModelSubject, Subject


def steer(
    model_or_subject: nn.Module | Subject,
    rules: Rules,
    *,
    tokenizer: Any = None,
    reader: Reader | None = None,
    strict: bool = False,
    form: Form = "low-rank",
    today: date | None = None,
    values: Mapping[str, object] | None = None,
) -> "Steering":
    """Steer a model by rules.

        weights = softmax(scores of the model + sum over rules of ln(w), where a rule means a key)

    Rules are matched against what each forward call reads (its token ids, or the pieces of a
    subject), so they hold in `decide`, `watch`, `generate` with caches, and in every explanation or
    test that is run inside the block. Nothing but the bias of attention calls is touched, and
    leaving the block restores the model bit for bit, also after an exception.

    Args:
        model_or_subject: a module, or a subject whose decision one module makes.
        rules: what shall hold.
        tokenizer: of a module that reads token ids; a subject knows its own.
        reader: how a call's positions are known, where neither of them tells.
        strict: whether a rule that means nothing, and a veto below its guarantee, is an error.
        form: how the bias is written, see `zhuyi.steer.dose`.
        today: the day by which rules expire; None for the day of the call.
        values: what `when` may ask of every row.

    Returns:
        A context manager whose block gives the `Steering`, which knows what matched and what came
        of it.

    Raises:
        NotSteerable: if the model's positions cannot be known, or its attention not biased.
        RuleConflict: from the model's call, if two rules contradict each other there.
        OptionError: for a head or layer that does not exist.

    Cost:
        A biased call costs `zhuyi.attend` with that bias, a share one streamed pass more.

    Not:
        A proof: what a rule has done is measured by `Steering.report`, and what a veto guarantees
        is said by `certify`. A finite weight is never a veto.

    Example:
        >>> layer = torch.nn.TransformerEncoderLayer(8, 2, batch_first=True).eval()
        >>> from zhuyi.core.record import Unit
        >>> from zhuyi.steer.reading import UnitReader
        >>> from zhuyi.steer.selectors import Column
        >>> units = [Unit(label=name, positions=(i,)) for i, name in enumerate(("age", "sex"))]
        >>> rules = Rules().veto(Column("sex"))
        >>> from zhuyi.trace import watch
        >>> with steer(layer, rules, reader=UnitReader(units)), watch(layer) as tape:
        ...     _ = layer(torch.randn(3, 2, 8))
        >>> tape[0].matrix.received().sum((0, 1)).round().tolist()
        [12.0, 0.0]
    """
    if isinstance(model_or_subject, nn.Module):
        model = model_or_subject
    elif isinstance(model_or_subject, ModelSubject):
        model = model_or_subject.model
    else:
        raise OptionError(
            "steer needs a torch.nn.Module, or a subject with a `model`, got "
            f"{type(model_or_subject).__name__}"
        )
    found = reader or reader_of(model_or_subject, tokenizer, values)
    return Steering(model, rules, found, strict=strict, form=form, today=today)


class Steering:
    """The context manager of `steer`, and what is known of its block.

    Args:
        model: the module that is steered.
        rules: what shall hold.
        reader: says what a forward call reads.
        strict, form, today: see `steer`.
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
        self._off = False
        self._dose: Dose | None = None
        self._told: set[str] = set()
        self._open: tuple[Biased, Any] | None = None

    def __enter__(self) -> "Steering":
        if self._open is not None:
            raise OptionError("this block is open already: call steer(...) for another")
        if self.model.training:
            raise NotSteerable("the model is in training mode: call model.eval() first")
        self.reader.begin()
        self.matched, self.unknown, self.calls = {}, 0, 0
        inner = Biased(self.model, self._bias)
        inner.__enter__()
        hook = self.model.register_forward_pre_hook(self._begin, prepend=True, with_kwargs=True)
        self._open = (inner, hook)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._open is None:
            raise OptionError("this block is not open: enter it with a with statement")
        inner, hook = self._open
        self._open, self._dose = None, None
        hook.remove()
        inner.__exit__(kind, error, trace)

    def off(self) -> "Off":
        """A context manager in whose block no rule holds: the model is the one it was."""
        return Off(self)

    def _begin(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Forward pre-hook: what does this call read, and which rules mean something there."""
        self._dose = None
        if self._off:
            return
        reading = self.reader.read(args, kwargs)
        self.unknown = max(self.unknown, reading.unknown)
        self.calls += 1
        active = self._active(reading)
        refuse_conflicts(active)
        for told in told_conflicts(active):
            self._warn(told)
        self._dose = Dose(active=tuple(active), layers=self.reader.layers, form=self.form)

    def _active(self, reading: Reading) -> list[Active]:
        day = self.today or date.today()
        found = []
        for rule in self.rules:
            if not rule.holds_on(day):
                self._warn(f"rule {rule.id!r} expired on {rule.expires}")
                continue
            rows = [self._row(rule, layout) for layout in reading.layouts]
            self._note(rule, rows)
            if not any(row.positions for row in rows):
                continue
            keys = _mask(reading.layouts, [row.positions for row in rows])
            senders = None
            if rule.sender:
                senders = _mask(
                    reading.layouts,
                    [_union(rule.sender, layout).positions for layout in reading.layouts],
                )
            found.append(Active(rule=rule, keys=keys, rows=senders))
        return found

    def _row(self, rule: Rule, layout: Layout) -> Matched:
        if rule.when and not holds(rule.when, layout.values):
            return Matched()
        return _union(rule.select, layout)

    def _note(self, rule: Rule, rows: list[Matched]) -> None:
        """Remember what matched, and tell once where nothing did."""
        before = self.matched.get(rule.id)
        now = MatchedRule.of(rule, rows)
        self.matched[rule.id] = now if before is None else before.joined(now)
        if not self.matched[rule.id].positions and not rule.when:
            told = f"rule {rule.id!r} means nothing in what the model read"
            if self.strict:
                raise NotSteerable(told)
            self._warn(told)

    def _warn(self, told: str) -> None:
        if told not in self._told:
            self._told.add(told)
            warnings.warn(told, UnmatchedRule, stacklevel=2)

    def _bias(self, call: BiasedCall) -> Bias | None:
        if self._dose is None or not self._dose.active:
            return None
        rows = self._dose.active[0].keys.shape[0]
        if call.shape[0] != rows or call.site.kind == "cross":
            what = "another sequence" if call.site.kind == "cross" else f"{call.shape[0]} rows"
            raise NotSteerable(
                f"{call.site.name} attends to {what}, and the rules were matched in {rows} rows "
                "of the model's own input: rules on such layers are not supported"
            )
        bias = self._dose.bias(call)
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


def _union(selectors: tuple[Any, ...], layout: Layout) -> Matched:
    found = Matched()
    for selector in selectors:
        found |= selector.match(layout)
    return found


def _mask(layouts: tuple[Layout, ...], positions: list[frozenset[int]]) -> torch.Tensor:
    mask = torch.zeros(len(layouts), max(layout.length for layout in layouts), dtype=torch.bool)
    for row, chosen in enumerate(positions):
        if chosen:
            mask[row, sorted(chosen)] = True
    return mask
