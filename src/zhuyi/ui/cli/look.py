"""`zhuyi look`: where does this model look, on this input, and is that why?"""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.cli.loading import load_subject
from zhuyi.ui.cli.steps import Logdir, Step, check_step, say_where

if TYPE_CHECKING:
    from zhuyi.trace.adapters.transformers_subject import TransformersSubject
    from zhuyi.trace.subject import Batch
    from zhuyi.ui.looked import Picture
    from zhuyi.ui.looking import Look, Method, Progress

_METHODS = (
    "Received", "Rollout", "GradientAttention", "ValueNorm", "InputGradient",
    "IntegratedGradients", "Occlusion", "Random",
)  # fmt: skip
_TASKS = ("text-classification", "image-classification", "next-token", "similarity", "embedding")


def look(
    model: Annotated[str, typer.Argument(help="A local folder or a name on the hub.")],
    text: Annotated[str | None, typer.Option(help="The text to look at.")] = None,
    file: Annotated[Path | None, typer.Option(help="A UTF-8 file with the text.")] = None,
    image: Annotated[Path | None, typer.Option(help="An image file.")] = None,
    pair: Annotated[str | None, typer.Option(help="A second text, compared with it.")] = None,
    task: Annotated[str | None, typer.Option(help=f"One of {', '.join(_TASKS)}.")] = None,
    target: Annotated[str | None, typer.Option(help="Label or index to explain.")] = None,
    method: Annotated[str | None, typer.Option(help=f"One of {', '.join(_METHODS)}.")] = None,
    layers: Annotated[str | None, typer.Option(help="Layers to show, as 0,3-5.")] = None,
    heads: Annotated[str | None, typer.Option(help="Heads to show, as 0,3-5.")] = None,
    no_verify: Annotated[
        bool, typer.Option("--no-verify", help="Do not test the explanation.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="Write the page.")] = None,
    logdir: Logdir = None,
    step: Step = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress on stderr.")] = False,
) -> None:
    """See where a model looks and whether to believe it: here, and as one offline page with -o."""
    source = _source(text, file, image)
    if pair is not None and (image is not None or not pair.strip()):
        raise OptionError("--pair must be a text that is not empty, beside --text or --file")
    if task is not None and task not in _TASKS:
        raise OptionError(f"--task must be one of {', '.join(_TASKS)}, got {task!r}")
    layer_list, head_list = _indexes("--layers", layers), _indexes("--heads", heads)
    chosen = None if method is None else _method(method)
    if output is not None:
        _check_writable(output)
    check_step(step, logdir)
    progress = _progress(quiet)
    progress(f"loading {model}")
    subject = load_subject(model, task, pair=pair is not None)
    progress("reading the input")
    batch, picture = _batch(subject, source, pair, image)

    # Heavy imports come after the checks, so that a typing error is answered at once.
    from zhuyi.ui.looking import Choice
    from zhuyi.ui.looking import look as take_a_look

    found = take_a_look(
        subject,
        batch,
        model=Path(model).resolve().name if Path(model).is_dir() else model,
        texts=(source,) if pair is None else (source, pair),
        choice=Choice(
            target=target, method=chosen, layers=layer_list, heads=head_list, verify=not no_verify
        ),
        image=picture,
        progress=progress,
    )
    _deliver(found, output, as_json=as_json, progress=progress)
    if logdir is not None:
        _log(found, logdir, step)


def _log(found: "Look", folder: Path, step: int | None) -> None:
    """One more step of this input's track."""
    from zhuyi.ui.live.recording import numbers_of
    from zhuyi.ui.logdir import name_of, next_step, recorder_in, track_of

    looked = found.looked
    at = next_step(folder) if step is None else step
    recorder = recorder_in(folder)
    name = name_of(looked.source, looked.model)
    track = track_of("look", looked)
    recorder.look(track, name, looked, step=at, detail_of=found.detail_of)
    recorder.scalars(at, numbers_of([looked]))
    recorder.overview(at, {name: looked})
    recorder.close()
    say_where(folder, at)


def _deliver(found: "Look", output: Path | None, *, as_json: bool, progress: "Progress") -> None:
    """Write the page, print the rest."""
    if output is not None:
        from zhuyi.ui.view.page import build_page, save_page

        progress("writing the page")
        save_page(build_page(found.looked, found.detail_of), output)
    progress("")
    if as_json:
        from zhuyi.ui.as_json import as_json as to_values

        print(json.dumps(to_values(found.looked, output), ensure_ascii=True, allow_nan=False))
    else:
        from rich.console import Console

        from zhuyi.ui.terminal import show

        show(found.looked, Console(highlight=False), page=output)


def _source(text: str | None, file: Path | None, image: Path | None) -> str:
    given = [name for name, value in (("--text", text), ("--file", file), ("--image", image))
             if value is not None]  # fmt: skip
    if len(given) != 1:
        got = " and ".join(given) if given else "none"
        raise OptionError(f"give exactly one of --text, --file and --image, got {got}")
    if image is not None:
        return image.name
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8-sig")
        except OSError as error:
            raise InputError(f"cannot read {file}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise InputError(f"{file} is not UTF-8 text (byte {error.start})") from None
    assert text is not None
    if not text.strip():
        raise OptionError(f"{given[0]} must hold at least one word, got an empty text")
    return text


def _indexes(name: str, written: str | None) -> tuple[int, ...] | None:
    """ "0,3-5" as (0, 3, 4, 5)."""
    if written is None:
        return None
    indexes: list[int] = []
    for part in written.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise OptionError(f"{name} must be indexes from 0 such as 0,3-5, got {written!r}")
        begin, end = int(first), int(last) if dash else int(first)
        if end < begin or end > 100_000:
            raise OptionError(f"{name} must be ascending ranges such as 3-5, got {part.strip()!r}")
        indexes += range(begin, end + 1)
    return tuple(dict.fromkeys(indexes))


def _method(name: str) -> "Method":
    wanted = name.replace("-", "").replace("_", "").lower()
    known = {method.lower(): method for method in _METHODS}
    if wanted not in known:
        raise OptionError(f"--method must be one of {', '.join(_METHODS)}, got {name!r}")
    import zhuyi.explain

    chosen: Method = vars(zhuyi.explain)[known[wanted]]()
    return chosen


def _check_writable(path: Path) -> None:
    """Fails before the model runs, not after; `save_page` still checks for itself."""
    folder = path.parent
    if path.is_dir():
        raise InputError(f"cannot write the page: {path} is a folder")
    if not folder.is_dir():
        raise InputError(f"cannot write the page: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise InputError(f"cannot write the page: folder {folder} is read only")


def _batch(
    subject: "TransformersSubject", source: str, pair: str | None, image: Path | None
) -> "tuple[Batch, Picture | None]":
    if (subject.task == "image-classification") != (image is not None):
        wanted = "--image" if image is None else "--text or --file"
        raise OptionError(f"this model decides {subject.task}: give {wanted}")
    if image is not None:
        from zhuyi.ui.picture import read_image

        return read_image(image, subject)
    if subject.task == "similarity" and pair is None:
        raise OptionError("similarity compares two texts: give --pair")
    if pair is not None and subject.task not in ("similarity", "text-classification"):
        raise OptionError(f"--pair does not fit a model that decides {subject.task}")
    return [source if pair is None else (source, pair)], None


def _progress(quiet: bool) -> "Progress":
    """One line on stderr that is written over; nothing when stderr is not a terminal."""
    if quiet or not sys.stderr.isatty():
        return lambda _: None

    def say(what: str) -> None:
        sys.stderr.write(f"\r\033[2K{what}{' …' if what else ''}")
        sys.stderr.flush()

    return say
