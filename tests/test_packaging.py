"""What pip is told: the command exists, the pins are complete and nothing but pins."""

import importlib
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import zhuyi

ROOT = Path(__file__).resolve().parent.parent
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]


def pins(text: str) -> dict[str, str]:
    """name -> version of every pin; anything else in the file is an error."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    found = {}
    for line in lines:
        match = re.fullmatch(r"([a-z0-9-]+)==([0-9][0-9a-z.]*)", line)
        if match is None:
            raise ValueError(f"not a plain pin: {line}")
        found[match[1]] = match[2]
    return found


PINS = pins((ROOT / "constraints.txt").read_text(encoding="utf-8"))


def requirements() -> Iterator[Requirement]:
    for extra in [[], *PROJECT["optional-dependencies"].values()]:
        for line in [*PROJECT["dependencies"], *extra]:
            if not line.startswith("zhuyi["):
                yield Requirement(line)


def test_the_command_exists() -> None:
    module, _, function = PROJECT["scripts"]["zhuyi"].partition(":")
    assert callable(getattr(importlib.import_module(module), function))


def test_one_version() -> None:
    assert PROJECT["version"] == zhuyi.__version__


def test_every_requirement_is_pinned_and_allowed() -> None:
    for requirement in requirements():
        pinned = PINS[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(pinned), requirement
        assert not any(s.operator in {"<", "<=", "==", "~="} for s in requirement.specifier), (
            f"{requirement}: upper bounds belong in constraints.txt"
        )


@pytest.mark.parametrize(
    "line",
    ["--index-url https://example.org/simple", "torch==2.13.0+cpu", "numpy>=2", "x @ file:y"],
)
def test_anything_but_a_plain_pin_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="not a plain pin"):
        pins(line)
