"""Rules between the page and `zhuyi.steer`: entries of YAML as JSON, and back.

What may take forever or reads a file (patterns, ontologies) is refused from the page, unless it is
just what stands in the rules that the person who started the server gave it.
"""

import json
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any, Final

from zhuyi.steer.rule import ACTIONS, Rule
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Selector, Text

_REMEMBERED: Final = 64
# What YAML does not take as it is, or reads as a space: written as JSON and YAML both can.
_ODD: Final = re.compile("[\x7f-\xa0\u2028\u2029\ufeff\ufffe\uffff]")

Entry = Mapping[str, Any]


class Ruling:
    """Reads and writes rules.

    Args:
        own: rules of the person who started the server; what they speak about may be named.
    """

    def __init__(self, own: Rules = Rules()) -> None:  # noqa: B008 - it is immutable
        self.entries = entries_of(own)
        self._own: dict[str, tuple[str, Selector]] = {}
        for rule, entry in zip(own, self.entries, strict=True):
            for selectors, form in (
                (rule.select, entry[rule.action]),
                (rule.sender, entry.get("from")),
            ):
                forms = form if isinstance(form, list) else [form]
                for selector, one in zip(selectors, forms, strict=False):
                    self._own[_key(one)] = secrets.token_hex(16), selector
        self._known: OrderedDict[str, Rules] = OrderedDict()

    def read(self, entries: Sequence[Entry]) -> Rules:
        """Entries as rules.

        Raises: InputError: if they are none, or are refused; the text says why.
        """
        key = _key(list(entries))
        if key not in self._known:
            self._known[key] = self._read(entries)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return self._known[key]

    def _read(self, entries: Sequence[Entry]) -> Rules:
        marked = [self._marked(entry) for entry in entries]
        found = Rules.from_yaml(_in_yaml({"version": 1, "rules": marked}), trusted=False)
        back = dict(self._own.values())
        return Rules(tuple(_unmarked(rule, back) for rule in found), found.expect)

    def _marked(self, entry: Entry) -> dict[str, Any]:
        """An entry whose own selectors of the server stand as texts that nobody can guess."""
        marked = dict(entry)
        for name in (*ACTIONS, "from"):
            form = marked.get(name)
            if isinstance(form, list):
                marked[name] = [self._mark(one) for one in form]
            elif isinstance(form, dict):
                marked[name] = self._mark(form)
        return marked

    def _mark(self, form: Any) -> Any:
        found = self._own.get(_key(form))
        return form if found is None else {"text": found[0]}


def entries_of(rules: Rules) -> list[dict[str, Any]]:
    """Rules as the entries that YAML holds, in plain JSON.

    Raises: InputError: for a selector of one's own, which has no words there.
    """
    from zhuyi.steer.yaml_text import parse

    data = parse(rules.to_yaml(), "the rules").data["rules"]
    return [_plain(entry) for entry in data]


def read_strange_yaml(text: str) -> list[dict[str, Any]]:
    """YAML of a stranger as entries.

    Raises: InputError: if it is none, or is refused; the text says where.
    """
    return entries_of(Rules.from_yaml(text, trusted=False))


def as_python(rules: Rules) -> str:
    """Rules as Python that can be run, imports included."""
    kinds = {type(one) for rule in rules for one in (*rule.select, *rule.sender)}
    kinds -= {Text} if all(_usual(rule) for rule in rules) else set()
    lines = [f"from {kind.__module__} import {kind.__name__}" for kind in kinds]
    head = "\n".join(sorted([*lines, "from zhuyi.steer.rules import Rules"]))
    return f"{head}\n\nrules = {rules.to_python()}\n"


def _usual(rule: Rule) -> bool:
    """Whether all its texts are written as mere phrases."""
    selectors = (*rule.select, *rule.sender)
    return all(one == Text(one.text) for one in selectors if isinstance(one, Text))


def _unmarked(rule: Rule, back: Mapping[str, Selector]) -> Rule:
    def given(selectors: tuple[Selector, ...]) -> tuple[Selector, ...]:
        return tuple(back.get(one.text, one) if isinstance(one, Text) else one for one in selectors)

    return replace(rule, select=given(rule.select), sender=given(rule.sender))


def _key(data: Any) -> str:
    return json.dumps(data, sort_keys=True, ensure_ascii=False)


def _in_yaml(data: Any) -> str:
    """Plain data as JSON that is YAML too: in YAML 1e-06 is a text, and U+2028 a space."""
    if isinstance(data, dict):
        pairs = (f"{_in_yaml(str(name))}: {_in_yaml(one)}" for name, one in data.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(data, list):
        return "[" + ", ".join(map(_in_yaml, data)) + "]"
    if isinstance(data, float) and "e" in repr(data):
        return f"{Decimal(repr(data)):f}"
    text = json.dumps(data, ensure_ascii=False)
    return _ODD.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _plain(data: Any) -> Any:
    if isinstance(data, date):
        return data.isoformat()
    if isinstance(data, dict):
        return {key: _plain(value) for key, value in data.items()}
    return [_plain(one) for one in data] if isinstance(data, list) else data
