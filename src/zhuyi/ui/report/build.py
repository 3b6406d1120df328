"""One offline HTML file from one look.

The file may run exactly one script and one style sheet, named by their hashes in its content
policy, and may load nothing: it cannot send anything anywhere. Text from the input reaches the
reader as JSON inside a data block and is inserted as text only.
"""

import base64
import hashlib
import html
import os
import tempfile
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import numpy as np

from zhuyi.errors import InputError
from zhuyi.ui.as_json import verdict_as_json
from zhuyi.ui.looked import HeadPicture, Looked
from zhuyi.ui.report.detail import Detail
from zhuyi.ui.report.payload import Chunk, encode, to_json
from zhuyi.ui.report.pictures import STATISTICS, best_first, floor_of

#: Version of the data inside a page.
SCHEMA = "zhuyi.page/2"
#: How large a page may become, in bytes; details are left out above it.
BUDGET = 4_500_000

# Order matters: each part uses only what stands before it.
_SCRIPTS = ("strings", "base", "payload", "operator", "color", "icons", "verdict", "words", "grid",
            "matrix", "canvas", "strip", "links", "main")  # fmt: skip

DetailOf = Callable[[HeadPicture], Detail | None]


def build_page(looked: Looked, detail_of: DetailOf, *, budget: int = BUDGET) -> str:
    """The whole page as text.

    Args:
        looked: what was found.
        detail_of: gives one head's details, or None where it has none; called best heads first
            until the budget is used up.
        budget: bytes the page may have.
    """
    overview = _overview(looked)
    manifest = _manifest(looked, overview)
    fixed = len(_fill(manifest, {"overview": overview}).encode())
    entries = manifest["entries"]
    assert isinstance(entries, list)
    chunks = {"overview": overview}
    left = budget - fixed
    cheapest = 0
    errors = [0.0, 0.0]
    for index in best_first(looked.heads):
        if 0.95 * cheapest > left:
            break  # equal shapes cost about the same, so the next would not fit either
        detail = detail_of(looked.heads[index])
        if detail is None:
            continue
        chunk = encode(detail.arrays)
        record = _detail_record(f"d{index}", detail, chunk)
        cost = len(chunk.text) + len(to_json(record)) + 120
        cheapest = min(cheapest or cost, cost)
        if cost > left:
            continue
        left -= cost
        errors = [max(errors[0], detail.score_error), max(errors[1], detail.weight_error)]
        entries[index]["detail"] = record
        chunks[f"d{index}"] = chunk
    manifest["detailed"] = len(chunks) - 1
    manifest["errors"] = errors
    return _fill(manifest, chunks)


def save_page(page: str, path: Path) -> None:
    """Write the page in one step: the file is either whole or was never touched.

    Raises:
        InputError: if the folder does not exist or cannot be written.
    """
    folder = path.parent
    if path.is_dir() or not folder.is_dir():
        what = "is a folder" if path.is_dir() else "is in a folder that does not exist"
        raise InputError(f"cannot write the page: {path} {what}")
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".zhuyi-", suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(page)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp gives 0600, a page is meant to be shared
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise InputError(f"cannot write the page {path}: {error.strerror}") from None


def _overview(looked: Looked) -> Chunk:
    heads = looked.heads
    thumbnails = [head.thumbnail.ravel() for head in heads] or [np.zeros(0, np.uint8)]
    received = [head.received for head in heads] or [np.zeros(0, np.uint8)]
    links = [link for head in heads for link in head.links]
    return encode(
        {
            "thumbnails": np.concatenate(thumbnails),
            "received": np.concatenate(received),
            "statistics": np.array(
                [[head.statistics.get(name, -1.0) for name in STATISTICS] for head in heads],
                dtype=np.float32,
            ),
            "link_ends": np.array([[x.query, x.key] for x in links], np.int32).reshape(-1, 2),
            "link_weights": np.array([link.weight for link in links], dtype=np.float32),
        }
    )


def _manifest(looked: Looked, overview: Chunk) -> dict[str, object]:
    return {
        "schema": SCHEMA,
        "model": looked.model,
        "task": looked.task,
        "source": looked.source,
        "decision": looked.decision,
        "probability": looked.probability,
        "alternatives": [list(item) for item in looked.alternatives],
        "method": looked.method,
        "reason": looked.reason,
        "verdict": None if looked.checked is None else verdict_as_json(looked.checked),
        "units": _units(looked),
        "values": [float(f"{value:.5g}") for value in looked.values],
        "signed": looked.signed,
        "sequences": [
            {"name": s.name, "labels": list(s.labels), "special": [int(x) for x in s.special]}
            for s in looked.sequences
        ],
        "heads_in_model": looked.heads_in_model,
        "kernels": list(looked.kernels),
        "backends": sorted({head.backend for head in looked.heads}),
        "dtype": looked.dtype,
        "device": looked.device,
        "versions": dict(looked.versions),
        "unseen": list(looked.unseen),
        "image": _image(looked),
        "statistics": list(STATISTICS),
        "overview": overview.manifest(),
        "entries": [_entry(head) for head in looked.heads],
        "detailed": 0,
        "errors": [0.0, 0.0],
    }  # fmt: skip


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
        "kernel": head.kernel,
        "floor": floor_of(head.shape[1]),
        "thumbnail": list(head.thumbnail.shape),
        "links": len(head.links),
        "standing": head.standing,
        "reason": head.reason,
        "detail": None,
    }


def _detail_record(name: str, detail: Detail, chunk: Chunk) -> dict[str, object]:
    return {
        "chunk": name,
        "kind": detail.kind,
        "scale": detail.scale,
        "softcap": detail.softcap,
        "layout": chunk.manifest(),
    }


def _image(looked: Looked) -> dict[str, object] | None:
    if looked.image is None:
        return None
    data = base64.b64encode(looked.image.png).decode("ascii")
    grid = list(looked.image.grid) if looked.image.grid else None
    return {"url": f"data:image/png;base64,{data}", "grid": grid}


def _read(name: str) -> str:
    text = files("zhuyi.ui.report").joinpath("page", name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")  # the parser does so before it checks the hash


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _fill(manifest: dict[str, object], chunks: dict[str, Chunk]) -> str:
    body = "".join(_read(f"{name}.js") for name in _SCRIPTS)
    script = '(() => {\n"use strict";\n' + body + "})();\n"
    style = _read("page.css")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
    blocks = "\n".join(
        f'<script type="application/octet-stream" id="chunk-{name}">{chunk.text}</script>'
        for name, chunk in chunks.items()
    )
    values = {
        "POLICY": policy,
        "TITLE": html.escape(f"zhuyi · {manifest['model']}"),
        "STYLE": style,
        "MANIFEST": to_json(manifest),
        "CHUNKS": blocks,
        "SCRIPT": script,
    }
    # One pass over the template: a mark inside the text of a person is never filled in.
    pieces = _read("page.html").split("%%")
    return "".join(values[part] if i % 2 else part for i, part in enumerate(pieces))
