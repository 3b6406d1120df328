"""What the feed's page is told, against the feed itself."""

import json
from typing import Any

import pytest

from tests.recipes.feed.made_up import FILMS, saved
from zhuyi.errors import InputError
from zhuyi.recipes.feed.naming import of_genre
from zhuyi.steer.rules import Rules
from zhuyi.ui.feed.asking import Asked, reading
from zhuyi.ui.feed.desk import FeedDesk
from zhuyi.ui.server.turns import Superseded, Turn

HISTORY = [0, 4, 9, 13, 20, 2]
MORE = {"id": "more", "boost": {"column": "*/Horror/*"}, "weight": 4.0}
NEVER = {"id": "never", "veto": {"column": "*/Comedy/*"}}
LESS = {"id": "less", "damp": {"column": "seen/Film 13 (1983)/*"}, "weight": 0.1}


@pytest.fixture(scope="module")
def desk() -> FeedDesk:
    return FeedDesk(saved())


def asked(*rules: dict[str, Any], **others: Any) -> Asked:
    body = {"turn": 3, "history": HISTORY, "rules": list(rules), "language": "en", **others}
    return reading(FILMS)(body)


def turn() -> Turn:
    return Turn("try", 60.0)


def test_the_desk_tells_the_catalog(desk: FeedDesk) -> None:
    told = desk.told()
    assert told["schema"] == "zhuyi.feed-desk/1"
    assert told["films"][6] == ["Film 6 (1976)", "Comedy", "War"]
    assert told["genres"] == ["Comedy", "Drama", "Horror", "War"]
    assert told["popular"] == list(range(FILMS))
    assert told["people"][2] == {"name": "person 2", "history": [6, 7, 8, 9, 10, 11, 12, 13]}
    json.dumps(told, allow_nan=False)


def test_a_list_is_that_of_the_feed(desk: FeedDesk) -> None:
    rules = Rules().boost(of_genre("Horror"), 4, id="more").veto(of_genre("Comedy"), id="never")
    expected = desk.feed.list(HISTORY, rules)
    answer = desk.tried(asked(MORE, NEVER), turn())
    assert [one["film"] for one in answer["offers"]] == [one.film for one in expected.offers]
    assert all(film % 3 for film in (one["film"] for one in answer["offers"]))
    assert answer["turn"] == 3
    assert Rules.from_yaml(answer["yaml"]) == rules
    names: dict[str, Any] = {}
    exec(compile(answer["python"], "copied", "exec"), names)
    assert names["rules"] == rules
    json.dumps(answer, allow_nan=False)


def test_nothing_left_is_told_as_json_too(desk: FeedDesk) -> None:
    every = {"id": "all", "veto": {"column": "*"}}
    answer = desk.tried(asked(every), turn())
    assert answer["offers"] == ()
    json.dumps(answer, allow_nan=False)
    json.dumps(desk.judged(asked(every), turn()), allow_nan=False)


def test_without_personalization_the_history_is_nothing(desk: FeedDesk) -> None:
    one = desk.tried(asked(MORE, personal=False), turn())
    other = desk.tried(asked(MORE, personal=False, history=[1]), turn())
    assert one["offers"] == other["offers"]
    assert desk.judged(asked(personal=False), turn())["untested"]["en"].startswith("Without")


def test_chance_is_the_same_rule_on_other_films(desk: FeedDesk) -> None:
    """A boost of horror beside horror's own share; films seen alone beside those brought in."""
    more, less = desk.controlled(asked(MORE, LESS, draws=6), turn())["rules"]
    listing = desk.feed.list(
        HISTORY,
        Rules()
        .boost(of_genre("Horror"), 4, id="more")
        .damp(of_genre("Film 13 (1983)", "seen"), 0.1),
    )
    assert more["measure"] == "among"
    assert more["own"] == sum(one.film % 3 == 1 for one in listing.offers)
    assert more["mean"] < more["own"]
    assert more["without"] <= more["own"]
    assert (less["measure"], less["draws"]) == ("moved", 6)
    assert desk.controlled(asked(), turn())["rules"] == []


def test_too_few_other_films_are_no_control(desk: FeedDesk) -> None:
    every = {"id": "all", "boost": {"column": "*"}, "weight": 2.0}
    (found,) = desk.controlled(asked(every, draws=3), turn())["rules"]
    assert (found["mean"], found["draws"]) == (None, 0)


def test_a_verdict_and_a_certificate(desk: FeedDesk) -> None:
    answer = desk.judged(asked(MORE, NEVER), turn())
    first = desk.feed.list(
        HISTORY,
        Rules().boost(of_genre("Horror"), 4, id="a").veto(of_genre("Comedy"), id="b"),
    ).offers[0]
    assert answer["film"] == first.film
    assert answer["verdict"]["level"] in ("trusted", "doubtful", "refuted")
    assert set(answer["verdict"]["reasons"][0]) == {"en", "zh"}
    (certificate,) = answer["certificate"]
    assert (certificate["id"], certificate["level"], certificate["kept"]) == (
        "never",
        "exact",
        True,
    )
    json.dumps(answer, allow_nan=False)
    # a veto that means no film of the history claims nothing of it
    shown = {"id": "shown", "veto": {"column": "shown/*/Comedy/*"}}
    assert desk.judged(asked(shown), turn())["certificate"] == []


def test_a_newer_request_ends_the_verdict(desk: FeedDesk) -> None:
    """Between two runs of the model, wherever they are."""
    mine = turn()
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1
        if calls == 20:
            mine.end()

    hook = desk.feed.subject.model.register_forward_pre_hook(count)
    try:
        with pytest.raises(Superseded):
            desk.judged(asked(MORE), mine)
    finally:
        hook.remove()
    assert calls <= 22
    assert desk.tried(asked(MORE), turn())["offers"]  # and the next one runs


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"history": [99]}, "'history' is not"),
        ({"history": [1, 1]}, "'history' is not"),
        ({"history": [True]}, "'history' is not"),
        ({"history": [1.0]}, "'history' is not"),
        ({"history": "1"}, "'history' is not"),
        ({"history": list(range(2000))}, "'history' is not"),
        ({"turn": -1}, "'turn' is not"),
        ({"turn": 1.5}, "'turn' is not"),
        ({"language": "fr"}, "'language' is not"),
        ({"personal": 1}, "'personal' is not"),
        ({"draws": 21}, "'draws' is not"),
        ({"film": FILMS}, "'film' is not"),
        ({"rules": [3]}, "'rules' is not"),
        ({"rules": [MORE] * 21}, "'rules' is not"),
        ({"path": "/etc/passwd"}, "a field that is not known"),
    ],
)
def test_other_requests_are_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        asked(**change)


@pytest.mark.parametrize(
    "rule",
    [
        {"id": "a", "boost": {"regex": "(a+)+$"}, "weight": 2.0},
        {"id": "a", "boost": {"ontology": "/etc/passwd", "under": "a"}, "weight": 2.0},
        {"id": "a", "boost": {"column": "*"}, "weight": 2.0, "when": "().__class__"},
        {"id": "a", "boost": {"column": "*"}, "weight": -1.0},
        {"id": "a"},
    ],
)
def test_hostile_rules_are_refused(desk: FeedDesk, rule: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        desk.tried(asked(rule), turn())


def test_a_pattern_with_many_stars_takes_no_time(desk: FeedDesk) -> None:
    """Patterns of names cannot be made to look back and forth without end."""
    rule = {"id": "a", "boost": {"column": "*i" * 30 + "!"}, "weight": 2.0}
    assert desk.tried(asked(rule), turn())["rules"][0]["shown"] == 0
