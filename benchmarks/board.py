"""How soon does TensorBoard's tab show a training of 1,000 looks at 144 heads?

For each loader, as it is and with every look kept (`--samples_per_plugin zhuyi=0`).
"""

import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from benchmarks.measure import Row, save
from zhuyi.core import AttentionMatrix
from zhuyi.core.record import Site, Unit
from zhuyi.trace.tape import Sighting
from zhuyi.ui.live.recording import Recorder
from zhuyi.ui.live.shades import coarser
from zhuyi.ui.looked import Looked, Tokens
from zhuyi.ui.tensorboard.sink import TensorBoardSink
from zhuyi.ui.view.drawing import Drawing, Drawn, draw

QUESTION = "seconds until TensorBoard's tab shows 1,000 looks at 144 heads, 128 tokens"
LOOKS, LAYERS, HEADS, LENGTH, WIDTH = 1000, 12, 12, 128, 32
DIFFERENT = 25  # looks that differ; the others repeat them
BAR = 3.0
ROUNDS = 5


def sightings(seed: int) -> list[Sighting]:
    """Attention of a model that does not exist: positions that drift, and noise."""
    generator = torch.Generator().manual_seed(seed)
    place = torch.arange(LENGTH)[:, None] / 10.0 ** (torch.arange(WIDTH) / WIDTH)
    wave = place.sin() * (1 + seed / DIFFERENT)
    found = []
    for layer in range(LAYERS):
        q, k, v = torch.randn(3, 1, HEADS, LENGTH, WIDTH, generator=generator)
        habit = torch.rand(1, HEADS, 1, 1, generator=generator) * 2
        site = Site(name=f"encoder.{layer}", kind="self", index=layer, heads=HEADS)
        matrix = AttentionMatrix(q + habit * wave, k + habit * wave)
        found.append(Sighting(site=site, kernel="sdpa", matrix=matrix, value=v))
    return found


def look(seed: int) -> tuple[Looked, Drawn]:
    """One look, as a logger draws it."""
    labels = ("[CLS]", *(f"word{index}" for index in range(LENGTH - 2)), "[SEP]")
    special = (True, *[False] * (LENGTH - 2), True)
    tokens = Tokens(name="text", labels=labels, special=special)
    drawn = draw(sightings(seed), [tokens], Drawing(size=16, links=4))
    values = torch.rand(LENGTH, generator=torch.Generator().manual_seed(seed)).tolist()
    looked = Looked(
        model="synthetic",
        task="text classification",
        texts=(" ".join(labels[1:-1]),),
        decision="POSITIVE",
        probability=0.9,
        alternatives=(("POSITIVE", 0.9), ("NEGATIVE", 0.1)),
        method="Rollout()",
        reason="synthetic",
        units=tuple(Unit(label=x, positions=(i,)) for i, x in enumerate(labels)),
        values=tuple(values),
        signed=False,
        sequences=tuple(drawn.sequences),
        heads=drawn.pictures,
        heads_in_model=LAYERS * HEADS,
        kernels=("sdpa",),
        dtype="float32",
        device="cpu",
    )
    return looked, drawn


def write(folder: Path) -> float:
    """The training's event file, as `AttentionLogger` writes it; its size in MB."""
    recorder = Recorder([TensorBoardSink(folder / "run")])
    looks = [look(seed) for seed in range(DIFFERENT)]
    in_full = {2**n for n in range(11)} | {LOOKS}
    for number in range(1, LOOKS + 1):
        looked, drawn = looks[number % DIFFERENT]
        detail_of = drawn.detail_of if number in in_full else None
        recorder.look("0", "a probe", coarser(looked), step=50 * number, detail_of=detail_of)
    recorder.close()
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


@contextmanager
def tensorboard(folder: Path, fast: bool, everything: bool) -> Iterator[str]:
    """A TensorBoard on this folder that has loaded it; its address."""
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder)]
    command += ["--host", "127.0.0.1", "--port", "0", f"--load_fast={str(fast).lower()}"]
    command += ["--samples_per_plugin", "zhuyi=0"] if everything else []
    with tempfile.TemporaryFile("w+") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            yield address(said)
        finally:
            process.terminate()
            process.wait()


def address(said: Any) -> str:
    """What TensorBoard says it listens on."""
    for _ in range(600):
        time.sleep(0.1)
        said.seek(0)
        if found := re.search(r"http://[^ ]+", said.read()):
            return found[0]
    raise TimeoutError("TensorBoard did not start")


def ready(request: Any, url: str) -> tuple[float, list[int]]:
    """Seconds until TensorBoard has read the file, which it does in the background; kept steps."""
    start = time.perf_counter()
    while True:
        tracks = request.get(f"{url}data/plugin/zhuyi/index").json()["tracks"]
        if tracks and tracks[0]["detailed"][-1:] == [50 * LOOKS]:
            return time.perf_counter() - start, tracks[0]["steps"]
        time.sleep(0.3)


def opened(browser: Any, url: str, steps: list[int]) -> dict[str, float]:
    """Seconds of the parts of one opening, and of going to two other steps."""
    page = browser.new_page()
    start = time.perf_counter()
    page.goto(f"{url}#zhuyi")
    frame = page.frame_locator("iframe").first
    frame.locator("body").wait_for(state="attached")
    seconds = {"TensorBoard's own": time.perf_counter() - start}
    frame.locator("#zhuyi[data-ready=yes]").wait_for(state="attached", timeout=120_000)
    frame.locator("#grid .head").nth(LAYERS * HEADS - 1).wait_for()
    seconds["drawn"] = time.perf_counter() - start
    for name, place in (("a step in the middle", len(steps) // 2), ("one more", len(steps) // 3)):
        start = time.perf_counter()
        frame.locator("#step").fill(str(place))
        frame.locator("#step-now b", has_text=f"{steps[place]:,}").wait_for()
        frame.locator("#steps [aria-busy=false]").first.wait_for()
        seconds[name] = time.perf_counter() - start
    page.close()
    return seconds


def measured(browser: Any, url: str, loader: str, size: float) -> Row:
    """One way of showing the file: the median of some openings."""
    read, steps = ready(browser.new_page().request, url)
    rounds = [opened(browser, url, steps) for _ in range(ROUNDS)]
    drawn = sorted(one["drawn"] for one in rounds)
    parts = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    detail = {"event file, MB": size, "reading it before": read, **parts}
    return Row(
        case=f"tab drawn, {loader} loader, {len(steps):,} steps kept",
        figure=parts.pop("drawn"),
        bar=BAR,
        unit="s",
        low=drawn[len(drawn) // 4],
        high=drawn[-1 - len(drawn) // 4],
        detail=detail,
    )


def main() -> None:
    """Write, then open in each way."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as root, sync_playwright() as driver:
        size = write(Path(root))
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for loader in ("fast", "slow"):
            for everything in (False, True):
                with tensorboard(Path(root), loader == "fast", everything) as url:
                    rows.append(measured(browser, url, loader, size))
                print(rows[-1], flush=True)
        browser.close()
    note = (
        "From navigation to all heads drawn, TensorBoard's own start included; medians of "
        f"{ROUNDS} openings. TensorBoard has read the file in the background before."
    )
    save("board", QUESTION, rows, note)


if __name__ == "__main__":
    main()
