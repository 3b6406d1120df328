"""Archives of many steps: synthetic looks whose attention sharpens while a model "trains"."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import torch

from tests.ui.synthetic import site_tensors, synthetic_check, synthetic_look
from zhuyi.core import AttentionMatrix
from zhuyi.core.record import Label, Site
from zhuyi.ui.looked import HeadPicture, Looked
from zhuyi.ui.view.archive import MemoryArchive, TrackIndex
from zhuyi.ui.view.detail import Detail, describe
from zhuyi.ui.view.document import detail_pack, moment_of, track_pack
from zhuyi.ui.view.pack import to_json
from zhuyi.ui.view.page import bundle
from zhuyi.ui.view.pictures import Seen, draw_site, stand_out
from zhuyi.ui.view.series import series_pack

VERDICTS: tuple[Label | None, ...] = (None, "refuted", "doubtful", "trusted")


@dataclass(frozen=True, kw_only=True)
class Training:
    """What one track shows.

    Args:
        id, run, name: of the track.
        steps: at which it was looked at.
        written: looks logged; 0 for as many as there are steps.
        layers, heads, length, width: of the model and the input.
        seed: another one is another model.
        texts: labels of the tokens in place of the usual ones.
        every: details of all heads at every so many looks; 0 for none.
        start: time of the first look.
    """

    id: str
    run: str = ""
    name: str = ""
    steps: Sequence[int] = tuple(range(0, 2400, 100))
    written: int = 0
    layers: int = 2
    heads: int = 4
    length: int = 12
    width: int = 16
    seed: int = 0
    every: int = 0
    label: str | None = None
    start: float = 1_700_000_000.0

    def index(self) -> TrackIndex:
        """What the index says of it."""
        return TrackIndex(
            id=self.id,
            run=self.run,
            name=self.name,
            steps=tuple(self.steps),
            times=tuple(self.start + 60.0 * place for place in range(len(self.steps))),
            detailed=tuple(self.steps[:: self.every]) if self.every else (),
            written=self.written or len(self.steps),
        )

    def looks(self) -> list[Looked]:
        """One look a step; at most 24 different ones, the others are shown several times."""
        last = max(len(self.steps) - 1, 1)
        return [self.look(round(23 * place / last)) for place in range(len(self.steps))]

    def matrix(self, layer: int, progress: float) -> tuple[AttentionMatrix, torch.Tensor]:
        """Attention of one layer, flat at progress 0 and sharp at 1, with its values."""
        query, key, value = site_tensors(
            layer + 10 * self.seed, self.heads, self.length, self.width
        )
        return AttentionMatrix(query * (0.05 + 1.2 * progress), key), value

    @cache  # noqa: B019 - few and small
    def look(self, place: int) -> Looked:
        """What is seen at `place` of 23."""
        progress = place / 23
        base, _, _ = synthetic_look(
            layers=1, heads=1, length=self.length, width=self.width, label=self.label
        )
        special = torch.tensor(base.sequences[0].special)
        pictures: list[HeadPicture] = []
        for layer in range(self.layers):
            matrix, _ = self.matrix(layer, progress)
            site = Site(name=f"layer.{layer}", kind="self", index=layer, heads=self.heads)
            pictures += draw_site(
                Seen(site=site, matrix=matrix, batch=0, queries=0, keys=0, special=special,
                     kernel="sdpa", heads=tuple(range(self.heads))),
                size=16, links=4,
            )  # fmt: skip
        chance = round(0.5 + 0.45 * progress - 0.1 * self.seed, 4)
        generator = torch.Generator().manual_seed(3 + self.seed)
        even, settled = torch.rand(2, self.length, generator=generator)
        values = even * (1 - progress) + settled**6 * 2 * progress
        label = VERDICTS[round(3 * progress)]
        return replace(
            base,
            probability=chance,
            alternatives=(("POSITIVE", chance), ("NEGATIVE", round(1 - chance, 4))),
            values=tuple(values.tolist()),
            heads=stand_out(tuple(pictures)),
            heads_in_model=self.layers * self.heads,
            checked=None if label is None else synthetic_check(label),
        )


def stepping(*trainings: Training, title: str = "runs") -> MemoryArchive:
    """An archive of some tracks."""
    packs: dict[str, bytes] = {}
    for training in trainings:
        index, looks = training.index(), training.looks()
        packs[f"track/{training.id}"] = track_pack(looks[-1])
        moments = []
        for place, look in enumerate(looks):
            step = index.steps[place]
            details = _details(training, place, look) if step in index.detailed else {}
            for number, detail in details.items():
                packs[f"detail/{training.id}/{step}/{number}"] = detail_pack(number, detail)
            moment = moment_of(
                look, step=step, time=index.times[place], details=details, compact=True
            )
            packs[f"moment/{training.id}/{step}"] = moment.joined()
            moments.append((step, [moment.head, *moment.layers.values()]))
        packs[f"series/{training.id}"] = series_pack(moments)
    return MemoryArchive(title=title, tracks=tuple(one.index() for one in trainings), packs=packs)


def _details(training: Training, place: int, look: Looked) -> dict[int, Detail]:
    progress = round(23 * place / max(len(training.steps) - 1, 1)) / 23
    details = {}
    for number, head in enumerate(look.heads):
        matrix, value = training.matrix(head.layer, progress)
        found = describe(matrix.select(batch=[0], heads=[head.head]), value[0, head.head])
        if found is not None:
            details[number] = found
    return details


def drawn(opened: Any) -> Any:
    """Wait until the heads are drawn; returns the playwright page."""
    opened.page.wait_for_selector("#zhuyi[data-ready=yes]")
    opened.page.wait_for_selector("#grid .head")
    return opened.page


def wait_step(page: Any, step: int) -> None:
    """Until this step is shown, not only wished for."""
    page.wait_for_selector(f"#step-now b:has-text('step {step:,}')")
    page.wait_for_selector("#steps .course-rows[aria-busy=false]")


_HOST = """<!doctype html><html lang="en"><meta charset="utf-8"><title>host</title>
<body><div id="cell"></div>
<script type="application/json" id="packs">%%PACKS%%</script>
<script type="text/plain" id="module">%%MODULE%%</script>
<script type="module">
const packs = JSON.parse(document.getElementById("packs").textContent);
const heard = {};
const tell = (event, ...args) => (heard[event] ?? []).forEach((action) => action(...args));
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
window.host = { index: packs.index, asked: [], broken: [], held: null, packs: packs.packs,
  publish(index) { this.index = index; tell("change:index"); },
  release() { const held = this.held; this.held = null; held.forEach((answer) => answer()); } };
const model = { get: () => host.index, off() {},
  on(event, action) { (heard[event] ??= []).push(action); },
  send({ ask, id }) {
    host.asked.push(ask);
    const answer = () => {
      const found = host.broken.includes(ask) ? undefined : host.packs[ask];
      if (found === undefined) tell("msg:custom", { answer: id, error: "no " + ask }, []);
      else tell("msg:custom", { answer: id }, [new DataView(bytes(found).buffer)]);
    };
    if (host.held) host.held.push(answer); else setTimeout(answer, 0);
  } };
const text = document.getElementById("module").textContent;
const made = await import(URL.createObjectURL(new Blob([text], { type: "text/javascript" })));
made.default.render({ model, el: document.getElementById("cell") });
</script></body></html>
"""


def hosted(archive: MemoryArchive) -> str:
    """A page whose `window.host` plays a live host: packs can be held back, broken and added."""
    values = {
        "PACKS": to_json(
            {
                "index": archive.index(),
                "packs": {
                    name: base64.b64encode(data).decode("ascii")
                    for name, data in archive.packs.items()
                },
            }
        ),
        "MODULE": bundle(),
    }
    pieces = _HOST.split("%%")
    return "".join(values[part] if i % 2 else part for i, part in enumerate(pieces))
