"""Any rules, for hypothesis: every action, every selector, every option."""

from datetime import date

from hypothesis import strategies as st

from zhuyi.steer.concepts import Concept
from zhuyi.steer.expect import Expect
from zhuyi.steer.layers import LayerRange
from zhuyi.steer.ontology import KINDS
from zhuyi.steer.relations import Relation
from zhuyi.steer.rule import GUARANTEES, Rule
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Channel, Column, Regex, Role, Selector, Text, Tokens
from zhuyi.steer.spacy_patterns import SpacyPattern
from zhuyi.steer.spans import Span
from zhuyi.steer.windows import Time

TEXTS = st.text(min_size=1, max_size=12)
SOLID = TEXTS.filter(lambda text: bool(text.strip()))
STEPS = st.integers(-50, 50)
NAMES = st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True).map(tuple)
FILES = st.sampled_from(["icd.obo", "/onto/icd.owl", "子/词.ttl"])

SELECTORS: st.SearchStrategy[Selector] = st.one_of(
    st.builds(Text, SOLID, ignore_case=st.booleans(), whole_words=st.booleans()),
    st.builds(Regex, st.sampled_from([r"\b(he|she)\b", "a: #b", "'\"\\\\"]), flags=st.just("im")),
    st.builds(Column, TEXTS),
    st.builds(Channel, TEXTS, start=st.none() | STEPS, stop=st.none() | STEPS),
    st.builds(Time, st.sampled_from(["-24h:", "0:30min", ":-1d"]), step=st.just("1h")),
    st.builds(Time, st.sampled_from(["-24:", "1:5"]), channel=TEXTS),
    st.builds(Tokens, STEPS, st.none() | STEPS, special=st.booleans()),
    st.builds(Role, TEXTS),
    st.builds(SpacyPattern, st.just([{"LOWER": "a"}, {"IS_ALPHA": True, "OP": "+"}])),
    st.builds(Concept, FILES, under=TEXTS, via=TEXTS, names=NAMES),
    st.builds(Span, st.integers(0, 2), st.integers(3, 5), of=st.just("") | st.text(min_size=5)),
)
RELATIONS = st.one_of(
    st.builds(Relation, TEXTS, ontology=FILES, max_hops=st.integers(1, 4), names=NAMES),
    st.builds(
        Relation, graph=st.dictionaries(TEXTS, st.lists(TEXTS, max_size=3), min_size=1, max_size=3)
    ),
)
SEVERAL = st.lists(SELECTORS, min_size=1, max_size=3).map(tuple)
WEIGHTS = {
    "boost": st.floats(1, 1e6),
    "damp": st.floats(1e-6, 1),
    "link": st.floats(1e-3, 1e3),
}


@st.composite
def one_rule(draw: st.DrawFn, id: str) -> Rule:
    action = draw(st.sampled_from(["boost", "damp", "veto", "share", "link"]))
    partial = action != "veto" or draw(st.booleans())
    hard = action == "veto" and not partial
    return Rule(
        id=id,
        action=action,
        select=(draw(RELATIONS),) if action == "link" else draw(SEVERAL),
        weight=draw(WEIGHTS[action]) if action in WEIGHTS else None,
        at_least=draw(st.floats(0.01, 0.99)) if action == "share" else None,
        sender=draw(st.just(()) | SEVERAL) if partial else (),
        layers=draw(st.none() | st.just(LayerRange("0,3-5"))) if partial else None,
        heads=draw(st.just(()) | st.just((0, 2))) if partial else (),
        when=draw(st.sampled_from(["", "age >= 65 and sex == 'F'"])),
        expires=draw(st.none() | st.dates(date(2000, 1, 1), date(2100, 1, 1))),
        guarantee=draw(st.sampled_from(GUARANTEES if hard else ("steer", "direct"))),
        beyond=draw(st.booleans()),
        why=draw(st.text(max_size=20)),
    )


@st.composite
def any_rules(draw: st.DrawFn) -> Rules:
    ids = draw(st.lists(TEXTS, unique=True, max_size=4))
    rules = tuple(draw(one_rule(name)) for name in ids)
    expect = [
        Expect(rule=name, invariant_to=draw(st.sampled_from(["", "swap"])), effect=">=0.05")
        for name in ids[:1]
    ]
    return Rules(rules, tuple(expect))
