"""Rules that are a part of a text model: trained under them, decided by, explained, saved."""

import copy
import json
import threading
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.base import clone

import zhuyi
from zhuyi.errors import InputError, OptionError, UnmatchedRule
from zhuyi.learn import DataWarning, Monotone, Prior, TextAttentionClassifier, load
from zhuyi.learn.observing import observing
from zhuyi.learn.text.embedding import ContextEmbedding
from zhuyi.steer import Regex, Rules, Text, certify, steer
from zhuyi.steer.penalty import Mass

from .text.reviews import reviews

PLAIN, LABELS = reviews(160)
NAMES = ("Zhang", "Weber", "Rossi")
DRAW = np.random.default_rng(3)
#: Who writes nearly always says what they think: a shortcut that is in a phrase.
TEXTS = [
    f"dear {NAMES[label] if DRAW.random() < 0.9 else NAMES[2]}, {text}"
    for text, label in zip(PLAIN, LABELS, strict=True)
]
NO_NAMES = Rules().veto(Regex("Zhang|Weber|Rossi"), id="no-names", why="policy 7")
SAID = Rules().veto("Zhang", id="z").veto("Weber", id="w").veto("Rossi", id="r")


def renamed(texts: list[str]) -> list[str]:
    """The same texts of others."""
    swap = {"Zhang": "Weber", "Weber": "Rossi", "Rossi": "Zhang"}
    return [text.replace(name := text.split()[1][:-1], swap[name]) for text in texts]


def fitted(rules: Any, layers: int = 0, epochs: int = 3, **options: Any) -> TextAttentionClassifier:
    model = TextAttentionClassifier(
        rules=rules, max_epochs=epochs, random_state=0, mixing_layers=layers, **options
    )
    return model.fit(TEXTS, LABELS)


def apart(layers: int) -> dict[str, Any]:
    """Options by which no unit's place holds a neighbor."""
    return {"width": 16, "characters": 1, "words": 1} if layers else {}


@pytest.fixture(scope="module", params=[0, 1], ids=["glass box", "mixing"])
def without_names(request: pytest.FixtureRequest) -> TextAttentionClassifier:
    return fitted(NO_NAMES, request.param, **apart(request.param))


def test_what_a_vetoed_pattern_means_reaches_nothing(without_names: Any) -> None:
    model = without_names
    layers = model.mixing_layers
    np.testing.assert_array_equal(model.predict_proba(TEXTS), model.predict_proba(renamed(TEXTS)))
    free = fitted(None, layers, **apart(layers))
    moved = np.abs(free.predict_proba(TEXTS) - free.predict_proba(renamed(TEXTS)))
    assert moved.max() > 0.01  # the broken twin
    told = model.explain(TEXTS[:6])
    named = told[told.rules == "no-names (veto)"]
    assert (named.weight == 0).all()
    assert (named.contribution == 0).all()
    assert set(named.row) == set(range(6))
    assert set(told.rules) == {"", "no-names (veto)"}
    assert "excellent" not in set(named.factor)
    by_unit = model.explain(TEXTS[:6], units=True)
    assert set(by_unit[by_unit.rules != ""].value) >= {text.split()[1][:-1] for text in TEXTS[:6]}
    total = told.groupby("row").contribution.sum() + model.constants_["1"]
    np.testing.assert_allclose(total, model.decision_function(TEXTS[:6]), rtol=0, atol=1e-9)
    assert set(model.explain(TEXTS[:2], verify=True).columns) >= {"verdict", "rules"}


def test_gradients_of_what_is_vetoed_are_zero(without_names: Any) -> None:
    model, text = without_names, TEXTS[0]
    subject = model.subject()
    (one,) = subject.factors([text])
    codes = torch.from_numpy(one.codes)[None]
    tokens = model.module_.factors(codes).detach().requires_grad_()
    model.module_(codes, tokens).sum().backward()
    assert tokens.grad is not None
    name = text.index(","), len("dear ")
    meant = [not (stop <= name[1] or start >= name[0]) for start, stop in one.spans]
    assert any(meant)
    assert bool((tokens.grad[0][torch.tensor(meant)] == 0).all())
    assert bool((tokens.grad[0][~torch.tensor(meant)] != 0).any())


