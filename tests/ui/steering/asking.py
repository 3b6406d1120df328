"""Asking a standing server what the page asks it."""

import json
from typing import Any

from tests.ui.server.standing import Standing


def post(server: Standing, path: str, body: object) -> tuple[int, Any]:
    """Status and JSON of one request from the page's own origin."""
    headers = {
        "Cookie": server.cookie,
        "Origin": f"http://{server.host}",
        "Content-Type": "application/json",
    }
    status, _, answer = server.ask("POST", path, json.dumps(body).encode(), headers)
    return status, json.loads(answer)
