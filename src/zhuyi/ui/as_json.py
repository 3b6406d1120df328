"""A look as JSON values: the stable form for programs. A change of meaning changes the version.

zhuyi.look/2 against /1: "verified" says whether the explanation was tested (until now it never
was), not how that ended; "verdict" says how, or is null:

    label       "trusted", "doubtful" or "refuted"
    headline    the label in one sentence: {"en", "zh"}
    reasons     one sentence a test, what speaks against the explanation first: [{"en", "zh"}]
    notes       how far the verdict reaches: [{"en", "zh"}]
    removal     how pieces of the input were removed
    findings    in the order in which the tests ran: [{"test", "settings", "outcome" (supports,
                cautions, refutes, informs or skipped), "said" {"en", "zh"}, "numbers" {name:
                number, text or null}, "details" {name: this input's number or null}, "calls"}]

A number that is not finite is null.
"""

import math
from pathlib import Path

from zhuyi.core.record import Finding, Said
from zhuyi.ui.looked import Checked, HeadPicture, Looked

#: Version of the values below.
SCHEMA = "zhuyi.look/2"


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
        "verified": looked.checked is not None,
        "verdict": None if looked.checked is None else verdict_as_json(looked.checked),
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


def verdict_as_json(checked: Checked) -> dict[str, object]:
    """The verdict as plain JSON values, as described above."""
    verdict = checked.verdict
    return {
        "label": verdict.label,
        "headline": _said(checked.headline),
        "reasons": [_said(one) for one in verdict.reasons],
        "notes": [_said(one) for one in checked.notes],
        "removal": verdict.removal,
        "findings": [_finding(one) for one in verdict.findings],
    }


def _finding(one: Finding) -> dict[str, object]:
    return {
        "test": one.test,
        "settings": one.settings,
        "outcome": one.outcome,
        "said": _said(one.said),
        "numbers": {name: _number(value) for name, value in one.numbers.items()},
        "details": {name: _number(values[0]) for name, values in one.details.items()},
        "calls": one.calls,
    }


def _said(said: Said) -> dict[str, str]:
    return {"en": said.en, "zh": said.zh}


def _number(value: float | int | str | None) -> float | int | str | None:
    return None if isinstance(value, float) and not math.isfinite(value) else value


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
