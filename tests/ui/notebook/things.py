"""What the tests of notebooks and figures show: a tape, an attribution and a verdict, made up."""

from dataclasses import replace

import torch

from tests.ui.synthetic import site_tensors, synthetic_check
from zhuyi.core import AttentionMatrix, Mask
from zhuyi.core.record import Attribution, Label, Site, Unit, Verdict
from zhuyi.trace.tape import Pass, Sighting, Tape

EVIL = "</script></iframe>'\"><img src=x onerror=top.stolen=1>\u2028%%SCRIPT%%"
WORDS = ("[CLS]", "attention", "is", "the", "rarest", "form", "of", "generosity", "[SEP]")


def tape_of(
    *,
    layers: int = 2,
    heads: int = 3,
    length: int = len(WORDS),
    width: int = 8,
    causal: bool = False,
    hidden: int = 0,
) -> Tape:
    """A tape of self-attention with known habits; the last `hidden` keys are padding."""
    sightings = []
    for layer in range(layers):
        query, key, value = site_tensors(layer, heads, length, width)
        mask = Mask.causal() if causal else None
        if hidden:
            mask = Mask.dense((torch.arange(length) < length - hidden)[None, None, None])
        sightings.append(
            Sighting(
                site=Site(name=f"encoder.{layer}.self", kind="self", index=layer, heads=heads),
                matrix=AttentionMatrix(query, key, mask=mask),
                value=value,
                kernel="sdpa",
            )
        )
    return Tape([Pass("", tuple(sightings))])


def attribution_of(*texts: str, signed: bool = True, method: str = "Occlusion()") -> Attribution:
    """Values of the words of each text, between [CLS] and [SEP]."""
    units = tuple(_units(text) for text in texts)
    values = torch.zeros(len(texts), max(map(len, units)))
    for row, some in enumerate(units):
        generator = torch.Generator().manual_seed(row)
        values[row, : len(some)] = torch.randn(len(some), generator=generator)
    return Attribution(
        values=values if signed else values.abs(),
        units=units,
        method=method,
        target=(1,) * len(texts),
        signed=signed,
    )


def verdict_of(*labels: Label, text: str = "word") -> Verdict:
    """A verdict on as many inputs, with a finding of every outcome."""
    one = synthetic_check(labels[0], text).verdict
    inputs = tuple(
        "supports" if label == "trusted" else "cautions" if label == "doubtful" else "refutes"
        for label in labels
    )
    first, *others = one.findings
    details = {"p": tuple(0.25 * row for row in range(len(labels)))}
    return replace(
        one,
        inputs=labels,
        input_reasons=tuple((reason,) for reason in one.reasons[:1] * len(labels)),
        findings=(replace(first, inputs=inputs, details=details), *others),
        method="Occlusion()",
    )


def _units(text: str) -> tuple[Unit, ...]:
    words = text.split(" ")
    units, at = [Unit(label="[CLS]", positions=(0,), special=True)], 0
    for place, word in enumerate(words, start=1):
        units.append(Unit(label=word, positions=(place,), span=(at, at + len(word))))
        at += len(word) + 1
    return (*units, Unit(label="[SEP]", positions=(len(words) + 1,), special=True))
