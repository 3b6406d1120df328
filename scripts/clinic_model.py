"""Train the model of clinical notes that comes with the package.

    python scripts/clinic_model.py [-o FOLDER] [--seed N]

It learns from templated notes of the people of NHANES (zhuyi.recipes.nhanes; found in ZHUYI_DATA or
the cache), writes weights.safetensors and model.json, and prints how often it is right on templated
notes that it has not seen and on notes that somebody else wrote. At most ten minutes on one core;
the same seed gives the same bytes on the same machine with one thread.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch

from zhuyi.learn import Progress
from zhuyi.recipes import nhanes
from zhuyi.recipes.medicine.notes.examples import written
from zhuyi.recipes.medicine.notes.judging import judge, templated
from zhuyi.recipes.medicine.notes.shipped import EPOCHS, LARGEST, NOTES, train
from zhuyi.recipes.medicine.notes.writing import people

FOLDER = Path("src/zhuyi/recipes/medicine/notes/model")
HELD_OUT = Path("tests/recipes/medicine")


def main() -> int:
    """Train, save, measure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("-o", "--out", type=Path, default=FOLDER)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--notes", type=int, default=NOTES)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--held-out", action="store_true", help="score others' notes too")
    given = parser.parse_args()
    torch.set_num_threads(1)  # sums in one order, whatever the machine
    begun = time.monotonic()

    def heard(now: Progress) -> None:
        seconds = time.monotonic() - begun
        print(
            f"epoch {now.epoch}/{now.epochs}: loss {now.loss:.4f}, "
            f"validation {now.validation or float('nan'):.4f}, {seconds:.0f} s",
            flush=True,
        )

    of = people(nhanes.load())
    model = train(of, notes=given.notes, epochs=given.epochs, seed=given.seed, progress=heard)
    model.save(given.out)
    size = sum(path.stat().st_size for path in given.out.iterdir())
    print(f"{given.out}: {size:,} bytes, {time.monotonic() - begun:.0f} s")
    if size > LARGEST:
        print(f"larger than {LARGEST:,} bytes", file=sys.stderr)
        return 1
    found = judge(model, templated(of, 1000, seed=given.seed + 1))
    print(f"templated notes, not seen: {found.right.mean():.3f} right")
    if given.out == FOLDER:
        (FOLDER.parent / "examples.jsonl").write_text(written(), encoding="utf-8")
    if given.held_out:
        for name in ("held_out_notes.jsonl", "held_out_notes_en.jsonl"):
            print(name, _held_out(model, HELD_OUT / name))
    return 0


def _held_out(model: object, path: Path) -> str:
    from zhuyi.recipes.medicine.notes.judging import read_truth

    lines = path.read_text(encoding="utf-8").splitlines()
    found = judge(model, read_truth([json.loads(line) for line in lines]))
    return (
        f"{found.right.mean():.3f} right, labels {found.labels.mean():.3f}, "
        f"durations {np.mean(found.years):.3f}"
    )


if __name__ == "__main__":
    sys.exit(main())
