"""The guards of conftest.py hold: no network, fixed seeds, and a page that cannot send anything."""

import random
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch


def test_leaving_this_machine_is_refused() -> None:
    # 192.0.2.0/24 is reserved for documentation: nobody answers there.
    with pytest.raises(OSError, match="without a network"):
        socket.create_connection(("192.0.2.1", 80), timeout=1)


def test_this_machine_can_be_reached() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        socket.create_connection(server.getsockname()[:2], timeout=5).close()


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_starts_with_the_same_seed(turn: int) -> None:
    assert (random.random(), torch.rand(1).item()) == pytest.approx((0.8444218, 0.4962566))


def test_a_page_is_opened_offline_and_its_requests_are_seen(
    visit: Callable[..., Any], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<title>a</title><img src='https://example.org/x.png'><script>document.title = 'b'</script>"
    )
    opened = visit(page)
    assert opened.page.title() == "b"
    assert opened.requests == [page.as_uri(), "https://example.org/x.png"]
    assert any("ERR_INTERNET_DISCONNECTED" in line for line in opened.complaints)
