"""Pages for the tests of the view, built once, and how to wait for them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.ui.synthetic import details, synthetic_look
from zhuyi.core import AttentionMatrix
from zhuyi.ui.view.page import build_page

EVIL = "</script><img src=x onerror=window.stolen=1>"
Matrices = dict[tuple[int, int], AttentionMatrix]
Visit = Callable[..., Any]

# The view draws into a shadow root, which `document.getElementById` does not look into.
ROOT = "document.getElementById('zhuyi').shadowRoot"


class Pages:
    """Pages built once for all tests of a module."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.matrices: dict[str, Matrices] = {}

    def page(self, name: str, **look: Any) -> Path:
        path = self.folder / f"{name}.html"
        if not path.exists():
            looked, matrices, values = synthetic_look(**look)
            path.write_text(build_page(looked, details(matrices, values)), encoding="utf-8")
            self.matrices[name] = matrices
        return path

    @property
    def short(self) -> Path:
        """12 tokens: dense details."""
        return self.page("short", layers=2, heads=4, length=12, width=16)

    @property
    def medium(self) -> Path:
        """150 tokens, causal: operator details."""
        return self.page("medium", layers=2, heads=4, length=150, width=16, causal=True)

    @property
    def long(self) -> Path:
        """4,000 tokens."""
        return self.page("long", layers=1, heads=3, length=4000, width=32)


def ready(opened: Any) -> Any:
    """Wait until the view has drawn a head; returns the playwright page."""
    opened.page.wait_for_selector("#zhuyi[data-ready=yes]")
    opened.page.wait_for_function(
        f"() => Boolean({ROOT}.getElementById('matrix-readout')?.textContent)"
    )
    return opened.page


def text(page: Any, name: str) -> str:
    """Text of the element of this id."""
    return str(page.text_content(f"#{name}"))


def silent(opened: Any, path: Path) -> None:
    """Nothing was complained about and nothing but the page itself was asked for."""
    assert opened.complaints == []
    others = [url for url in opened.requests if not url.startswith(("data:", "blob:"))]
    assert others == [path.resolve().as_uri()], "the page asked for something"
