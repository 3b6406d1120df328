"""The addresses of the page with a model behind it."""

from collections.abc import Callable, Mapping
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final

from zhuyi.errors import InputError
from zhuyi.steer.rules import Rules
from zhuyi.ui.server.posting import Get, Post
from zhuyi.ui.server.site import Site, page_files, plain_site
from zhuyi.ui.server.turns import Turn, Turns
from zhuyi.ui.steering import asking
from zhuyi.ui.steering.asking import Asked
from zhuyi.ui.steering.bench import Bench, turn_checked
from zhuyi.ui.steering.controlling import controlled
from zhuyi.ui.steering.desk import ColumnOf, Desk, said
from zhuyi.ui.steering.judging import judged
from zhuyi.ui.steering.ruling import Ruling, read_strange_yaml
from zhuyi.ui.steering.trying import tried

SCHEMA: Final = "zhuyi.desk/1"


def make_steering_site(
    desk: Desk,
    *,
    rules: Rules = Rules(),  # noqa: B008 - it is immutable
    script: str | None = None,
    turns: Turns | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Site:
    """The page to try rules on one model, not guarded yet.

        /              the page          /steering.js, /page.css   what it is made of
        /desk          the model, its examples, and the rules of the person who serves it
        /try           before, after, and what each rule does
        /control       the same rules on random other places
        /verdict       whether the explanation may be believed, and what a veto may claim
        /rules         YAML as rules

    Args:
        desk: the model.
        rules: to begin with; what they speak about may be named by the page, patterns too.
        script: another page than the one that comes with zhuyi.
        turns: the queue before the model; None for a new one.
        tell: takes one line on a fault; nothing of the request is in it.
    Returns: an ASGI application; put a `Guard` before it.
    Not:     safe by itself.
    """
    ruling = Ruling(rules)
    bench = Bench(desk, ruling)
    read, read_draws = asking.reading(desk), asking.reading(desk, draws=True)

    def rules_of(yaml: str, _: Turn) -> Mapping[str, Any]:
        return {"rules": read_strange_yaml(yaml)}

    return plain_site(
        page_files(title=desk.title, name="steering.js", script=script or bundle()),
        gets=[Get(path="/desk", work=lambda: told_of(desk, ruling))],
        posts=[
            Post(path="/try", kind="try", read=read, work=_interruptible(tried, bench)),
            Post(
                path="/control",
                kind="control",
                read=read_draws,
                work=_interruptible(controlled, bench),
            ),
            Post(path="/verdict", kind="verdict", read=read, work=_interruptible(judged, bench)),
            Post(path="/rules", kind="rules", read=asking.read_yaml, work=rules_of),
        ],
        turns=turns,
        tell=tell,
    )


def _interruptible(
    work: Callable[[Bench, Asked, Turn], Mapping[str, Any]], bench: Bench
) -> Callable[[Asked, Turn], Mapping[str, Any]]:
    """The same work, which ends at the next call of any module once its turn is over.

    Tests of explanations and certificates run a model hundreds of times and know of no turns.
    """

    def watched(asked: Asked, turn: Turn) -> Mapping[str, Any]:
        with turn_checked(turn):
            return work(bench, asked, turn)

    return watched


def told_of(desk: Desk, ruling: Ruling) -> dict[str, Any]:
    """The answer to GET /desk."""
    return {
        "schema": SCHEMA,
        "version": version("zhuyi"),
        "kind": desk.kind,
        "model": desk.model,
        "title": desk.title,
        "labels": list(desk.labels),
        "many": desk.many,
        "measure": {
            "kind": desk.measure.kind,
            "unit": desk.measure.unit,
            "said": said(desk.measure.said),
        },
        "examples": [{"name": one.name, "input": one.given.as_json()} for one in desk.examples],
        "columns": [_column(one) for one in desk.columns],
        "rules": ruling.entries,
        "notes": [said(one) for one in desk.notes],
        "limit": {"characters": asking.CHARACTERS, "rules": asking.RULES},
    }


def bundle() -> str:
    """The page's script: one ES module, built from `frontend/` and kept beside this file.

    Raises: InputError: where this copy of zhuyi was made without it.
    """
    path = files("zhuyi.ui.steering").joinpath("bundle", "steering.js")
    if not path.is_file():
        raise InputError("this copy of zhuyi lacks the page's script: run `make view` first")
    return path.read_text(encoding="utf-8")


def _column(one: ColumnOf) -> dict[str, Any]:
    known = {"low": one.low, "high": one.high, "step": one.step}
    found: dict[str, Any] = {"name": one.name, "kind": one.kind}
    found |= {name: value for name, value in known.items() if value is not None}
    return found | ({"values": list(one.values)} if one.values else {})
