"""Posts that must be refused before any model is called, as bytes.

Nearly all carry the right cookie, origin and type, and are right in all but one thing.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

from tests.ui.server.attacks import Target

MODEL = ("/try", "/control", "/verdict")
ROUTES = (*MODEL, "/rules")
TEXT = "高血压病史5年，高血脂3年"
RULE = {"id": "a", "boost": {"text": "高血压"}, "weight": 2.0}
GOOD: dict[str, Any] = {"turn": 1, "input": {"text": TEXT}, "rules": [RULE], "language": "en"}
BOMB = "a: &a [x, x, x]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\nversion: 1\nrules: []\n"


def posts(t: Target) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of all of them."""
    for kind in (_strangers, _forms, _json, _fields, _numbers, _rules, _conditions, _yaml):
        for index, (name, data) in enumerate(kind(t)):
            yield f"{kind.__name__[1:]} {index}: {name}", data


def as_json(data: object) -> bytes:
    """A body; halves of characters stay written as such."""
    return json.dumps(data).encode()


def changed(**fields: Any) -> dict[str, Any]:
    """The good body with other fields."""
    return {**copy.deepcopy(GOOD), **fields}


def _strangers(t: Target) -> Iterator[tuple[str, bytes]]:
    """Who may not ask: other names, other pages, nobody's cookie."""
    good = as_json(GOOD)
    size, json_type = f"Content-Length: {len(good)}", "Content-Type: application/json"
    for route in ROUTES:
        for host in ("evil.example", f"127.0.0.1.evil.example:{t.port}", f"0.0.0.0:{t.port}"):
            own = (f"Origin: http://{host}", json_type, size)
            yield (
                f"{route} rebound to {host}",
                t.request(route, *own, method="POST", host=host, body=good),
            )
        for origin in ("http://evil.example", "null", f"http://127.0.0.1:{t.port + 1}"):
            own = (f"Origin: {origin}", json_type, size)
            yield f"{route} from {origin}", t.request(route, *own, method="POST", body=good)
        yield f"{route} without origin", t.request(route, json_type, size, method="POST", body=good)
        own = (f"Origin: http://{t.host}", json_type, size)
        yield f"{route} uninvited", t.request(route, *own, method="POST", cookie="", body=good)
        wrong = f"zhuyi-{t.port}={'A' * 43}"
        yield (
            f"{route} wrong cookie",
            t.request(route, *own, method="POST", cookie=wrong, body=good),
        )
        yield f"{route} another site", t.post(route, "Sec-Fetch-Site: same-site", body=good)
        yield f"{route} in a query", t.post(f"{route}?x=1", body=good)


def _forms(t: Target) -> Iterator[tuple[str, bytes]]:
    """Methods, types, lengths, addresses."""
    good = as_json(GOOD)
    for route in ROUTES:
        for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
            yield f"{method} {route}", t.request(route, f"Origin: http://{t.host}", method=method)
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/x-yaml", ""):
            own = (f"Origin: http://{t.host}", f"Content-Type: {kind}")
            size = f"Content-Length: {len(good)}"
            yield f"{route} {kind}", t.request(route, *own, size, method="POST", body=good)
        yield f"{route} too large", t.post(route, body=b" " * (128 * 1024 + 1))
        yield f"{route} far too large", t.post(route, body=b" " * ((1 << 20) + 1))
        yield f"{route} shorter than said", t.post(route, body=good, length="100000")
        yield (
            f"{route} no length",
            t.request(
                route, f"Origin: http://{t.host}", "Content-Type: application/json", method="POST"
            ),
        )
    paths = ("/try/", "/try/..", "/..%2ftry", "//try", "/try%00", "/TRY", "/try.json", "/desk/1")
    for path in (*paths, "/steering.py", "/bundle/steering.js", "/../steering/desk.py"):
        yield path, t.post(path, body=good)
    yield "POST /desk", t.post("/desk", body=good)
    yield "POST /steering.js", t.post("/steering.js", body=good)


def _json(t: Target) -> Iterator[tuple[str, bytes]]:
    """What is no JSON, or too much of it."""
    good = as_json(GOOD)
    deep = 3_000
    bodies = {
        "nothing": b"", "a space": b" ", "half": good[:-1], "twice": good * 2, "null": b"null",
        "a list": b"[]", "a text": b'"x"', "a number": b"1", "comment": b"/**/" + good,
        "single quotes": good.replace(b'"', b"'"), "YAML": b"turn: 1\ninput: {text: x}\n",
        "UTF-16": GOOD["input"]["text"].encode("utf-16"), "not UTF-8": b'{"turn": "\xff\xfe"}',
        "mark of order": b"\xef\xbb\xbf" + good, "NaN": good.replace(b"2.0", b"NaN"),
        "Infinity": good.replace(b"2.0", b"Infinity"), "beyond": good.replace(b"2.0", b"1e999"),
        "endless number": good.replace(b"2.0", b"9" * 5000),
        "key twice": good[:-1] + b', "turn": 2}', "rule key twice": good.replace(
            b'"weight": 2.0', b'"weight": 2.0, "weight": 3.0'
        ),
        "deep lists": b'{"turn": ' + b"[" * deep + b"]" * deep + b"}",
        "very deep": b"[" * 60_000, "deep objects": b'{"a":' * deep + b"1" + b"}" * deep,
        "many parts": as_json(changed(rules=[[]] * 6_000)),
        "half a character": good.replace(b'"en"', b'"\\ud800"'),
        "null character": as_json(changed(input={"text": "a\0b"})),
        "prototype": as_json({**GOOD, "__proto__": {"admin": True}}),
    }  # fmt: skip
    for name, body in bodies.items():
        for route in ("/try", "/rules"):
            yield f"{route} {name}", t.post(route, body=body)


