"""Addresses with a model behind: JSON in, JSON out, one model call at a time.

400  what was asked cannot be; the text says why
409  a newer request took its place
413  the body is too large
429  too many wait
503  it took too long, or the model failed; nothing of the inside is told
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from zhuyi.errors import ZhuyiError
from zhuyi.ui.server.bodies import LARGEST, read_body
from zhuyi.ui.server.guard import place_of
from zhuyi.ui.server.turns import Superseded, TooLate, TooMany, Turn, Turns

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

_FAILED: Final = "the model could not answer this; the terminal of zhuyi serve says where it failed"
_STATUS: Final[Mapping[type[ZhuyiError], HTTPStatus]] = {
    Superseded: HTTPStatus.CONFLICT,
    TooLate: HTTPStatus.SERVICE_UNAVAILABLE,
    TooMany: HTTPStatus.TOO_MANY_REQUESTS,
}


@dataclass(frozen=True, kw_only=True)
class Get:
    """What can be read.

    Args:
        path: its address.
        work: gives the answer; it runs in the model's thread.
    """

    path: str
    work: Callable[[], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Post:
    """What can be asked.

    Args:
        path: its address.
        kind: of which only the newest counts, see `turns`.
        read: the body as what is asked. It runs before the turn is taken, so it must be quick.
            Raises: InputError: if it is not what is expected; the text is the answer.
        work: gives the answer; it runs in the model's thread and asks `Turn.check` between calls.
    """

    path: str
    kind: str
    read: Callable[[Mapping[str, Any]], Any]
    work: Callable[[Any, Turn], Mapping[str, Any]]


def answering(
    gets: Sequence[Get], posts: Sequence[Post], turns: Turns, tell: Callable[[str], None]
) -> "list[BaseRoute]":
    """Routes of these addresses.

    Args:
        gets, posts: the addresses.
        turns: the queue before the model.
        tell: takes one line on a fault; nothing of the request is in it.
    """
    return [
        *(_getting(one, turns, tell) for one in gets),
        *(_posting(one, turns, tell) for one in posts),
    ]


def _getting(get: Get, turns: Turns, tell: Callable[[str], None]) -> "BaseRoute":
    from starlette.routing import Route

    async def answer(_: "Request") -> "Response":
        return await _answered(turns, get.path, lambda _: get.work(), tell)

    return Route(get.path, answer, methods=["GET"])


def _posting(post: Post, turns: Turns, tell: Callable[[str], None]) -> "BaseRoute":
    from starlette.routing import Route

    async def answer(request: "Request") -> "Response":
        body = await request.body()
        if request.url.query:
            return refused(HTTPStatus.BAD_REQUEST, "nothing is asked in the address here")
        if len(body) > LARGEST:
            text = f"the body must be at most {LARGEST} bytes"
            return refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
        try:
            asked = post.read(read_body(body))
        except ZhuyiError as wrong:
            return refused(HTTPStatus.BAD_REQUEST, str(wrong))
        return await _answered(turns, post.kind, lambda turn: post.work(asked, turn), tell)

    return Route(post.path, answer, methods=["POST"])


async def _answered(
    turns: Turns,
    kind: str,
    work: Callable[[Turn], Mapping[str, Any]],
    tell: Callable[[str], None],
) -> "Response":
    from starlette.responses import Response

    def written(turn: Turn) -> bytes:
        return json.dumps(work(turn), ensure_ascii=False, allow_nan=False).encode()

    call = asyncio.ensure_future(turns.take(kind, written))
    try:
        await asyncio.wait({call})
    finally:
        call.cancel()  # nothing, where it is done; the turn's end, where the client has gone
    fault = call.exception()
    if isinstance(fault, ZhuyiError):
        status = next((_STATUS[k] for k in type(fault).__mro__ if k in _STATUS), None)
        return refused(status or HTTPStatus.BAD_REQUEST, str(fault))
    if isinstance(fault, Exception):
        # What a library says of its inside is for the terminal, and even there without its text.
        tell(place_of(fault))
        return refused(HTTPStatus.SERVICE_UNAVAILABLE, _FAILED)
    return Response(call.result(), media_type="application/json")


def refused(status: HTTPStatus, text: str) -> "Response":
    """Why not, as JSON."""
    from starlette.responses import JSONResponse

    told: dict[str, object] = {"error": text}
    if status == HTTPStatus.CONFLICT:
        told["superseded"] = True
    return JSONResponse(told, status_code=int(status))
