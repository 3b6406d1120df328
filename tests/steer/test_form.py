"""Rules as YAML: what is read, what is refused, and that nothing is lost on the way."""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings

from tests.steer.rules_strategies import any_rules
from zhuyi.errors import InputError, OptionError
from zhuyi.steer.concepts import Concept
from zhuyi.steer.expect import Expect
from zhuyi.steer.layout import Layout
from zhuyi.steer.publish_schema import PUBLISHED, rules_schema
from zhuyi.steer.relations import Relation
from zhuyi.steer.rules import Rules
from zhuyi.steer.schema import FORMS
from zhuyi.steer.selectors import Channel, Column, Matched, Regex, Role, Text, Tokens
from zhuyi.steer.spacy_patterns import SpacyPattern
from zhuyi.steer.windows import Time

read_yaml, write_yaml = Rules.from_yaml, Rules.to_yaml

VALIDATOR = jsonschema.Draft202012Validator(rules_schema())

WHOLE = r"""
version: 1
select:
  dx:   {ontology: icd10.obo, under: "E10"}
  warn: {spacy: [{LOWER: allergic}, {LOWER: to}]}
  pron: {regex: '\b(he|she|his|her)\b', flags: i}
  who:  [pron, {column: sex}]
  late: {time: "-24h:", step: 1h, channel: vib3}
rules:
  - {id: look-dx, boost: dx, weight: 2, why: guideline 4.1}
  - {id: no-gender, veto: who, why: policy 7}
  - {share: {text: answer in JSON}, at_least: 0.1}
  - {id: onto, link: {relation: is_a, max_hops: 2}, weight: 1.5}
  - id: late
    boost: [warn, {channel: vib3, start: -5}]
    weight: 1.5
    from: {role: assistant}
    when: age >= 65
    layers: 0.3-0.8
    expires: 2027-01-01
  - {veto: {tokens: "0:5"}, layers: 3}
  - {damp: late, weight: 0.5, heads: [0, 1], beyond: true}
expect:
  - {rule: no-gender, invariant_to: swap}
  - {rule: look-dx, effect: ">=0.05", collateral_kl: "<=0.02"}
"""


def test_every_key_is_read() -> None:
    pronouns = Regex(r"\b(he|she|his|her)\b", "i")
    expected = (
        Rules(
            expect=(
                Expect(rule="no-gender", invariant_to="swap"),
                Expect(rule="look-dx", effect=">=0.05", collateral_kl="<=0.02"),
            )
        )
        .boost(Concept("icd10.obo", "E10"), 2, id="look-dx")
        .veto([pronouns, Column("sex")], id="no-gender")
        .share("answer in JSON", 0.1)
        .link(Relation(ontology="icd10.obo", max_hops=2), 1.5, id="onto")
        .boost(
            [SpacyPattern([{"LOWER": "allergic"}, {"LOWER": "to"}]), Channel("vib3", -5)],
            1.5,
            id="late",
            sender=Role("assistant"),
            when="age >= 65",
            layers="0.3-0.8",
            expires="2027-01-01",
        )
        .veto(Tokens(0, 5), layers="3")
        .damp(Time("-24h:", "1h", "vib3"), 0.5, heads=(0, 1), beyond=True)
    )
    rules = read_yaml(WHOLE)
    assert rules == expected
    assert rules["look-dx"].why == "guideline 4.1"
    assert rules["no-gender"].guarantee == "exact"
    assert rules["veto-6"].guarantee == "direct"


@given(any_rules())
@settings(max_examples=100, deadline=None)
def test_round_trip(rules: Rules) -> None:
    text = write_yaml(rules)
    again = read_yaml(text)
    assert again == rules
    assert [one.why for one in again] == [one.why for one in rules]
    assert write_yaml(again) == text


@given(any_rules())
@settings(max_examples=25, deadline=None)
def test_what_is_written_fits_the_published_schema(rules: Rules) -> None:
    plain = yaml.safe_load(write_yaml(rules))
    VALIDATOR.validate(json.loads(json.dumps(plain, default=str)))


