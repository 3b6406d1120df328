"""`python -m zhuyi.steer.publish_schema` writes the JSON schema of rules, for editors.

Run it after zhuyi.steer.schema has changed; a test fails until the file is up to date.
"""

import json
from pathlib import Path
from typing import Any, Final

PUBLISHED: Final = Path(__file__).with_name("rules.schema.json")


def rules_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of a file of rules."""
    from zhuyi.steer.schema import RulesForm

    schema = RulesForm.model_json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": "zhuyi rules, version 1",
    }


def publish() -> None:
    """Write `rules.schema.json` beside this file."""
    PUBLISHED.write_text(json.dumps(rules_schema(), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    publish()
