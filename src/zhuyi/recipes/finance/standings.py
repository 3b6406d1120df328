"""Models side by side: on all days, on the paper's test, and where their difference is sure."""

from collections.abc import Callable, Mapping
from typing import Final

from zhuyi.core.record import Said
from zhuyi.recipes.finance.marks import Floats, Mark, accuracy, balanced_accuracy, matthews
from zhuyi.recipes.finance.rivals import BOOSTING, GLASS, LAST, LOGISTIC, MAJORITY, MIXED
from zhuyi.recipes.finance.study import Flags, Study
from zhuyi.recipes.intervals import Interval
from zhuyi.recipes.records import Comparison, Role, Score, Table
from zhuyi.recipes.showing import published

ROLE_OF: Final[Mapping[str, Role]] = {
    **dict.fromkeys((MAJORITY, LAST), "trivial"),
    **dict.fromkeys((LOGISTIC, BOOSTING), "simple"),
    **dict.fromkeys((GLASS, MIXED), "ours"),
}

# As reported; their inputs and search differ from ours, so they are no race on equal terms.
_XU = "Xu & Cohen 2018, Stock Movement Prediction from Tweets and Historical Prices, as reported"
_FENG = (
    "Feng et al. 2019, Enhancing Stock Movement Prediction with Adversarial Training, as reported"
)
REPORTED: Final = (
    ("random", 0.509, -0.002, _XU),
    ("ARIMA", 0.514, -0.021, _XU),
    ("random forest", 0.531, 0.013, _XU),
    ("HAN", 0.576, 0.052, _XU),
    ("StockNet", 0.582, 0.081, _XU),
    ("Adv-ALSTM", 0.572, 0.148, _FENG),
)


def comparisons(found: Study) -> tuple[Comparison, ...]:
    """All models on all days, and on the paper's test beside the figures of the literature.

    Args:
        found: the study.
    """
    all_days = Said(
        en="Buy, hold or sell, on all days (no small change is dropped)",
        zh="买入、持有或卖出，全部交易日（不剔除小幅变动）",
    )
    filtered = Said(
        en="Up or down, on the paper's test days without small changes",
        zh="涨或跌，论文的测试日，剔除小幅变动",
    )
    note = Said(
        en="Walk-forward. Intervals draw blocks of 5 days with all stocks of a day together, as "
        "stocks move together.",
        zh="滚动前推。区间由 5 天一组的自助抽样得出，同一天的所有股票一起抽取，因为它们同涨同跌。",
    )
    shown = Said(
        en=f"{note.en} The reported models read tweets up to midnight before the day and were "
        "tuned on a development set; ours read none that the close before the day cannot know.",
        zh=f"{note.zh}文献中的模型使用截至前一日午夜的推文，并在开发集上调参；"
        "我们的模型不使用前一收盘时无法得知的推文。",
    )
    return (
        _three(found, all_days, "accuracy", accuracy, note),
        _three(found, all_days, "balanced accuracy", balanced_accuracy, note),
        _three(found, all_days, "MCC", matthews, note),
        _filtered(found, filtered, "accuracy", accuracy, shown, 1),
        _filtered(found, filtered, "MCC", matthews, shown, 2),
    )


def _three(found: Study, title: Said, metric: str, mark: Mark, note: Said) -> Comparison:
    return Comparison(
        title=title,
        metric=metric,
        better="higher",
        scores=_scores(found, mark, found.three, None),
        note=note,
    )


def _filtered(
    found: Study, title: Said, metric: str, mark: Mark, note: Said, column: int
) -> Comparison:
    others = tuple(published(str(row[0]), float(row[column]), str(row[3])) for row in REPORTED)
    return Comparison(
        title=title,
        metric=metric,
        better="higher",
        scores=(*_scores(found, mark, found.up, found.in_paper), *others),
        note=note,
    )


def _scores(
    found: Study, mark: Mark, cells: Callable[[str], Floats], kept: Flags | None
) -> tuple[Score, ...]:
    return tuple(
        Score(
            model=model,
            role=ROLE_OF[model],
            value=found.interval(mark, cells(model), kept),
            seconds=found.walked.seconds[model],
        )
        for model in found.walked.shares
    )


def kinds(found: Study) -> Table:
    """What is foretold: that a stock moves, or which way.

    Args:
        found: the study.
    """
    rows = [
        (
            model,
            str(found.interval(matthews, found.moving(model))),
            str(found.interval(matthews, found.up(model), found.moved)),
            str(found.interval(accuracy, found.up(model), found.moved)),
        )
        for model in found.walked.shares
    ]
    return Table(
        title=Said(
            en="Whether it moves, and which way, on all scored days",
            zh="会不会动，往哪个方向动（全部评分日）",
        ),
        header=("model", "moves or not (MCC)", "up or down (MCC)", "up or down (accuracy)"),
        rows=tuple(rows),
        note=Said(
            en="Volatile stocks stay volatile, so that a large change can be foretold somewhat. "
            "The direction is what would earn money. 0 is chance.",
            zh="波动大的股票会继续波动，所以大幅变动在一定程度上可以预知；能赚钱的是方向。"
            "0 即随机。",
        ),
    )


def differences(found: Study) -> Table:
    """Our models against the others on the same days, with intervals of the differences.

    Args:
        found: the study.
    """
    pairs = ((GLASS, MAJORITY), (GLASS, LOGISTIC), (GLASS, BOOSTING), (MIXED, GLASS))
    rows = [
        (
            f"{one} less {other}",
            _signed(found.lead(accuracy, found.three(one), found.three(other))),
            _signed(found.lead(matthews, found.three(one), found.three(other))),
            _signed(found.lead(accuracy, found.up(one), found.up(other), found.in_paper)),
        )
        for one, other in pairs
    ]
    return Table(
        title=Said(en="Differences, model against model", zh="模型之间的差异"),
        header=("models", "accuracy, all days", "MCC, all days", "accuracy, paper's test"),
        rows=tuple(rows),
        note=Said(
            en="Both models are scored on the same drawn days. An interval that holds 0 tells no "
            "difference.",
            zh="两个模型在相同的抽样日上评分。区间包含 0 即看不出差异。",
        ),
    )


def _signed(found: Interval) -> str:
    if found.lower is None or found.upper is None:
        return f"{found.value:+.3f}"
    return f"{found.value:+.3f} ({found.lower:+.3f} to {found.upper:+.3f})"
