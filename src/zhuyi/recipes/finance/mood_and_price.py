"""What the mood of tweets goes with: the day they were written, and the day after."""

from collections.abc import Sequence

import numpy as np

from zhuyi.core.record import Said
from zhuyi.recipes.finance.blocks import by_day, draw_days, over_days
from zhuyi.recipes.finance.market import Floats, Market
from zhuyi.recipes.finance.study import Study, load
from zhuyi.recipes.intervals import Interval
from zhuyi.recipes.records import Options, Table


def spoken(options: Options, found: Study) -> Table:
    """Mean change of stocks that are praised less that of stocks that are blamed.

    Args:
        options: of the run.
        found: with the honest rows; those of the literature's timing are made here.
    """
    honest, early = found.market, load(options, same_day=True)
    rows: Sequence[tuple[str, Market, Floats]] = (
        ("the bar up to the day they were written on", early, early.inputs["return 1"].to_numpy()),
        ("the bar after that day, known too late to trade", early, early.ahead),
        ("the first bar that could be traded", honest, honest.ahead),
    )
    return Table(
        title=Said(
            en="What the mood of tweets goes with: praised stocks less blamed ones",
            zh="推文情绪与什么相伴：被称赞的股票减去被贬低的股票",
        ),
        header=("change over", "difference, % of price", "rows with a mood"),
        rows=tuple(
            (what, _line(apart(rows_of, change, found.draws, found.seed)), f"{_spoken(rows_of):,}")
            for what, rows_of, change in rows
        ),
        note=Said(
            en="Mood counts words of gains and of losses from a fixed list of ours; it learns "
            "nothing. Both years. An interval that holds 0 shows no relation; of three without, "
            "one in seven tables shows one by luck.",
            zh="情绪由固定词表中表示盈利与亏损的词语计数得出，不经学习。两年全部数据。"
            "区间包含 0 即看不出关系；即使三行都毫无关系，也有七分之一的机会碰巧显示出一个。",
        ),
    )


def apart(market: Market, change: Floats, draws: int, seed: int) -> Interval:
    """Mean change where the mood is good, less where it is bad, with an interval over days.

    Args:
        market: the rows, with their mood.
        change: [N].
        draws: samples of the interval.
        seed: of the draws.
    """
    mood = market.inputs["mood"].to_numpy()
    good, bad = mood > 0.0, mood < 0.0
    cells = np.stack([good, good * change, bad, bad * change], axis=1).astype(np.float64)
    daily = by_day(cells, market.days)
    drawn = draw_days(len(daily), draws=draws, seed=seed)
    return over_days(_difference, daily, drawn)


def _difference(sums: Floats) -> Floats:
    means: Floats = sums[:, 1] / sums[:, 0] - sums[:, 3] / sums[:, 2]
    return means


def _line(found: Interval) -> str:
    if found.lower is None or found.upper is None:
        return f"{100 * found.value:+.3f}"
    return f"{100 * found.value:+.3f} ({100 * found.lower:+.3f} to {100 * found.upper:+.3f})"


def _spoken(market: Market) -> int:
    return int((market.inputs["mood"].fillna(0.0) != 0.0).sum())
