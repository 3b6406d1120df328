"""Watching a training with `AttentionLogger`: what does it cost in time, and on the disk?"""

import math
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from benchmarks.measure import Row, save
from zhuyi.trace.module_subject import ModuleSubject
from zhuyi.trace.readout import MeanRows, Readout
from zhuyi.ui.live import AttentionLogger, FolderSink
from zhuyi.ui.tensorboard.sink import TensorBoardSink

QUESTION = "a training that is watched: its time beside the same one unwatched, and its files"
NOTE = (
    "Time: an encoder of 6 layers, width 384, 12 heads, AdamW, batch 8 x 128; the probe is one "
    "input of 128 positions with decision and rollout. Two trainings take turns step by step; the "
    "figure is the ratio of windows of 50 steps, each with one look, quartiles over windows. Heads "
    "in full, which come with looks 1, 2, 4, 8, ... and the last, have a row of their own. Size: "
    "12 layers x 12 heads of width 64, 128 positions, everything as by default; the weights turn "
    "from one random model into another, with attention as peaked as in trained ones."
)
EVERY = 50
WINDOWS = 5
LOOKS = 1000
BATCH, LENGTH = 8, 128


class Encoder(nn.Module):
    """Embeddings, encoder layers, mean, two classes."""

    def __init__(self, layers: int, width: int, heads: int, inner: int) -> None:
        super().__init__()
        self.words = nn.Linear(64, width)
        layer = nn.TransformerEncoderLayer(
            width, heads, inner, batch_first=True, norm_first=True, activation="gelu"
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.head = nn.Linear(width, 2)

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits "B 2" of inputs "B N 64"."""
        return self.head(self.encoder(self.words(inputs)).mean(1))


def subject_of(model: nn.Module, readout: Readout | None = None) -> ModuleSubject:
    """The model with named positions."""
    names = [f"word {n}" for n in range(LENGTH)]
    return ModuleSubject(model, unit_names=names, labels=("no", "yes"), readout=readout)


def trainer(model: nn.Module, device: str) -> Callable[[], None]:
    """One step of a training, as a call."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(BATCH, LENGTH, 64, generator=generator).to(device)
    targets = (torch.arange(BATCH) % 2).to(device)
    model.train()

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
        if device != "cpu":
            torch.cuda.synchronize()

    return step


def seconds(call: Callable[[], object]) -> float:
    """One call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def of_time(device: str) -> list[Row]:
    """Windows of steps with one look each, beside windows without."""
    plain, watched = (Encoder(6, 384, 12, 4 * 384).to(device) for _ in range(2))
    probe = torch.randn(1, LENGTH, 64).to(device)
    ratios, looks, steps = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        sink = FolderSink(folder)
        with AttentionLogger(sink, (subject_of(watched), probe), every=EVERY, keep=0) as logger:
            one, other = trainer(plain, device), trainer(watched, device)
            one(), other(), logger.step(0)
            for window in range(WINDOWS):
                alone = beside = 0.0
                for turn in range(1, EVERY + 1):
                    took = seconds(one)
                    number = window * EVERY + turn
                    both = seconds(lambda: (other(), logger.step(number)))
                    alone, beside = alone + took, beside + both
                    (looks if turn == EVERY else steps).append(both)
                ratios.append(beside / alone)
        full = AttentionLogger(FolderSink(Path(folder) / "full"), (subject_of(watched), probe))
        with_full = seconds(lambda: full.step(0))
    ratios.sort()
    step = statistics.median(steps)
    return [
        Row(
            case=f"a look every {EVERY} steps, 6 layers x 12 heads, {device}",
            figure=statistics.median(ratios), bar=1.03, low=ratios[len(ratios) // 4],
            high=ratios[-1 - len(ratios) // 4],
            detail={"step_ms": 1e3 * step, "look_ms": 1e3 * (statistics.median(looks) - step)},
        ),
        Row(case=f"one look with heads in full, {device}", figure=1e3 * with_full, unit="ms"),
    ]  # fmt: skip


def of_size() -> list[Row]:
    """The same looks as event files and as plain files."""
    torch.manual_seed(0)
    model = Encoder(12, 768, 12, 64)  # what follows the heads makes no bytes, and costs time
    projections = [layer.self_attn.in_proj_weight for layer in model.encoder.layers]
    starts = [3 * one.detach().clone() for one in projections]  # far from even, as once trained
    ends = [torch.randn(one.shape) * one.std() for one in starts]
    subject = subject_of(model, MeanRows())
    with tempfile.TemporaryDirectory() as name:
        events, plain = Path(name) / "events", Path(name) / "plain"
        sinks = [TensorBoardSink(events), FolderSink(plain)]
        with AttentionLogger(sinks, (subject, torch.randn(1, LENGTH, 64)), every=1) as logger:
            for step in range(LOOKS):
                angle = step / LOOKS * math.pi / 2
                with torch.no_grad():
                    for one, start, end in zip(projections, starts, ends, strict=True):
                        one.copy_(math.cos(angle) * start + math.sin(angle) * end)
                logger.step(step)
        case = f"{LOOKS:,} looks x 144 heads"
        return [
            Row(case=f"{case}, event file", figure=megabytes(events), bar=60.0, unit="MB"),
            Row(case=f"{case}, plain files", figure=megabytes(plain), unit="MB"),
        ]


def megabytes(folder: Path) -> float:
    """All files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main() -> None:
    """Measure and keep."""
    rows = of_time("cpu")
    if torch.cuda.is_available():
        rows += of_time("cuda")
    save("training", QUESTION, [*rows, *of_size()], NOTE)


if __name__ == "__main__":
    main()
