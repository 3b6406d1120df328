"""Steering measured where the truth is known: run the tasks, write the records and the page.

    python scripts/steering_truth.py                  # what is not in the records yet, all seeds
    python scripts/steering_truth.py horn sensor      # some tasks, run again
    python scripts/steering_truth.py --page           # the page alone, from the records

Writes scripts/steering_truth_results.json after every run, then docs/steering-truth.md with its
curves. The decoy pictures are MNIST where ZHUYI_DATA has them, and sentences with distractors are
made of SST-2 and SciTLDR; without these files the first are made up and the second are left out,
and the page says so. All of it takes about twenty minutes of one core.
"""

import json
import math
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from scripts.steering_truth_data import mnist, reviews  # noqa: E402
from scripts.steering_truth_page import RESULTS, write_page  # noqa: E402
from zhuyi.testing.steering import (  # noqa: E402
    conflicting,
    decoy_patches,
    distractor,
    hidden_use,
    horn,
    sensor_channel,
    shortcut_column,
)
from zhuyi.testing.steering.record import Line  # noqa: E402


@dataclass(frozen=True, kw_only=True)
class Run:
    """One form of a task, over its seeds.

    Args:
        task: as the command line and the page call it.
        variant: which form of it; "" where there is one.
        measure: seed and options -> lines.
        seeds: how many.
        options: of `measure`.
    """

    task: str
    measure: Callable[..., tuple[Line, ...]]
    seeds: int
    variant: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)


def runs() -> Iterator[Run]:
    """Everything that is measured."""
    yield Run(task="conflict", measure=conflicting.measure, seeds=5, options={"inputs": 150})
    yield from hidden()
    yield Run(task="shortcut", measure=shortcut_column.measure, seeds=5)
    pictures = mnist()
    named = "made-up pictures" if pictures is None else "MNIST"
    for right in (0.9, 1.0):
        yield Run(
            task="decoy",
            variant=f"{named}, stamp right in {right:.0%} of training",
            measure=decoy_patches.measure,
            seeds=3,
            options={"pictures": pictures, "right": right},
        )
    yield Run(task="horn", measure=horn.measure, seeds=5)
    for norm in sensor_channel.NORMS:
        yield Run(
            task="sensor",
            variant=f"normalization: {norm}",
            measure=sensor_channel.measure,
            seeds=3,
            options={"norm": norm},
        )


def hidden() -> Iterator[Run]:
    """Attention that is hidden, and content that is used."""
    forms: list[tuple[hidden_use.Kind, str, dict[str, Any]]] = [
        ("flip", "nothing hidden", {"hide": 0.0, "steps": 300}),
        ("flip", "attention penalized", {"hide": 100.0, "steps": 1200}),
        *(
            (kind, "attention forbidden", {"hide": math.inf, "steps": 1400})
            for kind in hidden_use.KINDS
        ),
    ]
    for kind, how, options in forms:
        yield Run(
            task="hidden",
            variant=f"{kind}, {how}",
            measure=hidden_use.measure,
            seeds=3,
            options={"kind": kind, **options},
        )
    data = reviews()
    if data is not None:
        for how, hide in (("nothing hidden", 0.0), ("attention forbidden", math.inf)):
            yield Run(
                task="distractor",
                variant=how,
                measure=distractor.measure,
                seeds=3,
                options={"data": data, "hide": hide},
            )


def records() -> list[dict[str, Any]]:
    """What was measured so far."""
    if not RESULTS.is_file():
        return []
    found: list[dict[str, Any]] = json.loads(RESULTS.read_text(encoding="utf-8"))["runs"]
    return found


def save(known: list[dict[str, Any]]) -> None:
    """Write the records."""
    whole = {
        "schema": "zhuyi.steering-truth/1",
        "made_with": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "threads": torch.get_num_threads(),
        },
        "runs": known,
    }
    RESULTS.write_text(json.dumps(whole, indent=None, separators=(",", ":")) + "\n", "utf-8")


def missing(known: list[dict[str, Any]], given: list[str]) -> list[tuple[int, Run]]:
    """What has not been run, the first seed of everything before the second of anything."""
    done = {(one["task"], one["variant"], one["seed"]) for one in known}
    wanted = [
        (seed, run)
        for run in runs()
        for seed in range(run.seeds)
        if (run.task, run.variant, seed) not in done and (not given or run.task in given)
    ]
    return sorted(wanted, key=lambda one: one[0])


def measured(seed: int, run: Run) -> dict[str, Any]:
    """One run as a record."""
    start = time.process_time()
    lines = run.measure(seed, **run.options)
    seconds = round(time.process_time() - start, 1)
    print(f"{run.task} {run.variant} {seed}: {seconds} s", file=sys.stderr)
    return {
        "task": run.task,
        "variant": run.variant,
        "seed": seed,
        "seconds": seconds,
        "lines": [line.as_json() for line in lines],
    }


def main(given: list[str]) -> None:
    """Run what is asked for, or what is missing; then write the page."""
    tasks = [name for name in given if not name.startswith("--")]
    if "--page" not in given:
        torch.set_num_threads(1)
        known = [one for one in records() if one["task"] not in tasks]
        for seed, run in missing(known, tasks):
            known.append(measured(seed, run))
            save(known)
    write_page()


if __name__ == "__main__":
    main(sys.argv[1:])