def _fields(t: Target) -> Iterator[tuple[str, bytes]]:
    """Fields that are missing, unknown or of another kind."""
    wrong: dict[str, tuple[Any, ...]] = {
        "turn": (None, "1", -1, 1.5, True, [1], 2**60),
        "input": (
            None, "text", [], {}, {"text": None}, {"text": 5}, {"text": ""}, {"text": " \n"},
            {"text": ["x"]}, {"text": "x" * 2001}, {"record": {}}, {"series": 0}, {"path": "/etc"},
            {"text": "x", "record": {}}, {"text": "x", "url": "http://evil.example"},
        ),
        "rules": (
            None, {}, "rules", [None], [1], ["x"], [[]], [RULE] * 21, {"version": 1, "rules": []},
        ),
        "language": (None, "fr", "", 1, ["en"], "en; rm"),
        "target": (-1, 3, 10**9, "0", 1.0, True),
    }  # fmt: skip
    for field, values in wrong.items():
        if field in GOOD:
            left = {name: value for name, value in GOOD.items() if name != field}
            for route in MODEL:
                yield f"{route} without {field}", t.post(route, body=as_json(left))
        for value in values:
            yield (
                f"{field} {str(value)[:30]}",
                t.post("/try", body=as_json(changed(**{field: value}))),
            )
    for draws in (0, -1, 21, 10**9, "5", 2.0, None, True):
        yield f"draws {draws}", t.post("/control", body=as_json(changed(draws=draws)))
    yield "draws of a try", t.post("/try", body=as_json(changed(draws=5)))
    for name in ("model", "path", "file", "url", "trusted", "folder"):
        yield f"a {name}", t.post("/try", body=as_json(changed(**{name: "../../etc/passwd"})))


def _numbers(t: Target) -> Iterator[tuple[str, bytes]]:
    """Weights, shares, heads and places that cannot be."""
    for weight in (0, -1, 0.5, "2", None, True, [2], 1e-300, 1e300, 10**17, {}):
        rule = {**RULE, "weight": weight}
        yield f"weight {str(weight)[:20]}", t.post("/try", body=as_json(changed(rules=[rule])))
    for share in (0, 1, 1.5, -0.1, "0.5", None):
        rule = {"share": {"text": "高血压"}, "at_least": share}
        yield f"share {share}", t.post("/try", body=as_json(changed(rules=[rule])))
    for heads in ([-1], ["0"], [1.5], {"0": 1}, [True, None]):
        rule = {**RULE, "heads": heads}
        yield f"heads {heads}", t.post("/try", body=as_json(changed(rules=[rule])))
    for layers in ("-1", "9-1", "nan", "inf", "0.5-2", "x", -1, [0], {"a": 1}):
        rule = {**RULE, "layers": layers}
        yield f"layers {layers}", t.post("/try", body=as_json(changed(rules=[rule])))
    for day in ("2027-13-01", "tomorrow", 5, "0000-00-00", ["2027-01-01"]):
        rule = {**RULE, "expires": day}
        yield f"expires {day}", t.post("/try", body=as_json(changed(rules=[rule])))


