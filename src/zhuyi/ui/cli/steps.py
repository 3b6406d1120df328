"""`--logdir` and `--step`: what they may be, checked before a model runs."""

import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from zhuyi.errors import InputError, OptionError

Logdir = Annotated[
    Path | None, typer.Option(help="Write what is seen there, for TensorBoard or zhuyi serve.")
]
Step = Annotated[int | None, typer.Option(help="Step in --logdir; else the next one.")]

_LAST: Final = 2**31 - 1


def check_step(step: int | None, logdir: Path | None) -> None:
    """Whether something can be written there; the folder is made where there is none.

    Raises: OptionError: a step without a folder, or one that cannot be. InputError: a file, or a
        folder that cannot be written.
    """
    if logdir is not None:
        _make(logdir)
    if step is None:
        return
    if logdir is None:
        raise OptionError("--step is of a look in a log folder: give --logdir FOLDER too")
    if not 0 <= step <= _LAST:
        raise OptionError(f"--step must be from 0 to {_LAST:,}, got {step}")


def _make(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise InputError(f"cannot write looks to {folder}: it is a file, give a folder")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write looks to {folder}: {error.strerror}") from None
    if not os.access(folder, os.W_OK):
        raise InputError(f"cannot write looks to {folder}: the folder is read only")


def say_where(folder: Path | None, step: int | None = None) -> None:
    """One line on stderr on how to see what was written; nothing without a folder."""
    if folder is None:
        return
    from zhuyi.ui.logdir import where

    print(f"zhuyi: {'' if step is None else f'step {step}; '}{where(folder)}", file=sys.stderr)