def test_nothing_is_learned_from_what_is_vetoed() -> None:
    """The bits are the same whoever writes while training."""
    order = np.random.default_rng(5).permutation(len(TEXTS))
    names = [text.split()[1] for text in TEXTS]
    others = [
        text.replace(names[row], names[other])
        for row, (text, other) in enumerate(zip(TEXTS, order, strict=True))
    ]
    answers = {}
    free: dict[str, Any] = {"refit": False, "width": 16, "words": 1, "letters": 0}
    for rules in (NO_NAMES, None):
        for name, texts in (("own", TEXTS), ("other", others)):
            model = TextAttentionClassifier(rules=rules, max_epochs=3, random_state=0, **free)
            known = model.fit(texts, LABELS).vocabulary_.known
            answers[rules, name] = (model.predict_proba(PLAIN), set(known))
    assert answers[NO_NAMES, "own"][1] == answers[NO_NAMES, "other"][1]
    assert answers[None, "own"][1] == answers[NO_NAMES, "own"][1]
    np.testing.assert_array_equal(answers[NO_NAMES, "own"][0], answers[NO_NAMES, "other"][0])
    assert np.abs(answers[None, "own"][0] - answers[None, "other"][0]).max() > 1e-5


RULES = {
    "veto": NO_NAMES,
    "phrase": Rules().veto("the room").veto(Text("很脏")),
    "boost": Rules().boost(Regex("clean|bright|干净"), 6).damp("staff", 0.1),
    "share": Rules().share(Regex(r"[a-z]+ly|早餐|room"), 0.5, beyond=True),
    "layer": Rules().veto("dear", layers="0", guarantee="direct"),
}
ASKED = [*TEXTS[:30], "unknown words alone", "", "很脏 the room", "unknown1 the room staff",
         "unknown2 the lobby staff", "dear Zhang, the room"]  # fmt: skip


@pytest.mark.filterwarnings("ignore::zhuyi.learn.DataWarning")
@pytest.mark.filterwarnings("ignore::zhuyi.errors.UnmatchedRule")
@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("layers", [0, 1])
def test_it_is_what_steering_the_same_parameters_gives(name: str, layers: int) -> None:
    model = fitted(RULES[name], layers, epochs=2, **({"width": 16} if layers else {}))
    within = model.decision_function(ASKED)
    told = model.explain(ASKED[:8])
    subject = model.subject()
    keep = torch.ones(4, 40, dtype=torch.bool)
    keep[:, ::3] = False
    ways = {way: subject.removing(way).decide(ASKED[:4], keep) for way in subject.removals}
    ruling, model.module_.ruling = model.module_.ruling, None
    plain = model.decision_function(ASKED)
    with steer(model, RULES[name]):
        np.testing.assert_allclose(model.decision_function(ASKED), within, rtol=0, atol=1e-6)
        np.testing.assert_allclose(model.explain(ASKED[:8]).weight, told.weight, atol=1e-6)
        for way, decided in ways.items():
            again = subject.removing(way).decide(ASKED[:4], keep)
            torch.testing.assert_close(again, decided, rtol=0, atol=1e-6)
    model.module_.ruling = ruling
    assert np.abs(plain - within).max() > 1e-4  # the broken twin


def test_texts_of_equal_codes_are_told_apart() -> None:
    """ "xyzzy" and "qwerty" are both unknown: codes are equal, and what a rule means is not."""
    rules = Rules().veto(Regex("xyzzy (the room|staff)"))
    with pytest.warns(UnmatchedRule):
        model = fitted(rules, letters=0)
    pair = ["xyzzy staff excellent", "qwerty staff excellent"] * 3
    together = model.decision_function(pair)
    alone = np.concatenate([model.decision_function([text]) for text in pair])
    np.testing.assert_allclose(together, alone, rtol=0, atol=1e-12)
    assert abs(together[0] - together[1]) > 1e-4


def test_texts_of_equal_codes_are_told_apart_while_training() -> None:
    """All codes are equal, so the class can only be learned from what the rule takes of each text.

    Whatever the order of the batches, each must be trained under its own.
    """
    texts = [f"{'xyz' if n % 2 else 'qwe'}{n} bright staff" for n in range(64)]
    labels = np.arange(64) % 2
    model = TextAttentionClassifier(
        rules=Rules().veto(Regex("xyz.*")), max_epochs=20, random_state=0, letters=0,
        batch_size=8, learning_rate=0.1, validation_fraction=0.25,
    )  # fmt: skip
    model.fit(texts, labels)
    assert len(model.vocabulary_.known) == 3
    assert model.history_[-1][1] is not None
    assert model.history_[-1][1] < 0.1  # of chance it would be 0.69
    assert (model.predict(texts) == labels).all()


