"""`python -m benchmarks [name ...]`: run all questions, or those named, and renew the page."""

import importlib
import sys

from benchmarks import table


def main() -> None:
    """Run, then write docs/benchmarks.md."""
    names = sys.argv[1:] or list(table.ORDER)
    unknown = sorted(set(names) - set(table.ORDER))
    if unknown:
        sys.exit(f"unknown benchmark {unknown[0]!r}: choose from {', '.join(table.ORDER)}")
    for name in names:
        print(f"== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()
    table.main()


if __name__ == "__main__":
    main()
