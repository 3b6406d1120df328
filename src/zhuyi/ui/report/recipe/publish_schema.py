"""Write the published schema anew, after a recipe's records were changed on purpose.

python -m zhuyi.ui.report.recipe.publish_schema
"""

import json
from pathlib import Path

from zhuyi.ui.report.recipe.record import schema

PUBLISHED = Path(__file__).with_name("recipe.schema.json")


def publish() -> None:
    """Write `recipe.schema.json` beside this file."""
    PUBLISHED.write_text(
        json.dumps(schema(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
    )


if __name__ == "__main__":
    publish()
    print(f"wrote {PUBLISHED.name}")
