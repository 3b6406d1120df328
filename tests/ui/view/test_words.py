"""Chinese sentences: handed over by name, complete, and made for the module beside them."""

import re

from tests.ui.synthetic import details, synthetic_look
from zhuyi.ui.view.archive import archive_of, handed_over
from zhuyi.ui.view.pack import unpack
from zhuyi.ui.view.page import bundle
from zhuyi.ui.view.words import CHINESE, words_pack


def test_every_host_hands_them_over_beside_its_archive() -> None:
    looked, matrices, values = synthetic_look(layers=1, heads=2, length=8, width=8)
    archive = archive_of(looked, details(matrices, values), budget=0)
    assert handed_over(archive, CHINESE) == words_pack()
    assert handed_over(archive, "track/0") == archive.ask("track/0")


def test_they_are_chinese_and_fit_the_module() -> None:
    header, arrays = unpack(words_pack())
    words = header["words"]
    assert arrays == {}
    assert words["unverified"] == "未经验证"
    script = bundle()
    keys = {key for key in words if re.fullmatch(r"[a-z][A-Za-z]+", key)}
    keys -= {"text", "image", "positions"}  # names of sequences, which come with the data
    assert len(keys) > 200
    missing = [key for key in keys if key not in script]
    assert missing == [], "the module and its sentences were built apart: make view"
