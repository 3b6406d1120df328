"""What texts are made of, for rules that are a part of a model."""

import threading
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from zhuyi.learn.sources import Free
from zhuyi.learn.text.reader import Heard, apart_in, listen
from zhuyi.learn.text.vocabulary import Factors, Vocabulary
from zhuyi.steer.layout import Layout


class TextRows:
    """The source of texts: every row is made of pieces of its own, with their places in the text.

    Codes do not say what the text was, so it knows the texts that were announced last in the thread
    that asks. A copy knows none until then.

    Args:
        vocabulary: how texts are read.
    """

    kind: Final = "piece"
    names: Final[tuple[str, ...]] = ()
    told: Final = "these are texts"
    asked: Final = False
    whole: Final = None

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._local = threading.local()
        listen(self)

    def __getstate__(self) -> dict[str, Any]:
        return {"vocabulary": self.vocabulary}

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        self.vocabulary = state["vocabulary"]
        self._local = threading.local()
        listen(self)

    def hear(
        self, texts: Sequence[str], factors: Sequence[Factors], codes: Sequence[NDArray[np.int32]]
    ) -> None:
        """Texts that this thread is about to decide on."""
        self._heard().hear(texts, factors, codes)

    def layouts(self, codes: Tensor, free: Free) -> tuple[Layout, ...]:
        """Rows of codes "B N" or "B N G" as the texts that they are of.

        Raises: InputError: for codes of which the text is not known.
        """
        rows: NDArray[np.int32] = codes.cpu().numpy()
        heard, apart = self._heard(), apart_in(self.vocabulary)
        return tuple(heard.layout(row, {}, apart=apart, free=free) for row in rows)

    def spread(self, count: int) -> NDArray[np.float64]:
        """None: texts have no factor in common."""
        return np.zeros((0, 0))

    def swapped(self, codes: Tensor, place: int, other: Tensor) -> Tensor:
        """The same texts."""
        return codes

    def _heard(self) -> Heard:
        found = vars(self._local).get("heard")
        if not isinstance(found, Heard):
            found = self._local.heard = Heard()
        return found
