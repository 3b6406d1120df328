"""What may be claimed of a veto of films seen, and whether the reasons of a list are true."""

import warnings
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from zhuyi.core.record import Verdict
from zhuyi.errors import OptionError, UnmatchedRule
from zhuyi.explain import Occlusion
from zhuyi.recipes.feed.feed import Feed, steered
from zhuyi.recipes.feed.recommender import FilmEmbedding, Recommender
from zhuyi.steer.certify import Certificate, certify
from zhuyi.steer.rules import Rules
from zhuyi.verify import Deletion, OtherRemoval, Test, verify

_BESIDE: Final = 7  # made-up histories, whose films stand in for vetoed ones
METHOD: Final = Occlusion(batch_size=256)
"""What the reasons of a list are: what a film of the history changes by never being watched."""


def certified(feed: Feed, rules: Rules, history: Sequence[int], *, swaps: int = 5) -> Certificate:
    """Which guarantee each veto may claim for the films of a history.

    The recommender's own code mixes films by attention alone and reads at a position that holds
    none, so its modules are vouched for here. Films that stand in for the vetoed ones come from
    made-up histories of the same length.

    Args:
        feed: the feed.
        rules: all that hold; vetoes are certified.
        history: numbers of films, in the order of time.
        swaps: other films tried at the vetoed places.

    Not: of films that may be shown: those a veto takes out of the list afterwards.
    """
    subject = feed.subject
    row = subject.codes([history])[0, :-1].tolist()
    generator = np.random.default_rng(len(row))
    others = [generator.permutation(len(feed.films))[: len(row)].tolist() for _ in range(_BESIDE)]
    trusted = (Recommender, FilmEmbedding)
    with warnings.catch_warnings():
        # What means nothing in this history is an item of the certificate.
        warnings.simplefilter("ignore", UnmatchedRule)
        return certify(subject, rules, [row, *others], swaps=swaps, trusted=trusted)


def judged(
    feed: Feed,
    rules: Rules,
    history: Sequence[int],
    film: int,
    beside: Sequence[Sequence[int]],
    *,
    quick: bool = False,
    check: Callable[[], None] = lambda: None,
) -> Verdict:
    """Whether the reasons for one film may be believed; the first input of the verdict is it.

    One list alone proves little, so the same method is tested on the first films of other people's
    lists beside it, under the same rules.

    Args:
        feed: the feed.
        rules: what holds.
        history: whose list.
        film: of the list.
        beside: other histories, four or more for a verdict that can be sure.
        quick: whether fewer random orders are drawn, and best and worst are looked for less widely.
        check: called before every run of the model; what it raises ends the test.

    Raises: OptionError: if the film was seen, and so is in no list.
    Cost: some 1,000 runs a history; 600 if quick.
    """
    if film in history:
        raise OptionError(f"film {film} is in the history, so there is no reason to show it")
    batch = [list(history), *map(list, beside)]
    deletion = Deletion(orders=4, width=1) if quick else Deletion()
    hook = feed.subject.model.register_forward_pre_hook(lambda *_: check())
    try:
        return _verified(feed, rules, batch, film, deletion)
    finally:
        hook.remove()


def _verified(
    feed: Feed, rules: Rules, batch: list[list[int]], film: int, deletion: Deletion
) -> Verdict:
    with steered(feed.subject, rules):
        first = feed.subject.decide(batch).argmax(1).tolist()
        tests: list[Test] = [deletion, OtherRemoval()]
        return verify(feed.subject, batch, METHOD, target=[film, *first[1:]], tests=tests)
