"""Part "backtest": what following the decisions would have earned after costs."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from zhuyi.core.record import Said
from zhuyi.recipes.finance import wording
from zhuyi.recipes.finance.blocks import draw_days, over_days
from zhuyi.recipes.finance.limits import LIMITS
from zhuyi.recipes.finance.market import BUY, SELL
from zhuyi.recipes.finance.rivals import GLASS, MAJORITY
from zhuyi.recipes.finance.sharpe import annual_mean, annual_sharpe, sums_of
from zhuyi.recipes.finance.standings import ROLE_OF
from zhuyi.recipes.finance.study import Study, study
from zhuyi.recipes.finance.trading import Terms, Traded, buy_and_hold, closes, targets, trade
from zhuyi.recipes.finance.trials import trials
from zhuyi.recipes.intervals import Interval
from zhuyi.recipes.records import Check, Comparison, Options, Part, Score, Table

NAME: Final = "backtest"

TERMS: Final = Terms()


def run(options: Options) -> Part:
    """Trade on the decisions of every model, and on none.

    Args:
        options: `quick` trades half a year instead of one.

    Raises: DataUnavailable: if prices or tweets cannot be had.
    Cost:   about a minute for the decisions, unless "direction" made them, and 20 s for bt.
    """
    found = study(options, NAME)
    table = closes(found.market, found.walked.rows)
    held = buy_and_hold(table, TERMS)
    traded: dict[str, Traded] = {}
    for done, model in enumerate(found.walked.shares):
        options.listener(NAME, f"bt: {model}", done, len(found.walked.shares))
        traded[model] = _traded(found, model, TERMS)
    tried = trials(traded, held)
    return Part(
        name=NAME,
        title=Said(
            en="Would following it have paid, after costs?",
            zh="照着做，扣除成本后能赚钱吗？",
        ),
        answer=wording.trading(
            _above(traded[GLASS], held, found),
            traded[GLASS].total,
            held.total,
            tried.deflated(tried.best),
        ),
        data=_data(found, held),
        comparisons=_comparisons(found, traded, held),
        checks=(_lagged(found),),
        tables=(_portfolios(traded, held), tried.table(), _without(found, held)),
        limits=(
            *LIMITS,
            Said(
                en="Decisions are audited in the part direction; here they are only followed.",
                zh="对决定的审计见“direction”部分；这里只是照着执行。",
            ),
        ),
    )


def _traded(found: Study, model: str, terms: Terms) -> Traded:
    walked, market = found.walked, found.market
    table = closes(market, walked.rows)
    weights = targets(market, walked.rows, walked.decided(model), table, terms.lag)
    return trade(model, weights, table, terms)


def _data(found: Study, held: Traded) -> Said:
    stocks = closes(found.market, found.walked.rows).shape[1]
    return Said(
        en=f"The decisions of the part direction on {stocks} stocks, {held.days[0]} to "
        f"{held.days[-1]}. One begins with equal amounts of all; sell empties a stock's slot, buy "
        f"fills it again, hold leaves it, and cash earns nothing. A decision made from one close "
        f"is carried out at the next. Each trade costs {TERMS.commission:.2%} of its value to the "
        f"broker and {TERMS.slippage:.2%} by its price.",
        zh=f"“direction”部分对 {stocks} 只股票所作的决定，{held.days[0]} 至 {held.days[-1]}。"
        "开始时等额持有全部股票；卖出清空该股票的仓位，买入重新填满，持有则不动，现金没有收益。"
        f"根据某一收盘作出的决定在下一个收盘执行。每笔交易的成本为成交额的 {TERMS.commission:.2%}"
        f"（佣金）加 {TERMS.slippage:.2%}（滑点）。",
    )


# --- comparisons -----------------------------------------------------------------------------


def _above(one: Traded, held: Traded, found: Study) -> Interval:
    """Mean return a year above buy and hold, with an interval over the same drawn days."""
    drawn = draw_days(len(held.returns), draws=found.draws, seed=found.seed)
    return over_days(annual_mean, sums_of(one.returns - held.returns), drawn)


def _comparisons(
    found: Study, traded: Mapping[str, Traded], held: Traded
) -> tuple[Comparison, ...]:
    drawn = draw_days(len(held.returns), draws=found.draws, seed=found.seed)
    note = Said(
        en="After costs. Intervals draw blocks of 5 days. A year is short: a Sharpe ratio of a "
        "year is uncertain by about 1 either way, whatever the strategy.",
        zh="已扣除成本。区间由 5 天一组的自助抽样得出。一年太短：无论何种策略，"
        "一年的夏普比率本身就有约 ±1 的不确定性。",
    )
    ratio = [
        Score(
            model=held.name,
            role="trivial",
            value=over_days(annual_sharpe, sums_of(held.returns), drawn),
        )
    ]
    above = []
    for model, one in traded.items():
        value = over_days(annual_sharpe, sums_of(one.returns), drawn)
        ratio.append(Score(model=_named(model), role=ROLE_OF[model], value=value))
        value = _above(one, held, found)
        above.append(Score(model=_named(model), role=ROLE_OF[model], value=value))
    return (
        Comparison(
            title=Said(en="Return a year above buy and hold", zh="年化收益超出买入并持有的部分"),
            metric="share of the money a year",
            better="higher",
            scores=tuple(above),
            note=note,
        ),
        Comparison(
            title=Said(en="Return for the risk taken", zh="单位风险的收益"),
            metric="Sharpe ratio a year",
            better="higher",
            scores=tuple(ratio),
            note=note,
        ),
    )


def _named(model: str) -> str:
    """The majority is "hold", so following it is to rebalance and nothing else."""
    return "always hold (the majority)" if model == MAJORITY else model


# --- checks and tables -----------------------------------------------------------------------


def _lagged(found: Study) -> Check:
    """What a perfect forecast of the next bar earns when it comes one bar late."""
    market, rows = found.market, found.walked.rows
    table = closes(market, rows)
    known = np.where(market.ahead[rows] > 0.0, BUY, SELL)
    free = Terms(commission=0.0, slippage=0.0)
    late = trade("late", targets(market, rows, known, table, 1), table, free)
    early = trade("early", targets(market, rows, known, table, 0), table, free)
    return Check(
        name=Said(
            en="The lag works: a perfect forecast of the next bar earns its fortune without the "
            "lag, and none with it",
            zh="延迟有效：对下一根 K 线的完美预测在没有延迟时赚得巨利，有延迟时则没有",
        ),
        measured=f"{early.total:+.0%} without the lag, {late.total:+.1%} with it",
        bar="above +50 % and below +20 %",
        held=early.total > 0.5 and late.total < 0.2,
    )


def _portfolios(traded: Mapping[str, Traded], held: Traded) -> Table:
    lines = [held, *traded.values()]
    return Table(
        title=Said(en="What each portfolio did", zh="各投资组合的表现"),
        header=("portfolio", "return", "largest fall", "turnover", "costs", "stocks owned"),
        rows=tuple(
            (
                _named(one.name),
                f"{one.total:+.1%}",
                f"{one.drawdown:.1%}",
                f"{one.turnover:.1f} times",
                f"{one.fees:.2%}",
                f"{one.owned:.0%}",
            )
            for one in lines
        ),
        note=Said(
            en="Costs are a share of the money one began with; turnover says how many times the "
            "portfolio's worth was bought or sold, and getting in counts.",
            zh="成本按初始资金的比例计；换手表示买入或卖出的总额是组合价值的多少倍，建仓也算在内。",
        ),
    )


def _without(found: Study, held: Traded) -> Table:
    """The same decisions on terms that nobody gets."""
    terms = (
        ("as above", TERMS),
        ("without costs", Terms(commission=0.0, slippage=0.0)),
        (
            "without costs, at the very close decided from",
            Terms(commission=0.0, slippage=0.0, lag=0),
        ),
        ("twice the costs", Terms(commission=2 * TERMS.commission, slippage=2 * TERMS.slippage)),
    )
    rows = []
    for what, one in terms:
        found_one = _traded(found, GLASS, one)
        above = wording.percent(_above(found_one, held, found), sign=True).en
        rows.append((what, f"{found_one.total:+.1%}", above))
    return Table(
        title=Said(
            en="How much of it is the terms: the glass box's decisions on other terms",
            zh="结果有多少取决于交易条件：玻璃盒模型的决定在其他条件下",
        ),
        header=("terms", "return", "a year above buy and hold"),
        rows=tuple(rows),
        note=Said(
            en="Only the first line and the last can be had by anyone. None of them was chosen "
            "from, so they are no trials.",
            zh="只有第一行和最后一行是现实可得的。没有从中挑选，所以不算试验次数。",
        ),
    )
