"""Explanations scored right or wrong: is what a model names first a cause of the failure?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from zhuyi.core.record import Said
from zhuyi.recipes import ai4i

if TYPE_CHECKING:
    import pandas as pd

CAUSED = tuple(mode for mode in ai4i.MODES if ai4i.CAUSES[mode])
"""Modes whose rule reads some columns; a random failure has no cause to be found."""


CALLED: Mapping[str, Said] = MappingProxyType(
    {
        "TWF": Said(en="tool wear", zh="刀具磨损"),
        "HDF": Said(en="heat dissipation", zh="散热不良"),
        "PWF": Said(en="power", zh="功率异常"),
        "OSF": Said(en="overstrain", zh="过载"),
        "RNF": Said(en="random", zh="随机"),
    }
)
"""The modes in words."""


@dataclass(frozen=True, kw_only=True)
class Named:
    """Which factors were named first for the true failures of each mode.

    Args:
        first: by mode, the factor with the largest contribution to that mode's own label, one for
            each machine that truly failed by it.
    """

    first: Mapping[str, tuple[str, ...]]

    @property
    def count(self) -> int:
        """Failures looked at; a machine that fails by two modes counts twice."""
        return sum(len(factors) for factors in self.first.values())

    def right(self, mode: str) -> int:
        """How many of a mode's failures have a cause of it named first."""
        return sum(factor in ai4i.CAUSES[mode] for factor in self.first[mode])

    @property
    def share(self) -> float:
        """Share of all failures with a mode whose first factor is a cause of it, in [0, 1]."""
        return sum(self.right(mode) for mode in self.first) / self.count


def named_first(frame: "pd.DataFrame", modes: "pd.DataFrame") -> Named:
    """What an explanation names first for the machines that truly failed.

    Args:
        frame: of `AttentionClassifier.explain` on the rows of `modes`, a label for each mode.
        modes: boolean, one row a machine, in the order of `frame`.
    """
    found = {}
    for mode in CAUSED:
        lines = frame[frame["label"] == mode]
        table = lines.pivot(index="row", columns="factor", values="contribution")
        first = table.idxmax(axis=1).to_numpy()
        found[mode] = tuple(str(factor) for factor in first[modes[mode].to_numpy()])
    return Named(first=found)


def together(parts: Sequence[Named]) -> Named:
    """Several folds as one."""
    return Named(
        first={mode: tuple(one for part in parts for one in part.first[mode]) for mode in CAUSED}
    )


def same_for_all(named: Named) -> float:
    """The share that always naming the one best column would reach: what must be beaten."""
    counts: Mapping[str, int] = {mode: len(factors) for mode, factors in named.first.items()}
    hits: npt.NDArray[np.float64] = np.array(
        [
            sum(count for mode, count in counts.items() if column in ai4i.CAUSES[mode])
            for column in ai4i.INPUTS
        ],
        dtype=np.float64,
    )
    return float(hits.max() / named.count)
