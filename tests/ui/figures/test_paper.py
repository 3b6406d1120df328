"""The sheet itself: no global state, the same bytes again, in every format a paper takes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("matplotlib")

from tests.ui.notebook.things import WORDS, attribution_of, tape_of
from tests.ui.synthetic_audit import synthetic_audit
from zhuyi.errors import InputError, OptionError
from zhuyi.ui.figures import save_figure
from zhuyi.ui.figures.paper import cells, families, plain

FIGURES: dict[str, Callable[[], Any]] = {
    "heads": lambda: tape_of().plot(WORDS, title="注意"),
    "head": lambda: tape_of().plot(WORDS, layer=0, head=1),
    "pieces": lambda: attribution_of("not bad at all 好").plot(),
    "skill": lambda: synthetic_audit().plot(),
}


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_figure_gives_the_same_bytes(ending: str, tmp_path: Path) -> None:
    for name in ("heads", "skill") if ending == "svg" else ("head", "pieces"):
        for run in ("one", "two"):
            save_figure(FIGURES[name](), tmp_path / f"{name}-{run}.{ending}")
        one, two = ((tmp_path / f"{name}-{run}.{ending}").read_bytes() for run in ("one", "two"))
        assert one == two, name
        assert one.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[ending])


def test_saving_names_what_it_cannot_do(tmp_path: Path) -> None:
    figure = synthetic_audit().plot()
    with pytest.raises(OptionError, match=r"figure.gif must end in .pdf, .svg or .png"):
        save_figure(figure, tmp_path / "figure.gif")
    with pytest.raises(InputError, match="No such file or directory"):
        save_figure(figure, tmp_path / "nowhere" / "figure.pdf")


def test_a_notebook_gets_a_picture_without_pyplot() -> None:
    assert FIGURES["head"]()._repr_png_().startswith(b"\x89PNG")


def test_the_readers_own_settings_stay_as_they_are(tmp_path: Path) -> None:
    from matplotlib import rcParams

    before = dict(rcParams)
    save_figure(tape_of().plot(WORDS), tmp_path / "figure.svg")
    assert dict(rcParams) == before


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhuyi.ui.figures.plotting.find_spec", lambda _: None)
    for thing in (tape_of(), attribution_of("a"), synthetic_audit()):
        with pytest.raises(InputError, match=r"pip install 'zhuyi\[plot\]'"):
            thing.plot()


def test_text_is_drawn_as_it_stands() -> None:
    assert families()[0] == "DejaVu Sans"
    assert plain("a$b") == r"a\$b"
    assert plain("a\tb\x00") == "a b\N{REPLACEMENT CHARACTER}"
    assert plain("x\u200by") == "xy", "what is not seen is not drawn"
    assert cells("a注") == 3
