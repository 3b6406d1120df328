"""The documentation check notices what it is there for: one broken document a fault."""

import os
from collections.abc import Callable, Iterator

import pytest

from scripts.check_docs import (
    Document,
    anchor,
    commands,
    faults_of_code,
    faults_of_commands,
    faults_of_generated_pages,
    faults_of_links,
    faults_of_twins,
    make_targets,
)

TARGETS, VERBS = {"demo", "test"}, {"look"}


def shown(language: str, body: str) -> Document:
    return Document("README.md", f"# Title\n\n```{language}\n{body}\n```\n")


BROKEN: dict[str, tuple[Callable[[], Iterator[str]], str]] = {
    "code that fails": (
        lambda: faults_of_code(shown("python", "x = 1\nassert x == 2")),
        "AssertionError",
    ),
    "code that does not parse": (lambda: faults_of_code(shown("python", "x = ")), "not parse"),
    "unknown target": (
        lambda: faults_of_commands(shown("bash", "make demo tset"), TARGETS, VERBS),
        "make tset",
    ),
    "unknown verb": (
        lambda: faults_of_commands(shown("console", "$ zhuyi lok x"), TARGETS, VERBS),
        "zhuyi lok",
    ),
    "link to nothing": (
        lambda: faults_of_links(Document("README.md", "see [this](docs/none.md)")),
        "leads nowhere",
    ),
    "link to no heading": (
        lambda: faults_of_links(Document("README.md", "# One\nsee [this](#two)")),
        "no such heading",
    ),
    "other commands": (
        lambda: faults_of_twins(shown("bash", "make demo"), shown("bash", "make test")),
        "other commands",
    ),
    "generated page edited by hand": (
        lambda: faults_of_generated_pages(
            Document("docs/x.md", "other"), {"docs/x.md": "os:getcwd"}
        ),
        "is not what os:getcwd gives",
    ),
    "generated page without a generator": (
        lambda: faults_of_generated_pages(Document("docs/x.md", "do not edit by hand"), {}),
        "has no generator",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_fault_is_noticed(name: str) -> None:
    check, why = BROKEN[name]
    found = list(check())
    assert len(found) == 1
    assert why in found[0]


def test_faultless_document_passes() -> None:
    text = "# Two words\n[a](#two-words) [b](https://example.org/x) [c](LICENSE)\n"
    text += "```bash\n# remark\nmake demo  # remark\nzhuyi look x\n```\n"
    text += "```python\nx = 1\n```\n```python\nassert x == 1\n```\n"
    document = Document("README.md", text)
    assert commands(document) == ["make demo", "zhuyi look x"]
    found = [
        *faults_of_code(document),
        *faults_of_commands(document, TARGETS, VERBS),
        *faults_of_links(document),
        *faults_of_generated_pages(Document("x", os.getcwd()), {"x": "os:getcwd"}),
        *faults_of_twins(document, document),
    ]
    assert found == []


def test_anchor_is_the_one_of_github() -> None:
    assert anchor("What it is not") == "what-it-is-not"
    assert anchor("`make test`, and why") == "make-test-and-why"


def test_targets_of_the_house_are_known() -> None:
    assert {"setup", "demo", "test", "check", "bench"} <= make_targets()
