"""One look: run a method, watch the model once, and put together what was found."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from zhuyi.core.record import Attribution
from zhuyi.errors import NotWatchable, OptionError
from zhuyi.explain import Occlusion, Received, Rollout
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.keep import Keep
from zhuyi.trace.subject import Batch
from zhuyi.trace.tape import Sighting, Tape
from zhuyi.ui import describing
from zhuyi.ui.checking import check
from zhuyi.ui.looked import HeadPicture, Looked, Picture
from zhuyi.ui.view.detail import Detail
from zhuyi.ui.view.drawing import Drawing, Drawn, draw

Method = Callable[..., Attribution]
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What a person asked to see.

    Args:
        target: name or index of the decision to explain; None for what was decided.
        method: the method to use; None for the default of the model's task.
        layers, heads: indexes to show; None for all.
        verify: whether the explanation is tested.
    """

    target: str | None = None
    method: Method | None = None
    layers: tuple[int, ...] | None = None
    heads: tuple[int, ...] | None = None
    verify: bool = True


@dataclass(frozen=True, kw_only=True)
class Look:
    """A finished look with the matrices behind it.

    Args:
        looked: what was found.
        drawn: the pictures with the matrices they were drawn from.
    """

    looked: Looked
    drawn: Drawn

    def detail_of(self, head: HeadPicture) -> Detail | None:
        """Details of one head, for `build_page`."""
        return self.drawn.detail_of(head)


def look(
    subject: TransformersSubject,
    batch: Batch,
    *,
    model: str,
    texts: tuple[str, ...],
    choice: Choice,
    image: Picture | None = None,
    progress: Progress = lambda _: None,
) -> Look:
    """Look at one input, and test the explanation that is shown.

    Args:
        subject: the model.
        batch: one input in the form the subject reads.
        model: the model's name as it was given.
        texts: the input as a person wrote it, or the image file's name.
        choice: what to show and how.
        image: the input image for the page.
        progress: called with what is being done.

    Raises: OptionError: for a layer, head or target that does not exist.
    Cost: the method's cost, that of the tests (bounded, see `zhuyi.ui.checking.check`), one
        watched pass and one streamed pass over each site.
    """
    target = None if choice.target is None else _target(subject, choice.target)
    progress("asking what counted")
    method, attribution, reason = _attribute(subject, batch, choice.method, target)
    checked = None
    if choice.verify:
        checked = check(subject, batch, method, attribution, progress)
    progress("watching every head")
    # Not under no_grad: a readout that has to be measured needs gradients for one run.
    tape = subject.watch(batch, Keep(device="cpu"))
    sightings = _chosen(tape, choice)
    sequences = describing.sequences_of(subject, batch)
    shifted = bool(getattr(subject.model.config, "is_encoder_decoder", False))
    with torch.no_grad():
        how = Drawing(heads=choice.heads or None, shifted=shifted, progress=progress)
        drawn = draw(sightings, sequences, how)
        shares = subject.decide(batch)[0]
    decision, chance, others = describing.decision_of(subject, shares, attribution.target[0])
    looked = Looked(
        model=model,
        task=describing.task_of(subject),
        texts=texts,
        decision=decision,
        probability=chance,
        alternatives=others,
        method=attribution.method,
        reason=reason,
        units=attribution.units[0],
        values=tuple(attribution.values[0, : len(attribution.units[0])].tolist()),
        signed=attribution.signed,
        sequences=tuple(drawn.sequences),
        heads=drawn.pictures,
        heads_in_model=sum(s.site.heads for s in tape) * len(subject.sequences(batch)),
        kernels=tuple(dict.fromkeys(s.kernel for s in sightings)),
        dtype=describing.type_of(subject.model),
        device=describing.place_of(subject.model),
        versions=describing.versions_of(subject),
        unseen=tape.unseen,
        image=image,
        checked=checked,
    )
    return Look(looked=looked, drawn=drawn)


def _target(subject: TransformersSubject, name: str) -> int:
    if name.isdecimal() and name not in subject.labels:
        index = int(name)
        if index >= len(subject.labels):
            raise OptionError(f"target must be below {len(subject.labels)}, got {index}")
        return index
    return subject.target_named(name)


def _attribute(
    subject: TransformersSubject, batch: Batch, method: Method | None, target: int | None
) -> tuple[Method, Attribution, str]:
    """The method, its values and one sentence that says why they come from it."""
    if method is not None:
        return method, method(subject, batch, target), "You chose it."
    if subject.task == "next-token":
        reason = "Default for a model that reads from left to right."
        return Received(), Received()(subject, batch, target), reason
    try:
        reason = "Default for an encoder: it follows attention through all layers."
        return Rollout(), Rollout()(subject, batch, target), reason
    except NotWatchable:
        reason = "Default where layers look across sequences, so that no chain can be followed."
        return Occlusion(), Occlusion()(subject, batch, target), reason


def _chosen(tape: Tape, choice: Choice) -> tuple[Sighting, ...]:
    sightings = tuple(tape)
    layers = range(len(sightings)) if choice.layers is None else choice.layers
    for layer in layers:
        if not 0 <= layer < len(sightings):
            raise OptionError(f"layer must be from 0 to {len(sightings) - 1}, got {layer}")
    chosen = tuple(sightings[layer] for layer in dict.fromkeys(layers))
    most = max(sighting.site.heads for sighting in chosen)
    for head in choice.heads or ():
        if not 0 <= head < most:
            raise OptionError(f"head must be from 0 to {most - 1}, got {head}")
    return chosen
