"""What a picture is made of: a track (one input, what never changes) and its moments (one a step).

    track    model, texts, tokens, the list of heads
    moment   what was decided and why, and per layer the pictures of its heads; one a step
    detail   one head of one moment, from which every score, weight and result can be computed

Each is a pack (`view.pack`), so a page, TensorBoard, a notebook and a server carry the same bytes.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zhuyi.ui.as_json import verdict_as_json
from zhuyi.ui.looked import HeadPicture, Looked
from zhuyi.ui.view.detail import Detail
from zhuyi.ui.view.pack import Array, join, pack
from zhuyi.ui.view.pictures import STATISTICS, floor_of

#: Version of the packs; a change of meaning changes the number.
SCHEMA = "zhuyi.view/1"


@dataclass(frozen=True, kw_only=True)
class Moment:
    """One step of a track.

    Args:
        step: of the training; 0 for a single look.
        time: seconds since 1970, 0 where it does not matter.
        head: pack of what was decided.
        layers: layer index -> pack of the pictures of its heads.
    """

    step: int
    time: float
    head: bytes
    layers: Mapping[int, bytes]

    def joined(self) -> bytes:
        """All packs of the moment, as `view.pack.join` puts them together."""
        return join([self.head, *(self.layers[layer] for layer in sorted(self.layers))])


def track_pack(looked: Looked) -> bytes:
    """What never changes from step to step."""
    header: dict[str, object] = {
        "kind": "track",
        "model": looked.model,
        "task": looked.task,
        "source": looked.source,
        "units": _units(looked),
        "signed": looked.signed,
        "sequences": [
            {"name": s.name, "labels": list(s.labels), "special": [int(x) for x in s.special]}
            for s in looked.sequences
        ],
        "heads_in_model": looked.heads_in_model,
        "dtype": looked.dtype,
        "device": looked.device,
        "versions": dict(looked.versions),
        "unseen": list(looked.unseen),
        "image": _image(looked),
        "cells": list(looked.cells),
        "signal": None,
        "statistics": list(STATISTICS),
        "entries": [_entry(head) for head in looked.heads],
    }
    arrays: dict[str, Array] = {}
    if looked.signal is not None:
        header["signal"] = {
            "names": list(looked.signal.names),
            "spans": [list(span) for span in looked.signal.spans],
        }
        arrays["signal"] = looked.signal.values.astype(np.float32)
    return pack(header, arrays)


def moment_of(
    looked: Looked,
    *,
    step: int = 0,
    time: float = 0.0,
    details: Mapping[int, Detail] | None = None,
    written: int = 1,
    compact: bool = False,
) -> Moment:
    """One look as a moment.

    Args:
        looked: what was found; its heads must be those of the track, in the same order.
        step, time: of the training.
        details: index of a head -> its details, sent apart (`detail_pack`); named here.
        written: looks written so far, this one included: a reader that sees fewer knows that some
            were dropped by sampling.
        compact: numbers in half precision and positions in 16 bits, for files with many steps.
    """
    found = details or {}
    head = {
        "kind": "moment",
        "step": step,
        "time": time,
        "written": written,
        "decision": looked.decision,
        "probability": looked.probability,
        "alternatives": [list(item) for item in looked.alternatives],
        "method": looked.method,
        "reason": looked.reason,
        "verdict": None if looked.checked is None else verdict_as_json(looked.checked),
        "values": [float(f"{value:.5g}") for value in looked.values],
        "kernels": list(looked.kernels),
        "backends": sorted({head.backend for head in looked.heads}),
        "details": sorted(found),
        "errors": [
            max((one.score_error for one in found.values()), default=0.0),
            max((one.weight_error for one in found.values()), default=0.0),
        ],
    }
    by_layer: dict[int, list[int]] = {}
    for index, picture in enumerate(looked.heads):
        by_layer.setdefault(picture.layer, []).append(index)
    layers = {
        layer: _layer(layer, indexes, looked.heads, compact) for layer, indexes in by_layer.items()
    }
    return Moment(step=step, time=time, head=pack(head), layers=layers)


def detail_pack(entry: int, detail: Detail) -> bytes:
    """The details of one head; `entry` is its place in the track."""
    header = {
        "kind": "detail",
        "entry": entry,
        "form": detail.kind,
        "scale": detail.scale,
        "softcap": detail.softcap,
        "errors": [detail.score_error, detail.weight_error],
    }
    return pack(header, detail.arrays)


def _layer(
    layer: int, indexes: Sequence[int], heads: Sequence[HeadPicture], compact: bool
) -> bytes:
    """Pictures of one layer's heads, one after the other."""
    chosen = [heads[index] for index in indexes]
    links = [link for head in chosen for link in head.links]
    real = np.float16 if compact else np.float32
    longest = max((max(head.shape) for head in chosen), default=0)
    place = np.uint16 if compact and longest < 1 << 16 else np.int32
    kernels = sorted({head.kernel for head in chosen})
    arrays: dict[str, Array] = {
        "thumbnails": _flat(head.thumbnail for head in chosen),
        "received": _flat(head.received for head in chosen),
        "statistics": np.array(
            [[head.statistics.get(name, -1.0) for name in STATISTICS] for head in chosen],
            dtype=real,
        ).reshape(len(chosen), len(STATISTICS)),
        "standing": np.array([min(head.standing, 6e4) for head in chosen], dtype=real),
        "reason": np.array([_reason(head) for head in chosen], dtype=np.int8),
        "links": np.array([len(head.links) for head in chosen], dtype=np.uint8),
        "link_ends": np.array([[x.query, x.key] for x in links], place).reshape(-1, 2),
        "link_weights": np.array([link.weight for link in links], dtype=real),
    }
    header = {
        "kind": "layer",
        "layer": layer,
        "entries": list(indexes),
        "kernels": kernels,
        "kernel": [kernels.index(head.kernel) for head in chosen],
    }
    return pack(header, arrays)


def _flat(arrays: Iterable[Array]) -> Array:
    flat = [array.ravel() for array in arrays]
    return np.concatenate(flat) if flat else np.zeros(0, np.uint8)


def _reason(head: HeadPicture) -> int:
    """The statistic in which a head stands out, from 1, negative where it is low; 0 for none."""
    if not head.reason:
        return 0
    place = STATISTICS.index(head.reason[1:]) + 1
    return place if head.reason[0] == "+" else -place


def _units(looked: Looked) -> list[list[object]]:
    """Per unit its label, whether it was added, and the text between it and the one before."""
    return [
        [unit.label, int(unit.special), gap]
        for unit, gap in zip(looked.units, looked.gaps(), strict=True)
    ]


def _entry(head: HeadPicture) -> dict[str, object]:
    return {
        "layer": head.layer,
        "head": head.head,
        "site": head.site,
        "kind": head.kind,
        "queries": head.queries,
        "keys": head.keys,
        "shape": list(head.shape),
        "floor": floor_of(head.shape[1]),
        "thumbnail": list(head.thumbnail.shape),
    }


def _image(looked: Looked) -> dict[str, object] | None:
    if looked.image is None:
        return None
    data = base64.b64encode(looked.image.png).decode("ascii")
    grid = list(looked.image.grid) if looked.image.grid else None
    return {"url": f"data:image/png;base64,{data}", "grid": grid}
