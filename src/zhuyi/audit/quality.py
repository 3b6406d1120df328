"""How good the decisions are, over all inputs and by group."""

from collections.abc import Mapping, Sequence

from zhuyi.audit.report import AuditedInput, GroupDifference, GroupRow, Interval
from zhuyi.core.record import Said
from zhuyi.verify import Subgroups

_Z = 1.959964  # standard normal, 97.5 %


def quality(inputs: Sequence[AuditedInput]) -> dict[str, Interval]:
    """Accuracy with its interval, that of always naming the most common truth, and confidence.

    Returns: "accuracy", "most common" (both with Wilson's interval at 95 %), "confidence" (the
        mean probability of the decisions); empty where no truth is known.
    Ref:     Wilson 1927; Brown, Cai & DasGupta 2001.
    """
    known = [one for one in inputs if one.truth is not None]
    if not known:
        return {}
    right = sum(one.truth == one.decision for one in known)
    truths = [one.truth for one in known]
    common = max(truths.count(truth) for truth in set(truths))
    return {
        "accuracy": wilson(right, len(known)),
        "most common": wilson(common, len(known)),
        "confidence": Interval(value=sum(one.probability for one in known) / len(known)),
    }


def wilson(right: int, count: int) -> Interval:
    """A share with Wilson's interval at 95 %.

    Example:
        >>> found = wilson(9, 10)
        >>> round(found.lower, 3), round(found.upper, 3)
        (0.596, 0.982)
    """
    share, square = right / count, _Z**2
    middle = (share + square / (2 * count)) / (1 + square / count)
    half = (
        _Z / (1 + square / count) * (share * (1 - share) / count + square / (4 * count**2)) ** 0.5
    )
    return Interval(value=share, lower=max(0.0, middle - half), upper=min(1.0, middle + half))


def by_group(
    inputs: Sequence[AuditedInput], columns: Sequence[str], *, seed: int, several: bool = True
) -> tuple[tuple[GroupRow, ...], tuple[GroupDifference, ...], tuple[Said, ...]]:
    """Every column's groups, how far they are apart, and that in words.

    Numbers of a group: accuracy (where the truth is known), confidence, skill of the explanation,
    and the share of the shown attention that falls on the input itself and not on added pieces.
    Where there is one decision only (`several` is false) it is a number, of which nobody is sure.
    """
    rows: list[GroupRow] = []
    differences: list[GroupDifference] = []
    said: list[Said] = []
    for column in columns:
        named = [one.groups[column] for one in inputs]
        grouped = Subgroups(seed=seed)(named, _metrics(inputs, several), column=column)
        for group in grouped.groups:
            numbers = {
                name: Interval(value=one.value, lower=one.lower, upper=one.upper)
                for name, one in group.numbers.items()
            }
            rows.append(
                GroupRow(
                    column=column,
                    group=group.group,
                    count=group.count,
                    suppressed=group.suppressed,
                    numbers=numbers,
                )
            )
        for one in grouped.differences:
            differences.append(
                GroupDifference(
                    column=column,
                    metric=one.metric,
                    largest=one.largest,
                    smallest=one.smallest,
                    value=Interval(value=one.value, lower=one.lower, upper=one.upper),
                    p=one.adjusted,
                    beyond_noise=one.beyond_noise,
                )
            )
        said += grouped.said
    return tuple(rows), tuple(differences), tuple(said)


def _metrics(inputs: Sequence[AuditedInput], several: bool) -> Mapping[str, Sequence[float | None]]:
    metrics: dict[str, Sequence[float | None]] = {}
    if several:
        metrics["confidence"] = [one.probability for one in inputs]
    metrics["skill"] = [one.numbers.get("skill") for one in inputs]
    if any(one.truth is not None for one in inputs):
        metrics["accuracy"] = [
            None if one.truth is None else float(one.truth == one.decision) for one in inputs
        ]
    shares = [_on_input(one) for one in inputs]
    if any(share is not None for share in shares):
        metrics["attention on the input"] = shares
    return metrics


def _on_input(one: AuditedInput) -> float | None:
    """Share of the attention that does not fall on pieces the model added."""
    total = sum(abs(value) for value in one.attention)
    if total <= 0.0 or not any(piece.special for piece in one.pieces):
        return None
    own = sum(
        abs(value)
        for value, piece in zip(one.attention, one.pieces, strict=True)
        if not piece.special
    )
    return own / total
