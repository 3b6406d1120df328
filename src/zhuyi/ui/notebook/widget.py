"""The view as a Jupyter widget: messages by name, answered from an archive.

This module needs anywidget and is imported when a widget is asked for, never before.
"""

import anywidget
import traitlets

from zhuyi.errors import InputError
from zhuyi.ui.view.archive import Archive, handed_over
from zhuyi.ui.view.page import bundle


class ArchiveWidget(anywidget.AnyWidget):
    """A widget whose front end asks {"ask": name, "id": n} and is answered {"answer": n}.

    Args:
        archive: where the bytes come from.
    """

    _esm = traitlets.Unicode().tag(sync=True)
    index = traitlets.Dict().tag(sync=True)

    def __init__(self, archive: Archive) -> None:
        super().__init__(_esm=bundle(), index=archive.index())
        self._archive = archive
        self.on_msg(self._answer)

    def refresh(self) -> None:
        """Read the archive's index again: steps that a training wrote meanwhile appear."""
        self.index = self._archive.index()

    def _answer(self, _: object, message: object, __: object) -> None:
        """One answer; a message of another form is not ours and gets none."""
        if not isinstance(message, dict):
            return
        name, number = message.get("ask"), message.get("id")
        if not isinstance(name, str) or not isinstance(number, int):
            return
        try:
            data = handed_over(self._archive, name)
        except InputError as error:
            self.send({"answer": number, "error": str(error)})
            return
        self.send({"answer": number}, [data])
