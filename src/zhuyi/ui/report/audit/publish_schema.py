"""Write the published schema anew, after the report's records were changed on purpose.

python -m zhuyi.ui.report.audit.publish_schema
"""

import json
from pathlib import Path

from zhuyi.audit.serial import schema

PUBLISHED = Path(__file__).with_name("audit.schema.json")


def publish() -> None:
    """Write `audit.schema.json` beside this file."""
    PUBLISHED.write_text(
        json.dumps(schema(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
    )


if __name__ == "__main__":
    publish()
    print(f"wrote {PUBLISHED.name}")
