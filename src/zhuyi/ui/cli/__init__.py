"""The command line. Every verb is one file here; exit code 0 fine, 2 wrong usage, 3 failed."""

import sys
from typing import Annotated

import typer

import zhuyi
from zhuyi.errors import OptionError, ZhuyiError
from zhuyi.ui.cli import look as look_verb

app = typer.Typer(
    name="zhuyi",
    help="See where a model looks.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"zhuyi {zhuyi.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """See where a model looks."""


app.command(name="look")(look_verb.look)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors raised on purpose become one line on stderr.

    Args:
        arguments: what stands behind the program's name; None reads the process's own.
    """
    try:
        app(args=arguments)
    except OptionError as error:
        _fail(error, 2)
    except ZhuyiError as error:
        _fail(error, 3)


def _fail(error: ZhuyiError, code: int) -> None:
    print(f"zhuyi: {' '.join(str(error).split())}", file=sys.stderr)
    sys.exit(code)
