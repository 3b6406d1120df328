"""What a page carries, read back from its text."""

import base64
import json
import re
from typing import Any

from zhuyi.ui.view.pack import split, unpack


def index_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="zhuyi-index">(.*?)</script>', page)
    assert found is not None
    index: dict[str, Any] = json.loads(found.group(1))
    return index


def packs_of(page: str) -> dict[str, bytes]:
    """The packs that a page carries, by name."""
    blocks = re.findall(r'<script type="application/octet-stream" data-zhuyi="(.*?)">(.*?)<', page)
    return {name: base64.b64decode(text, validate=True) for name, text in blocks}


def track_of(page: str) -> dict[str, Any]:
    return unpack(packs_of(page)["track/0"])[0]


def moment_of(page: str) -> dict[str, Any]:
    return unpack(split(packs_of(page)["moment/0/0"])[0])[0]
