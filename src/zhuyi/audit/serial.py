"""Records as plain JSON values and back, exactly; and the JSON Schema that says what they hold.

Everything follows from the dataclasses and their annotations: a field added there is written,
read, checked and described here without a change.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from zhuyi.audit.report import SCHEMA, AuditReport
from zhuyi.errors import InputError

Record = TypeVar("Record")

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_PLAIN: dict[object, str] = {
    str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null",
}  # fmt: skip
_SURROGATE = re.compile("[\ud800-\udfff]")


def to_values(record: object, place: str = "report") -> Any:
    """A record as values that `json.dumps` writes: objects, lists, texts, finite numbers.

    Args:
        record: a frozen dataclass of this package, or a part of one.
        place: what to call it in an error.

    Returns: dicts, lists, str, int, float, bool and None.

    Raises: InputError: for a number that is not finite, or a value JSON has no word for.

    Example:
        >>> from zhuyi.core.record import Said
        >>> to_values(Said(en="yes", zh="是"))
        {'en': 'yes', 'zh': '是'}
    """
    if is_dataclass(record) and not isinstance(record, type):
        return {
            field.name: to_values(getattr(record, field.name), f"{place}.{field.name}")
            for field in fields(record)
        }
    if isinstance(record, Mapping):
        for key in record:
            if not isinstance(key, str):
                raise InputError(f"{place} must have texts as keys, got {key!r}")
        return {key: to_values(value, f"{place}[{key!r}]") for key, value in record.items()}
    if isinstance(record, tuple | list):
        return [to_values(value, f"{place}[{index}]") for index, value in enumerate(record)]
    if isinstance(record, float):
        if not math.isfinite(record):
            raise InputError(f"{place} must be a finite number, got {record}: use None")
        return float(record)  # NumPy's float64 is a float too, and prints otherwise
    if isinstance(record, str):
        return str(record)  # torch.__version__ is of a kind of its own
    if type(record) not in _PLAIN:
        raise InputError(f"{place} must be a text, a number or a record, got {record!r}")
    return record


def from_values(kind: type[Record], values: object, place: str = "report") -> Record:
    """The record of `kind` that `to_values` wrote as `values`.

    Args:
        kind: the dataclass.
        values: what `json.loads` gave.
        place: what to call it in an error.

    Raises: InputError: naming the place, for a missing or unknown field or a wrong type.

    Example:
        >>> from zhuyi.core.record import Said
        >>> from_values(Said, {"en": "yes", "zh": "是"})
        Said(en='yes', zh='是')
    """
    return cast("Record", _read(kind, values, place))


def to_text(report: AuditReport, *, ascii_only: bool = False) -> str:
    """A report as JSON text, the same text for the same report.

    Args:
        report: the report.
        ascii_only: write other characters as escapes, for places that know no UTF-8.

    Raises: InputError: for a number that is not finite.
    """
    values = to_values(report)
    text = json.dumps(values, ensure_ascii=ascii_only, allow_nan=False, indent=1)
    # Half a character (an emoji cut in two) cannot be written as UTF-8; its escape can.
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def from_text(text: str) -> AuditReport:
    """The report that `to_text` wrote.

    Raises: InputError: if it is not JSON, is of another version of the schema, or a field is
        missing, unknown or of a wrong type; the place is named.
    """
    try:
        values = json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise InputError("the report is nested too deeply to be one") from None
    except ValueError as error:
        raise InputError(f"the report is not JSON: {error}") from None
    version = values.get("schema") if isinstance(values, dict) else None
    if version != SCHEMA:
        got = repr(version)[:60] if isinstance(values, dict) and "schema" in values else "no schema"
        raise InputError(
            f"report.schema must be {SCHEMA!r}, got {got}: read it with the version of zhuyi that "
            "wrote it, or run the audit again"
        )
    return from_values(AuditReport, values)


def schema() -> dict[str, object]:
    """What a report holds, as a JSON Schema (draft 2020-12) with the fields' descriptions."""
    parts: dict[str, object] = {}
    whole = record_schema(AuditReport, parts)
    cast("dict[str, object]", whole["properties"])["schema"] = {
        "const": SCHEMA,
        "description": "Version of the report; a change of meaning changes the number.",
    }
    return {"$schema": _DIALECT, "$id": f"urn:{SCHEMA.replace('/', ':')}", "title": SCHEMA,
            **whole, "$defs": dict(sorted(parts.items()))}  # fmt: skip


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number that JSON knows")


@cache
def _hints(kind: type) -> dict[str, Any]:
    return get_type_hints(kind)


