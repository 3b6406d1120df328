"""What the public can rely on, as one dictionary: names, signatures, command-line flags.

Run it to renew tests/snapshots/public_names.json after a name was changed on purpose.
"""

import importlib
import inspect
import json
import pkgutil
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import typer.main

import zhuyi

SNAPSHOT = Path(__file__).resolve().parent.parent / "tests" / "snapshots" / "public_names.json"
Described = dict[str, Any]


def public_modules() -> list[ModuleType]:
    """zhuyi and every module in it that has an `__all__`; faces are frozen by their flags."""
    found = [zhuyi]
    for info in pkgutil.walk_packages(zhuyi.__path__, "zhuyi."):
        if info.name.startswith(("zhuyi.ui", "zhuyi._")):
            continue
        module = importlib.import_module(info.name)
        if info.ispkg or info.name.count(".") == 1:
            found.append(module)
    return [module for module in found if getattr(module, "__all__", None) is not None]


def signature(thing: Any) -> str:
    """Parameter names, kinds and defaults; annotations print differently in each Python."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return ""
    bare = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in found.parameters.values()
    ]
    text = str(found.replace(parameters=bare, return_annotation=inspect.Signature.empty))
    return re.sub(r" at 0x[0-9a-f]+", "", text)  # a default that is a function has an address


def members(kind: type) -> Described:
    """The public methods and properties zhuyi gives to a class; fields are in its call."""
    found: Described = {}
    for base in reversed(kind.__mro__):
        if not base.__module__.startswith("zhuyi"):
            continue
        for name, member in vars(base).items():
            operator = name in {"__matmul__", "__and__", "__add__", "__getitem__", "__call__"}
            if name.startswith("_") and not operator:
                continue
            if isinstance(member, staticmethod | classmethod):
                member = member.__func__
            if inspect.isfunction(member):
                found[name] = signature(member)
            elif isinstance(member, property):
                found[name] = "property"
    return dict(sorted(found.items()))


def describe_name(thing: Any) -> Any:
    if inspect.isclass(thing):
        return {"class": signature(thing), "members": members(thing)}
    if callable(thing):
        return signature(thing)
    return type(thing).__name__


def describe_names() -> Described:
    return {
        module.__name__: {
            name: describe_name(getattr(module, name)) for name in sorted(module.__all__)
        }
        for module in public_modules()
    }


def describe_command(command: Any) -> Described:
    """One command of the line: its parameters, and its subcommands."""
    found: Described = {
        "parameters": {
            parameter.name: {
                "flags": [*parameter.opts, *parameter.secondary_opts],
                "default": repr(parameter.default),
                "required": parameter.required,
                "several": bool(parameter.multiple or parameter.nargs != 1),
            }
            for parameter in command.params
        }
    }
    commands = getattr(command, "commands", {})
    if commands:
        found["commands"] = {name: describe_command(commands[name]) for name in sorted(commands)}
    return found


def describe_flags() -> Described | None:
    """The whole command line, or None while `zhuyi.ui.cli` has no `main`."""
    cli = importlib.import_module("zhuyi.ui.cli")
    if getattr(cli, "main", None) is None:
        return None
    return describe_command(typer.main.get_command(cli.app))


def describe() -> Described:
    return {"names": describe_names(), "flags": describe_flags()}


def main() -> None:
    SNAPSHOT.parent.mkdir(parents=True, exist_ok=True)
    SNAPSHOT.write_text(json.dumps(describe(), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {SNAPSHOT}")


if __name__ == "__main__":
    main()
