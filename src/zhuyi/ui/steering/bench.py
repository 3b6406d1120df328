"""The bench of one desk: inputs decided under rules, with what was found already."""

import threading
import warnings
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from torch import Tensor
from torch.nn.modules.module import register_module_forward_pre_hook

from zhuyi.errors import NotSteerable, UnmatchedRule
from zhuyi.learn.warnings_of_data import DataWarning
from zhuyi.steer.layout import Layout
from zhuyi.steer.readers import reader_of
from zhuyi.steer.rules import Rules
from zhuyi.steer.steering import steer
from zhuyi.trace.subject import Batch
from zhuyi.ui.server.turns import Turn
from zhuyi.ui.steering.asking import Asked
from zhuyi.ui.steering.desk import Decision, Desk, Explained, Given
from zhuyi.ui.steering.places import Listening, Places, Selecting, written
from zhuyi.ui.steering.remembering import Matches
from zhuyi.ui.steering.ruling import Ruling

_INPUTS: Final = 8  # that are remembered
_RUNS: Final = 256
_LEFT_OUT: Final = "zhuyi.left.out"  # the value of a row that says which rule it does without
_CONDITION: Final = 900  # characters of a condition that may be added to

Kept = TypeVar("Kept")


@dataclass(frozen=True, kw_only=True)
class Before:
    """An input without rules.

    Args:
        given: the input.
        batch: as the model takes it.
        places: its pieces, and where they are.
        decision: what is decided.
        selects: per piece the entries of a rule: this piece, and all that read like it.
        told: warnings.
    """

    given: Given
    batch: Batch
    places: Places
    decision: Decision
    selects: tuple[dict[str, Any], ...]
    told: tuple[str, ...]


class Bench:
    """Decides under rules at one desk, and remembers what it found.

    Args:
        desk: the model.
        ruling: reads and writes rules.
    """

    def __init__(self, desk: Desk, ruling: Ruling) -> None:
        self.desk = desk
        self.ruling = ruling
        self._before: _Remembered[Before] = _Remembered(_INPUTS)
        self._explained: _Remembered[Explained] = _Remembered(_INPUTS)
        self._decisions: _Remembered[Decision] = _Remembered(_RUNS)
        self._turn: Turn | None = None
        self.matches = Matches(self._check)

    def begin(self, turn: Turn) -> None:
        """A request begins: what follows is for it."""
        self._turn = turn

    def _check(self) -> None:
        if self._turn is not None:
            self._turn.check()

    def before(self, given: Given) -> Before:
        """The input without rules; computed once."""
        key = repr(given)
        return self._before.get(key) or self._before.put(key, self._look(given))

    def target_of(self, asked: Asked, before: Before) -> int:
        """The decision that is asked about."""
        known = self.desk.labels and asked.target is not None
        return asked.target if known and asked.target is not None else before.decision.index

    def decision(self, before: Before, rules: Rules) -> Decision:
        """What is decided under some rules."""
        key = (repr(before.given), repr(rules.rules))
        found = self._decisions.get(key)
        if found is None:
            with self.under(rules):
                found = self.desk.decide(before.batch)[0]
            self._decisions.put(key, found)
        return found

    @contextmanager
    def under(self, rules: Rules, told: list[str] | None = None) -> Iterator[None]:
        """A block in which the rules hold.

        Args:
            rules: the rules.
            told: takes warnings; they are dropped without it.
        """
        quick = self.matches.quick(rules)
        block = steer(self.desk.steered, quick) if len(rules) else nullcontext()
        with heard([] if told is None else told), block:
            yield

    def leaving_out(self, before: Before, rules: Rules) -> list[Decision]:
        """What is decided under all rules, and under all but each of them, in one call.

        Each row of a batch is told which rule does not hold in it: conditions ask for the values of
        a row.
        """
        if any(len(rule.when) > _CONDITION for rule in rules):
            leaving = (rules.without(rule.id) for rule in rules)
            return [self.decision(before, one) for one in (rules, *leaving)]
        quick = self.matches.quick(rules)
        asked = Rules(
            tuple(replace(rule, when=_but(rule.when, place)) for place, rule in enumerate(quick))
        )
        rows = len(rules) + 1
        values = [{_LEFT_OUT: place - 1} for place in range(rows)]
        batch = before.batch
        copies = batch.repeat_interleave(rows, 0) if isinstance(batch, Tensor) else [*batch] * rows
        block = steer(self.desk.steered, asked, values=values) if len(rules) else nullcontext()
        with heard([]), block:
            return self.desk.decide(copies)

    def _look(self, given: Given) -> Before:
        desk, told = self.desk, list[str]()
        batch = desk.batch(given)
        with heard(told):
            decision, pieces = desk.decide(batch)[0], desk.pieces(batch)
            layout = self._layout(batch)
        places = Places(layout=layout, pieces=pieces, matches=self.matches, text=given.text or "")
        selecting = Selecting(places)
        return Before(
            given=given,
            batch=batch,
            places=places,
            decision=decision,
            selects=tuple(_selects(selecting, place) for place in range(len(pieces))),
            told=tuple(told),
        )

    def _layout(self, batch: Batch) -> Layout:
        """What rules are matched against."""
        listening = Listening(reader_of(self.desk.steered, None, None))
        with steer(self.desk.steered, Rules(), reader=listening):
            self.desk.decide(batch)
        if listening.reading is None or not listening.reading.layouts:
            raise NotSteerable("what the model reads of this input is not known")
        return listening.reading.layouts[0]

    def plain(self, before: Before, target: int) -> Explained:
        """What counts without rules."""
        key = (repr(before.given), target)
        found = self._explained.get(key)
        if found is None:
            with heard([]):
                found = self.desk.explain(before.batch, target, before.decision)
            self._explained.put(key, found)
        return found


def _but(when: str, place: int) -> str:
    """A condition, and that the row does not leave this rule out."""
    own = f"{_LEFT_OUT} != {place}"
    return f"({when}) and {own}" if when else own


@contextmanager
def turn_checked(turn: Turn) -> Iterator[None]:
    """A block that ends at the next call of a module, wherever that is, once a turn is over.

    The hook is a global one: one on the model itself would be seen, and told, by a certificate.
    """
    mine = threading.get_ident()

    def check(*_: object) -> None:
        if threading.get_ident() == mine:
            turn.check()

    hook = register_module_forward_pre_hook(check)
    try:
        yield
    finally:
        hook.remove()


@contextmanager
def heard(told: list[str]) -> Iterator[None]:
    """Warnings of rules and data become texts for the page.

    No other is given on either: the terminal must not be told of what a person typed.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for one in caught:
        if issubclass(one.category, UnmatchedRule | DataWarning):
            told.append(str(one.message))


class _Remembered(Generic[Kept]):
    """The last few of what was computed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, Kept] = OrderedDict()

    def get(self, key: Hashable) -> Kept | None:
        if key in self._known:
            self._known.move_to_end(key)
        return self._known.get(key)

    def put(self, key: Hashable, value: Kept) -> Kept:
        self._known[key] = value
        self._known.move_to_end(key)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return value


def _selects(selecting: Selecting, place: int) -> dict[str, Any]:
    found = {"select": selecting.only(place), "everywhere": selecting.everywhere(place)}
    return {name: written(one) for name, one in found.items() if one is not None}
