"""`python -m benchmarks [name ...]`: run all questions, or those named, and renew the page.

Each runs in a process of its own, so that what one leaves in the allocator does not reach another.
"""

import subprocess
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
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
    table.main()


if __name__ == "__main__":
    main()
