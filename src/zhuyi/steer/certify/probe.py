"""How well the vetoed attribute can still be told from what is left: measured, never claimed away.

    logistic regression with an L2 penalty, k-fold cross-validation, area under the curve of the
    held-out scores; 95 % interval by bootstrap over rows

An area of 0.5 is chance. A linear probe finds what a straight cut finds: a low area is no proof
that nothing is there. (Where every combination of the features has the attribute equally often,
what is held out is always the other half, and the area falls below 0.5.)
"""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from zhuyi.core.record import Said
from zhuyi.errors import OptionError
from zhuyi.steer.report import Leak

LEAST: Final = 10  # rows of each kind below which an area says nothing
_FOLDS: Final = 5
_DRAWS: Final = 400
_STEPS: Final = 60  # of the optimizer
_WIDEST: Final = 64  # directions kept of wider features


def probe(
    features: Tensor, attribute: Tensor, source: str, *, seed: int = 0, penalty: float = 1e-2
) -> Leak:
    """Cross-validated area of a linear probe.

    Args:
        features: "B F", what may betray the attribute; F > 64 is reduced to the 64 widest
            directions, found without the attribute.
        attribute: bool "B".
        source: where the features come from, for the record.
        seed: of the folds and the interval.
        penalty: weight of the squared coefficients.
    Returns: Leak; its area is None with fewer than 10 rows of either kind.
    Raises:  OptionError: if the attribute is not one flag a row.
    Cost:    five fits of 60 steps and 400 areas.
    Not:     a bound: another probe may find more.
    Example:
        >>> flags = torch.arange(40) % 2 == 0
        >>> probe(flags.float()[:, None], flags, "other inputs").auc
        1.0
    """
    if attribute.dtype != torch.bool or attribute.shape != features.shape[:1]:
        raise OptionError(
            f"attribute must be bool (B,) with B = {len(features)}, got {attribute.dtype} "
            f"{tuple(attribute.shape)}"
        )
    ones = int(attribute.sum())
    if min(ones, len(attribute) - ones) < LEAST:
        return _unmeasured(source, len(attribute))
    generator = torch.Generator().manual_seed(seed)
    rows = features.detach().double().flatten(1).nan_to_num(0.0, 0.0, 0.0)
    fold = _folds(attribute, generator)
    # One score a row from the model that has not seen it, as a rank within its fold: folds have
    # intercepts of their own.
    scores = torch.zeros(len(rows), dtype=torch.float64)
    for number in range(_FOLDS):
        out = fold == number
        found = _scores(rows[~out], attribute[~out], rows[out], penalty)
        scores[out] = _ranks(found) / max(int(out.sum()), 1)
    area = auc(scores, attribute)
    low, high = _interval(scores, attribute, generator)
    return Leak(
        source=source,
        auc=area,
        low=low,
        high=high,
        rows=len(rows),
        said=_said(source, area, low, high),
    )


def auc(scores: Tensor, attribute: Tensor) -> float:
    """Share of pairs, one with and one without the attribute, that the scores order right."""
    ranks = _ranks(scores)
    ones = int(attribute.sum())
    others = len(attribute) - ones
    return float((ranks[attribute].sum() - ones * (ones + 1) / 2) / (ones * others))


def flags_of(shown: Sequence[str]) -> Tensor | None:
    """A binary attribute of rows: does the row hold the most common vetoed text; None for one kind.

    Args:
        shown: per row, the vetoed text.
    """
    kinds = sorted(set(shown), key=lambda one: (-shown.count(one), one))
    if len(kinds) < 2:
        return None
    return torch.tensor([one == kinds[0] for one in shown])


def _scores(rows: Tensor, attribute: Tensor, others: Tensor, penalty: float) -> Tensor:
    """Scores of other rows by a logistic regression on these."""
    center, scale = rows.mean(0), rows.std(0).clamp_min(1e-9)
    standard, asked = (rows - center) / scale, (others - center) / scale
    if standard.shape[1] > _WIDEST:
        _, _, directions = torch.linalg.svd(standard, full_matrices=False)
        standard, asked = standard @ directions[:_WIDEST].T, asked @ directions[:_WIDEST].T
    target = attribute.double()
    weight = torch.zeros(standard.shape[1] + 1, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([weight], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        solver.zero_grad()
        logits = standard @ weight[1:] + weight[0]
        value = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
        value = value + penalty * weight[1:].square().sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        solver.step(loss)  # type: ignore[no-untyped-call]
    return (asked @ weight.detach()[1:] + weight.detach()[0]).clone()


def _folds(attribute: Tensor, generator: torch.Generator) -> Tensor:
    """A fold for each row, both kinds spread evenly."""
    fold = torch.zeros(len(attribute), dtype=torch.long)
    for kind in (True, False):
        places = torch.nonzero(attribute == kind)[:, 0]
        places = places[torch.randperm(len(places), generator=generator)]
        fold[places] = torch.arange(len(places)) % _FOLDS
    return fold


def _ranks(scores: Tensor) -> Tensor:
    """Ranks from 1, equal scores sharing their mean rank."""
    _, group, counts = torch.unique(scores, return_inverse=True, return_counts=True)
    last = counts.cumsum(0).double()
    ranks: Tensor = (last - (counts.double() - 1) / 2)[group]
    return ranks


def _interval(scores: Tensor, attribute: Tensor, generator: torch.Generator) -> tuple[float, float]:
    ones, others = scores[attribute], scores[~attribute]
    found = []
    for _ in range(_DRAWS):
        a = ones[torch.randint(len(ones), (len(ones),), generator=generator)]
        b = others[torch.randint(len(others), (len(others),), generator=generator)]
        flags = torch.arange(len(a) + len(b)) < len(a)
        found.append(auc(torch.cat([a, b]), flags))
    drawn = torch.tensor(found, dtype=torch.float64)
    return float(drawn.quantile(0.025)), float(drawn.quantile(0.975))


def _said(source: str, area: float, low: float, high: float) -> Said:
    where = {"read-out": "读出状态", "other inputs": "其他输入"}.get(source, source)
    told = "it can be told from there" if low > 0.5 else "a linear probe does not find it there"
    shown = "可以从中得知" if low > 0.5 else "线性探针在其中没有找到它"
    return Said(
        en=f"leak, {source}: probe AUC {area:.2f} ({low:.2f} to {high:.2f}): {told}; no claim",
        zh=f"泄漏，{where}：探针 AUC {area:.2f}（{low:.2f} 至 {high:.2f}）：{shown}；不作声明",
    )


def _unmeasured(source: str, rows: int) -> Leak:
    said = Said(
        en=f"leak, {source}: not measured, which takes {LEAST} inputs with and {LEAST} without; no "
        "claim",
        zh=f"泄漏：未测量，需要有和没有该属性的输入各 {LEAST} 条；不作声明",
    )
    return Leak(source=source, auc=None, low=None, high=None, rows=rows, said=said)
