"""A personal feed: a list of films for a history, under a person's rules, with its reasons.

score(film) = recommender(history, rules on films seen) + sum of ln(w) of rules on films shown
share(film) = softmax(score) over the films that were not seen and no rule forbids
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import torch

from zhuyi._check import check_at_least
from zhuyi.core.record import Said
from zhuyi.errors import InputError, UnmatchedRule
from zhuyi.recipes.feed.listing import Listing, Offer, Reason, RuleOnFeed, SeenFilm
from zhuyi.recipes.feed.movielens import Film
from zhuyi.recipes.feed.places import (
    gone_of,
    log_odds,
    log_shares,
    offers_of,
    place_of,
    rule_on_feed,
)
from zhuyi.recipes.feed.recommender import Recommender
from zhuyi.recipes.feed.rules import OnList, Shelf
from zhuyi.recipes.feed.subject import FeedSubject
from zhuyi.steer.matching import matched_in
from zhuyi.steer.rule import Rule
from zhuyi.steer.rules import Rules
from zhuyi.steer.steering import steer

Floats = npt.NDArray[np.float64]

_REASONS: Final = 4  # of a film of the list


class Feed:
    """Lists for histories.

    Args:
        model: the trained recommender.
        films: its catalog.
        watched: [films], how many people watched each: the list without personalization.
    Raises: InputError: if these do not fit each other.

    Not: a judge of films. It predicts what people with such a history watched next.

    Example:
        >>> from zhuyi.recipes.feed.naming import of_film
        >>> from zhuyi.recipes.feed.recommender import Form
        >>> films = [Film(title=f"{name} (1995)", genres=("Drama",)) for name in "ABCD"]
        >>> model = Recommender(Form(films=4, width=8), torch.Generator().manual_seed(0)).eval()
        >>> feed = Feed(model, films, [3, 1, 2, 0])
        >>> never = Rules().veto(of_film(films[1], "shown"))
        >>> sorted(offer.film for offer in feed.list([0], never).offers)
        [2, 3]
        >>> [offer.film for offer in feed.list([0], personal=False).offers]
        [0, 2, 1, 3]
    """

    def __init__(
        self, model: Recommender, films: Sequence[Film], watched: Sequence[int] | Floats
    ) -> None:
        if len(watched) != len(films):
            raise InputError(f"watched must be of {len(films)} films, got {len(watched)}")
        self.subject = FeedSubject(model, films)
        self.films = tuple(films)
        self.watched = np.asarray(watched, dtype=np.float64)
        self.shelf = Shelf(films)

    def list(
        self,
        history: Sequence[int],
        rules: Rules | None = None,
        *,
        personal: bool = True,
        at: int = 10,
        today: date | None = None,
    ) -> Listing:
        """The list of a person.

        Args:
            history: numbers of films in the order of time; only the latest ones are read.
            rules: what shall hold, named as in `zhuyi.recipes.feed.naming`.
            personal: False for what most people watched. The history is then not used at all: not
                even films that were seen are left out.
            at: films of the list.
            today: the day by which rules expire; None for today.

        Raises:
            InputError: for a film that there is not, or is there twice.
            RuleConflict: if two rules contradict each other on films seen.

        Cost: R + 3 runs of one history for R rules, and one for every film of it.
        """
        check_at_least("at", at, 1)
        rules = Rules() if rules is None else rules
        if not personal:
            return self._popular(rules, at, today)
        return _Personal(self, history, rules, today).listing(at)

    def scores(
        self, history: Sequence[int], rules: Rules | None = None, *, today: date | None = None
    ) -> Floats:
        """Scores [films] under rules; -inf for films that are not offered."""
        found = _Personal(self, history, Rules() if rules is None else rules, today)
        return found.scores(found.rules)

    def _popular(self, rules: Rules, at: int, today: date | None) -> Listing:
        """What most people watched, under the rules on films shown."""
        before = np.log(self.watched + 1.0)
        effect = self.shelf.under(rules, watched=0, today=today)
        told = [*effect.told]
        if any(not effect.films[rule.id] for rule in rules):
            told.append(
                Said(
                    en="without personalization rules on films seen do nothing: no history is read",
                    zh="关闭个性化后，关于看过影片的规则不起作用：不读取任何历史",
                )
            )
        after = before + effect.odds
        without = {
            rule.id: before + self.shelf.under(rules.without(rule.id), watched=0, today=today).odds
            for rule in rules
        }
        return Listing(
            personal=False,
            offers=offers_of(after, before, without, at),
            gone=gone_of(after, before, at),
            seen=(),
            rules=tuple(
                rule_on_feed(
                    rule, (), effect.films[rule.id], after, without[rule.id], self.films, at
                )
                for rule in rules
            ),
            told=tuple(told),
        )


class _Personal:
    """One list in the making.

    Args:
        feed: whose.
        history, rules, today: see `Feed.list`.
    """

    def __init__(
        self, feed: Feed, history: Sequence[int], rules: Rules, today: date | None
    ) -> None:
        self.feed, self.subject = feed, feed.subject
        self.rules, self.today = rules, today
        self.codes = self.subject.codes([history])
        self.watched = sorted({int(one) for one in history})
        self.seen: tuple[int, ...] = tuple(self.codes[0, :-1].tolist())
        self.effect = feed.shelf.under(rules, watched=len(self.seen), today=today)
        layout = self.subject.reader().read((self.codes,), {}).layouts[0]
        day = today or date.today()
        self.meant = {
            rule.id: matched_in(rule, layout).positions if rule.holds_on(day) else frozenset()
            for rule in rules
        }

    def scores(self, rules: Rules) -> Floats:
        """Scores [films] of one run under some rules."""
        one: Floats = self._run(rules, self.codes)[0]
        return one

    def listing(self, at: int) -> Listing:
        """The list, its reasons, and what each rule did."""
        before, looked_before = self._watched(Rules())
        after, looked = (before, looked_before)
        if len(self.rules):
            after, looked = self._watched(self.rules)
        effect = self.effect
        without = {rule.id: self.scores(self.rules.without(rule.id)) for rule in self.rules}
        return Listing(
            personal=True,
            offers=self._reasoned(offers_of(after, before, without, at), after),
            gone=gone_of(after, before, at),
            seen=tuple(
                SeenFilm(
                    film=film,
                    before=float(looked_before[place]),
                    after=float(looked[place]),
                    rules=tuple(name for name, places in self.meant.items() if place in places),
                )
                for place, film in enumerate(self.seen)
            ),
            rules=tuple(
                self._ruled(rule, effect, after, without[rule.id], at) for rule in self.rules
            ),
            told=(*effect.told, *self._nothing_meant(effect)),
        )

    def _ruled(
        self, rule: Rule, effect: OnList, after: Floats, without: Floats, at: int
    ) -> RuleOnFeed:
        seen = [self.seen[place] for place in sorted(self.meant[rule.id])]
        shown = [film for film in effect.films[rule.id] if film not in self.watched]
        return rule_on_feed(rule, seen, shown, after, without, self.feed.films, at)

    def _odds(self, rules: Rules) -> Floats:
        """What some of the rules add to the log odds of every film."""
        known, watched = self.effect.films, len(self.seen)
        return self.feed.shelf.under(rules, watched=watched, today=self.today, known=known).odds

    def _run(self, rules: Rules, codes: torch.Tensor) -> Floats:
        """Scores "B films" of codes under rules; -inf for what is not offered to this person."""
        with steered(self.subject, rules, self.today), torch.no_grad():
            scores = self.subject.model(codes).double().numpy()
        return self._offered(scores, rules)

    def _offered(self, scores: Floats, rules: Rules) -> Floats:
        scores = scores + self._odds(rules)
        scores[:, self.watched] = -np.inf
        return scores

    def _watched(self, rules: Rules) -> tuple[Floats, Floats]:
        """Scores [films], and the attention of the asking position [history]."""
        with steered(self.subject, rules, self.today):
            tape = self.subject.watch(self.codes)
        rows = self.subject.readout(tape)
        looks = [one.matrix.received(row_weights=rows)[0].mean(0) for one in tape if one.matrix]
        assert tape.logits is not None
        scores = self._offered(tape.logits.double().numpy(), rules)[0]
        return scores, torch.stack(looks).mean(0)[:-1].double().numpy()

    def _reasoned(self, offers: tuple[Offer, ...], after: Floats) -> tuple[Offer, ...]:
        """The offers with what each film of the history does for them."""
        count = len(self.seen)
        if not count:
            return offers
        keep = torch.ones(count, count + 1, dtype=torch.bool)
        keep[torch.arange(count), torch.arange(count)] = False
        scores = self._run(self.rules, self.subject.reduced(self.codes.expand(count, -1), keep))
        odds = log_odds(log_shares(np.concatenate([after[None], scores])))
        return tuple(
            replace(offer, reasons=self._reasons(offer.film, odds[:, offer.film], scores))
            for offer in offers
        )

    def _reasons(self, film: int, odds: Floats, scores: Floats) -> tuple[Reason, ...]:
        changes = odds[0] - odds[1:]
        chosen = np.argsort(-np.abs(changes), kind="stable")[:_REASONS]
        return tuple(
            Reason(
                film=self.seen[place],
                log_odds=float(changes[place]),
                place_without=place_of(scores[place], film) or 0,
            )
            for place in chosen.tolist()
        )

    def _nothing_meant(self, effect: OnList) -> Iterator[Said]:
        for rule in self.rules:
            if not self.meant[rule.id] and not effect.films[rule.id]:
                yield Said(
                    en=f"rule {rule.id!r} means no film here: neither seen nor to be shown",
                    zh=f"规则“{rule.id}”在此处不指任何影片：既不在看过的、也不在可推荐的影片中",
                )


@contextmanager
def steered(subject: FeedSubject, rules: Rules, today: date | None = None) -> Iterator[None]:
    """Within the block the recommender obeys the rules on films seen."""
    if not len(rules):
        yield
        return
    with warnings.catch_warnings():
        # What means nothing is told by the listing: a rule may be about the list alone.
        warnings.simplefilter("ignore", UnmatchedRule)
        with steer(subject, rules, today=today):
            yield
