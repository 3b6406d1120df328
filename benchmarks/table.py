"""The generated table: every kept result, losing cases included, as docs/benchmarks.md."""

import json
from pathlib import Path

from benchmarks.measure import RESULTS

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
ORDER = (
    *("attend", "summarize", "rule_bias", "whole_model", "rollout", "page", "parts"),
    *("deletion", "auditing", "learning", "training", "board", "frames", "steering", "serving"),
)
HEAD = """# Benchmarks

Made by `make bench` from `benchmarks/results/*.json`; do not edit by hand. Every figure is the
median of ratios measured side by side in one run, with the quartiles beside it; ratios are to the
same call or model with PyTorch's plain fused attention unless the case says otherwise. Cases
without a bar are shown for what they cost, whoever wins.
"""


def page() -> str:
    """The whole page, from the kept JSON."""
    parts = [HEAD]
    for name in ORDER:
        path = RESULTS / f"{name}.json"
        if not path.exists():
            continue
        record = json.loads(path.read_text(encoding="utf-8"))
        machine = record["environment"]
        flags = ", ".join(machine["cpu_flags"])
        parts.append(f"\n## {record['question'][0].upper()}{record['question'][1:]}\n")
        parts.append(
            f"`python -m benchmarks {name}`, {machine['date']}, torch {machine['torch']}, "
            f"{machine['threads']} threads, {machine['machine']} ({flags}).\n"
        )
        if record["note"]:
            parts.append(f"{record['note']}\n")
        parts.append("| case | measured | quartiles | bar | |\n|---|---|---|---|---|")
        parts.extend(_line(row) for row in record["rows"])
    return "\n".join(parts).rstrip() + "\n"


def _line(row: dict) -> str:
    word = {None: "", True: "holds", False: "**does not hold**"}[row["holds"]]
    bar = "" if row["bar"] is None else f"{'≥' if row['at_least'] else '≤'} {row['bar']:g}"
    spread = "" if row["low"] is None else f"{row['low']:.3g} to {row['high']:.3g}"
    unit = " ×" if row["unit"] == "x" else f" {row['unit']}"
    return f"| {row['case']} | {row['figure']:.3g}{unit} | {spread} | {bar} | {word} |"


def main() -> None:
    """Write docs/benchmarks.md."""
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
