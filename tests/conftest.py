"""What every test gets: no network, fixed seeds, and a browser where there is one."""

import os
import random
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy
import pytest
import torch

# Set before any test imports transformers, which reads them once.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@pytest.fixture(autouse=True, scope="session")
def no_network() -> Iterator[None]:
    """Refuse every connection that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if isinstance(address, tuple) and address[0] not in LOOPBACK:
            raise OSError(f"tests run without a network, and this one asked for {address[0]}")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(autouse=True)
def fixed_seeds() -> None:
    """Same numbers in every order of tests."""
    random.seed(0)
    numpy.random.seed(0)  # noqa: NPY002 - other libraries draw from the global generator
    torch.manual_seed(0)


@dataclass
class Visit:
    """An open page, with all it asked for and all it complained about."""

    page: Any
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def find_chromium() -> str | None:
    """Path of the system's Chromium or Chrome, or None."""
    for name in ("chromium", "chromium-browser", "google-chrome", "chrome"):
        if path := shutil.which(name):
            return path
    return None


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """The system's Chromium, headless. Skips when there is none, or no playwright to drive it."""
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium found: install one (Debian: apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as driver:
        # --no-sandbox: Chromium refuses to run as root without it, and CI runs as root.
        launched = driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Visit]]:
    """Open a local file with the network off: `visit(path, color_scheme="dark")`."""
    contexts = []

    def open_page(path: Path, **context_options: Any) -> Visit:
        context = browser.new_context(offline=True, **context_options)
        contexts.append(context)
        opened = Visit(page=context.new_page())
        opened.page.on("request", lambda request: opened.requests.append(request.url))
        opened.page.on("pageerror", lambda error: opened.complaints.append(str(error)))
        opened.page.on(
            "console",
            lambda line: (
                opened.complaints.append(line.text) if line.type in ("error", "warning") else None
            ),
        )
        opened.page.goto(path.resolve().as_uri())
        return opened

    yield open_page
    for context in contexts:
        context.close()
