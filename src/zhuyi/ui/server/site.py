"""The addresses of the page: what the view asks for, and nothing else."""

import html
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, TypeAlias

from zhuyi.errors import InputError
from zhuyi.ui.server.posting import Get, Post, answering
from zhuyi.ui.server.shelf import Shelf
from zhuyi.ui.server.turns import Turns
from zhuyi.ui.view.archive import Archive
from zhuyi.ui.view.page import bundle

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

Site: TypeAlias = "Starlette"
"""A page with its addresses, not guarded yet."""

_FRONT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<link rel="stylesheet" href="page.css">
<title>{title}</title>
</head>
<body>
<noscript><p>This page draws itself with its own script. Allow scripts for this address to see it.
本页面需要运行其自带的脚本。</p></noscript>
<div id="zhuyi" data-host="server"></div>
<script type="module" src="{script}"></script>
</body>
</html>
"""


def make_site(
    archive: Archive, *, title: str, script: str | None = None, more: "Sequence[BaseRoute]" = ()
) -> "Starlette":
    """The page of an archive, not guarded yet.

        /            the page
        /zhuyi.js    the view
        /page.css    what the empty page looks like
        /index       what there is, as JSON
        /ask?name=   the bytes of a name of the index

    Args:
        archive: what there is to show; may grow while it is served.
        title: of the page.
        script: another view than the one that comes with zhuyi.
        more: further routes, for instance ones that run a model.
    Returns: an ASGI application; put a `Guard` before it.
    Not:     safe by itself.
    """
    from starlette.responses import Response
    from starlette.routing import Route

    shelf = Shelf(archive=archive)
    view = bundle() if script is None else script

    async def index(_: "Request") -> "Response":
        try:
            found = await shelf.index()
        except (InputError, OSError):
            # A run that is being moved, say: the page asks again in a few seconds.
            return _said(HTTPStatus.SERVICE_UNAVAILABLE, "The runs cannot be read just now.")
        return Response(found, media_type="application/json")

    async def ask(request: "Request") -> "Response":
        match request.query_params.multi_items():
            case [("name", name)]:
                pass
            case _:
                return _said(HTTPStatus.BAD_REQUEST, "Ask for one name.")
        try:
            found = await shelf.ask(name)
        except (InputError, OSError):
            return _said(HTTPStatus.NOT_FOUND, "There is nothing of that name.")
        return Response(found, media_type="application/octet-stream")

    routes = [
        Route("/index", index, methods=["GET"]),
        Route("/ask", ask, methods=["GET"]),
        *more,
    ]
    return _site(page_files(title=title, name="zhuyi.js", script=view), routes)


def plain_site(
    files: Mapping[str, tuple[str, str]],
    *,
    gets: Sequence[Get] = (),
    posts: Sequence[Post] = (),
    turns: Turns | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> "Starlette":
    """A page with a model behind it, not guarded yet.

    Args:
        files: address -> media type and text, of what never changes; see `page_files`.
        gets, posts: what can be read and asked, as JSON.
        turns: the queue before the model; None for a new one.
        tell: takes one line on a fault; nothing of the request is in it.
    Returns: an ASGI application; put a `Guard` before it.
    Not:     safe by itself.
    """
    return _site(files, answering(gets, posts, turns or Turns(), tell))


def page_files(*, title: str, name: str, script: str) -> dict[str, tuple[str, str]]:
    """What a page that draws itself is made of: address -> media type and text.

    Args:
        title: of the page; a text, not markup.
        name: of its script.
        script: one ES module that draws into `<div id="zhuyi" data-host="server">`.
    """
    front = _FRONT.format(title=html.escape(title), script=html.escape(name))
    style = files("zhuyi.ui.view").joinpath("bundle", "page.css").read_text(encoding="utf-8")
    return {
        "/": ("text/html", front),
        f"/{name}": ("text/javascript", script),
        "/page.css": ("text/css", style),
    }


def _site(fixed: Mapping[str, tuple[str, str]], routes: "Sequence[BaseRoute]") -> "Starlette":
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    async def unchanging(request: "Request") -> "Response":
        kind, text = fixed[request.url.path]
        return Response(text, media_type=kind)

    async def nothing(_: "Request", __: Exception) -> "Response":
        return _said(HTTPStatus.NOT_FOUND, "There is nothing here.")

    async def other_method(_: "Request", __: Exception) -> "Response":
        return _said(HTTPStatus.METHOD_NOT_ALLOWED, "This method is not allowed.")

    site = Starlette(
        routes=[*(Route(path, unchanging, methods=["GET"]) for path in fixed), *routes],
        exception_handlers={404: nothing, 405: other_method},
    )
    site.router.redirect_slashes = False
    return site


def _said(status: HTTPStatus, text: str) -> "Response":
    from starlette.responses import PlainTextResponse

    return PlainTextResponse(f"{text}\n", status_code=int(status))
