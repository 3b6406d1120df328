"""`zhuyi run`: medicine, finance, manufacturing on real data, beside simpler models."""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.cli.progress import progress_line
from zhuyi.ui.cli.steps import Logdir, check_step, say_where

if TYPE_CHECKING:
    from zhuyi.recipes.records import Listener, Options, RecipeReport
    from zhuyi.ui.report.recipe.page import Language
    from zhuyi.ui.trainings import Trainings

# As in `zhuyi.recipes.running`, which is too heavy to import for --help.
_SCENES = ("medicine", "finance", "manufacturing")
_LANGUAGES = ("en", "zh")


def run(
    scene: Annotated[str | None, typer.Argument(help=f"One of {', '.join(_SCENES)}.")] = None,
    part: Annotated[
        list[str] | None, typer.Option("--part", help="Only this part; may be repeated.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Minutes: fewer folds and epochs, and it says so.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of everything random.")] = 0,
    offline: Annotated[bool, typer.Option("--offline", help="Download no data.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Folder to write.")] = None,
    logdir: Logdir = None,
    lang: Annotated[str, typer.Option(help="Language: en or zh.")] = "en",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
    listed: Annotated[
        bool, typer.Option("--list", help="Show the parts and the data they need.")
    ] = False,
) -> None:
    """Run a scene on real data: what attention decides, why, and what simpler models reach.

    Data are looked for in the folder that ZHUYI_DATA names, then in the cache, then at their
    official address. With -o: SCENE.html, SCENE.json, SCENE.md and a page for each audit. With
    --logdir: while each of our models trains (its first fold), what it attends to on three
    held-back inputs after epochs 1 to 10, 20, 40, ..., its losses, and in the end the tests'
    verdict, in a folder of its own. That takes one to three seconds a model and changes no result.

    Exit code 1 if one of the run's own checks did not hold.
    """
    if lang not in _LANGUAGES:
        raise OptionError(f"--lang must be one of {', '.join(_LANGUAGES)}, got {lang!r}")
    if scene is not None and scene not in _SCENES:
        raise OptionError(f"the scenes are {', '.join(_SCENES)}, got {scene!r}")
    if listed:
        _list(scene, lang)
        return
    if scene is None:
        raise OptionError(f"give a scene: {', '.join(_SCENES)}; --list shows their parts")
    if output is not None:
        from zhuyi.ui.report.audit.folder import make_folder

        make_folder(output)  # before the models run and not after
    check_step(None, logdir)
    say = progress_line(quiet)
    written: list[Trainings] = []
    try:
        from zhuyi.recipes import running
        from zhuyi.recipes.records import Options

        options = Options(
            parts=tuple(part or ()),
            quick=quick,
            seed=seed,
            download=not offline,
            listener=_listener(say),
        )
        if logdir is not None:
            written.append(_trainings(scene, logdir))
            options = _watched(options, written[0])
        report = running.run(scene, options)
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    finally:
        say("")
        for one in written:
            one.close()
    _deliver(report, output, lang=cast("Language", lang), as_json=as_json)


def _trainings(scene: str, logdir: Path) -> "Trainings":
    """What writes the fits of a scene into a folder of its own."""
    from zhuyi.ui.logdir import free_folder
    from zhuyi.ui.trainings import Trainings

    folder = free_folder(logdir, scene)
    say_where(folder)
    return Trainings(folder, scene)


def _watched(options: "Options", trainings: "Trainings") -> "Options":
    """The same options, whose fits are written while they train."""
    return replace(options, listener=trainings.heard(options.listener), observer=trainings.epoch)


def _list(scene: str | None, lang: str) -> None:
    from rich.console import Console

    try:
        from zhuyi.recipes import running
        from zhuyi.ui.terminal_recipe import show_parts

        scenes = [running.scene(name) for name in ((scene,) if scene else running.NAMES)]
    except ModuleNotFoundError as error:
        raise _missing(error) from error
    show_parts(scenes, Console(highlight=False), lang=lang)


def _missing(error: ModuleNotFoundError) -> Exception:
    """What to say of a library that is not installed; a module of our own is a fault, and stays."""
    if error.name is None or error.name.partition(".")[0] == "zhuyi":
        return error
    return InputError(f"running a scene needs {error.name}: pip install 'zhuyi[recipes]'")


def _listener(say: Callable[[str], None]) -> "Listener":
    def heard(part: str, step: str, done: int, total: int) -> None:
        say(f"{part}: {step}, {done} of {total}")

    return heard


def _deliver(
    report: "RecipeReport", output: Path | None, *, lang: "Language", as_json: bool
) -> None:
    """Files, what is printed, and the exit code."""
    page = None
    if output is not None:
        from zhuyi.ui.report.recipe.folder import save_run

        page = save_run(report, output, lang=lang)
    if as_json:
        from zhuyi.ui.report.recipe.record import to_json

        sys.stdout.write(to_json(report, ascii_only=True))
    else:
        from rich.console import Console

        from zhuyi.ui.terminal_recipe import show_run

        show_run(report, Console(highlight=False), page=page, lang=lang)
    failed = [check for part in report.parts for check in part.checks if not check.held]
    if failed:
        names = "; ".join(check.name.en for check in failed)
        print(f"zhuyi: {len(failed)} check(s) did not hold: {names}", file=sys.stderr)
        sys.exit(1)
