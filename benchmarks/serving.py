"""How soon does the page know what a moved slider does?

The shipped clinic-note model behind the real server on loopback: cookie, guard, JSON and all. Each
request is another weight of the first rule, as a hand on a slider makes them, so nothing that is
asked was computed before. Then the same in a browser, up to the painted picture.
"""

import http.client
import json
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from benchmarks.measure import Row, save
from benchmarks.painted import painted_rows
from zhuyi.ui.server.running import prepare
from zhuyi.ui.steering.notes_desk import FIRST, NotesDesk
from zhuyi.ui.steering.routes import make_steering_site

QUESTION = "milliseconds from a moved slider to the new decision, with the shipped model"
NOTE = (
    "One request after the other over HTTP on loopback, each with another weight; the median, with "
    "the quartiles beside it, and the slowest kept in the JSON. The rules, and all but each of "
    "them, are one run of the model. The last rows are measured in a browser, from the slider's "
    "event to the painted picture; one of them while the tests behind the verdict run, which a "
    "move ends."
)
BAR = 150.0
ROUNDS = 60
LONG = "否认高血压、糖尿病。" * 20 + FIRST  # 219 characters
RULES: tuple[dict[str, Any], ...] = (
    {"id": "a", "boost": {"text": "高血压病史"}, "weight": 2.0},
    {"id": "b", "veto": {"text": "高血脂"}},
    {"id": "c", "damp": {"text": "糖尿病"}, "weight": 0.5},
    {"id": "d", "damp": {"text": "5年"}, "weight": 0.5},
    {"id": "e", "share": {"text": "2年"}, "at_least": 0.1},
)


@dataclass(frozen=True)
class Client:
    """A page that has been let in.

    Args:
        port: of the server.
        cookie: that it got.
    """

    port: int
    cookie: str

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request, as the page sends it."""
        host = f"127.0.0.1:{self.port}"
        client = http.client.HTTPConnection(host, timeout=60)
        headers = {
            "Cookie": self.cookie,
            "Origin": f"http://{host}",
            "Content-Type": "application/json",
        }
        try:
            client.request("POST", path, json.dumps(body).encode(), headers)
            answer = client.getresponse()
            found = json.loads(answer.read())
        finally:
            client.close()
        if answer.status != 200:
            raise SystemExit(f"{path} answered {answer.status}: {found}")
        return dict(found)


@contextmanager
def served() -> Iterator[Client]:
    """The page of the shipped model."""
    up = prepare(make_steering_site(NotesDesk(), script="//"))
    thread = threading.Thread(target=up.run)
    thread.start()
    try:
        cookie = up.door.enter(up.door.new_token())
        assert cookie is not None
        yield Client(up.port, cookie.partition(";")[0])
    finally:
        up.stop()
        thread.join()


def moved(client: Client, text: str, rules: int, rounds: int) -> tuple[list[float], list[float]]:
    """Milliseconds of so many moves over HTTP, and of the work behind them."""
    whole, inside = [], []
    for turn in range(rounds + 3):
        chosen = [dict(one) for one in RULES[:rules]]
        if chosen:
            chosen[0]["weight"] = 1.5 + turn / 100
        body = {"turn": turn, "input": {"text": text}, "rules": chosen, "language": "zh"}
        begun = time.perf_counter()
        found = client.post("/try", body)
        whole.append(1e3 * (time.perf_counter() - begun))
        inside.append(float(found["took_ms"]))
    return whole[3:], inside[3:]  # the first ones import and read the input


def row(case: str, found: tuple[list[float], list[float]], bar: float | None) -> Row:
    """The median of moves."""
    whole, inside = found
    low, middle, high = statistics.quantiles(whole, n=4)
    return Row(
        case=case,
        figure=middle,
        bar=bar,
        unit="ms",
        low=low,
        high=high,
        detail={
            "inside_ms": statistics.median(inside),
            "slowest_ms": max(whole),
            "moves": len(whole),
        },
    )


def once(client: Client, path: str, rules: int) -> Row:
    """An answer that a page asks for when the slider rests."""
    times = []
    for turn in range(5):
        chosen = [dict(one) for one in RULES[:rules]]
        chosen[0]["weight"] = 3.0 + turn / 100
        body = {"turn": turn, "input": {"text": FIRST}, "rules": chosen, "language": "zh"}
        begun = time.perf_counter()
        client.post(path, {**body, "target": 0})
        times.append(1e3 * (time.perf_counter() - begun))
    return Row(
        case=f"{path}, {rules} rules, once the slider rests",
        figure=statistics.median(times),
        unit="ms",
        low=min(times),
        high=max(times),
    )


def main() -> None:
    """Moves with more and more rules, a long note, and what is asked at rest."""
    with served() as client:
        rows = [
            row("/try, one rule", moved(client, FIRST, 1, ROUNDS), BAR),
            row("/try, three rules", moved(client, FIRST, 3, ROUNDS), BAR),
            row("/try, five rules", moved(client, FIRST, 5, ROUNDS), BAR),
            row(
                f"/try, three rules, a note of {len(LONG)} characters",
                moved(client, LONG, 3, ROUNDS // 2),
                BAR,
            ),
            row("/try, no rule", moved(client, FIRST, 0, ROUNDS // 2), None),
            once(client, "/control", 3),
            once(client, "/verdict", 3),
        ]
    save("serving", QUESTION, [*rows, *painted_rows()], NOTE)


if __name__ == "__main__":
    main()
