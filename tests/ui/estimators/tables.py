"""A small table of machines that fail when a tool is worn out or the torque is high."""

import csv
from pathlib import Path

import numpy as np

HEADER = ("serial", "quality", "torque Nm", "wear min", "plant", "failure")


def write_machines(path: Path, rows: int = 240, seed: int = 0) -> Path:
    """The table as CSV; some torques are missing."""
    draw = np.random.default_rng(seed)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(HEADER)
        for number in range(rows):
            torque, wear = draw.normal(40, 10), draw.uniform(0, 250)
            fails = wear > 180 or torque > 52
            out.writerow([
                f"M{number:04d}",
                draw.choice(["L", "M", "H"]),
                "" if draw.random() < 0.03 else f"{torque:.1f}",
                f"{wear:.0f}",
                f"plant {draw.integers(0, 12)}",
                int(fails != (draw.random() < 0.05)),
            ])  # fmt: skip
    return path