def _read(kind: Any, value: object, place: str) -> object:
    """`value` as `kind`, which is a dataclass, a plain type or one of typing's forms."""
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _read_record(cast("type", kind), value, place)
    if origin in (Union, UnionType):
        return _read_one_of(inner, value, place)
    if origin is Literal:
        if not isinstance(value, str) or value not in inner:
            raise _wrong(place, f"one of {', '.join(map(repr, inner))}", value)
        return value
    if origin is tuple:
        if not isinstance(value, list):
            raise _wrong(place, "a list", value)
        return tuple(_read(inner[0], one, f"{place}[{i}]") for i, one in enumerate(value))
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, dict):
            raise _wrong(place, "an object", value)
        return {key: _read(inner[1], one, f"{place}[{key!r}]") for key, one in value.items()}
    return _read_plain(kind, value, place)


def _read_record(kind: type, value: object, place: str) -> object:
    if not isinstance(value, dict):
        raise _wrong(place, f"an object ({kind.__name__})", value)
    names = [field.name for field in fields(kind)]
    if unknown := [key for key in value if key not in names]:
        raise InputError(
            f"{place} must have only the fields {', '.join(names)}, got {unknown[0]!r}"
        )
    if missing := [name for name in names if name not in value]:
        raise InputError(f"{place}.{missing[0]} is missing: {kind.__name__} needs it")
    hints = _hints(kind)
    return kind(**{name: _read(hints[name], value[name], f"{place}.{name}") for name in names})


def _read_one_of(kinds: tuple[Any, ...], value: object, place: str) -> object:
    """The union's own type where there is one: 1 stays whole where whole numbers are allowed."""
    if value is None and NoneType in kinds:
        return None
    if type(value) in kinds:
        return _read_plain(type(value), value, place)
    others = [kind for kind in kinds if kind is not NoneType]
    if len(others) == 1:
        return _read(others[0], value, place)
    if float in others and type(value) is int:
        return _read_plain(float, value, place)
    raise _wrong(place, " or ".join(_PLAIN.get(kind, str(kind)) for kind in kinds), value)


def _read_plain(kind: Any, value: object, place: str) -> object:
    if kind is float and type(value) is int and abs(value) < 2**1023:
        return float(value)
    if type(value) is not kind:
        raise _wrong(place, f"of type {_PLAIN.get(kind, kind)}", value)
    if isinstance(value, float) and not math.isfinite(value):
        raise _wrong(place, "a finite number", value)
    return value


def _wrong(place: str, expected: str, got: object) -> InputError:
    shown = repr(got)
    return InputError(f"{place} must be {expected}, got {shown[:60]}{'…' * (len(shown) > 60)}")


def record_schema(kind: type, parts: dict[str, object]) -> dict[str, object]:
    """One record as a JSON Schema, for whatever holds records of its own.

    Args:
        kind: the dataclass.
        parts: by name, the schemas of the records inside of it; those that are missing are added.
            They belong under "$defs".
    """
    hints, said = _hints(kind), _descriptions(kind)
    names = [field.name for field in fields(kind)]
    properties: dict[str, object] = {}
    for name in names:
        one = _schema_of(hints[name], parts)
        properties[name] = {**one, "description": said[name]} if name in said else one
    return {
        "type": "object",
        "description": (kind.__doc__ or "").strip().split("\n\n")[0].replace("\n", " "),
        "properties": properties,
        "required": names,
        "additionalProperties": False,
    }


def _schema_of(kind: Any, parts: dict[str, object]) -> dict[str, object]:
    origin, inner = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        name = cast("type", kind).__name__
        if name not in parts:
            parts[name] = {}  # holds the place while its own parts are described
            parts[name] = record_schema(cast("type", kind), parts)
        return {"$ref": f"#/$defs/{name}"}
    if origin in (Union, UnionType):
        if all(one in _PLAIN for one in inner):
            # "number" covers whole numbers.
            names = [_PLAIN[one] for one in inner if one is not int or float not in inner]
            return {"type": names}
        return {"anyOf": [_schema_of(one, parts) for one in inner]}
    if origin is Literal:
        return {"enum": list(inner)}
    if origin is tuple:
        return {"type": "array", "items": _schema_of(inner[0], parts)}
    if origin is not None:
        return {"type": "object", "additionalProperties": _schema_of(inner[1], parts)}
    return {"type": _PLAIN[kind]}


def _descriptions(kind: type) -> dict[str, str]:
    """Field -> what its class's docstring says of it, from the Args section."""
    section = (kind.__doc__ or "").partition("Args:\n")[2]
    found: dict[str, str] = {}
    names: list[str] = []
    for line in section.splitlines():
        start = re.match(r" {8}(\w+(?:, \w+)*): (.*)", line)
        if start:
            names = start[1].split(", ")
            found.update(dict.fromkeys(names, start[2].strip()))
        elif line.startswith(" " * 12):
            found.update({name: f"{found[name]} {line.strip()}" for name in names})
        else:
            names = []
    return {name: text for name, text in found.items() if name in _hints(kind)}
