"""A look as JSON values: the stable form for programs. A change of meaning changes the version."""

from pathlib import Path

from zhuyi.ui.looked import HeadPicture, Looked

#: Version of the values below.
SCHEMA = "zhuyi.look/1"


def as_json(looked: Looked, page: Path | None) -> dict[str, object]:
    """The look as plain JSON values.

    Args:
        looked: what was found.
        page: where the page was written, or None.
    """
    return {
        "schema": SCHEMA,
        "model": looked.model,
        "task": looked.task,
        "input": looked.source,
        "verified": False,
        "decision": {"label": looked.decision, "probability": looked.probability},
        "alternatives": [
            {"label": label, "probability": share} for label, share in looked.alternatives
        ],
        "method": {"name": looked.method, "reason": looked.reason, "signed": looked.signed},
        "units": [
            {
                "label": unit.label,
                "value": value,
                "special": unit.special,
                "positions": list(unit.positions),
                "span": list(unit.span) if unit.span else None,
            }
            for unit, value in zip(looked.units, looked.values, strict=True)
        ],
        "sequences": [
            {"name": one.name, "tokens": list(one.labels), "special": list(one.special)}
            for one in looked.sequences
        ],
        "heads": [_head(head) for head in looked.heads],
        "heads_in_model": looked.heads_in_model,
        "kernels": list(looked.kernels),
        "dtype": looked.dtype,
        "device": looked.device,
        "versions": dict(looked.versions),
        "unseen": list(looked.unseen),
        "page": None if page is None else str(page),
    }


def _head(head: HeadPicture) -> dict[str, object]:
    return {
        "layer": head.layer,
        "head": head.head,
        "site": head.site,
        "kind": head.kind,
        "query_sequence": head.queries,
        "key_sequence": head.keys,
        "kernel": head.kernel,
        "backend": head.backend,
        "statistics": dict(head.statistics),
        "stands_out": head.standing,
        "stands_out_by": head.reason,
        "links": [{"query": x.query, "key": x.key, "weight": x.weight} for x in head.links],
    }
