"""Run every family of tests/zoo and write docs/supported-models.md.

python scripts/zoo_table.py            # all families, about two minutes on two cores
python scripts/zoo_table.py bert t5    # print the lines of some, write nothing
"""

import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import transformers  # noqa: E402

from tests.zoo.examine import Row, examine  # noqa: E402
from tests.zoo.families import FAMILIES, Family  # noqa: E402
from tests.zoo.table import PAGE, page  # noqa: E402


def run(families: list[Family]) -> list[Row]:
    """Examine the families one by one, telling so on stderr."""
    rows = []
    for number, family in enumerate(families, start=1):
        rows.append(examine(family))
        print(f"{number}/{len(families)} {rows[-1].markdown()}", file=sys.stderr)
    return rows


def main(names: list[str]) -> None:
    """Write the page, or print the lines of the named families."""
    warnings.filterwarnings("ignore")
    transformers.logging.set_verbosity_error()
    if names:
        chosen = [family for family in FAMILIES if family.name in names]
        print("\n".join(row.markdown() for row in run(chosen)))
        return
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(run(list(FAMILIES))), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
