"""The addresses of the page: what they give, byte for byte, and what they do not know."""

import asyncio
import json
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.ui.server.loops import complete
from tests.ui.server.runs import VIEW
from tests.ui.server.standing import Standing, standing
from zhuyi.errors import InputError
from zhuyi.ui.server.logdir import RunsArchive
from zhuyi.ui.server.shelf import Shelf
from zhuyi.ui.server.site import make_site


def test_the_view_is_given_as_it_is(server: Standing) -> None:
    status, headers, script = server.get("/zhuyi.js")
    assert (status, headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert script == VIEW.encode()
    status, headers, _ = server.get("/page.css")
    assert (status, headers["content-type"]) == (200, "text/css; charset=utf-8")


def test_the_index_and_every_name_of_it_are_those_of_the_archive(
    server: Standing, logdir: Path
) -> None:
    status, headers, body = server.get("/index")
    archive = RunsArchive(logdir)
    assert (status, headers["content-type"]) == (200, "application/json")
    assert json.loads(body) == json.loads(json.dumps(archive.index()))
    names = [
        name
        for track in json.loads(body)["tracks"]
        for name in (
            f"track/{track['id']}",
            f"series/{track['id']}",
            *(f"moment/{track['id']}/{step}" for step in track["steps"]),
            *(f"detail/{track['id']}/{step}/{n}" for step in track["detailed"] for n in range(4)),
        )
    ]
    assert len(names) == 2 * (2 + 3 + 4)
    for name in names:
        assert server.get(f"/ask?name={quote(name, safe='')}")[::2] == (200, archive.ask(name))


def test_head_says_what_get_would_and_sends_nothing(server: Standing) -> None:
    status, headers, body = server.ask("HEAD", "/zhuyi.js", None, {"Cookie": server.cookie})
    assert (status, body) == (200, b"")
    assert int(headers["content-length"]) == len(VIEW.encode())


@pytest.mark.parametrize("path", ["/nothing", "/index.html", "/ask/x", "/bundle", "/page.html"])
def test_what_is_not_there_is_not_found(server: Standing, path: str) -> None:
    status, _, body = server.get(path)
    assert (status, body) == (404, b"There is nothing here.\n")


def test_a_name_is_asked_of_the_archive_only_if_its_index_has_it() -> None:
    class Careless:
        """An archive that would give anything; it writes down what it is asked."""

        def __init__(self) -> None:
            self.asked: list[str] = []
            self.steps = [0, 50]

        def index(self) -> dict[str, object]:
            return {"tracks": [{"id": "a", "steps": list(self.steps)}]}

        def ask(self, name: str) -> bytes:
            self.asked.append(name)
            return name.encode()

    careless = Careless()
    shelf = Shelf(archive=careless)

    def ask(name: str) -> bytes:
        return complete(shelf.ask(name))

    good = ["track/a", "series/a", "moment/a/50", "detail/a/0/3"]
    for name in good:
        assert ask(name) == name.encode()
    bad = [
        "", "a", "track/b", "track/a/0", "moment/a", "moment/a/51", "moment/a/050", "track/a\n",
        "moment/a/٥٠", "track/../a", "page/a", "moment/a/5_0", "detail/a/0/-1", "detail/a/1/0",
    ]  # fmt: skip
    for name in bad:
        with pytest.raises(InputError):
            ask(name)
    assert careless.asked == good
    careless.steps.append(51)  # logged since the index was read
    assert ask("moment/a/51") == b"moment/a/51"


def test_runs_that_cannot_be_read_just_now_are_said_to_be_so() -> None:
    class Moved:
        """Its files are elsewhere at the moment."""

        def index(self) -> dict[str, object]:
            raise FileNotFoundError("/home/somebody/runs")

        def ask(self, name: str) -> bytes:
            raise InputError("/home/somebody/runs")

    with standing(make_site(Moved(), title="zhuyi", script=VIEW)) as up:
        assert up.get("/index")[::2] == (503, b"The runs cannot be read just now.\n")
        assert up.get("/ask?name=track/a")[::2] == (404, b"There is nothing of that name.\n")
        assert up.told == []


class Slow:
    """An archive that takes its time, and notices two questions at once."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.busy = False
        self.together = False
        self.answered = 0

    def index(self) -> dict[str, object]:
        return {"tracks": [{"id": "a", "steps": [0]}]}

    def ask(self, name: str) -> bytes:
        self.together |= self.busy
        self.busy = True
        time.sleep(self.seconds)
        self.busy = False
        self.answered += 1
        return b""


def test_questions_come_one_after_the_other() -> None:
    slow = Slow(0.01)
    shelf = Shelf(archive=slow)

    async def run() -> None:
        await asyncio.gather(*(shelf.ask("track/a") for _ in range(8)))

    complete(run())
    assert (slow.together, slow.answered) == (False, 8)


def test_questions_that_were_given_up_do_not_run_beside_others_nor_at_all_if_not_begun() -> None:
    slow = Slow(0.2)
    shelf = Shelf(archive=slow)

    async def run() -> None:
        given_up = [asyncio.wait_for(shelf.ask("track/a"), 0.05) for _ in range(5)]
        ends = await asyncio.gather(*given_up, return_exceptions=True)
        assert all(isinstance(one, TimeoutError) for one in ends)
        await shelf.ask("track/a")

    complete(run())
    assert not slow.together
    assert slow.answered == 2, "the one that had begun, and the last"


def test_the_slider_does_not_wait_for_the_course_of_all_steps() -> None:
    class LongCourse(Slow):
        """Its series takes its time, the rest does not."""

        def ask(self, name: str) -> bytes:
            if name.startswith("series/"):
                return super().ask(name)
            return b"at once" if self.busy else b"after it"

    shelf = Shelf(archive=LongCourse(0.3))

    async def run() -> bytes:
        course = asyncio.create_task(shelf.ask("series/a"))
        await asyncio.sleep(0.1)
        found = await shelf.ask("moment/a/0")
        await course
        return found

    assert complete(run()) == b"at once"
