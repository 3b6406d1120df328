"""What a model knows of the series it was trained on, and the codes of any others: plain JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from zhuyi.errors import InputError
from zhuyi.learn.columns import KNOWN
from zhuyi.learn.series.factors import StretchFactors
from zhuyi.learn.series.reading import Series, fitted_to
from zhuyi.learn.series.stretches import ABSENT, Stretches

MOST_FACTORS: Final = 100_000
_DRAWS: Final = 32  # typical stretches kept a factor, from which a removed one is drawn
_KEPT: Final = 500_000  # numbers in all of them


@dataclass(frozen=True, kw_only=True)
class Channel:
    """What is known of one channel.

    Args:
        name: of the channel; "" for the one channel of plain series.
        center: mean of the values.
        scale: their standard deviation, 1 for a constant channel.
        slope_scale: standard deviation of the stretches' slopes, in `scale` a step.
        edges: P + 1 ascending quantiles each of the stretches' means and slopes, standardized.
    """

    name: str
    center: float
    scale: float
    slope_scale: float
    edges: tuple[tuple[float, ...], tuple[float, ...]]

    @classmethod
    def from_json(cls, data: object, pieces: int) -> "Channel":
        """The channel of its JSON.

        Raises: InputError: when it is none.
        """
        if not isinstance(data, Mapping) or set(data) != {field.name for field in fields(cls)}:
            raise InputError("a channel has the wrong entries")
        try:
            numbers = {key: float(data[key]) for key in ("center", "scale", "slope_scale")}
            means, slopes = (tuple(map(float, one)) for one in data["edges"])
        except (TypeError, ValueError):
            raise InputError("a channel has entries of the wrong type") from None
        fits = len(means) == len(slopes) == pieces + 1 and isinstance(data["name"], str)
        sound = np.isfinite([*numbers.values(), *means, *slopes]).all()
        rising = all((np.diff(one) > 0).all() for one in (means, slopes))
        if not (fits and sound and rising and min(numbers["scale"], numbers["slope_scale"]) > 0):
            raise InputError("a channel has numbers that cannot be")
        return cls(name=data["name"], edges=(means, slopes), **numbers)


@dataclass(frozen=True, kw_only=True)
class SeriesInputs:
    """The channels and stretches a model was trained on.

    Args:
        channels: C of them.
        stretches: how time is cut.
        typical: codes "R N L 2" of typical stretches, each factor by itself: no series is kept
            whole.
    """

    channels: tuple[Channel, ...]
    stretches: Stretches
    typical: NDArray[np.float64]

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the factors, in order."""
        return self.stretches.names(tuple(channel.name for channel in self.channels))

    def encode(self, series: Series) -> NDArray[np.float64]:
        """Codes "B N L 2" (value, state); of longer series the last steps only.

        Raises: InputError: another number of channels.
        """
        found = series.values.shape[2]
        if found != len(self.channels):
            raise InputError(
                f"series must have {len(self.channels)} channels as in training, got {found}"
            )
        cut = Series(fitted_to(series.values, self.stretches.steps), series.flat)
        return coded(cut, self.stretches)

    def embedding(self, width: int, generator: torch.Generator | None) -> StretchFactors:
        """Each channel's stretch embedded by itself; see `Inputs`."""
        return StretchFactors(self, width, generator)

    def spread(self, count: int, *, seed: int = 0) -> NDArray[np.float64]:
        """Codes "count N L 2": each factor evenly over its typical stretches, in its own order.

        So the mean over them is near the factor's mean already with a few (a Latin hypercube).
        """
        kept, factors = self.typical.shape[:2]
        draw = np.random.default_rng(seed)
        ranks = ((np.arange(count) + 0.5) * kept / count).astype(np.int64)
        places = np.stack([draw.permutation(ranks) for _ in range(factors)], 1)
        found: NDArray[np.float64] = self.typical[places, np.arange(factors)]
        return found

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "channels": [asdict(channel) for channel in self.channels],
            "steps": self.stretches.steps,
            "stretches": self.stretches.count,
            "typical": self.typical.tolist(),
        }

    @classmethod
    def from_json(cls, data: object) -> "SeriesInputs":
        """The inputs of `as_json`.

        Raises: InputError: when they are none.
        """
        if not isinstance(data, Mapping) or set(data) != {
            *("channels", "steps", "stretches", "typical"),
        }:
            raise InputError("what is known of the series has the wrong entries")
        steps, count, channels = data["steps"], data["stretches"], data["channels"]
        whole = all(isinstance(n, int) and not isinstance(n, bool) for n in (steps, count))
        if not whole or not 1 <= count <= steps <= MOST_FACTORS:
            raise InputError("the series' steps and stretches must be whole numbers that fit")
        if not isinstance(channels, list) or not 0 < len(channels) * count <= MOST_FACTORS:
            raise InputError("the series must have channels")
        pieces = len(_edges_of(channels[0])) - 1
        stretches = Stretches(steps, count)
        shape = (count * len(channels), stretches.longest)
        typical = _numbers(data["typical"], (-1, *shape, 2))
        if not np.isin(typical[..., 1], (0.0, 1.0, float(ABSENT))).all():
            raise InputError("the typical stretches have states that cannot be")
        return cls(
            channels=tuple(Channel.from_json(one, pieces) for one in channels),
            stretches=stretches,
            typical=typical,
        )