def test_schema_is_up_to_date() -> None:
    assert json.loads(PUBLISHED.read_text(encoding="utf-8")) == rules_schema()
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({"version": 1, "rules": [{"boost": "a"}]})


def of(rule: str) -> str:
    return f"version: 1\nselect: {{a: {{text: a}}}}\nrules:\n  - {rule}\n"


WRONG = {
    "version 2": ("version: 2", "line 1: version must be 1, got 2"),
    "no version": ("rules: []", "needs 'version'"),
    "an unknown key": (of("{boost: a, weight: 2, wieght: 3}"), r"line 4: rules\[0\].wieght is not"),
    "an unknown key of a selector": (of("{boost: {text: a, k: 1}, weight: 2}"), r"boost.k is not"),
    "no action": (of("{weight: 2}"), r"rules\[0\] must hold one of boost, damp"),
    "two actions": (of("{boost: a, damp: a, weight: 1}"), "must hold one of boost, damp"),
    "no weight": (of("{boost: a}"), r"rules\[0\] needs 'weight'"),
    "a weight in words": (
        of("{boost: a, weight: two}"),
        "weight must be a valid number, got 'two'",
    ),
    "a weight of yes": (of("{boost: a, weight: yes}"), "got True"),
    "an unfit weight": (of("{boost: a, weight: 0.5}"), "must have a weight of 1 or more, got 0.5"),
    "an infinite weight": (of("{boost: a, weight: .inf}"), "must be a finite number"),
    "no such name": (of("{boost: b, weight: 2}"), r"names 'b', which is not under select \(a\)"),
    "an unknown selector": (
        of("{boost: {colum: a}, weight: 2}"),
        "hold one of relation, text, reg",
    ),
    "no selector": (of("{boost: [], weight: 2}"), "at least 1 item"),
    "YAML's no": (of("{boost: {text: no}, weight: 2}"), r"got False \(put it in quotes\)"),
    "YAML's base 60": (of("{boost: {tokens: 1:5}, weight: 2}"), r"got 65 \(put it in quotes\)"),
    "no range": (of("{boost: {tokens: 'x:5'}, weight: 2}"), "tokens must match pattern"),
    "no expression": (of("{boost: {regex: '('}, weight: 2}"), "line 4: .*is no regular expression"),
    "a condition": (
        of("{boost: a, weight: 2, when: 'age >'}"),
        r"condition 'age >' must have a nu",
    ),
    "layers": (of("{boost: a, weight: 2, layers: last}"), "layers must be numbers from 0"),
    "a head": (of("{boost: a, weight: 2, heads: [-1]}"), "heads are numbered from 0"),
    "a day": (of("{boost: a, weight: 2, expires: soon}"), "expires must be a day such as 2027"),
    "no day": (of("{boost: a, weight: 2, expires: 2027-13-01}"), "this is no YAML: month must be"),
    "a share of all": (of("{share: a, at_least: 1}"), r"at_least in \(0, 1\)"),
    "exact in a layer": (of("{veto: a, layers: 3, guarantee: exact}"), "must hold in all layers"),
    "a soft veto": (of("{veto: a, weight: 0.1}"), "a veto has no weight but 0"),
    "a relation of nothing": (of("{link: {relation: is_a}, weight: 2}"), "needs an ontology"),
    "two of an id": (
        of("{id: x, veto: a}\n  - {id: x, veto: a}"),
        r"line 5: .*is the second rule that is call",
    ),
    "expecting of nobody": (
        "version: 1\nexpect: [{rule: x, effect: '>1'}]",
        "names no rule: 'x' is not of none",
    ),
    "expecting nothing": (
        of("{id: x, veto: a}") + "expect: [{rule: x}]",
        "is missing: invariant_to",
    ),
    "a bound": (of("{id: x, veto: a}") + "expect: [{rule: x, effect: '5'}]", "must be written as"),
    "a list": ("[1, 2]", "must be a valid dictionary"),
    "nothing": ("# later", "got nothing"),
    "no YAML": ("version: 1\nrules: [", "line 2: this is no YAML"),
    "a key twice": ("version: 1\nrules: []\nrules: []", "line 3: 'rules' is there twice"),
    "a key that is a list": ("[1]: 2", "a key must be a word"),
    "an alias": ("a: &a [1]\nb: *a", r"line 2: aliases \(\*a\) are not read"),
    "a Python object": ("!!python/object/apply:os.getcwd []", "could not determine a constructor"),
    "too deep": ("[" * 100_000, "nested too deeply"),
    "too many": ("version: 1\nrules: [" + "a," * 60_000 + "]", "too long for rules"),
    "too large": ("#" * (2**20 + 1), "must be shorter than"),
    "a control character": ("a: \x07", "this is no YAML"),
}


