"""Rules on a feed: what they mean in a history, and what they do to the list.

On films seen a rule is what it is everywhere: ln(w) in the scores of attention. On films that may
be shown nothing attends; there w multiplies the odds of being shown, and a veto takes the film out
of the list.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Final

import numpy as np
import numpy.typing as npt

from zhuyi.core.record import Said
from zhuyi.recipes.feed.movielens import Film
from zhuyi.recipes.feed.naming import piece_name
from zhuyi.steer.layout import Layout, Piece
from zhuyi.steer.matching import matched_in
from zhuyi.steer.rule import Rule
from zhuyi.steer.rules import Rules

Floats = npt.NDArray[np.float64]

_NO_LIST: Final = Said(
    en="rule {!r} is about films that may be shown; a {} works on films seen only",
    zh="规则 {!r} 涉及可推荐的影片；{} 只对看过的影片起作用",
)


@dataclass(frozen=True, kw_only=True)
class OnList:
    """What rules do to the list of a catalog.

    Args:
        films: per rule id the films that it means.
        odds: [films], what is added to the log odds of being shown; -inf takes a film out.
        told: what cannot be done.
    """

    films: dict[str, tuple[int, ...]]
    odds: Floats
    told: tuple[Said, ...]


class Shelf:
    """The films that may be shown, as rules see them.

    Args:
        films: the catalog.
    """

    def __init__(self, films: Sequence[Film]) -> None:
        self._layout = Layout(
            length=len(films),
            pieces=tuple(
                Piece(name=piece_name(film, "shown"), positions=(number,))
                for number, film in enumerate(films)
            ),
        )

    def under(
        self,
        rules: Rules,
        *,
        watched: int,
        today: date | None = None,
        known: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
    ) -> OnList:
        """What rules do to the list of somebody who watched so many films.

        Args:
            rules: the rules.
            watched: what `when` may ask.
            today: the day by which rules expire; None for today.
            known: rule id -> films, of an earlier answer about the same rules.
        """
        day = today or date.today()
        odds = np.zeros(self._layout.length)
        films: dict[str, tuple[int, ...]] = {}
        told = []
        for rule in rules:
            if rule.id in known:
                chosen = known[rule.id]
            else:
                chosen = self._meant(rule, watched) if rule.holds_on(day) else ()
            if chosen and rule.action in ("share", "link"):
                names = (rule.id, rule.action)
                told.append(Said(en=_NO_LIST.en.format(*names), zh=_NO_LIST.zh.format(*names)))
                chosen = ()
            films[rule.id] = chosen
            odds[list(chosen)] += rule.bias
        return OnList(films=films, odds=odds, told=tuple(told))

    def _meant(self, rule: Rule, watched: int) -> tuple[int, ...]:
        layout = Layout(
            length=self._layout.length, pieces=self._layout.pieces, values={"watched": watched}
        )
        return tuple(sorted(matched_in(rule, layout).positions))
