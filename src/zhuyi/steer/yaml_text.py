"""YAML as plain data with the line of every part; what could be used to do harm is refused.

Safe tags only, no aliases (a few of them can stand for billions of values; `select` names what is
used twice), no key twice (YAML's readers keep the last), nothing large or deep.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from zhuyi.errors import InputError

LARGEST: Final = 2**20  # characters
DEEPEST: Final = 20
MOST_PARTS: Final = 50_000

_ODD: Final = re.compile("[\x85\u2028\u2029\r\n]")

Place = tuple[str | int, ...]


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """What a text of YAML says.

    Args:
        data: dicts, lists, texts, numbers, dates.
        lines: place in the data -> line, from 1.
        name: what the text is called in errors.
    """

    data: Any
    lines: dict[Place, int] = field(default_factory=dict)
    name: str = "the rules"

    def wrong(self, place: Sequence[str | int], told: str) -> InputError:
        """An error that says where: the line, and the way to it."""
        known = tuple(place)
        while known and known not in self.lines:
            known = known[:-1]
        way = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in place)
        line = self.lines.get(known, 1)
        return InputError(f"{self.name}, line {line}: {way.lstrip('.') or 'this'} {told}")


def parse(text: str, name: str) -> Parsed:
    """A text of YAML as data.

    Raises: InputError: if it is no YAML, or one of what is refused.
    Needs: PyYAML (the extra `steer`).
    """
    import yaml

    if len(text) > LARGEST:
        raise InputError(f"{name} must be shorter than {LARGEST} characters, got {len(text)}")
    try:
        _refuse(yaml.parse(text, Loader=yaml.SafeLoader), name)
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise InputError(f"{name} must hold version: 1 and rules:, got nothing")
        lines = dict(_lines(node, (), name))
        return Parsed(data=loader.construct_document(node), lines=lines, name=name)
    except yaml.MarkedYAMLError as wrong:
        at = wrong.problem_mark or wrong.context_mark
        where = f", line {at.line + 1}" if at else ""
        raise InputError(f"{name}{where}: this is no YAML: {wrong.problem or wrong}") from None
    except (yaml.YAMLError, ValueError) as wrong:  # ValueError: a date such as 2027-13-01
        if isinstance(wrong, InputError):
            raise
        raise InputError(f"{name}: this is no YAML: {wrong}") from None


def dump(data: Any) -> str:
    """Plain data as YAML that `parse` reads back as it was."""
    import yaml

    class Dumper(yaml.SafeDumper):  # type: ignore[misc]  # PyYAML has no types
        """Writes texts with uncommon ends of line in quotes: PyYAML reads them as spaces else."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: yaml.SafeDumper, value: str) -> Any:
        style = '"' if _ODD.search(value) else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    Dumper.add_representer(str, text)
    written: str = yaml.dump(
        data, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
    )
    return written


def _refuse(events: Iterator[Any], name: str) -> None:
    """What must not be built: read event by event, so that nothing has been built yet."""
    import yaml

    depth = parts = 0
    for event in events:
        line = event.start_mark.line + 1
        parts += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if isinstance(event, yaml.AliasEvent):
            raise InputError(
                f"{name}, line {line}: aliases (*{event.anchor}) are not read: give what is used "
                "twice a name under select"
            )
        if depth > DEEPEST or parts > MOST_PARTS:
            what = "nested too deeply" if depth > DEEPEST else "too long"
            raise InputError(f"{name}, line {line}: this is {what} for rules")


def _lines(node: Any, place: Place, name: str) -> Iterator[tuple[Place, int]]:
    import yaml

    line = node.start_mark.line + 1
    yield place, line
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise InputError(f"{name}, line {key.start_mark.line + 1}: a key must be a word")
            if key.value in seen:
                at = key.start_mark.line + 1
                raise InputError(f"{name}, line {at}: {key.value!r} is there twice")
            seen.add(key.value)
            yield from _lines(value, (*place, key.value), name)
            yield (*place, key.value), key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for number, one in enumerate(node.value):
            yield from _lines(one, (*place, number), name)