@pytest.mark.parametrize("name", WRONG)
def test_refused(name: str) -> None:
    text, told = WRONG[name]
    with pytest.raises(InputError, match=told):
        read_yaml(text)


def test_a_billion_laughs_are_refused_unbuilt() -> None:
    lines = ["a0: &a0 [lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    with pytest.raises(InputError, match="aliases"):
        read_yaml("\n".join(lines))


@pytest.mark.parametrize(
    "what", ["{regex: '(a+)+$'}", "{ontology: /etc/x.obo, under: a}", "{spacy: [{LOWER: a}]}"]
)
def test_rules_that_are_not_trusted_read_no_file_and_run_no_pattern(what: str) -> None:
    text = of(f"{{boost: {what}, weight: 2}}")
    assert len(read_yaml(text)) == 1
    with pytest.raises(InputError, match="not trusted"):
        read_yaml(text, trusted=False)
    link = of("{link: {relation: is_a, ontology: x.obo}, weight: 2}")
    with pytest.raises(InputError, match="not trusted"):
        read_yaml(link, trusted=False)
    graph = of("{link: {relation: is_a, graph: {a: [b]}}, weight: 2}")
    assert len(read_yaml(graph, trusted=False)) == 1


def test_a_file_names_others_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "rules.yaml"
    path.write_text(of("{boost: {ontology: icd.obo, under: E10}, weight: 2}"), encoding="utf-8")
    assert read_yaml(path)["boost-1"].select == (Concept(str(tmp_path / "icd.obo"), "E10"),)
    path.write_text("version: 2", encoding="utf-8")
    with pytest.raises(InputError, match=r"rules.yaml, line 1: version must be 1"):
        read_yaml(path)
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_yaml(tmp_path / "none.yaml")
    path.write_bytes(b"version: 1 # \xff")
    with pytest.raises(InputError, match="UTF-8"):
        read_yaml(path)


def test_chinese_stays_readable() -> None:
    text = write_yaml(Rules().boost("糖尿病", 2, why="指南"))
    assert "糖尿病" in text
    assert "指南" in text
    assert read_yaml(text)["boost-1"].select == (Text("糖尿病"),)


def test_a_selector_of_ones_own_has_no_form() -> None:
    class Mine:
        def match(self, layout: Layout) -> Matched:
            return Matched()

    with pytest.raises(OptionError, match="a Mine has no form in YAML"):
        write_yaml(Rules().veto(Mine()))


@pytest.mark.parametrize("missing", ["pydantic", "yaml"])
def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(InputError, match=rf"need {missing}: pip install 'zhuyi\[steer\]'"):
        read_yaml(WHOLE)
    monkeypatch.delitem(sys.modules, "zhuyi.steer.schema")
    with pytest.raises(InputError, match=rf"need {missing}: pip install"):
        write_yaml(Rules().veto("a"))


def test_rules_as_calls_need_no_extra() -> None:
    code = (
        "import sys, zhuyi.steer.steering, zhuyi.steer.emphasis, zhuyi.steer.concepts\n"
        "import zhuyi.steer.relations, zhuyi.steer.spacy_patterns, zhuyi.steer.form\n"
        "print([one for one in ('pydantic', 'yaml', 'spacy', 'pronto', 'rdflib', 'transformers')"
        " if one in sys.modules])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert said.stdout.strip() == "[]"


def test_the_documentation_shows_rules_that_can_be_read() -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert [rule.id for rule in read_yaml(shown)] == ["look-dx", "no-gender", "fmt", "kin", "now"]
    for kind in FORMS:
        assert f"`{{{kind}: " in page, kind