def learn_inputs(
    series: Series, names: tuple[str, ...], stretches: Stretches, *, bins: int
) -> SeriesInputs:
    """What there is to know of training series.

    Args:
        series: B of them.
        names: of the channels.
        stretches: how time is cut.
        bins: P, pieces of the piecewise-linear encodings.
    Raises: InputError: more steps or stretches than a saved model may have.
    """
    if stretches.steps > MOST_FACTORS or stretches.count * len(names) > MOST_FACTORS:
        raise InputError(
            f"at most {MOST_FACTORS:,} steps, and stretches of all channels, can be learned, got "
            f"{stretches.steps:,} and {stretches.count * len(names):,}: set steps or stretches"
        )
    codes = coded(series, stretches)
    channels = tuple(
        _learned(name, codes[:, place :: len(names)], bins) for place, name in enumerate(names)
    )
    return SeriesInputs(channels=channels, stretches=stretches, typical=_drawn(codes))


def coded(series: Series, stretches: Stretches) -> NDArray[np.float64]:
    """Codes "B N L 2" of series of exactly the stretches' steps."""
    parts = [
        np.stack([values, states], -1)
        for values, states in stretches.cut(series.values, series.there)
    ]
    return np.concatenate(parts, 1)


def _learned(name: str, codes: NDArray[np.float64], bins: int) -> Channel:
    """A channel from its codes "B S L 2"."""
    known = codes[..., 1] == KNOWN
    values = codes[..., 0][known]
    center = float(values.mean()) if values.size else 0.0
    spread = float(values.std()) if values.size else 0.0
    # a spread that is only rounding is no spread
    scale = spread if spread > 1e-12 * max(1.0, abs(center)) else 1.0
    standard = np.where(known, (codes[..., 0] - center) / scale, 0.0)
    count = known.sum(-1)
    means = standard.sum(-1) / np.maximum(count, 1)
    steps = np.arange(codes.shape[2], dtype=np.float64)
    middle = (known * steps).sum(-1) / np.maximum(count, 1)
    apart = known * (steps - middle[..., None])
    slopes = (apart * standard).sum(-1) / np.maximum((apart**2).sum(-1), 1e-12)
    several = slopes[count > 1]
    slope_scale = float(several.std()) if several.size else 0.0
    slope_scale = slope_scale if slope_scale > 1e-12 else 1.0
    return Channel(
        name=name,
        center=center,
        scale=scale,
        slope_scale=slope_scale,
        edges=(_edges(means[count > 0], bins), _edges(several / slope_scale, bins)),
    )


def _edges(values: NDArray[np.float64], bins: int) -> tuple[float, ...]:
    """Ascending quantiles, `bins` + 1 of them; equal ones are moved beyond the largest."""
    if not values.size:
        return tuple(float(n) for n in range(bins + 1))
    found = np.unique(np.quantile(values, np.linspace(0.0, 1.0, bins + 1)))
    found = found[np.concatenate([[True], np.diff(found) > 1e-9])]
    beyond = found[-1] + 1.0 + np.arange(bins + 1 - len(found))
    return tuple(np.concatenate([found, beyond]).tolist())


def _drawn(codes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Typical stretches "R N L 2": of each factor means at evenly spaced ranks, with other shapes.

    The shape (values less their mean, and what is missing) is that of another of them, so that no
    stretch is kept as it came.
    """
    rows, factors, length = codes.shape[:3]
    count = max(1, min(_DRAWS, rows, _KEPT // max(factors * length * 2, 1)))
    draw = np.random.default_rng(0)
    known = codes[..., 1] == KNOWN
    means = np.where(known, codes[..., 0], 0.0).sum(-1) / np.maximum(known.sum(-1), 1)
    drawn = np.empty((count, factors, length, 2))
    for factor in range(factors):
        there = np.flatnonzero((codes[:, factor, :, 1] != ABSENT).any(-1))
        if not there.size:
            drawn[:, factor] = codes[:1, factor]
            continue
        order = there[np.argsort(means[there, factor], kind="stable")]
        picked = order[((np.arange(count) + 0.5) / count * len(order)).astype(np.int64)]
        turn = draw.permutation(count)  # each is followed by another one, in a circle
        shapes = picked[np.roll(turn, 1)[np.argsort(turn)]]
        full = known[picked, factor].any(-1)  # the others are missing, and stay so
        shapes = np.where(full & known[shapes, factor].any(-1), shapes, picked)
        moved = (means[picked, factor] - means[shapes, factor])[:, None]
        drawn[:, factor] = codes[shapes, factor]
        drawn[:, factor, :, 0] += np.where(known[shapes, factor], moved, 0.0)
        own = shapes == picked  # there was no other to take a shape from: its mean alone
        level = np.where(known[picked, factor], means[picked, factor][:, None], 0.0)
        drawn[own, factor, :, 0] = level[own]
    return drawn


def _edges_of(channel: object) -> list[object]:
    edges = channel.get("edges") if isinstance(channel, Mapping) else None
    first = edges[0] if isinstance(edges, list) and edges else None
    if not isinstance(first, list) or not 3 <= len(first) <= MOST_FACTORS:
        raise InputError("a channel has no edges")
    return first


def _numbers(data: object, shape: tuple[int, ...]) -> NDArray[np.float64]:
    try:
        found = np.array(data, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError("what is known of the series has entries that are no numbers") from None
    fits = found.ndim == len(shape) and all(
        one == other or (other == -1 and one > 0)
        for one, other in zip(found.shape, shape, strict=True)
    )
    if not fits or not np.isfinite(found).all():
        raise InputError(f"what is known of the series must be numbers of the shape {shape}")
    return found
