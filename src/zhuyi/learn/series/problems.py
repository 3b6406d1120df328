"""What makes series useless for training, found before a minute is spent on it."""

import numpy as np
from numpy.typing import NDArray

from zhuyi.learn.columns import KNOWN
from zhuyi.learn.problems import Problem
from zhuyi.learn.series.knowledge import SeriesInputs

_FEW = 20  # series below which nothing that is learned can be checked


def find_problems(inputs: SeriesInputs, codes: NDArray[np.float64]) -> tuple[Problem, ...]:
    """What a person should hear before training.

    Args:
        inputs: what is known of the series.
        codes: "B N L 2" of the training series.
    Returns: channels that are constant or never known, too few series.
    Cost:    O(B N L).
    """
    found: list[Problem] = []
    if len(codes) < _FEW:
        said = f"{len(codes)} series are too few to check anything that is learned"
        found.append(Problem("few rows", said))
    for place, channel in enumerate(inputs.channels):
        own = codes[:, place :: len(inputs.channels)]
        known = own[..., 0][own[..., 1] == KNOWN]
        if not known.size or (known == known[0]).all():
            name = f"channel {channel.name!r}" if channel.name else "the series"
            what = "constant" if known.size else "never known"
            said = f"{name} is {what} in training, it can say nothing: leave it out"
            found.append(Problem("constant", said))
    return tuple(found)
