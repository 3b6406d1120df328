"""What a recipe finds out: plain frozen records that every face renders.

A run has parts (one data set, one question each). A part compares models by one metric or more,
shows tables and single decisions, holds checks that are right or wrong, and says what it must not
be used for.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, Protocol

from zhuyi.audit.report import AuditReport
from zhuyi.core.record import Said
from zhuyi.recipes.intervals import Interval

if TYPE_CHECKING:
    from zhuyi.learn.observing import Observer

Role = Literal["trivial", "simple", "ours", "published"]
ROLES: Final[tuple[Role, ...]] = ("trivial", "simple", "ours", "published")


@dataclass(frozen=True, kw_only=True)
class Score:
    """One model's score in a comparison.

    Args:
        model: its name.
        role: "trivial" (a base rate), "simple" (logistic or linear regression, boosting), "ours",
            or "published" (not measured here, `source` says where it stands).
        value: the score with its interval; a published one may lack the ends.
        seconds: for fitting and predicting, None where it was not measured.
        source: of a published figure.
    """

    model: str
    role: Role
    value: Interval
    seconds: float | None = None
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Models side by side on the same rows.

    Args:
        title: what is compared.
        metric: its name, as the page shows it.
        better: which way is better.
        scores: in the order of `ROLES`.
        note: how rows were split and what the interval is.
    """

    title: Said
    metric: str
    better: Literal["higher", "lower"]
    scores: tuple[Score, ...]
    note: Said


@dataclass(frozen=True, kw_only=True)
class Check:
    """A statement that was tested and came out right or wrong.

    Args:
        name: what is expected.
        measured: what came out, with its number.
        bar: the least, or most, that was asked for; "" without a bar.
        held: whether it did.
    """

    name: Said
    measured: str
    bar: str
    held: bool


@dataclass(frozen=True, kw_only=True)
class Factor:
    """One named factor's part in a decision.

    Args:
        name: of the column, word or channel.
        value: as it came, as text.
        weight: attention weight, in [0, 1].
        contribution: weight times effect, in logits or the target's unit.
    """

    name: str
    value: str
    weight: float
    contribution: float


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One decision with the factors it rests on.

    Args:
        title: whose decision, such as "engine 34" (never a person's name).
        label: what was decided.
        said: the probability or the number, as text.
        truth: what happened, as text; "" when it is not known.
        constant: where the sum starts from.
        factors: largest contribution first; `constant` and all of them sum to the decision.
        verdict: "trusted", "doubtful", "refuted" or "not verified".
        text: the whole input where it is a text, else "".
    """

    title: str
    label: str
    said: str
    truth: str
    constant: float
    factors: tuple[Factor, ...]
    verdict: str
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Figures that are no comparison of models.

    Args:
        title: what is shown.
        header: names of the columns.
        rows: cells as text.
        note: how to read it.
    """

    title: Said
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: Said


@dataclass(frozen=True, kw_only=True)
class Part:
    """One question on one data set.

    Args:
        name: short, as `--part` takes it.
        title: of its section.
        answer: what came out, in one or two sentences, for a person who reads nothing else.
        data: where the rows come from, their number, licence and how they were split.
        comparisons: models side by side.
        checks: right or wrong.
        decisions: a few, with their factors.
        tables: other figures.
        audit: of our model on these rows, or None with the reason among `limits`.
        limits: what this must not be used for, and what was not measured.
        seconds: it took.
    """

    name: str
    title: Said
    answer: Said
    data: Said
    comparisons: tuple[Comparison, ...] = ()
    checks: tuple[Check, ...] = ()
    decisions: tuple[Decision, ...] = ()
    tables: tuple[Table, ...] = ()
    audit: AuditReport | None = None
    limits: tuple[Said, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class RecipeReport:
    """A whole run.

    Args:
        name: "medicine", "finance" or "manufacturing".
        title: of the page.
        parts: in order.
        skipped: parts that could not run, with the reason (data that is nowhere to be had).
        forbidden: what the whole must not be used for.
        quick: whether fewer folds, rows or epochs were used than for the published figures.
        seed: of every draw.
        version: of zhuyi.
    """

    name: str
    title: Said
    parts: tuple[Part, ...]
    forbidden: tuple[Said, ...]
    skipped: tuple[tuple[str, str], ...] = ()
    quick: bool = False
    seed: int = 0
    version: str = ""


class Listener(Protocol):
    """Hears how far a run is."""

    def __call__(self, part: str, step: str, done: int, total: int) -> None:
        """`done` of `total` steps of a part; `step` names the one in work."""
        ...


def silent(part: str, step: str, done: int, total: int) -> None:
    """A listener that does nothing."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to run a recipe.

    Args:
        parts: names of the parts to run, empty for all.
        quick: fewer folds and epochs: minutes instead of an hour, and said on the page.
        seed: of every draw.
        download: whether data that is not here may be fetched from its official address.
        listener: hears the progress.
        observer: sees every fit of ours while it trains, see `zhuyi.learn.observing`; the results
            are the same with it.
    """

    parts: tuple[str, ...] = ()
    quick: bool = False
    seed: int = 0
    download: bool = True
    listener: Listener = field(default=silent)
    observer: "Observer | None" = None


class Recipe(Protocol):
    """A module or object that runs one scene."""

    name: str
    parts: tuple[str, ...]

    def run(self, options: Options) -> RecipeReport:
        """Run the asked parts.

        Raises: OptionError: a part that does not exist. DataUnavailable: when no part could run.
        """
        ...
