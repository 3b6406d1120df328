"""Lists under rules, against the model biased by hand and against lists made anew."""

from datetime import date

import numpy as np
import pytest
import torch

from tests.recipes.feed.made_up import FILMS, catalog, feed, recommender
from zhuyi.core import Bias
from zhuyi.errors import InputError, RuleConflict
from zhuyi.recipes.feed.feed import Feed, steered
from zhuyi.recipes.feed.naming import of_film, of_genre, piece_name
from zhuyi.recipes.feed.places import place_of
from zhuyi.steer.rules import Rules
from zhuyi.trace import biased

HISTORY = [0, 4, 9, 13, 20, 2]  # comedies (every third): 0, 9
COMEDIES = [n for n in range(FILMS) if n % 3 == 0]


def by_hand(bias: list[float], history: list[int] = HISTORY) -> np.ndarray:
    """Scores of the model with these biases of its keys, the last of them that of `ask`."""
    model = recommender()
    rule = Bias.per_key(torch.tensor(bias))
    with torch.no_grad(), biased(model, lambda site, shape: rule):
        scores = model(torch.tensor([[*history, FILMS]]))[0].double().numpy()
    scores[history] = -np.inf
    return scores


def test_a_rule_on_films_seen_is_ln_w_in_every_layer() -> None:
    rules = Rules().boost(of_genre("Comedy", "seen"), 4)
    ln = float(np.log(4))
    expected = by_hand([ln, 0, ln, 0, 0, 0, 0])
    np.testing.assert_allclose(feed().scores(HISTORY, rules), expected, atol=1e-4)
    assert np.abs(feed().scores(HISTORY)[:9][1] - expected[1]) > 1e-3  # without it, another list


def test_a_rule_on_films_shown_multiplies_their_odds() -> None:
    before, after = (
        feed().scores(HISTORY, rules)
        for rules in (Rules(), Rules().boost(of_genre("Comedy", "shown"), 4))
    )
    left = [n for n in COMEDIES if n not in HISTORY]
    np.testing.assert_allclose(after[left] - before[left], np.log(4), atol=1e-6)
    others = [n for n in range(FILMS) if n % 3 and n not in HISTORY]
    assert (after[others] == before[others]).all()


def test_a_rule_on_both_is_both() -> None:
    both = feed().scores(HISTORY, Rules().damp(of_genre("Comedy"), 0.5))
    ln = float(np.log(0.5))
    expected = by_hand([ln, 0, ln, 0, 0, 0, 0])
    expected[[n for n in COMEDIES if n not in HISTORY]] += ln
    np.testing.assert_allclose(both, expected, atol=1e-4)


def test_never_is_never() -> None:
    rules = Rules().veto(of_genre("Comedy"), id="never")
    found = feed().list(HISTORY, rules, at=FILMS)
    shown = {offer.film for offer in found.offers}
    assert shown == {n for n in range(FILMS) if n % 3} - set(HISTORY)
    gone = {one.film: one.place for one in feed().list(HISTORY, rules, at=5).gone}
    assert all(gone[film] is None for film in gone if film % 3 == 0)
    (rule,) = found.rules
    assert (rule.seen, rule.shown, rule.among, rule.share) == (2, 6, 0, 0.0)


def test_what_was_vetoed_cannot_change_one_bit() -> None:
    """Other comedies at the same places: equal bit for bit; without the rule another list."""
    rules = Rules().veto(of_genre("Comedy", "seen"))
    other = [3, 4, 15, 13, 20, 2]
    one, two = feed(), feed()
    model = one.subject.model
    for applied, equal in ((rules, True), (Rules(), False)):
        with steered(one.subject, applied), torch.no_grad():
            a = model(one.subject.codes([HISTORY]))
            b = model(one.subject.codes([other]))
        assert torch.equal(a, b) is equal
    kept = {name: tensor.clone() for name, tensor in two.subject.model.state_dict().items()}
    two.list(HISTORY, rules)
    assert all(torch.equal(kept[n], t) for n, t in two.subject.model.state_dict().items())
    assert (two.scores(HISTORY) == one.scores(HISTORY)).all()  # nothing is left of the rule


def test_reasons_are_the_list_without_the_film() -> None:
    """The largest change of odds, and where the film would stand, against lists made anew."""
    found = feed().list(HISTORY, at=4)
    plain = feed().scores(HISTORY)
    for offer in found.offers:
        changes = []
        for film in HISTORY:
            left = [one for one in HISTORY if one != film]
            scores = feed().scores(left)
            scores[film] = -np.inf  # watched all the same
            odds = [_odds(one, offer.film) for one in (plain, scores)]
            changes.append((film, odds[0] - odds[1], place_of(scores, offer.film)))
        changes.sort(key=lambda one: -abs(one[1]))
        for reason, (film, change, place) in zip(offer.reasons, changes[:4], strict=True):
            assert (reason.film, reason.place_without) == (film, place)
            assert reason.log_odds == pytest.approx(change, abs=1e-3)


