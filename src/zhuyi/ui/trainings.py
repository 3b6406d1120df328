"""What glass boxes attend to while a scene trains them, epoch by epoch, in a log folder.

    <folder>/<part>/<model>     a run for each model: its first fit, later folds are not written

Of each, a few held-back inputs are looked at after the epochs 1 to 10, 20, 40, 80, ... and once
more when the model is fitted, with the tests' verdict: that is the step after the last epoch.
"""

import hashlib
import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from zhuyi.core.record import Said, Verdict
from zhuyi.errors import ZhuyiError
from zhuyi.learn.contributions import Contributions
from zhuyi.learn.observing import Epoch, Training
from zhuyi.learn.subject import GlassBoxSubject
from zhuyi.recipes.records import Listener
from zhuyi.trace.subject import Batch
from zhuyi.ui.checking import HEADLINES
from zhuyi.ui.live.glancing import Glance
from zhuyi.ui.live.recording import Recorder, numbers_of, plain_id
from zhuyi.ui.logdir import recorder_in
from zhuyi.ui.looked import Checked
from zhuyi.ui.picturing import Caption, pictures
from zhuyi.verify import Deletion, verify
from zhuyi.verify.removals import Removals

PROBES: Final = 3
"""Inputs that are looked at again and again."""

_EACH: Final = 10  # epochs of which each is looked at
_KEEP: Final = 400_000  # bytes of heads in full a look
_JUDGED: Final = 16  # inputs on which the fitted model's explanations are tested
_POSITIONS: Final = 1 << 14  # in one run of these tests: a glass box is small
_LONGEST: Final = 48  # characters after which `plain_id` cuts
_UNNAMED: Final = "model"
_ENDING: Final = re.compile(r"[\s,]*(?:block|fold)?[\s,]*\d+$")


def due(epoch: int) -> bool:
    """Whether an epoch is looked at: each up to 10, then 20, 40, 80, ...

    Example:
        >>> [epoch for epoch in range(1, 101) if due(epoch)]
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 40, 80]
    """
    many, rest = divmod(epoch, _EACH)
    return epoch <= _EACH or (rest == 0 and many & (many - 1) == 0)


class Trainings:
    """Hears what a scene does (`heard`) and each epoch of what it fits (`epoch`), and writes.

    A fit is called by the step that the scene last said it was at. Of steps that differ in a number
    at their end (folds, blocks) the first is written. What cannot be written is said on stderr
    once, and the scene goes on.

    Args:
        folder: of the scene.
        scene: its name.
    """

    def __init__(self, folder: Path, scene: str) -> None:
        self._folder = folder
        self._scene = scene
        self._part = self._step = ""
        self._begun: set[str] = set()
        self._followed: _Followed | None = None

    def heard(self, listener: Listener) -> Listener:
        """The same listener, whose part and step name the fits."""

        def told(part: str, step: str, done: int, total: int) -> None:
            self._part, self._step = part, step
            listener(part, step, done, total)

        return told

    def epoch(self, now: Epoch) -> None:
        """An observer of `zhuyi.learn.observing`."""
        if self._followed is None or self._followed.training is not now.training:
            name = _ENDING.sub("", self._step) or _UNNAMED
            run = f"{_folder_name(self._part or self._scene)}/{_folder_name(name)}"
            if now.fitted or run in self._begun:  # another fold, or one that could not be written
                return
            self.close()
            self._begun.add(run)
            self._safely(run, lambda: self._begin(run, name, now.training))
        followed = self._followed
        if followed is not None:
            self._safely(followed.run, lambda: followed.epoch(now))
        if now.fitted:
            self.close()

    def close(self) -> None:
        """Write what is left, also of a fit that was stopped."""
        followed = self._followed
        if followed is not None:
            self._safely(followed.run, followed.recorder.close)
        self._followed = None

    def _begin(self, run: str, name: str, training: Training) -> None:
        number = training.task == "number"
        caption = Caption(
            model=f"{name} ({training.estimator})",
            task=f"{self._scene}, {self._part}" if self._part else self._scene,
            reason="",
            shift=float(training.shift[0]) if number else None,
            factor=float(training.factor[0]) if number else 1.0,
        )
        recorder = recorder_in(self._folder / run, keep=_KEEP)
        self._followed = _Followed(run, training, recorder, caption)

    def _safely(self, run: str, act: Callable[[], None]) -> None:
        """A look that fails ends the looks, not the training that somebody waits for."""
        try:
            act()
        except (ZhuyiError, OSError, RuntimeError, ValueError) as error:
            print(f"\nzhuyi: {run} is not written any further: {error}", file=sys.stderr)
            self._followed = None


