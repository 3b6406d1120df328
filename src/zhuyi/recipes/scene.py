"""A scene: named parts that each answer one question, run one after the other."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from importlib.metadata import version
from time import perf_counter

from zhuyi.core.record import Said
from zhuyi.errors import DataUnavailable, OptionError
from zhuyi.recipes.finite import finite
from zhuyi.recipes.records import Options, Part, RecipeReport

RunPart = Callable[[Options], Part]


@dataclass(frozen=True, kw_only=True)
class PartOf:
    """One part of a scene, before it has run.

    Args:
        question: what it answers, in a few words.
        data: which data set it needs, and where that comes from.
        run: answers it; imports its module only then.
    """

    question: Said
    data: str
    run: RunPart


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A scene and its parts.

    Args:
        name: as `zhuyi run` takes it.
        title: of its page.
        by_name: the parts in order, by the name that `--part` takes.
        forbidden: what the whole must not be used for.

    Example:
        >>> from zhuyi.recipes.manufacturing import RECIPE
        >>> RECIPE.parts
        ('failures', 'life')
    """

    name: str
    title: Said
    by_name: Mapping[str, PartOf]
    forbidden: tuple[Said, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of the parts, in order."""
        return tuple(self.by_name)

    def run(self, options: Options) -> RecipeReport:
        """Run the asked parts, in the scene's order; one whose data cannot be had is skipped.

        Raises: OptionError: a part that does not exist. DataUnavailable: when no part could run.
        """
        wrong = [part for part in options.parts if part not in self.by_name]
        if wrong:
            raise OptionError(
                f"parts of {self.name} are {', '.join(self.by_name)}, got {wrong[0]!r}"
            )
        asked = [part for part in self.by_name if part in options.parts or not options.parts]
        parts: list[Part] = []
        skipped: list[tuple[str, str]] = []
        for name in asked:
            begun = perf_counter()
            try:
                with _observed(options):
                    found = self.by_name[name].run(options)
            except DataUnavailable as error:
                skipped.append((name, str(error)))
                continue
            seconds = perf_counter() - begun
            parts.append(finite(replace(found, name=name, seconds=seconds)))
        if not parts:
            reasons = "; ".join(f"{name}: {why}" for name, why in skipped)
            raise DataUnavailable(f"no part of {self.name} can run here: {reasons}")
        return RecipeReport(
            name=self.name,
            title=self.title,
            parts=tuple(parts),
            forbidden=self.forbidden,
            skipped=tuple(skipped),
            quick=options.quick,
            seed=options.seed,
            version=version("zhuyi"),
        )


def _observed(options: Options) -> AbstractContextManager[None]:
    """Where somebody wants to see our models train, they are seen."""
    if options.observer is None:
        return nullcontext()
    from zhuyi.learn.observing import observing

    return observing(options.observer)
