"""One line on stderr on where a command stands."""

import sys
import time
from collections.abc import Callable

LINE_EVERY = 10.0  # seconds between plain lines where stderr is no terminal


def progress_line(quiet: bool) -> Callable[[str], None]:
    """A function that says where a command stands; "" ends it.

    On a terminal the line is written over; elsewhere a plain line comes now and then.
    """
    if quiet:
        return lambda _: None
    if sys.stderr.isatty():
        return _written_over
    said = [time.monotonic()]

    def say(line: str) -> None:
        if line and time.monotonic() - said[0] >= LINE_EVERY:
            said[0] = time.monotonic()
            print(line, file=sys.stderr, flush=True)

    return say


def _written_over(line: str) -> None:
    sys.stderr.write(f"\r\033[2K{line}")
    sys.stderr.flush()
