"""How everything here is timed: side by side, round by round, medians of ratios."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

RESULTS = Path(__file__).parent / "results"
CPU_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "neon", "sve")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a table: what was compared, the figure, and the bar it is held to.

    Args:
        case: shapes and options, for people.
        figure: the measured number; a ratio unless the unit says otherwise.
        bar: what the figure must not exceed (or fall below, for "at least"), None without a bar.
        at_least: whether the bar is a lower one.
        unit: "x" for ratios.
        low, high: the spread of the figure over rounds.
        detail: other numbers worth keeping, such as milliseconds.
    """

    case: str
    figure: float
    bar: float | None = None
    at_least: bool = False
    unit: str = "x"
    low: float | None = None
    high: float | None = None
    detail: dict[str, float | str] | None = None

    @property
    def holds(self) -> bool | None:
        """Whether the bar is met; None without a bar."""
        if self.bar is None:
            return None
        return self.figure >= self.bar if self.at_least else self.figure <= self.bar


def ratio(
    case: str,
    ours: Callable[[], object],
    reference: Callable[[], object],
    *,
    bar: float | None = None,
    at_least: bool = False,
    rounds: int = 15,
    inverse: bool = False,
) -> Row:
    """Time both in turn, round by round; the median of the rounds' ratios is the figure.

    The order within a round alternates, so that a drifting machine favors neither. With `inverse`
    the figure is how many times faster ours is.
    """
    ours(), reference()
    ratios, mine, theirs = [], [], []
    for turn in range(rounds):
        pair = {}
        for name in ("ours", "reference") if turn % 2 else ("reference", "ours"):
            run = ours if name == "ours" else reference
            start = time.perf_counter()
            run()
            pair[name] = time.perf_counter() - start
        mine.append(pair["ours"])
        theirs.append(pair["reference"])
        one = pair["ours"] / pair["reference"]
        ratios.append(1 / one if inverse else one)
    ordered = sorted(ratios)
    return Row(
        case=case,
        figure=statistics.median(ratios),
        bar=bar,
        at_least=at_least,
        low=ordered[len(ordered) // 4],
        high=ordered[-1 - len(ordered) // 4],
        detail={
            "ours_ms": 1e3 * statistics.median(mine),
            "reference_ms": 1e3 * statistics.median(theirs),
            "rounds": rounds,
        },
    )


def environment() -> dict[str, object]:
    """What a figure depends on: versions, threads, processor flags."""
    flags: list[str] = []
    info = Path("/proc/cpuinfo")
    if info.exists():
        line = next((row for row in info.read_text().splitlines() if row.startswith("flags")), "")
        flags = [flag for flag in CPU_FLAGS if flag in line.split()]
    return {
        "torch": torch.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpu_flags": flags,
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "date": time.strftime("%Y-%m-%d"),
    }


def save(name: str, question: str, rows: list[Row], note: str = "") -> None:
    """Keep a benchmark's rows as JSON with a note for its reader, and print them."""
    RESULTS.mkdir(exist_ok=True)
    record = {
        "question": question,
        "note": note,
        "environment": environment(),
        "rows": [{**asdict(row), "holds": row.holds} for row in rows],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"\n{question}")
    for row in rows:
        print("  " + describe(row))


def describe(row: Row) -> str:
    """One row as a line of text."""
    word = {None: "", True: "  holds", False: "  DOES NOT HOLD"}[row.holds]
    bar = "" if row.bar is None else f"  (bar {'>=' if row.at_least else '<='} {row.bar:g})"
    return f"{row.case}: {row.figure:.3g} {row.unit}{bar}{word}"
