"""One audit in a process of its own: `python -m tests.audit.run_one FOLDER`."""

import sys
from pathlib import Path

import torch

from tests.audit.models import inputs, subject
from zhuyi.audit import audit


def main() -> None:
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    report = audit(subject(), inputs(), folder=folder, seed=5)
    report.save(folder / "report.json")


if __name__ == "__main__":
    main()
