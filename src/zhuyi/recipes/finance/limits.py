"""What the scene must not be used for, and what it did not measure."""

from typing import Final

from zhuyi.core.record import Said

FORBIDDEN: Final = (
    Said(
        en="To trade, or to advise anyone to. This is no investment advice: it shows what a model "
        "goes by and how little it knows.",
        zh="用于交易，或建议他人交易。本页不构成投资建议：它展示模型依据什么，以及它所知多么有限。",
    ),
    Said(
        en="As evidence that tweets foretell prices, or that they do not: one list of words, 87 "
        "stocks, two years.",
        zh="用来证明推文能或不能预知价格：这里只有一个词表、87 只股票和两年的数据。",
    ),
    Said(
        en="To judge a person's credit, employment or character by what they wrote.",
        zh="根据某人写过的文字评判其信用、就业或品格。",
    ),
)

LIMITS: Final = (
    Said(
        en="The stocks were picked by hand in 2017 or so from those that were still there: what "
        "failed before is missing, which flatters every strategy that owns stocks.",
        zh="这些股票是事后从仍然存续的公司中人工挑选的：此前失败的公司不在其中，"
        "这会美化任何持有股票的策略。",
    ),
    Said(
        en="2014 and 2015 only: one market, one mood of the times. Nothing is said of other years.",
        zh="仅 2014 与 2015 年：一个市场、一段行情，对其他年份没有任何结论。",
    ),
    Said(
        en="Volumes are the exchange's as Yahoo gave them, closes are adjusted for later dividends "
        "and splits; no order book, no opening auction, no market impact.",
        zh="成交量来自 Yahoo，收盘价按此后的分红与拆股调整；没有委托簿、开盘竞价与市场冲击。",
    ),
    Said(
        en="The list of words was written by people who know how finance talks today; it was "
        "not changed by what it foretold. Irony, pictures and who is speaking are lost.",
        zh="词表由了解当今金融用语的人写成，没有根据预测结果改动。反讽、图片与发言者身份都丢失了。",
    ),
)
