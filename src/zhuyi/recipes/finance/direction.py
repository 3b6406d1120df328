"""Part "direction": volume, volatility and mood of tweets to buy, hold or sell."""

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt

from zhuyi.audit import AuditReport
from zhuyi.core.record import Said
from zhuyi.recipes.finance import wording
from zhuyi.recipes.finance.factors import goes_by
from zhuyi.recipes.finance.limits import LIMITS
from zhuyi.recipes.finance.market import BUY, CLASSES, PAPER
from zhuyi.recipes.finance.marks import accuracy, matthews
from zhuyi.recipes.finance.mood_and_price import spoken
from zhuyi.recipes.finance.rivals import GLASS, MAJORITY
from zhuyi.recipes.finance.standings import comparisons, differences, kinds
from zhuyi.recipes.finance.study import Study, study
from zhuyi.recipes.finance.timing import late
from zhuyi.recipes.records import Check, Decision, Options, Part, Table
from zhuyi.recipes.showing import audited, decisions, sums_check, taken

NAME: Final = "direction"

AUDITED: Final[Mapping[bool, int]] = {True: 60, False: 200}
"""Rows of the last block that the audit looks at, in quick and in full."""

PAPER_ROWS: Final = 3_720
"""Movements in the paper's test set, as reported."""


def run(options: Options) -> Part:
    """Foretell the next bar of 87 stocks, and say how sure one can be of the score.

    Args:
        options: `quick` scores half a year instead of one.

    Raises: DataUnavailable: if prices or tweets cannot be had.
    Cost:   about two minutes on one thread.
    """
    found = study(options, NAME)
    options.listener(NAME, "intervals", 0, 1)
    return Part(
        name=NAME,
        title=Said(
            en="Buy, hold or sell: can volume, volatility and mood tell the next day?",
            zh="买入、持有还是卖出：成交量、波动率与情绪能预知次日吗？",
        ),
        answer=_answer(found),
        data=_data(found),
        comparisons=comparisons(found),
        checks=_checks(found),
        decisions=_decisions(found),
        tables=_tables(found, options),
        audit=_audit(found, options),
        limits=LIMITS,
    )


def _tables(found: Study, options: Options) -> tuple[Table, ...]:
    made = (kinds(found), differences(found), goes_by(found), spoken(options, found))
    # Another walk, which quick leaves out.
    return made if options.quick else (*made, late(options, found))


def _answer(found: Study) -> Said:
    return wording.direction(
        found.interval(accuracy, found.up(GLASS), found.in_paper),
        found.lead(accuracy, found.three(GLASS), found.three(MAJORITY)),
        found.interval(accuracy, found.three(GLASS)),
        found.interval(matthews, found.moving(GLASS)),
        found.interval(matthews, found.up(GLASS), found.moved),
    )


def _data(found: Study) -> Said:
    market, rows = found.market, found.walked.rows
    first, last = market.scored[rows].min(), market.scored[rows].max()
    stocks = len(np.unique(market.tickers))
    return Said(
        en=f"StockNet (Xu & Cohen 2018; MIT, the terms of Twitter and Yahoo bind the content): "
        f"{len(market):,} rows, one a stock and day, of {stocks} US stocks in 2014 and 2015. "
        f"{len(rows):,} rows foretelling {first} to {last} are scored, in {found.walked.blocks} "
        "blocks; each block by models that were fitted, with their scalers, on what was known six "
        "trading days before it. A tweet counts from the first close after its day, as its hour "
        "is not in the data.",
        zh=f"StockNet（Xu 与 Cohen 2018；MIT 许可，内容受 Twitter 与 Yahoo 条款约束）："
        f"2014 与 2015 年 {stocks} 只美股共 {len(market):,} 条记录，每只股票每天一条。"
        f"对 {first} 至 {last} 的 {len(rows):,} 条预测评分，分 {found.walked.blocks} 段；"
        "每一段的模型及其缩放参数只用该段开始六个交易日之前已知的数据拟合。"
        "数据中没有推文的钟点，因此推文从其日期之后的第一个收盘起才计入。",
    )


# --- checks, decisions, audit ----------------------------------------------------------------


def _checks(found: Study) -> tuple[Check, ...]:
    market, gaps = found.market, found.walked.gap
    waits = [
        np.busday_count(market.scored[fold.train].max(), market.days[fold.test].min())
        for fold in found.folds
    ]
    inside = int(found.in_paper.sum())
    rises = int((market.labels[found.walked.rows][found.in_paper] == BUY).sum())
    return (
        sums_check(max(gaps.values()), len(found.walked.rows) * len(CLASSES) * len(gaps)),
        Check(
            name=Said(
                en="No model learned from an answer of the days it was scored on, nor of the week "
                "before",
                zh="没有模型从其评分日或之前一周的答案中学习",
            ),
            measured=f"last answer learned {min(waits)} weekdays before the first close decided at",
            bar="at least 6",
            held=min(waits) >= 6,
        ),
        Check(
            name=Said(
                en=f"The literature's test rows are the paper's ({PAPER[0]} to {PAPER[1]})",
                zh=f"文献测试集的行数与论文一致（{PAPER[0]} 至 {PAPER[1]}）",
            ),
            measured=f"{inside:,} movements, {rises:,} up: always up is right on "
            f"{rises / max(inside, 1):.1%}",
            bar=f"{PAPER_ROWS:,} movements",
            held=inside == PAPER_ROWS,
        ),
    )


def _decisions(found: Study) -> tuple[Decision, ...]:
    """Of 30 rows spread over the last block, the surest of each class."""
    model, block = found.walked.last
    rows = _spread(block, 30)
    inputs = taken(found.market.inputs, rows).reset_index(drop=True)
    shares = np.asarray(model.predict_proba(inputs))
    likeliest = shares.argmax(1)
    chosen = [
        int(np.flatnonzero(likeliest == label)[shares[likeliest == label, label].argmax()])
        for label in range(len(CLASSES))
        if (likeliest == label).any()
    ]
    market = found.market
    titles = [f"{market.tickers[rows[at]]}, {market.days[rows[at]]}" for at in chosen]
    truth = [f"{CLASSES[market.labels[rows[at]]]} ({market.ahead[rows[at]]:+.1%})" for at in chosen]
    return decisions(model, inputs, chosen, titles=titles, truth=truth)


def _audit(found: Study, options: Options) -> AuditReport:
    model, block = found.walked.last
    rows = _spread(block, AUDITED[options.quick])
    subject = model.subject()
    return audited(
        subject,
        subject.read(taken(found.market.inputs, rows)),
        title=GLASS,
        task="buy, hold or sell a stock at a day's close",
        truth=found.market.names[rows].tolist(),
        options=options,
        part=NAME,
    )


def _spread(rows: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """Some of the rows, evenly over time."""
    spread: npt.NDArray[np.int64] = rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)]
    return spread
