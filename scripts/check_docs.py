"""Run what the documentation shows: code blocks, examples in docstrings, links, generated parts.

    python scripts/check_docs.py

- blocks of README.md and docs/ marked ```python run, one file after another, each in its own
  interpreter and an empty folder; a block continues the one before it in its file;
- examples in the docstrings of every module of zhuyi run as doctests;
- `make TARGET` and `zhuyi VERB` in the documents exist;
- links to local files and to headings lead somewhere;
- README.md and README.zh-CN.md show the same commands;
- generated pages are what their generator writes now; a page that says "do not edit by hand" has
  its generator in PAGES below.
"""

import ast
import doctest
import importlib
import os
import pkgutil
import re
import shlex
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
# Generated pages, and the function that gives their text from committed records.
PAGES = {
    "docs/benchmarks.md": "benchmarks.table:page",
    "docs/steering-truth.md": "scripts.steering_truth_page:page",
}
BY_HAND = "do not edit by hand"
SHELLS = {"bash", "sh", "shell", "console"}


@dataclass(frozen=True)
class Document:
    """One Markdown file: its path from the root, its text."""

    path: str
    text: str

    def blocks(self, *languages: str) -> list[str]:
        return [body for language, body in FENCE.findall(self.text) if language in languages]

    def prose(self) -> str:
        return FENCE.sub("", self.text)


def read_documents() -> list[Document]:
    paths = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
    return [Document(p.relative_to(ROOT).as_posix(), p.read_text(encoding="utf-8")) for p in paths]


# --- each check yields one line per fault -----------------------------------------------------


def faults_of_code(document: Document) -> Iterator[str]:
    blocks = document.blocks("python")
    for block in blocks:
        try:
            ast.parse(block)
        except SyntaxError as error:
            yield f"{document.path}: a python block does not parse: {error}"
            return
    if not blocks:
        return
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "blocks.py"
        script.write_text("\n".join(blocks), encoding="utf-8")
        run = subprocess.run(
            [sys.executable, str(script)],
            cwd=folder,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    if run.returncode:
        yield f"{document.path}: its python blocks fail:\n{run.stderr.strip()[-1500:]}"


def commands(document: Document) -> list[str]:
    """The command lines that a document shows, without prompts and remarks."""
    lines = [line.strip() for block in document.blocks(*SHELLS) for line in block.splitlines()]
    bare = [re.sub(r"\s+#.*$", "", line.removeprefix("$ ")) for line in lines]
    return [line for line in bare if line and not line.startswith("#")]


def faults_of_commands(document: Document, targets: set[str], verbs: set[str]) -> Iterator[str]:
    for command in commands(document):
        words = shlex.split(command)
        if words[0] == "make":
            for word in words[1:]:
                if word not in targets and "=" not in word:
                    yield f"{document.path}: there is no `make {word}`"
        verb = words[1] if words[0] == "zhuyi" and len(words) > 1 else "--help"
        if not verb.startswith("-") and verb not in verbs:
            yield f"{document.path}: there is no `zhuyi {verb}`"


def anchor(heading: str) -> str:
    """The fragment that GitHub gives to a heading."""
    kept = re.sub(r"[^\w\- ]", "", heading.lower().replace("`", ""))
    return kept.replace(" ", "-")


def faults_of_links(document: Document) -> Iterator[str]:
    folder = (ROOT / document.path).parent
    for link in LINK.findall(document.prose()):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, fragment = link.partition("#")
        target = folder / name if name else ROOT / document.path
        if name and not target.exists():
            yield f"{document.path}: the link {link} leads nowhere"
        elif fragment and target.suffix == ".md":
            text = target.read_text(encoding="utf-8") if name else document.text
            if fragment not in {anchor(heading) for heading in HEADING.findall(text)}:
                yield f"{document.path}: {link}: there is no such heading"


def faults_of_twins(one: Document, other: Document) -> Iterator[str]:
    for what, first, second in (
        ("commands", commands(one), commands(other)),
        ("python blocks", one.blocks("python"), other.blocks("python")),
    ):
        if first != second:
            yield f"{one.path} and {other.path} show other {what}: {first} / {second}"


def faults_of_generated_pages(document: Document, pages: dict[str, str]) -> Iterator[str]:
    generator = pages.get(document.path)
    if generator is None:
        if BY_HAND in document.text:
            yield f"{document.path} says {BY_HAND!r} and has no generator in scripts/check_docs.py"
        return
    module, _, function = generator.partition(":")
    if getattr(importlib.import_module(module), function)() != document.text:
        yield f"{document.path} is not what {generator} gives: run `python -m {module}`"


def faults_of_docstrings() -> Iterator[str]:
    """Examples of every module; warnings in them are errors, as in the tests."""
    package = importlib.import_module("zhuyi")
    names = [info.name for info in pkgutil.walk_packages(package.__path__, "zhuyi.")]
    examples = 0
    here = os.getcwd()
    for name in ["zhuyi", *names]:
        module = importlib.import_module(name)
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("error")
            os.chdir(folder)
            try:
                result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
            finally:
                os.chdir(here)
        examples += result.attempted
        if result.failed:
            yield f"{name}: {result.failed} of {result.attempted} example lines fail (see above)"
    if not examples:
        yield "no docstring has an example: the check looked at nothing"
    print(f"ran {examples} example lines of {len(names) + 1} modules")


def make_targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


def verbs() -> set[str]:
    """The commands that the command line knows."""
    run = subprocess.run(
        [sys.executable, "-c", "from scripts.snapshot import describe_flags as f; print(f())"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    found = ast.literal_eval(run.stdout) or {}
    return set(found.get("commands", ()))


def faults(documents: list[Document]) -> Iterator[str]:
    targets, known = make_targets(), verbs()
    for document in documents:
        yield from faults_of_links(document)
        yield from faults_of_commands(document, targets, known)
        yield from faults_of_generated_pages(document, PAGES)
        yield from faults_of_code(document)
    for path in PAGES:
        if not (ROOT / path).exists():
            yield f"{path} is missing: its generator is {PAGES[path]}"
    named = {document.path: document for document in documents}
    for name in ("README.md", "README.zh-CN.md", "ARCHITECTURE.md", "CONTRIBUTING.md"):
        if name not in named:
            yield f"{name} is missing"
    if {"README.md", "README.zh-CN.md"} <= named.keys():
        yield from faults_of_twins(named["README.md"], named["README.zh-CN.md"])
    yield from faults_of_docstrings()


def main() -> int:
    sys.path.insert(0, str(ROOT))
    documents = read_documents()
    found = list(faults(documents))
    for fault in found:
        print(f"- {fault}")
    print(f"checked {len(documents)} documents: {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
