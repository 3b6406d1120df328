"""Public names, signatures and flags are frozen: a change must be meant, and shows in the diff."""

import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.snapshot import (
    SNAPSHOT,
    describe_command,
    describe_flags,
    describe_name,
    describe_names,
    public_modules,
)

RENEW = "if this change is meant, say so in CHANGELOG.md and run `make snapshot`"


def recorded() -> dict[str, Any]:
    assert SNAPSHOT.exists(), f"{SNAPSHOT.name} is missing: run `make snapshot`"
    loaded: dict[str, Any] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return loaded


def differences(was: Any, now: Any, where: str = "") -> list[str]:
    """One line for every leaf that was added, removed or changed."""
    if isinstance(was, dict) and isinstance(now, dict):
        lines = []
        for name in sorted(was.keys() | now.keys()):
            inner = f"{where}.{name}" if where else name
            if name not in now:
                lines.append(f"gone: {inner}")
            elif name not in was:
                lines.append(f"new: {inner}")
            else:
                lines += differences(was[name], now[name], inner)
        return lines
    return [] if was == now else [f"changed: {where}: {was} -> {now}"]


def test_names_and_signatures_are_as_recorded() -> None:
    found = differences(recorded()["names"], describe_names())
    assert not found, "\n".join([RENEW, *found])


def test_flags_are_as_recorded() -> None:
    flags, was = describe_flags(), recorded()["flags"]
    if flags is None and was is None:
        pytest.skip("zhuyi.ui.cli has no `main` yet")
    assert flags is not None, "zhuyi.ui.cli lost its `main`"
    assert was is not None, f"the command line is not in the snapshot: {RENEW}"
    found = differences(was, flags)
    assert not found, "\n".join([RENEW, *found])


def test_every_public_name_says_what_it_is() -> None:
    silent = []
    for module in public_modules():
        silent += [] if module.__doc__ else [module.__name__]
        for name in module.__all__:
            thing = getattr(module, name)
            if not (inspect.isclass(thing) or inspect.isfunction(thing)):
                continue
            where = f"{module.__name__}.{name}"
            # A dataclass without a docstring gets its signature for one.
            if not thing.__doc__ or thing.__doc__.startswith(f"{name}("):
                silent.append(where)
            if inspect.isclass(thing):
                silent += [f"{where}.{member}" for member in silent_members(thing)]
    assert not silent, "no docstring: " + ", ".join(silent)


def silent_members(kind: type) -> list[str]:
    return [
        name
        for name, member in vars(kind).items()
        if not name.startswith("_")
        and (
            inspect.isfunction(member) or isinstance(member, property | staticmethod | classmethod)
        )
        and not member.__doc__
    ]


# --- the broken twins ------------------------------------------------------------------------


def test_changed_names_are_caught() -> None:
    was = {"m": {"f": "(a, *, b=1)", "g": "(x)"}}
    assert differences(was, {"m": {"f": "(a, *, b=1)", "g": "(x)"}}) == []
    assert differences(was, {"m": {"f": "(a, *, b=2)", "h": "(x)"}}) == [
        "changed: m.f: (a, *, b=1) -> (a, *, b=2)",
        "gone: m.g",
        "new: m.h",
    ]


def test_a_renamed_method_and_a_new_default_change_the_description() -> None:
    class Two:
        """Two."""

        def go(self, far: int = 1) -> int:
            return far

        @property
        def size(self) -> int:
            return 2

    Two.__module__ = "zhuyi.twin"
    assert describe_name(Two) == {
        "class": "()",
        "members": {"go": "(self, far=1)", "size": "property"},
    }
    assert sorted(silent_members(Two)) == ["go", "size"]


def test_a_flag_is_described() -> None:
    import typer
    import typer.main

    app = typer.Typer(add_completion=False)

    @app.command()
    def look(model: str, layers: str = typer.Option("all", "--layers", "-l")) -> None:
        """Look."""

    parameters = describe_command(typer.main.get_command(app))["parameters"]
    assert parameters["layers"]["flags"] == ["--layers", "-l"]
    assert parameters["model"]["required"] is True


def test_snapshot_script_runs_from_the_root() -> None:
    code = "from scripts.snapshot import describe_names; print(len(describe_names()))"
    root = Path(__file__).resolve().parent.parent
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
