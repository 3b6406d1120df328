"""What the feed's page asks, as records: anything that is not just so is refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from zhuyi.ui.server.bodies import fields_of, objects, one_of, whole
from zhuyi.ui.steering.asking import DRAWS, RULES, check_rule

HISTORY: Final = 1_000
"""Most films of a history."""
_MOST_TURNS: Final = 2**53 - 1


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request about a history and rules.

    Args:
        turn: the page's own number of it, given back.
        history: numbers of films, in the order of time.
        rules: entries of `rules:` as docs/rules.md tells them, not read yet.
        personal: whether the list shall rest on the history.
        draws: of the control.
        film: of the list, whose reasons are tested; None for the first.
    """

    turn: int
    history: tuple[int, ...]
    rules: tuple[Mapping[str, Any], ...]
    personal: bool = True
    draws: int = 10
    film: int | None = None


def reading(films: int) -> Callable[[Mapping[str, Any]], Asked]:
    """How requests about a catalog of so many films are read."""
    film = whole(0, films - 1)

    def history(value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) <= HISTORY
            and all(film(one) for one in value)
            and len(set(value)) == len(value)
        )

    needed = {
        "turn": whole(0, _MOST_TURNS),
        "history": history,
        "rules": objects(RULES),
        "language": one_of("en", "zh"),
    }
    optional = {
        "personal": lambda value: isinstance(value, bool),
        "draws": whole(1, DRAWS),
        "film": film,
    }

    def read(body: Mapping[str, Any]) -> Asked:
        data = fields_of(body, needed, optional)
        for rule in data["rules"]:
            check_rule(rule)
        return Asked(
            turn=data["turn"],
            history=tuple(data["history"]),
            rules=tuple(data["rules"]),
            personal=data.get("personal", True),
            draws=data.get("draws", 10),
            film=data.get("film"),
        )

    return read
