"""What it is worth to read tweets that no one could have read in time."""

from typing import Final

from zhuyi.core.record import Said
from zhuyi.recipes.finance.marks import accuracy, matthews
from zhuyi.recipes.finance.rivals import GLASS, LOGISTIC, rivals
from zhuyi.recipes.finance.study import Study, load, splitter
from zhuyi.recipes.finance.walking import walk
from zhuyi.recipes.records import Options, Table

COMPARED: Final = (LOGISTIC, GLASS)


def late(options: Options, found: Study) -> Table:
    """Our timing of tweets against the literature's, on the paper's test.

    Args:
        options: of the run.
        found: the study with our timing.

    Cost: another walk of two models.
    """
    market = load(options, same_day=True)
    folds = splitter(quick=options.quick)(market.days, market.scored)
    models = [one for one in rivals(quick=options.quick, seed=options.seed) if one.name in COMPARED]
    other = Study(
        market=market,
        walked=walk(market, folds, models),
        folds=folds,
        draws=found.draws,
        seed=found.seed,
    )
    rows = [
        (
            model,
            when,
            str(one.interval(accuracy, one.up(model), one.in_paper)),
            str(one.interval(matthews, one.up(model), one.in_paper)),
        )
        for model in COMPARED
        for when, one in (("first close after its day", found), ("its own day's close", other))
    ]
    return Table(
        title=Said(
            en="When a tweet counts: our timing and the literature's, on the paper's test",
            zh="推文何时计入：我们的时点与文献的时点（论文测试集）",
        ),
        header=("model", "a tweet counts from", "accuracy", "MCC"),
        rows=tuple(rows),
        note=Said(
            en="By its own day's close, tweets of that evening are read before they were written. "
            "Two more looks at these days; nothing was chosen from them.",
            zh="若从当日收盘计入，就在推文写出之前读到了当晚的推文。"
            "这是对这些日期的另外两次查看，没有据此挑选。",
        ),
    )
