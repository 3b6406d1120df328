"""Run a scene by its name: medicine, finance or manufacturing."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from zhuyi.errors import OptionError
from zhuyi.recipes.records import Options, RecipeReport
from zhuyi.recipes.scene import Scene


def _medicine() -> Scene:
    from zhuyi.recipes.medicine import RECIPE

    return RECIPE


def _finance() -> Scene:
    from zhuyi.recipes.finance import RECIPE

    return RECIPE


def _manufacturing() -> Scene:
    from zhuyi.recipes.manufacturing import RECIPE

    return RECIPE


# Each scene brings its own libraries, so it is imported when it is asked for.
_SCENES: Mapping[str, Callable[[], Scene]] = MappingProxyType(
    {"medicine": _medicine, "finance": _finance, "manufacturing": _manufacturing}
)

NAMES = tuple(_SCENES)
"""Names of the scenes."""


def scene(name: str) -> Scene:
    """The scene of a name, not yet run.

    Raises: OptionError: if there is none; it names those there are.
    """
    if name not in _SCENES:
        raise OptionError(f"the scenes are {', '.join(NAMES)}, got {name!r}")
    return _SCENES[name]()


def run(name: str, options: Options | None = None) -> RecipeReport:
    """Run a scene: load its data, split, train, compare with simpler models, audit.

    Args:
        name: one of `NAMES`.
        options: which parts, how thorough, which seed; None for all of them in full.

    Returns: the report; `zhuyi run NAME -o FOLDER` writes it as a page.
    Raises:  OptionError: a scene or part that does not exist; it names those there are.
        DataUnavailable: if no part's data can be had; a single part's is told in `skipped`.
    Cost:    minutes with `quick`, up to an hour without.
    Not:     a product to decide by; each report says what it must not be used for.

    Example:
        >>> run("cooking")
        Traceback (most recent call last):
            ...
        zhuyi.errors.OptionError: the scenes are medicine, finance, manufacturing, got 'cooking'
    """
    return scene(name).run(Options() if options is None else options)
