"""What a feed shows: records of plain numbers that every face can draw."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from zhuyi.core.record import Said
from zhuyi.steer.rule import Action


@dataclass(frozen=True, kw_only=True)
class Reason:
    """What one film of the history does for a film of the list.

    Args:
        film: of the history.
        log_odds: ln of the odds of being shown, with it less without it; above 0 speaks for.
        place_without: where the listed film would stand had this one never been watched.
    """

    film: int
    log_odds: float
    place_without: int


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One film of the list.

    Args:
        film: its number.
        share: of all films that may be shown, as a probability.
        place: 1 is first.
        place_before: where it stands without any rule.
        place_without: rule id -> where it stands under all rules but this one; None where it is
            out of the list.
        reasons: the films of the history that change most, the largest first.
    """

    film: int
    share: float
    place: int
    place_before: int
    place_without: Mapping[str, int | None]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, kw_only=True)
class Gone:
    """A film that stood in the list without the rules, and does not now.

    Args:
        film: its number.
        place_before: where it stood.
        place: where it stands now; None where a veto took it out.
    """

    film: int
    place_before: int
    place: int | None


@dataclass(frozen=True, kw_only=True)
class SeenFilm:
    """One film of the history.

    Args:
        film: its number.
        before: share of the attention of the position that asks, without the rules: the mean over
            layers and heads.
        after: with them.
        rules: ids of the rules that mean it.
    """

    film: int
    before: float
    after: float
    rules: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class RuleOnFeed:
    """What one rule did.

    Args:
        id: of the rule.
        action: of the rule.
        seen: films of the history that it means.
        shown: films of the catalog that it means and that may be offered but for rules.
        titles: the first few of them.
        moved: films of the list that are there because of it (all rules against all but this).
        among_before: films of the list that it means, under all rules but this one.
        among: the same under all rules.
        share_before: probability of all films that it means, under all rules but this one.
        share: under all rules.
        dose: ln(w) as it is used; None for a veto, a share and a link.
        clamped: whether the clamp took something away.
    """

    id: str
    action: Action
    seen: int
    shown: int
    titles: tuple[str, ...]
    moved: int
    among_before: int
    among: int
    share_before: float
    share: float
    dose: float | None
    clamped: bool


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A list with its reasons.

    Args:
        personal: whether it rests on the history; else it is what most people watched.
        offers: the films, the first first.
        gone: what the rules took out of the list.
        seen: the films of the history that were read, in the order of time.
        rules: what each did, in order.
        told: what else to know.
    """

    personal: bool
    offers: tuple[Offer, ...]
    gone: tuple[Gone, ...]
    seen: tuple[SeenFilm, ...]
    rules: tuple[RuleOnFeed, ...]
    told: tuple[Said, ...]

    def as_json(self) -> Mapping[str, Any]:
        """Plain JSON."""
        return asdict(self)
