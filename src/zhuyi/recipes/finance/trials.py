"""The trials of the backtest, and what is left of the best one's Sharpe ratio after them."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Final

import numpy as np

from zhuyi.core.record import Said
from zhuyi.recipes.finance.rivals import MAJORITY
from zhuyi.recipes.finance.sharpe import (
    YEAR,
    Returns,
    deflated_sharpe,
    expected_best,
    moments,
    probabilistic_sharpe,
)
from zhuyi.recipes.finance.trading import Traded
from zhuyi.recipes.records import Table

TRIED_BEFORE: Final = 2
"""Ways that were looked at on the scored days while this was written, and dropped: two models of
words learned within the window, in place of the fixed list. Add one for each further look."""


@dataclass(frozen=True, kw_only=True)
class Trials:
    """Every strategy that could have been chosen.

    Ratios are of returns above buy and hold, so that a rising market is no merit. Following the
    majority decides nothing and is no trial.

    Args:
        found: by model, the moments of these returns.
        before: trials that are not among them.
    """

    found: Mapping[str, Returns]
    before: int = TRIED_BEFORE

    @property
    def count(self) -> int:
        """How many there were in all."""
        return len(self.found) + self.before

    @property
    def best(self) -> str:
        """The model that one would choose."""
        return max(self.found, key=lambda model: self.found[model].ratio)

    def deflated(self, model: str) -> float:
        """How sure it is that a model's ratio is more than the luck of the best trial."""
        ratios = [one.ratio for one in self.found.values()]
        return deflated_sharpe(self.found[model], ratios=ratios, trials=self.count)

    def table(self) -> Table:
        """Every trial with its ratio, alone and deflated."""
        spread = float(np.std([one.ratio for one in self.found.values()], ddof=1))
        luck = expected_best(spread, self.count) * sqrt(YEAR)
        return Table(
            title=Said(
                en="Trials, and what is left of a Sharpe ratio after them",
                zh="试验次数，以及扣除其影响后夏普比率还剩多少",
            ),
            header=("strategy", "Sharpe above buy and hold", "sure, alone", "sure, deflated"),
            rows=tuple(
                (
                    model,
                    f"{one.ratio * sqrt(YEAR):+.2f}",
                    f"{probabilistic_sharpe(one):.2f}",
                    f"{self.deflated(model):.2f}",
                )
                for model, one in self.found.items()
            ),
            note=Said(
                en=f"{self.count} trials: {len(self.found)} on this page, {self.before} looked at "
                "on these days while the scene was written, and dropped. The best of so many "
                f"worthless ones is expected to show {luck:+.2f}. Sure: that the true ratio is "
                "above 0, or above that; below 0.95 is no evidence (Bailey & Lopez de Prado 2014).",
                zh=f"共 {self.count} 次试验：本页 {len(self.found)} 次，"
                f"编写时在这些日期上看过并放弃的 {self.before} 次。"
                f"这么多次毫无价值的试验中，最好的一次预期也会显示 {luck:+.2f}。"
                "“sure”表示真实比率高于 0（或高于该值）的把握；低于 0.95 不构成证据"
                "（Bailey 与 Lopez de Prado 2014）。",
            ),
        )


def trials(traded: Mapping[str, Traded], held: Traded) -> Trials:
    """The trials among the portfolios.

    Args:
        traded: by model.
        held: buy and hold.
    """
    return Trials(
        found={
            model: moments(one.returns - held.returns)
            for model, one in traded.items()
            if model != MAJORITY
        }
    )
