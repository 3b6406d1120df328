"""The view's sentences in other languages than English, handed over when a reader asks for them."""

import json
from importlib.resources import files
from typing import Final

from zhuyi.ui.view.pack import pack

#: Name by which a host is asked for the Chinese sentences.
CHINESE: Final = "words/zh"


def words_pack() -> bytes:
    """The Chinese sentences as a pack, header {"kind": "words", "words": {key: sentence}}."""
    text = files("zhuyi.ui.view").joinpath("bundle", "zhuyi.zh.json").read_text(encoding="utf-8")
    return pack({"kind": "words", "words": json.loads(text)})