def _odds(scores: np.ndarray, film: int) -> float:
    shares = np.exp(scores - scores.max())
    share = shares[film] / shares.sum()
    return float(np.log(share / (1 - share)))


def test_places_before_and_without_each_rule_are_those_of_such_lists() -> None:
    rules = (
        Rules()
        .boost(of_genre("Horror"), 5, id="more")
        .veto(of_film(catalog()[5]), id="never")
        .damp(of_film(catalog()[13], "seen"), 0.1, id="less")
    )
    found = feed().list(HISTORY, rules)
    for offer in found.offers:
        assert offer.place_before == place_of(feed().scores(HISTORY), offer.film)
        for name, place in offer.place_without.items():
            assert place == place_of(feed().scores(HISTORY, rules.without(name)), offer.film)
    assert sum(offer.share for offer in found.offers) <= 1.0
    more, never, less = found.rules
    assert (more.seen, more.shown, never.seen, never.shown, less.seen, less.shown) == (
        2, 6, 0, 1, 1, 0)  # fmt: skip
    assert more.dose == pytest.approx(np.log(5))
    assert [one.rules for one in found.seen] == [(), ("more",), (), ("more", "less"), (), ()]
    # beside each other films gain or lose attention, and all of it is at most one
    assert sum(one.after for one in found.seen) <= 1.0 + 1e-6
    assert found.seen[3].after < found.seen[3].before


def test_a_weight_beyond_the_clamp_is_told() -> None:
    found = feed().list(HISTORY, Rules().boost(of_genre("Drama"), 1000))
    assert (found.rules[0].clamped, found.rules[0].dose) == (True, 3.0)


def test_without_personalization_no_history_is_read() -> None:
    one = feed().list(HISTORY, personal=False)
    other = feed().list([], personal=False)
    assert one == other
    assert [offer.film for offer in one.offers] == list(range(10))  # by how many watched them
    assert not one.seen
    rules = (
        Rules().veto(of_genre("Comedy"), id="never").boost(of_genre("War", "seen"), 3, id="seen")
    )
    found = feed().list(HISTORY, rules, personal=False)
    assert [offer.film for offer in found.offers] == [n for n in range(15) if n % 3]
    assert "rules on films seen do nothing" in found.told[0].en


def test_what_means_nothing_is_told_and_what_cannot_be_done() -> None:
    rules = Rules().boost(of_genre("Opera"), 2, id="opera").share(of_genre("Drama"), 0.2, id="s")
    told = [one.en for one in feed().list(HISTORY, rules).told]
    assert "rule 's' is about films that may be shown; a share works on films seen only" in told
    assert "rule 'opera' means no film here: neither seen nor to be shown" in told


def test_a_share_of_films_seen_is_had() -> None:
    found = feed().list(HISTORY, Rules().share(of_film(catalog()[13], "seen"), 0.6, id="s"))
    assert found.seen[3].after >= 0.6 - 1e-3 > found.seen[3].before


def test_expired_rules_do_nothing() -> None:
    rules = Rules().veto(of_genre("Comedy"), expires="2026-01-01")
    found = feed().list(HISTORY, rules, today=date(2026, 1, 2))
    assert found.offers[0].film == feed().list(HISTORY).offers[0].film
    assert found.rules[0].shown == 0
    assert feed().list(HISTORY, rules, today=date(2026, 1, 1)).rules[0].shown == 6


def test_a_rule_may_ask_how_much_was_watched() -> None:
    rules = Rules().veto(of_genre("Comedy"), when="watched < 3", id="few")
    assert feed().list([1, 2], rules).rules[0].shown == 8
    assert feed().list(HISTORY, rules).rules[0].shown == 0


def test_rules_that_contradict_each_other_are_an_error() -> None:
    rules = (
        Rules()
        .veto(of_genre("Comedy", "seen"), id="a")
        .share(of_genre("Comedy", "seen"), 0.2, id="b")
    )
    with pytest.raises(RuleConflict, match="'a'.*'b'|'b'.*'a'"):
        feed().list(HISTORY, rules)


def test_nobody_has_a_list_too() -> None:
    found = feed().list([])
    assert len(found.offers) == 10
    assert all(offer.reasons == () for offer in found.offers)
    everything = feed().list(HISTORY, Rules().veto(of_genre("*")))
    assert everything.offers == ()


def test_names_are_as_rules_write_them() -> None:
    film = catalog()[6]
    assert piece_name(film, "seen") == "seen/Film 6 (1976)/Comedy/War/"
    rules = Rules().boost(of_film(film), 2).damp(of_genre("War", "shown"), 0.5)
    assert Rules.from_yaml(rules.to_yaml()) == rules


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="must be of 24 films, got 3"):
        Feed(recommender(), catalog(), [1, 2, 3])
    with pytest.raises(InputError, match="numbered from 0 to 23"):
        feed().list([99])