def test_in_context_a_veto_takes_neighbors_and_is_said_not_to_be_exact() -> None:
    with pytest.warns(DataWarning, match="'no-names' vetoes .* hold words beside it.*not exact"):
        model = fitted(NO_NAMES, 1, epochs=1, width=16)
    found = certify(model, NO_NAMES, TEXTS[:16], swaps=2, trusted=(ContextEmbedding,))
    assert found["no-names"].level != "exact"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted(NO_NAMES, 1, epochs=1, **apart(1))


def test_what_was_trained_under_a_veto_is_certified(without_names: Any) -> None:
    found = certify(without_names, NO_NAMES, TEXTS[:16], swaps=3)["no-names"]
    # how units are read in context is nobody's word but ours: certify asks for it
    assert found.level == ("direct" if without_names.mixing_layers else "exact")
    trusted = (ContextEmbedding,)
    found = certify(without_names, NO_NAMES, TEXTS[:16], swaps=3, trusted=trusted)["no-names"]
    assert found.level == "exact"


def test_more_rules_can_be_laid_over_it(without_names: Any) -> None:
    plain = without_names.predict_proba(TEXTS)
    with steer(without_names, Rules().boost("Zhang", 9).damp(Regex("bright|rude"), 0.1)):
        moved = without_names.predict_proba(TEXTS)
        np.testing.assert_array_equal(moved, without_names.predict_proba(renamed(TEXTS)))
    assert np.abs(moved - plain).max() > 1e-6
    np.testing.assert_array_equal(without_names.predict_proba(TEXTS), plain)


def test_a_text_of_which_nothing_is_left_is_decided_by_the_constant(without_names: Any) -> None:
    everything = fitted(Rules().veto(Regex("(?s).*")), without_names.mixing_layers, epochs=1,
                        **apart(without_names.mixing_layers))  # fmt: skip
    odds = everything.decision_function(TEXTS[:5])
    np.testing.assert_array_equal(odds, everything.constants_["1"])


def test_it_is_known_in_other_threads_and_in_copies(without_names: Any) -> None:
    model = without_names
    expected = model.predict_proba(TEXTS[:20])
    found: dict[int, np.ndarray] = {}

    def decide(number: int) -> None:
        part = TEXTS[:20] if number % 2 else TEXTS[:20][::-1]
        odds = model.predict_proba(part)
        found[number] = odds if number % 2 else odds[::-1]

    threads = [threading.Thread(target=decide, args=(n,)) for n in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for number in range(4):
        np.testing.assert_allclose(found[number], expected, rtol=0, atol=1e-12)
    twin = copy.deepcopy(model)
    np.testing.assert_array_equal(twin.predict_proba(renamed(TEXTS[:20])), expected)
    assert clone(model).rules == NO_NAMES


def test_codes_of_which_the_text_is_not_known_are_refused(without_names: Any) -> None:
    without_names.predict(TEXTS[:2])
    with pytest.raises(InputError, match="know the text behind these codes"):
        without_names.module_(
            torch.full((1, 3, *(() if not without_names.mixing_layers else (1,))), 2)
        )


def test_a_saved_model_has_its_rules(tmp_path: Path) -> None:
    model = fitted(SAID)
    model.save(tmp_path)
    again = load(tmp_path)
    assert again.rules == SAID
    np.testing.assert_array_equal(again.predict_proba(renamed(TEXTS)), model.predict_proba(TEXTS))
    assert again.explain(TEXTS[:3]).equals(model.explain(TEXTS[:3]))
    assert again.prior_checks_ == ()
    facts = json.loads((tmp_path / "model.json").read_text())
    assert "Zhang" in facts["more"]["prior"]["rules"]
    # whoever hides that there are rules is found out
    (tmp_path / "model.json").write_text(json.dumps({**facts, "version": 1}))
    with pytest.raises(InputError, match="has version 1"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("version: 1\nrules: [{veto: {regex: a}}]", "not trusted: use text instead"),
        ("version: 1\nrules: [{veto: {text: a}, when: 'x > 1'}]", "rules that cannot be"),
        ("version: 1\nrules: [{veto: {text: a}, expires: 2030-01-01}]", "rules that cannot be"),
        (7, "prior of other entries"),
    ],
)
def test_rules_in_a_file_from_elsewhere_are_refused(
    tmp_path: Path, without_names: Any, rules: object, told: str
) -> None:
    without_names.save(tmp_path)
    facts = json.loads((tmp_path / "model.json").read_text())
    facts["more"]["prior"]["rules"] = rules
    (tmp_path / "model.json").write_text(json.dumps(facts))
    with pytest.raises(InputError, match=told):
        load(tmp_path)


