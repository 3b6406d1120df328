"""What the page asks, as records: anything that is not just so is refused."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from zhuyi.errors import InputError
from zhuyi.steer.rule import ACTIONS
from zhuyi.ui.server.bodies import an_object, fields_of, objects, one_of, text, whole
from zhuyi.ui.steering.desk import Cell, Desk, Given, Kind

CHARACTERS: Final = 2_000
"""Most characters of a text."""
RULES: Final = 20
"""Most rules at a time."""
SELECTORS: Final = 200
"""Most things that all rules together speak about."""
DRAWS: Final = 20
YAML: Final = 60_000  # characters
_CELL: Final = 500  # characters of a cell
_MOST_TURNS: Final = 2**53 - 1
_LISTED: Final = 100  # entries of a list in a rule


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request about an input and rules.

    Args:
        turn: the page's own number of it, given back.
        given: the input.
        rules: entries of `rules:` as docs/rules.md tells them, not read yet.
        language: of the person.
        target: index of the decision that is asked about; None for what is decided.
        draws: of the control.
    """

    turn: int
    given: Given
    rules: tuple[Mapping[str, Any], ...]
    language: Literal["en", "zh"] = "en"
    target: int | None = None
    draws: int = 10


def reading(desk: Desk, *, draws: bool = False) -> Callable[[Mapping[str, Any]], Asked]:
    """How requests about a desk's inputs are read.

    Args:
        desk: whose inputs.
        draws: whether a number of draws may be asked for.
    """
    most = max(len(desk.labels), 1) - 1
    needed = {
        "turn": whole(0, _MOST_TURNS),
        "input": an_object,
        "rules": objects(RULES),
        "language": one_of("en", "zh"),
    }
    optional = {"target": whole(0, most)}
    if draws:
        optional["draws"] = whole(1, DRAWS)

    def read(body: Mapping[str, Any]) -> Asked:
        data = fields_of(body, needed, optional)
        for rule in data["rules"]:
            check_rule(rule)
        check_selectors(data["rules"])
        return Asked(
            turn=data["turn"],
            given=_given(data["input"], desk.kind),
            rules=tuple(data["rules"]),
            language=data["language"],
            target=data.get("target"),
            draws=data.get("draws", 10),
        )

    return read


def read_yaml(body: Mapping[str, Any]) -> str:
    """The YAML of a request. Raises: InputError: if there is none."""
    yaml: str = fields_of(body, {"yaml": text(YAML)})["yaml"]
    return yaml


def _given(data: Mapping[str, Any], kind: Kind) -> Given:
    if kind == "text":
        found: str = fields_of(data, {"text": text(CHARACTERS)})["text"]
        if not found.strip():
            raise InputError("the text must hold at least one word")
        return Given(text=found)
    if kind == "series":
        return Given(series=fields_of(data, {"series": whole(0, 10**6)})["series"])
    record = fields_of(data, {"record": an_object})["record"]
    return Given(record={name: _cell(name, cell) for name, cell in record.items()})


def _cell(name: str, cell: object) -> Cell:
    if cell is None or isinstance(cell, bool):
        return cell
    if isinstance(cell, int | float):
        return float(cell)
    if isinstance(cell, str) and len(cell) <= _CELL:
        return cell
    raise InputError("a cell must be a text, a number, true, false or null")


def check_selectors(rules: Sequence[Mapping[str, Any]]) -> None:
    """A bound on how much is looked for. Raises: InputError: for more."""
    forms = [rule.get(name) for rule in rules for name in (*ACTIONS, "from")]
    if sum(len(one) if isinstance(one, list) else one is not None for one in forms) > SELECTORS:
        raise InputError(f"all rules together must speak about at most {SELECTORS} things")


def check_rule(part: object) -> None:
    """Bounds on what a rule may hold: each of its texts is looked for in the input, many times.

    Raises: InputError: for what is too long.
    """
    if isinstance(part, str) and len(part) > CHARACTERS:
        raise InputError(f"texts of rules must have at most {CHARACTERS} characters")
    if isinstance(part, list | dict) and len(part) > _LISTED:
        raise InputError(f"lists of rules must have at most {_LISTED} entries")
    if isinstance(part, dict):
        for name, one in part.items():
            check_rule(name)
            check_rule(one)
    if isinstance(part, list):
        for one in part:
            check_rule(one)
