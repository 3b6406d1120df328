"""The plug-in behind TensorBoard's tab "Attention": the view's script, an index, bytes by name.

Three read-only routes over TensorBoard's data provider. No file is opened, no model is run, and
nothing of a request is used but a name that is looked up among those the index lists.
"""

from collections.abc import Callable, Iterable
from typing import Any

from tensorboard.plugins import base_plugin
from werkzeug.wrappers import Request, Response

from zhuyi.errors import InputError
from zhuyi.ui.tensorboard.board import ROOM, Board
from zhuyi.ui.tensorboard.memory import Memory
from zhuyi.ui.tensorboard.reading import BoardArchive
from zhuyi.ui.tensorboard.tags import PLUGIN
from zhuyi.ui.view.archive import handed_over, index_values
from zhuyi.ui.view.pack import to_json
from zhuyi.ui.view.page import bundle

_LONGEST = 200  # characters of a name

WsgiApp = Callable[..., Iterable[bytes]]


class AttentionPlugin(base_plugin.TBPlugin):  # type: ignore[misc]
    """Attention during training, as TensorBoard's tab.

    Args:
        context: TensorBoard's; only its data provider is used, which may be missing.
    """

    plugin_name = PLUGIN

    def __init__(self, context: base_plugin.TBContext) -> None:
        self._provider = context.data_provider
        self._memory = Memory(ROOM)

    def get_plugin_apps(self) -> dict[str, WsgiApp]:
        """The routes, below data/plugin/zhuyi."""
        routes = {"/zhuyi.js": self._script, "/index": self._index, "/ask": self._ask}
        return {path: _app(answer) for path, answer in routes.items()}

    def is_active(self) -> bool:
        """Never by itself: TensorBoard shows the tab as soon as there is data of this name."""
        return False

    def frontend_metadata(self) -> base_plugin.FrontendMetadata:
        """A frame with the view's module in it."""
        return base_plugin.FrontendMetadata(es_module_path="/zhuyi.js", tab_name="Attention")

    def _script(self, _: Request) -> Response:
        return _respond(bundle(), "text/javascript; charset=utf-8")

    def _index(self, request: Request) -> Response:
        if self._provider is None:
            values = index_values("TensorBoard", [])
        else:
            values = self._archive(request).index()
        return _respond(to_json(values), "application/json")

    def _ask(self, request: Request) -> Response:
        names = request.args.getlist("name")
        if len(names) != 1 or not 0 < len(names[0]) <= _LONGEST:
            return _refuse(400, f"ask for one name of 1 to {_LONGEST} characters: ask?name=...")
        if self._provider is None:
            return _refuse(404, "this TensorBoard has no data provider")
        return _respond(handed_over(self._archive(request), names[0]), "application/octet-stream")

    def _archive(self, request: Request) -> BoardArchive:
        # Here and not above: it carries libraries along that warn of their own age when imported.
        from tensorboard import plugin_util

        context = plugin_util.context(request.environ)
        experiment = plugin_util.experiment_id(request.environ)
        board = Board(self._provider, self._memory, context=context, experiment=experiment)
        return BoardArchive(board=board)


def _app(answer: Callable[[Request], Response]) -> WsgiApp:
    """A route: GET only, and what cannot be answered is said in plain text."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        if request.method != "GET":
            refusal = _refuse(405, "this can only be read: use GET")
            refusal.headers["Allow"] = "GET"
            return refusal(environ, start_response)
        try:
            response = answer(request)
        except InputError as error:
            response = _refuse(404, str(error))
        return response(environ, start_response)

    return app


def _refuse(status: int, why: str) -> Response:
    return _respond(why.encode("utf-8", "replace"), "text/plain; charset=utf-8", status)


def _respond(body: str | bytes, kind: str, status: int = 200) -> Response:
    response = Response(body, status=status, content_type=kind)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = "no-store"
    response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
