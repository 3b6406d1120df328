"""Structured synthetic attention: heads with known habits, so that a page has something to show."""

import math

import torch

from zhuyi.core import AttentionMatrix, Mask
from zhuyi.core.record import Finding, Label, Outcome, Said, Site, Unit, Verdict
from zhuyi.ui.looked import Checked, HeadPicture, Looked, Tokens
from zhuyi.ui.view.detail import Detail, describe
from zhuyi.ui.view.pictures import Seen, draw_site, stand_out


def wave(length: int, width: int) -> torch.Tensor:
    """Positional sines [length, width]; their products fall off with distance."""
    place = torch.arange(length, dtype=torch.float32)[:, None]
    speed = torch.exp(-torch.arange(0, width, 2) / width * math.log(300.0))[None]
    return torch.cat([torch.sin(place * speed), torch.cos(place * speed)], dim=-1)


def site_tensors(
    layer: int, heads: int, length: int, width: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Query, key and value [1, H, L, D]: local, shifted, sink and content heads in turn."""
    generator = torch.Generator().manual_seed(layer)
    content = torch.randn(1, heads, length, width, generator=generator)
    query = content * 0.8
    key = torch.randn(1, heads, length, width, generator=generator) * 0.8
    place = wave(length, width)
    for head in range(heads):
        habit = (head * 5 + layer * 3) % 7
        if habit == 0:
            query[0, head] += 2.4 * place
            key[0, head] += 2.4 * place
        elif habit == 1:
            query[0, head] += 3.0 * torch.roll(place, 1, dims=0)
            key[0, head] += 3.0 * place
        elif habit == 2:
            query[0, head, :, 0] += 4.0
            key[0, head, 0, 0] += 9.0
    value = torch.randn(1, heads, length, width, generator=generator)
    return query, key, value


SENTENCE = (
    "attention is the rarest and purest form of generosity , and whoever pays it gives a part "
    "of the mind away , slowly , word after word , until the picture stands"
)
WORDS = SENTENCE.split()


def synthetic_check(label: Label, text: str = "word") -> Checked:
    """A verdict with a finding of every outcome that goes with it; `text` is in every sentence."""
    against: dict[Label, tuple[Outcome, ...]] = {
        "trusted": ("supports",),
        "doubtful": ("cautions", "supports"),
        "refuted": ("supports", "cautions", "refutes"),
    }
    tests = ("Deletion", "Stability", "Sanity", "Deception", "OtherRemoval")
    outcomes: tuple[Outcome, ...] = (*against[label], "skipped", "informs")
    findings = tuple(
        Finding(
            test=test,
            settings=f"{test}(setting={text!r})",
            outcome=outcome,
            said=Said(en=f"It {outcome}: {text}.", zh=f"结果{outcome}：{text}。"),
            numbers={"skill": 0.4375, "lower": None, "worst_unit": text},
            details={"p": (0.0625,)},
            calls=17,
        )
        for test, outcome in zip(tests, outcomes, strict=False)
    )
    verdict = Verdict(
        label=label,
        reasons=tuple(one.said for one in findings),
        inputs=(label,),
        input_reasons=((),),
        findings=findings,
        method="Rollout(residual=0.5)",
        removal=text,
    )
    return Checked(
        verdict=verdict,
        headline=Said(en=f"headline {text}", zh=f"标题 {text}"),
        notes=(Said(en=f"note {text}", zh=f"附注 {text}"),),
    )


def synthetic_look(
    *,
    layers: int,
    heads: int,
    length: int,
    width: int,
    causal: bool = False,
    label: str | None = None,
    verdict: Label | None = None,
) -> tuple[Looked, dict[tuple[int, int], AttentionMatrix], dict[tuple[int, int], torch.Tensor]]:
    """A look at a model that does not exist, with the matrices and values behind it."""
    labels = ["[CLS]", *(WORDS[i % len(WORDS)] for i in range(length - 2)), "[SEP]"]
    if label is not None:
        labels[1] = label
    special = [True, *[False] * (length - 2), True]
    pictures: list[HeadPicture] = []
    matrices: dict[tuple[int, int], AttentionMatrix] = {}
    values: dict[tuple[int, int], torch.Tensor] = {}
    for layer in range(layers):
        query, key, value = site_tensors(layer, heads, length, width)
        matrix = AttentionMatrix(query, key, mask=Mask.causal() if causal else None)
        site = Site(name=f"encoder.layer.{layer}.attention", kind="self", index=layer, heads=heads)
        pictures += draw_site(
            Seen(
                site=site,
                matrix=matrix,
                batch=0,
                queries=0,
                keys=0,
                special=torch.tensor(special),
                kernel="sdpa",
                heads=tuple(range(heads)),
            )
        )
        for head in range(heads):
            matrices[layer, head] = matrix.select(batch=[0], heads=[head])
            values[layer, head] = value[0, head]
    source = " ".join(labels[1:-1])
    units, at = [Unit(label="[CLS]", positions=(0,), special=True)], 0
    for index, text in enumerate(labels[1:-1], start=1):
        units.append(Unit(label=text, positions=(index,), span=(at, at + len(text))))
        at += len(text) + 1
    units.append(Unit(label="[SEP]", positions=(length - 1,), special=True))
    generator = torch.Generator().manual_seed(1)
    importance = torch.rand(length, generator=generator) ** 4
    looked = Looked(
        model="synthetic/wave" if label is None else label,
        task="text classification" if label is None else label,
        texts=(source,),
        decision="POSITIVE" if label is None else label,
        probability=0.9132,
        alternatives=(("POSITIVE", 0.9132), ("NEGATIVE", 0.0868)),
        method="Rollout(residual=0.5)",
        reason="every site is self-attention of one encoder",
        units=tuple(units),
        values=tuple(importance.tolist()),
        signed=False,
        sequences=(Tokens(name="text", labels=tuple(labels), special=tuple(special)),),
        heads=stand_out(tuple(pictures)),
        heads_in_model=layers * heads,
        kernels=("sdpa",),
        dtype="float32",
        device="cpu",
        versions={"zhuyi": "0.1.0", "torch": torch.__version__},
        checked=None if verdict is None else synthetic_check(verdict, label or "word"),
    )
    return looked, matrices, values


def details(
    matrices: dict[tuple[int, int], AttentionMatrix], values: dict[tuple[int, int], torch.Tensor]
) -> "Details":
    """What `build_page` calls for a head's details."""
    return Details(matrices, values)


class Details:
    """The details of the heads of a synthetic look; counts how often it is asked."""

    def __init__(
        self,
        matrices: dict[tuple[int, int], AttentionMatrix],
        values: dict[tuple[int, int], torch.Tensor],
    ) -> None:
        self.matrices = matrices
        self.values = values
        self.asked = 0

    def __call__(self, head: HeadPicture) -> Detail | None:
        self.asked += 1
        place = head.layer, head.head
        return describe(self.matrices[place], self.values[place])
