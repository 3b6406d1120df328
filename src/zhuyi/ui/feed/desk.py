"""What the feed's page can be told: the catalog, lists under rules, what chance does, verdicts."""

import statistics
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from zhuyi.core.record import Said
from zhuyi.recipes.feed.believing import certified, judged
from zhuyi.recipes.feed.feed import Feed
from zhuyi.recipes.feed.listing import Listing, RuleOnFeed
from zhuyi.recipes.feed.saving import SavedFeed
from zhuyi.steer.reporting import Elsewhere
from zhuyi.steer.rules import Rules
from zhuyi.ui.feed.asking import Asked
from zhuyi.ui.server.turns import Turn
from zhuyi.ui.steering.asking import RULES
from zhuyi.ui.steering.ruling import Ruling, as_python

SCHEMA: Final = "zhuyi.feed-desk/1"
_BESIDE: Final = 5  # other people on whom the method of the reasons is tested
_POPULAR: Final = 30  # films to begin a history of one's own with

NOTES: Final = (
    Said(
        en="The recommender predicts what people with such a history watched next. It does not "
        "know what is good, and popular films are favored.",
        zh="推荐模型预测有类似历史的人接下来看了什么。它不知道什么是好片，并且偏向热门影片。",
    ),
    Said(
        en="Every rating counts as “watched”, whatever its stars.",
        zh="每个评分都算作“看过”，不论星级。",
    ),
    Said(
        en="On films that you saw a rule changes attention. On films that may be shown it "
        "multiplies the odds; “never” takes them out of the list after the model.",
        zh="对看过的影片，规则改变注意力；对可推荐的影片，规则乘以其几率；"
        "“永不”则在模型之后把它们移出列表。",
    ),
)
_UNTESTED: Final = Said(
    en="Without personalization there are no reasons to test: no history is read.",
    zh="关闭个性化后没有可检验的理由：不读取任何历史。",
)


@dataclass(frozen=True)
class FeedDesk:
    """Answers what the page asks of one feed.

    Args:
        saved: the feed, with people to try it as.
    """

    saved: SavedFeed
    _ruling: Ruling = field(default_factory=Ruling, repr=False)

    @property
    def feed(self) -> Feed:
        """The feed."""
        return self.saved.feed

    def told(self) -> dict[str, Any]:
        """The answer to GET /desk."""
        films = self.feed.films
        popular = self.feed.list([], personal=False, at=_POPULAR).offers
        return {
            "schema": SCHEMA,
            "title": "zhuyi · feed",
            "missing": None,
            "films": [[film.title, *film.genres] for film in films],
            "genres": sorted({genre for film in films for genre in film.genres}),
            "people": [
                {"name": name, "history": list(history)}
                for name, history in self.saved.people.items()
            ],
            "popular": [offer.film for offer in popular],
            "about": dict(self.saved.about),
            "length": self.feed.subject.model.form.length,
            "notes": [asdict(one) for one in NOTES],
            "limit": {"rules": RULES},
        }

    def tried(self, asked: Asked, turn: Turn) -> dict[str, Any]:
        """The answer to POST /try."""
        began = time.perf_counter()
        rules = self._ruling.read(asked.rules)
        turn.check()
        found = self._list(asked, rules)
        return {
            "turn": asked.turn,
            **found.as_json(),
            "yaml": rules.to_yaml() if len(rules) else "",
            "python": as_python(rules) if len(rules) else "",
            "took_ms": round((time.perf_counter() - began) * 1000, 1),
        }

    def controlled(self, asked: Asked, turn: Turn) -> dict[str, Any]:
        """The answer to POST /control: the same rule on as many other films, drawn at random.

        Of a rule on films that may be shown it counts those films in the list; of a rule on films
        seen alone, the films that it brings into the list.
        """
        rules = self._ruling.read(asked.rules)
        own = self._list(asked, rules)
        return {
            "turn": asked.turn,
            "rules": [self._compared(asked, rules, one, own, turn) for one in own.rules],
        }

    def _compared(
        self, asked: Asked, rules: Rules, one: RuleOnFeed, own: Listing, turn: Turn
    ) -> dict[str, Any]:
        rule = rules[one.id]
        about = set(self.feed.shelf.under(Rules((rule,)), watched=len(own.seen)).films[one.id])
        without = films_of(self._list(asked, rules.without(one.id)))

        def count(listing: Listing) -> int:
            films = films_of(listing)
            return len(films & about) if about else len(films - without)

        counts = []
        for draw in range(asked.draws):
            turn.check()
            other = replace(rule, select=(Elsewhere(rule.select, draw),))
            swapped = Rules(tuple(other if one is rule else one for one in rules))
            listing = self._list(asked, swapped)
            here = next(found for found in listing.rules if found.id == one.id)
            if here.seen or here.shown:
                counts.append(count(listing))
        return {
            "id": one.id,
            "measure": "among" if about else "moved",
            "without": len(without & about),
            "own": count(own),
            "mean": statistics.fmean(counts) if counts else None,
            "draws": len(counts),
        }

    def judged(self, asked: Asked, turn: Turn) -> dict[str, Any]:
        """The answer to POST /verdict: whether the reasons may be believed, and what each veto of
        films seen may claim."""
        rules = self._ruling.read(asked.rules)
        told: dict[str, Any] = {"turn": asked.turn, "verdict": None, "certificate": []}
        if not asked.personal or not asked.history:
            return told | {"untested": asdict(_UNTESTED)}
        listing = self._list(asked, rules)
        turn.check()
        told["certificate"] = self._certified(asked, rules, listing)
        turn.check()
        if listing.offers:
            film = listing.offers[0].film if asked.film is None else asked.film
            told |= {"film": film, "verdict": self._verdict(asked, rules, film, turn)}
        return told

    def _list(self, asked: Asked, rules: Rules) -> Listing:
        return self.feed.list(asked.history, rules, personal=asked.personal)

    def _verdict(self, asked: Asked, rules: Rules, film: int, turn: Turn) -> dict[str, Any] | None:
        """Of the reasons of one film, tested beside those of other people's first films."""
        if film in asked.history:
            return None
        beside = [one for one in self.saved.people.values() if one != asked.history][:_BESIDE]
        found = judged(self.feed, rules, asked.history, film, beside, quick=True, check=turn.check)
        reasons = found.input_reasons[0] or found.reasons
        return {"level": found.inputs[0], "reasons": [asdict(one) for one in reasons]}

    def _certified(self, asked: Asked, rules: Rules, listing: Listing) -> list[dict[str, Any]]:
        """Of the vetoes that mean a film of the history."""
        seen = {one.id for one in listing.rules if one.seen and one.action == "veto"}
        if not seen:
            return []
        parts: Any = certified(self.feed, rules, asked.history).as_json()["rules"]
        return [{"id": one["rule"], **one} for one in parts if one["rule"] in seen]


def films_of(listing: Listing) -> set[int]:
    """The films of a list."""
    return {offer.film for offer in listing.offers}


def missing(why: str) -> Mapping[str, Any]:
    """The answer to GET /desk where there is no feed: how to get one."""
    return {
        "schema": SCHEMA,
        "title": "zhuyi · feed",
        "missing": why,
        "films": [],
        "genres": [],
        "people": [],
        "popular": [],
        "about": {},
        "length": 0,
        "notes": [],
        "limit": {"rules": RULES},
    }
