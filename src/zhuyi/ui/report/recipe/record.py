"""A run as JSON, and the JSON Schema that says what it holds."""

import json
import re
from typing import Any, Final

from zhuyi.audit.serial import record_schema, to_values
from zhuyi.audit.serial import schema as audit_schema
from zhuyi.recipes.records import RecipeReport

SCHEMA: Final = "zhuyi.recipe/1"
"""Version of the JSON; a change of meaning changes the number."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def to_json(report: RecipeReport, *, ascii_only: bool = False) -> str:
    """A run as JSON text, the same text for the same report.

    Args:
        report: what was found.
        ascii_only: write other characters as escapes, for places that know no UTF-8.

    Raises: InputError: for a number that is not finite.
    """
    values = {"schema": SCHEMA, **to_values(report)}
    text = json.dumps(values, ensure_ascii=ascii_only, allow_nan=False, indent=1)
    # Half a character (an emoji cut in two) cannot be written as UTF-8; its escape can.
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def schema() -> dict[str, Any]:
    """What the JSON holds, as a JSON Schema (draft 2020-12) with the fields' descriptions.

    An audit inside of it is described by the schema that audits publish, taken over whole under
    its own name: some of its records are called like ours.
    """
    audit = audit_schema()
    parts: dict[str, object] = {"AuditReport": audit}
    whole: dict[str, Any] = record_schema(RecipeReport, parts)
    version = {"const": SCHEMA, "description": "Version of this JSON."}
    whole["properties"] = {"schema": version, **whole["properties"]}
    whole["required"] = ["schema", *whole["required"]]
    identity = f"urn:{SCHEMA.replace('/', ':')}"
    return {"$schema": audit["$schema"], "$id": identity, "title": SCHEMA, **whole,
            "$defs": dict(sorted(parts.items()))}  # fmt: skip
