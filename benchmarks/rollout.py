"""Rollout to one row: faster than the dense product, and possible where it is not?"""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.measure import Row, ratio, save
from zhuyi import watch
from zhuyi.explain.rollout import roll_out
from zhuyi.trace import Tape

QUESTION = "rollout to one row against the dense textbook product (6 layers, 12 heads, D 32)"
NOTE = (
    "What the dense product costs depends on the allocator: by default the pages of its large "
    "arrays are given back and faulted in again, most of its time here. The second row of each "
    "length tells the allocator to keep all memory, the dense product's best case."
)
LAYERS, HEADS, WIDTH = 6, 12, 32
KEEPING = {"MALLOC_MMAP_THRESHOLD_": str(2**32), "MALLOC_TRIM_THRESHOLD_": str(2**36)}


class Stack(nn.Module):
    """Attention layers without anything else, so that only attention is measured."""

    def __init__(self) -> None:
        super().__init__()
        self.maps = nn.ModuleList(
            nn.Linear(HEADS * WIDTH, 3 * HEADS * WIDTH) for _ in range(LAYERS)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x [B, L, E] through every layer, with skip connections."""
        for linear in self.maps:
            query, key, value = linear(F.layer_norm(x, x.shape[-1:])).chunk(3, -1)
            heads = [
                part.unflatten(-1, (HEADS, WIDTH)).transpose(1, 2) for part in (query, key, value)
            ]
            x = x + F.scaled_dot_product_attention(*heads).transpose(1, 2).flatten(2)
        return x


def seen(length: int) -> Tape:
    """A tape of the stack on random input; Q and K kept."""
    torch.manual_seed(0)
    model = Stack().eval()
    with torch.inference_mode(), watch(model) as tape:
        model(torch.randn(1, length, HEADS * WIDTH))
    return tape


def dense_rollout(tape: Tape, residual: float = 0.5) -> torch.Tensor:
    """The textbook: multiply (a I + (1 - a) mean_H A) over all layers, then read row 0."""
    total = None
    for sighting in tape:
        weights = torch.softmax(_scores(sighting.matrix), -1).mean(1)
        layer = residual * torch.eye(weights.shape[-1]) + (1 - residual) * weights
        total = layer if total is None else layer @ total
    return total[:, 0]


def _scores(matrix) -> torch.Tensor:
    return matrix.query @ matrix.key.transpose(-1, -2) * matrix.scale


def ours(tape: Tape) -> torch.Tensor:
    """The vector form on the same tape."""
    length = tape[0].matrix.shape[2]
    row = torch.zeros(1, length)
    row[0, 0] = 1.0
    return roll_out([sighting.matrix for sighting in tape], row, residual=0.5)


def peak(length: int) -> None:
    """Print how much the peak memory of this process grows while rolling out, in MiB."""
    tape = seen(length)
    # the kernel's high-water mark is set back, or the forward pass before would count
    Path("/proc/self/clear_refs").write_text("5")
    before = _status("VmRSS")
    with torch.inference_mode():
        ours(tape)
    print((_status("VmHWM") - before) / 1024)


def _status(name: str) -> int:
    """A line of /proc/self/status, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def speed(length: int) -> None:
    """Print the ratio at one length as JSON; run in a process of its own."""
    tape = seen(length)
    with torch.inference_mode():
        torch.testing.assert_close(ours(tape), dense_rollout(tape), atol=1e-5, rtol=0)
        row = ratio("", lambda: ours(tape), lambda: dense_rollout(tape), inverse=True)
    print(json.dumps(asdict(row)))


def _alone(script: str, **environment: str) -> str:
    command = [sys.executable, "-c", f"from benchmarks.rollout import peak, speed; {script}"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={**os.environ, **environment}
    )
    return done.stdout


def main() -> None:
    """Speed at 512 to 2048 tokens side by side; memory at 16,384. Each in its own process.

    The dense product makes large arrays anew, and what that costs depends on the allocator: by
    default their pages are given back and faulted in again, which is most of the dense time here.
    The second row of each length tells the allocator to keep all memory, the dense product's best
    case.
    """
    rows: list[Row] = []
    for length in (512, 1024, 2048):
        default = json.loads(_alone(f"speed({length})"))
        case = f"{length} tokens: times faster"
        bar = 3.0 if length == 512 else None
        rows.append(Row(**{**default, "case": case, "bar": bar, "at_least": True}))
        kept = json.loads(_alone(f"speed({length})", **KEEPING))
        case = f"{length} tokens, allocator told to keep its memory: times faster"
        rows.append(Row(**{**kept, "case": case}))
    length = 16_384
    dense_gib = 12 * HEADS * length**2 * 4 / 2**30
    rows.append(
        Row(
            case="16,384 tokens: extra memory at the peak",
            figure=float(_alone("peak(16384)")),
            bar=1000,
            unit="MiB",
            detail={"all weights of a 12-layer model, dense, GiB": dense_gib},
        )
    )
    save("rollout", QUESTION, rows, NOTE)


if __name__ == "__main__":
    main()