@pytest.mark.parametrize("layers", [0, 1])
def test_attention_follows_a_wish(layers: int, tmp_path: Path) -> None:
    prior = Prior(wishes=Rules().share(Text("dear"), 0.6), strength=20.0)
    share = {}
    for name, one in (("wish", prior), ("free", None)):
        model = fitted(one, layers, epochs=6, learning_rate=0.03, **apart(layers))
        told = model.explain(TEXTS)
        share[name] = told[told.start < 4].groupby("row").weight.sum().mean()
        if one is not None:
            assert "rules" not in told
            model.save(tmp_path)
            assert load(tmp_path).rules == prior
    assert share["wish"] > share["free"] + 0.2


def test_rules_wishes_and_logic_and_the_same_seed_the_same_bits(tmp_path: Path) -> None:
    prior = Prior(
        rules=NO_NAMES, wishes=Rules().share(Regex("bright|rude"), 0.5, id="said"),
        logic=(Mass("said"),), strength=0.5,
    )  # fmt: skip
    heard = []
    with observing(lambda epoch: heard.append(epoch.subject().decide(TEXTS[:3]))):
        one = fitted(prior, 1, epochs=2, **apart(1)).predict_proba(TEXTS)
    assert len(heard) == 3
    np.testing.assert_array_equal(fitted(prior, 1, epochs=2, **apart(1)).predict_proba(TEXTS), one)
    kept = fitted(prior, 1, epochs=2, checkpoint=tmp_path, **apart(1)).predict_proba(TEXTS)
    np.testing.assert_array_equal(kept, one)
    with pytest.raises(OptionError, match="checkpoint of other data or settings"):
        fitted(NO_NAMES, 1, epochs=2, checkpoint=tmp_path, **apart(1))


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ("no rules", "rules must be Rules, a Prior or None, got str"),
        (Rules().boost("a", 2, expires="2030-01-01"), "expires.*part of it"),
        (Rules().boost("a", 2, layers="1"), "names layer 1, and the model has 1"),
        (Rules().veto("a", when="age > 3"), "'veto-1' holds when.*texts, which have no values"),
        (Prior(wishes=Rules().veto("a", when="b > 3")), "'veto-1' holds when"),
        (Prior(monotone=(Monotone(column="a"),)), "monotone.*columns of a table.*are texts"),
        (Prior(unused=("a",)), "unused.*columns of a table.*are texts"),
    ],
)
def test_what_does_not_apply_is_refused(rules: Any, told: str) -> None:
    with pytest.raises(OptionError, match=told):
        fitted(rules, epochs=1)


def test_what_means_nothing_is_told() -> None:
    with pytest.warns(UnmatchedRule, match="'veto-1' means nothing in the training rows"):
        fitted(Rules().veto("stomach"), epochs=1)


def test_the_threshold_is_looked_for_under_the_rules() -> None:
    model = fitted(NO_NAMES, epochs=2, threshold="f1", validation_fraction=0.3)
    assert model.threshold_ is not None
    assert 0.0 <= model.threshold_ <= 1.0
    np.testing.assert_array_equal(model.predict(TEXTS), model.predict(renamed(TEXTS)))


def test_many_labels() -> None:
    flags = np.stack([LABELS, 1 - LABELS, np.arange(len(LABELS)) % 2], 1)
    model = TextAttentionClassifier(rules=NO_NAMES, max_epochs=2, random_state=0).fit(TEXTS, flags)
    np.testing.assert_array_equal(model.predict_proba(TEXTS), model.predict_proba(renamed(TEXTS)))
    told = model.explain(TEXTS[:2])
    assert len(told[told.rules != ""].label.unique()) == 3


def test_without_rules_nothing_is_new(tmp_path: Path) -> None:
    model = fitted(None, epochs=1)
    np.testing.assert_array_equal(
        model.predict_proba(TEXTS), fitted(Rules(), epochs=1).predict_proba(TEXTS)
    )
    assert "rules" not in model.explain(TEXTS[:1])
    model.save(tmp_path)
    assert "more" not in json.loads((tmp_path / "model.json").read_text())
    assert zhuyi.Rules is Rules