def _rules(t: Target) -> Iterator[tuple[str, bytes]]:
    """Rules that are none, take forever, or name what is none of the page's business."""
    selectors: dict[str, Any] = {
        "a pattern": {"regex": "(a+)+$"}, "a pattern of spaCy": {"spacy": [{"LOWER": "x"}]},
        "nested stars": {"regex": "(.*)*(.*)*(.*)*x"}, "a harmless pattern": {"regex": "x"},
        "a file": {"ontology": "/etc/passwd", "under": "root"},
        "an address": {"ontology": "http://evil.example/x.obo", "under": "x"},
        "a file of Windows": {"ontology": "C:\\x.obo", "under": "x"},
        "a name": "dx", "nothing": {}, "null": None, "a number": 5, "an empty text": {"text": ""},
        "an unknown kind": {"xpath": "//x"}, "two kinds": {"text": "x", "column": "y"},
        "a text of a list": {"text": ["x"]}, "an empty list": [], "a list of none": [None],
        "a long text": {"text": "x" * 2001}, "a long list": [{"text": "x"}] * 101,
        "no span": {"span": "9:1"}, "a span of nothing": {"span": "x"},
        "a span without end": {"span": "0:" + "9" * 5000}, "tokens": {"tokens": "x"},
        "a long span": {"span": "0:1", "of": "a" * 2001}, "a window": {"time": "now:then"},
        "a window without step": {"time": "-24h:"}, "whole words": {"text": "x", "whole_words": 1},
    }  # fmt: skip
    for name, selector in selectors.items():
        rule = {"id": "a", "boost": selector, "weight": 2.0}
        yield name, t.post("/try", body=as_json(changed(rules=[rule])))
        veto = {"id": "a", "veto": {"text": "x"}, "from": selector}
        if name not in ("null",):  # nobody in particular is everybody
            yield f"from {name}", t.post("/try", body=as_json(changed(rules=[veto])))
    entries: dict[str, Any] = {
        "no action": {"id": "a", "weight": 2.0}, "two actions": {**RULE, "veto": {"text": "x"}},
        "an unknown action": {"id": "a", "exec": {"text": "x"}}, "an unknown key": {**RULE, "x": 1},
        "a promise too much": {"veto": {"text": "x"}, "guarantee": "exact", "layers": "0"},
        "an unknown promise": {"veto": {"text": "x"}, "guarantee": "total"},
        "a weight for a veto": {"veto": {"text": "x"}, "weight": 3.0},
        "an id that is none": {**RULE, "id": ["a"]}, "a why that is none": {**RULE, "why": 5},
        "beyond what": {**RULE, "beyond": "yes"}, "a long why": {**RULE, "why": "x" * 2001},
        "a link of texts": {"link": {"relation": "is_a"}, "weight": 2.0},
        "a link of a file": {
            "link": {"relation": "is_a", "ontology": "/etc/passwd"}, "weight": 2.0
        },
    }  # fmt: skip
    for name, entry in entries.items():
        for route in MODEL:
            yield f"{route} {name}", t.post(route, body=as_json(changed(rules=[entry])))
    many = [{"id": f"r{n}", "veto": [{"text": "x"}] * 11} for n in range(20)]
    yield "too many things", t.post("/try", body=as_json(changed(rules=many)))
    yield "one id twice", t.post("/try", body=as_json(changed(rules=[RULE, RULE])))


def _conditions(t: Target) -> Iterator[tuple[str, bytes]]:
    """Conditions that are Python, endless, or nonsense."""
    conditions = [
        "__import__('os').system('id')", "().__class__.__bases__", "open('/etc/passwd')",
        "age > 5 or exec('x')", "lambda: 1", "age if 1 else 2", "[x for x in y]", "age == 5;",
        "not " * 60 + "age == 1", "(" * 60 + "age == 1" + ")" * 60, "age >", "> 5", "age = 5",
        "age == 'x", "a == 1 " + "or a == 1 " * 200, "1 == 1", "age in 5", "age in [", "${age}",
        "age == 1 and", "`id`", "age == 1\nimport os", "{{7*7}}",
    ]  # fmt: skip
    for condition in conditions:
        rule = {**RULE, "when": condition}
        yield condition[:30], t.post("/try", body=as_json(changed(rules=[rule])))


def _yaml(t: Target) -> Iterator[tuple[str, bytes]]:
    """Files of rules by strangers."""
    head = "version: 1\nrules:\n"
    files: dict[str, Any] = {
        "a bomb": BOMB, "Python": "!!python/object/apply:os.system ['id']",
        "a Python name": f"{head}- !!python/name:os.system", "no version": "rules: []",
        "another version": "version: 2\nrules: []", "a list": "- 1", "a text": "x", "nothing": "",
        "tabs": "\tversion: 1", "an alias": f"{head}- &a {{boost: {{text: x}}, weight: 2}}\n- *a",
        "a pattern": f"{head}- {{boost: {{regex: '(a+)+$'}}, weight: 2}}",
        "a named pattern": "version: 1\nselect: {x: {regex: x}}\nrules:\n- {boost: x, weight: 2}",
        "a file": f"{head}- {{boost: {{ontology: /etc/passwd, under: x}}, weight: 2}}",
        "deep": "[" * 50, "very deep": "[" * 20_000, "two documents": "a: 1\n---\nb: 2",
        "a key twice": "version: 1\nversion: 1\nrules: []",
        "many": head + "- {boost: {text: x}, weight: 2}\n" * 2_000,
        "a date": f"{head}- {{boost: {{text: x}}, weight: 2, expires: 2027-13-01}}",
        "a tag": f"{head}- !!binary aWQ=", "a set": "!!set {version, rules}",
        "too long": "#" * 60_001, "a number": 5, "null": None, "an object": {"version": 1},
    }  # fmt: skip
    for name, yaml in files.items():
        yield name, t.post("/rules", body=as_json({"yaml": yaml}))
    yield "another field", t.post("/rules", body=as_json({"yaml": "version: 1", "trusted": True}))
    yield "a path", t.post("/rules", body=as_json({"path": "/etc/passwd"}))
