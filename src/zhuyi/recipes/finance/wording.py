"""Sentences that follow from intervals: nothing is claimed that an interval does not allow."""

from typing import Literal

from zhuyi.core.record import Said
from zhuyi.recipes.intervals import Interval

Stand = Literal["above", "below", "not told apart"]


def stands(found: Interval, reference: float) -> Stand:
    """Where a number stands to a reference, as far as its interval can tell.

    Example:
        >>> stands(Interval(value=0.52, lower=0.49, upper=0.55, how=""), 0.5)
        'not told apart'
    """
    if found.lower is None or found.upper is None:
        return "not told apart"
    if found.lower > reference:
        return "above"
    return "below" if found.upper < reference else "not told apart"


def compared(found: Interval, reference: float, other: Said) -> Said:
    """ "better than a coin", "worse than a coin" or "not told apart from a coin"."""
    en, zh = {
        "above": ("better than {}", "好于{}"),
        "below": ("worse than {}", "差于{}"),
        "not told apart": ("not told apart from {}", "与{}无法区分"),
    }[stands(found, reference)]
    return Said(en=en.format(other.en), zh=zh.format(other.zh))


def percent(found: Interval, *, digits: int = 1, sign: bool = False) -> Said:
    """A share with its interval: "50.3 % (47.0 to 53.2)"."""
    form = f"{{:{'+' if sign else ''}.{digits}f}}"
    value = form.format(100 * found.value)
    if found.lower is None or found.upper is None:
        return Said(en=f"{value} %", zh=f"{value} %")
    lower, upper = form.format(100 * found.lower), form.format(100 * found.upper)
    return Said(en=f"{value} % ({lower} to {upper})", zh=f"{value} %（{lower} 至 {upper}）")


COIN = Said(en="a coin", zh="抛硬币")


def direction(
    paper: Interval, lead: Interval, accuracy: Interval, moving: Interval, up: Interval
) -> Said:
    """What came out of foretelling, for a person who reads nothing else.

    Args:
        paper: share of right directions in the paper's test window.
        lead: accuracy of buy, hold or sell above that of always saying the same.
        accuracy: of buy, hold or sell on all days.
        moving: Matthews correlation of "will it move at all".
        up: Matthews correlation of "up or down" on days that moved.
    """
    coin = compared(paper, 0.5, COIN)
    same = compared(lead, 0.0, Said(en="always saying the same", zh="永远给出同一答案"))
    paper_said, all_said = percent(paper), percent(accuracy)
    why = _why(stands(moving, 0.0), stands(up, 0.0))
    return Said(
        en=f"Up or down: right on {paper_said.en} of the paper's test days, {coin.en}. "
        f"Buy, hold or sell on all days: right on {all_said.en}, {same.en}. {why.en}",
        zh=f"涨还是跌：在论文的测试日中判断正确的比例为 {paper_said.zh}，{coin.zh}。"
        f"在全部交易日判断买入、持有或卖出：正确率 {all_said.zh}，{same.zh}。{why.zh}",
    )


def _why(moving: Stand, up: Stand) -> Said:
    if up == "above":
        return Said(
            en="It tells rises from falls a little; whether that pays for its trades is another "
            "question, which the backtest answers.",
            zh="它略能区分涨跌；这是否足以抵消交易成本是另一个问题，由回测回答。",
        )
    if moving == "above":
        return Said(
            en="What it can tell is whether a stock will move much, not which way.",
            zh="它能判断的是股价会不会大幅波动，而不是往哪个方向波动。",
        )
    return Said(
        en="It can tell neither which way a stock will move nor whether it will.",
        zh="它既不能判断股价往哪个方向走，也不能判断会不会波动。",
    )


def trading(above: Interval, total: float, benchmark: float, deflated: float) -> Said:
    """What following the decisions earned, for a person who reads nothing else.

    Args:
        above: mean return a year above buy and hold, after costs.
        total: return over all days.
        benchmark: that of buy and hold.
        deflated: the best strategy's deflated Sharpe ratio.
    """
    hold = Said(en="buying all stocks and holding them", zh="买入全部股票并一直持有")
    said, a = compared(above, 0.0, hold), percent(above, sign=True)
    luck = (
        Said(
            en="Even the best of the strategies tried is not told apart from luck",
            zh="所试策略中最好的一个也无法与运气区分",
        )
        if deflated < 0.95
        else Said(
            en="The best of the strategies tried is more than the luck of choosing it",
            zh="所试策略中最好的一个不只是挑选带来的运气",
        )
    )
    return Said(
        en=f"Following the decisions changed one's money by {100 * total:+.1f} % after costs, and "
        f"holding all stocks by {100 * benchmark:+.1f} %. Against holding that is {a.en} a year, "
        f"{said.en}. {luck.en} (deflated Sharpe ratio {deflated:.2f}; below 0.95 is no evidence).",
        zh=f"按这些决定操作，扣除成本后资金变化 {100 * total:+.1f} %，一直持有为 "
        f"{100 * benchmark:+.1f} %。与持有相比每年相差 {a.zh}，{said.zh}。{luck.zh}"
        f"（校正后夏普比率 {deflated:.2f}，低于 0.95 不构成证据）。",
    )
