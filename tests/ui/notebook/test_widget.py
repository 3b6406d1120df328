"""The widget: anywidget's own class, asked as its front end asks."""

import sys
from typing import Any

import pytest

pytest.importorskip("anywidget")

from tests.ui.notebook.things import WORDS, tape_of
from zhuyi.errors import InputError
from zhuyi.ui.notebook import Choice, view
from zhuyi.ui.notebook.widget import ArchiveWidget
from zhuyi.ui.view.archive import MemoryArchive, TrackIndex
from zhuyi.ui.view.pack import split, unpack
from zhuyi.ui.view.page import bundle


class Line:
    """What goes to the front end, in place of a kernel's comm."""

    def __init__(self, widget: Any) -> None:
        self.sent: list[tuple[Any, list[bytes]]] = []
        widget.send = self.send
        self.widget = widget

    def send(self, content: Any, buffers: list[bytes] | None = None) -> None:
        self.sent.append((content, buffers or []))

    def ask(self, message: Any) -> None:
        """As a message from the front end comes in."""
        self.widget._handle_custom_msg(message, [])


@pytest.fixture
def line() -> Line:
    widget = view(tape_of(), choice=Choice(labels=WORDS), title="two layers").widget()
    return Line(widget)


def test_its_state_is_the_index_and_the_one_module(line: Line) -> None:
    state = line.widget.get_state()
    assert state["_esm"] == bundle()
    index = state["index"]
    assert index["title"] == "two layers"
    assert [track["id"] for track in index["tracks"]] == ["0"]


def test_every_pack_is_answered_by_name(line: Line) -> None:
    for number, name in enumerate(("track/0", "moment/0/0", "detail/0/0/5"), start=7):
        line.ask({"ask": name, "id": number})
        content, buffers = line.sent[-1]
        assert content == {"answer": number}
        (data,) = buffers
        kind = unpack(split(data)[0] if name.startswith("moment") else data)[0]["kind"]
        assert kind == name.split("/")[0]


def test_what_is_not_there_is_an_answer_too(line: Line) -> None:
    for name in ("track/1", "../secret", "", "detail/0/0/99"):
        line.ask({"ask": name, "id": 3})
        content, buffers = line.sent[-1]
        assert content == {"answer": 3, "error": f"there is nothing called {name!r}"}
        assert buffers == []


@pytest.mark.parametrize(
    "message",
    [None, 3, [], {}, {"ask": 1, "id": 2}, {"ask": "track/0"}, {"id": 2}, {"ask": "x", "id": "2"}],
)
def test_messages_of_another_form_get_no_answer(line: Line, message: object) -> None:
    line.ask(message)
    assert line.sent == []


def test_an_index_that_grows_reaches_the_front_end() -> None:
    packs: dict[str, bytes] = {}

    class Growing:
        def index(self) -> dict[str, object]:
            tracks = tuple(TrackIndex(id=name) for name in packs)
            return MemoryArchive(title="", tracks=tracks, packs={}).index()

        def ask(self, name: str) -> bytes:
            raise InputError(name)

    widget = ArchiveWidget(Growing())
    changes: list[Any] = []
    widget.observe(changes.append, "index")
    packs["one"] = b""
    widget.refresh()
    assert [track["id"] for track in changes[0]["new"]["tracks"]] == ["one"]


def test_without_anywidget_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "zhuyi.ui.notebook.widget")
    with pytest.raises(InputError, match=r"a widget needs anywidget: pip install 'zhuyi\[notebook"):
        view(tape_of()).widget()
