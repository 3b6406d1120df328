"""Where looks go: one small protocol, so that a logger never asks what keeps them.

A sink keeps one run. A run has tracks (one input that is looked at again and again), a track has
moments (one a look), a moment may have details of some heads.
"""

from collections.abc import Mapping
from typing import Protocol

import numpy as np
import numpy.typing as npt

from zhuyi.ui.view.document import Moment

Rgb = npt.NDArray[np.uint8]
"""A picture: uint8 [rows, columns, 3]."""


class Sink(Protocol):
    """Whatever keeps looks. Ids are letters, digits, "_" and "-"; names are any text.

    Calls for a track come in this order: `track` once, then per look `moment` and perhaps
    `details` of the same step. Steps ascend, except where a training goes on from a checkpoint.
    """

    def track(self, id: str, name: str, pack: bytes) -> None:
        """Begin a track.

        Args:
            id: by which it is asked for.
            name: what a person calls it.
            pack: see `view.document.track_pack`.
        """
        ...

    def moment(self, id: str, moment: Moment) -> None:
        """Keep one look of a track. The same step may come again: the later one counts."""
        ...

    def details(self, id: str, step: int, packs: Mapping[int, bytes]) -> None:
        """Keep heads in full.

        Args:
            id: of the track.
            step: of a moment that was kept.
            packs: place of the head among the track's entries -> `view.document.detail_pack`.
        """
        ...

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Keep numbers, by names with slashes ("attention/layer_00/reach"). All are finite."""
        ...

    def image(self, step: int, name: str, rgb: Rgb) -> None:
        """Keep a picture."""
        ...

    def close(self) -> None:
        """Write what is left. A closed sink may be closed again; nothing else is called then."""
        ...
