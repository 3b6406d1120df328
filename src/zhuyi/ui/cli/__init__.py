"""The command line. Every verb is one file here.

Exit code 0 fine, 1 a check failed, 2 wrong usage, 3 run-time error, 130 stopped.
"""

import sys
from typing import Annotated, cast

import typer

import zhuyi
from zhuyi.errors import OptionError, ZhuyiError
from zhuyi.ui.cli import audit as audit_verb
from zhuyi.ui.cli import fit as fit_verb
from zhuyi.ui.cli import look as look_verb
from zhuyi.ui.cli import predict as predict_verb
from zhuyi.ui.cli import run as run_verb
from zhuyi.ui.cli import serve as serve_verb
from zhuyi.ui.cli import steer as steer_verb

# What typer raises for wrong usage. Newer versions carry their own copy of click, older ones use
# the real one; the parent of BadParameter is the right class in both.
_UsageError = cast("type[typer.BadParameter]", typer.BadParameter.__mro__[1])

app = typer.Typer(
    name="zhuyi",
    help="See where a model looks, and whether to believe it.",
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
    """See where a model looks, and whether to believe it."""


app.command(name="look")(look_verb.look)
app.command(name="audit")(audit_verb.audit)
app.command(name="fit")(fit_verb.fit)
app.command(name="predict")(predict_verb.predict)
app.command(name="run")(run_verb.run)
app.command(name="serve")(serve_verb.serve)
app.command(name="steer")(steer_verb.steer)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; errors raised on purpose become one line on stderr.

    Args:
        arguments: what stands behind the program's name; None reads the process's own.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        app(args=given or ["--help"], prog_name="zhuyi", standalone_mode=False)
    except _UsageError as error:
        _fail(f"{error.format_message()} (zhuyi --help)", 2)
    except OptionError as error:
        _fail(str(error), 2)
    except ZhuyiError as error:
        _fail(str(error), 3)
    except (KeyboardInterrupt, typer.Abort):
        _fail("stopped", 130)


def _fail(message: str, code: int) -> None:
    print(f"zhuyi: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(code)
