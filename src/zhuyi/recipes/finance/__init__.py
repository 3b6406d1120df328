"""Finance: buy, hold or sell by volume, volatility and the mood of tweets, with honest doubt."""

from types import MappingProxyType

from zhuyi.core.record import Said
from zhuyi.recipes.finance.limits import FORBIDDEN
from zhuyi.recipes.records import Options, Part
from zhuyi.recipes.scene import PartOf, Scene


def _direction(options: Options) -> Part:
    from zhuyi.recipes.finance import direction

    return direction.run(options)


def _backtest(options: Options) -> Part:
    from zhuyi.recipes.finance import backtest

    return backtest.run(options)


_DATA = "StockNet prices and tweets (MIT, 18 MB; the terms of Twitter and Yahoo bind the content)"

RECIPE = Scene(
    name="finance",
    title=Said(
        en="Finance: buy, hold or sell, and how little can be known",
        zh="金融：买入、持有或卖出，以及能知道的何其之少",
    ),
    by_name=MappingProxyType(
        {
            "direction": PartOf(
                question=Said(
                    en="Can volume, volatility and mood tell the next day?",
                    zh="成交量、波动率与情绪能预知次日吗？",
                ),
                data=_DATA,
                run=_direction,
            ),
            "backtest": PartOf(
                question=Said(
                    en="Would following it have paid, after costs?",
                    zh="照着做，扣除成本后能赚钱吗？",
                ),
                data=_DATA,
                run=_backtest,
            ),
        }
    ),
    forbidden=FORBIDDEN,
)
"""The scene."""
