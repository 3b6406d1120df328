"""Judge explanations whose truth is known, and write docs/calibration.md.

    python scripts/calibrate.py               # all planted tasks, minutes on one core
    python scripts/calibrate.py recall parity # print the tables of some, write nothing

Thresholds were chosen on the models of the seeds in FIT; the models of HELD_OUT confirm them.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from scripts.calibration_page import PAGE, Measured, page  # noqa: E402
from zhuyi.testing.planted import PLANTED, Judged, Planted, judged  # noqa: E402

FIT, HELD_OUT = (0, 1), (100, 101)
BATCHES = {32: 3, 64: 1, 8: 3}
"""Batches of each size; all are taken from the same 96 held-out inputs."""


def measure(
    tasks: Sequence[Callable[..., Planted]],
    seeds: Sequence[int],
    batches: dict[int, int],
    *,
    tell: Callable[[str], None] = print,
) -> Measured:
    """Train every task with every seed, and judge every explanation on every batch."""
    inputs = max(size * count for size, count in batches.items())
    models: list[tuple[Planted, int, float]] = []
    cases: list[Judged] = []
    for task in tasks:
        for seed in seeds:
            start = time.process_time()
            planted = task(seed, inputs=inputs)
            trained = time.process_time() - start
            models.append((planted, seed, trained))
            for size, count in batches.items():
                cases += judged(planted, seed=seed, size=size, batches=count)
            spent = time.process_time() - start
            tell(f"{planted.name} {seed}: trained in {trained:.1f} s, all in {spent:.1f} s")
    return Measured(models=models, cases=cases, fit=FIT)


def main(names: list[str]) -> None:
    """Write the page, or print that of the named tasks."""
    tasks = [task for task in PLANTED if not names or task.__name__ in names]
    measured = measure(tasks, FIT + HELD_OUT, BATCHES, tell=lambda s: print(s, file=sys.stderr))
    text = page(measured)
    if names:
        print(text)
    else:
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