class _Followed:
    """One fit on its way into one run."""

    def __init__(self, run: str, training: Training, recorder: Recorder, caption: Caption) -> None:
        self.run = run
        self.training = training
        self.recorder = recorder
        self._caption = caption
        self._rows = training.probe(PROBES)
        self._probe: Batch = training.batch(self._rows)

    def epoch(self, now: Epoch) -> None:
        """One epoch: its losses, and a look where one is due."""
        progress = now.progress
        if now.fitted:
            self._fitted(now)
            return
        losses = {"loss/training": progress.loss}
        if progress.validation is not None:
            losses["loss/validation"] = progress.validation
        told = {name: value for name, value in losses.items() if math.isfinite(value)}
        self.recorder.scalars(progress.epoch, told)
        if due(progress.epoch):
            best = ", the best so far" if progress.best else ""
            reason = f"After epoch {progress.epoch}{best}: {_meaning(self.training)}"
            self._look(now.subject(), progress.epoch, reason, None)

    def _fitted(self, now: Epoch) -> None:
        subject = now.subject()
        checked, trusted = verdicts_among(subject, self.training, self._rows)
        step = now.progress.epoch + 1
        whole = ", then learned from all inputs" if self.training.refit else ""
        meaning = _meaning(self.training)
        reason = f"The fitted model, best after epoch {now.best_epoch}{whole}: {meaning}"
        glances = self._look(subject, step, reason, checked)
        self.recorder.scalars(step, {"verdict/trusted": trusted})
        looks = {_called(self.training, row): one.looked for row, one in self._named(glances)}
        self.recorder.overview(step, looks)

    def _look(
        self, subject: GlassBoxSubject, step: int, reason: str, checked: Sequence[Checked] | None
    ) -> list[Glance]:
        caption = replace(self._caption, reason=reason)
        glances = pictures(subject, self._probe, caption, checked)
        for number, (row, one) in enumerate(self._named(glances)):
            self.recorder.look(
                f"probe-{number}",
                _called(self.training, row),
                one.looked,
                step=step,
                detail_of=one.detail_of,
                share=1 / len(glances),
            )
        self.recorder.scalars(step, numbers_of([one.looked for one in glances]))
        return glances

    def _named(self, glances: Sequence[Glance]) -> list[tuple[int, Glance]]:
        return list(zip(self._rows, glances, strict=True))


def verdicts_among(
    subject: GlassBoxSubject, training: Training, rows: Sequence[int]
) -> tuple[list[Checked], float]:
    """What the deletion test says of some inputs' contributions, judged among other inputs.

    Args:
        subject: the fitted model.
        training: its fit.
        rows: indices of the inputs.
    Returns: per input the verdict, and the share of trusted ones among all that were judged.
    Cost:    some hundred decisions an input, of `rows` and others up to 16.
    """
    all_rows = tuple(dict.fromkeys((*rows, *training.probe(_JUDGED))))[: max(_JUDGED, len(rows))]
    judged, batch = subject.by_logits(), training.batch(all_rows)
    targets = subject.decide(batch).argmax(1).tolist()
    asked = Removals(judged, batch, targets, positions=_POSITIONS)
    verdict = verify(
        judged, batch, Contributions(), target=targets, tests=[Deletion()], removals=asked
    )
    share = verdict.inputs.count("trusted") / len(all_rows)
    return [_of_one(verdict, place, len(all_rows)) for place in range(len(rows))], share


def _of_one(verdict: Verdict, place: int, count: int) -> Checked:
    """One input's own verdict."""
    label = verdict.inputs[place]
    findings = tuple(
        replace(
            one,
            inputs=one.inputs[place : place + 1],
            details={name: values[place : place + 1] for name, values in one.details.items()},
        )
        for one in verdict.findings
    )
    own = replace(
        verdict,
        label=label,
        reasons=verdict.input_reasons[place],
        inputs=(label,),
        input_reasons=(verdict.input_reasons[place],),
        findings=findings,
    )
    note = Said(
        en=f"Judged together with {count - 1} other inputs of the training.",
        zh=f"与训练数据中的另外 {count - 1} 个输入一起评判。",
    )
    return Checked(verdict=own, headline=HEADLINES[label], notes=(note,))


def _folder_name(text: str) -> str:
    """A folder's name from any text, another one for another text."""
    plain = plain_id(text)
    if len(plain) < _LONGEST and plain != "0":
        return plain
    return f"{plain}-{hashlib.blake2b(text.encode(), digest_size=3).hexdigest()}"


def _meaning(training: Training) -> str:
    if training.explanation == "computation":
        return "weight times effect, which is how it computes."
    return "weight times effect; layers mix factors before, so this is evidence."


def _called(training: Training, row: int) -> str:
    """What an input is called; no person's name is known here."""
    side = "held back" if row in training.held_back else "learned from"
    return f"input {row + 1}, {side}; truth: {_truth(training, row)}"


def _truth(training: Training, row: int) -> str:
    answer = training.target[row]
    if training.task == "number":
        return f"{float(answer.reshape(-1)[0]) * training.factor[0] + training.shift[0]:.6g}"
    if training.task == "labels":
        held = [label for label, has in zip(training.labels, answer, strict=True) if has]
        return ", ".join(held) or "no label"
    return training.labels[int(answer)]
