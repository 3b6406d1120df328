"""The series of a track against the moments it is made from, read by NumPy."""

from pathlib import Path

import numpy as np
import pytest

from zhuyi.errors import InputError
from zhuyi.ui.view.pack import pack, unpack
from zhuyi.ui.view.pictures import STATISTICS
from zhuyi.ui.view.series import series_of_rows, series_pack, series_row

WIDTH = len(STATISTICS)


def moment(
    layers: dict[int, tuple[list[int], np.ndarray]],
    *,
    probability: float | None = 0.5,
    values: list[float] | None = None,
    verdict: str | None = None,
) -> list[bytes]:
    """The packs of a moment: places and statistics of the heads of each layer."""
    head = {
        "kind": "moment",
        "probability": probability,
        "values": values or [],
        "verdict": None if verdict is None else {"label": verdict},
    }
    packs = [pack(head)]
    for layer, (entries, statistics) in layers.items():
        header = {"kind": "layer", "layer": layer, "entries": entries}
        packs.append(pack(header, {"statistics": statistics}))
    return packs


def table(heads: int, start: float, dtype: type = np.float32) -> np.ndarray:
    return (start + np.arange(heads * WIDTH, dtype=np.float32).reshape(heads, WIDTH)).astype(dtype)


def test_numbers_stand_where_their_heads_are() -> None:
    first, second = table(2, 0), table(2, 100)
    later = table(2, 1000)
    _, found = unpack(
        series_pack(
            [
                (50, moment({1: ([0, 3], later)}, probability=None, verdict="refuted")),
                (10, moment({0: ([0, 1], first), 1: ([2, 3], second)}, values=[0.25, 2.0])),
            ]
        )
    )
    expected = np.full((2, 4, WIDTH), -1.0)
    expected[0, :2], expected[0, 2:] = first, second
    expected[1, [0, 3]] = later
    np.testing.assert_array_equal(found["steps"], np.array([10, 50], np.int32))
    np.testing.assert_array_equal(found["statistics"], expected)
    np.testing.assert_array_equal(found["probability"], np.array([0.5, -1.0], np.float32))
    np.testing.assert_array_equal(found["values"], np.array([[0.25, 2.0], [0, 0]], np.float32))
    np.testing.assert_array_equal(found["verdicts"], np.array([0, 3], np.uint8))
    assert {name: array.dtype.name for name, array in found.items()} == {
        "steps": "int32",
        "statistics": "float32",
        "probability": "float32",
        "values": "float32",
        "verdicts": "uint8",
    }


@pytest.mark.parametrize(
    ("label", "code"), [(None, 0), ("trusted", 1), ("doubtful", 2), ("refuted", 3)]
)
def test_verdicts_are_codes(label: str | None, code: int) -> None:
    assert series_row(0, moment({}, verdict=label)).verdict == code


def test_compact_moments_make_a_compact_series() -> None:
    half = table(1, 0.5, np.float16)
    assert unpack(series_pack([(0, moment({0: ([0], half)}))]))[1]["statistics"].dtype == np.float16
    mixed = [(0, moment({0: ([0], half)})), (1, moment({0: ([0], table(1, 0.5))}))]
    assert unpack(series_pack(mixed))[1]["statistics"].dtype == np.float32


def test_rows_kept_one_by_one_are_the_same() -> None:
    moments = [(step, moment({0: ([0, 1], table(2, step))}, values=[step])) for step in range(4)]
    rows = [series_row(step, packs) for step, packs in reversed(moments)]
    assert series_of_rows(rows) == series_pack(moments)


def test_nothing_makes_an_empty_series() -> None:
    header, found = unpack(series_pack([]))
    assert header == {"kind": "series"}
    assert found["statistics"].shape == (0, 0, WIDTH)
    assert found["values"].shape == (0, 0)


@pytest.mark.parametrize(
    ("packs", "told"),
    [
        ([], "one pack of kind 'moment', got 0"),
        ([*moment({}), *moment({})], "one pack of kind 'moment', got 2"),
        (moment({0: ([0, 1], table(1, 0))}), "numbers of its heads"),
        (moment({0: ([0], table(1, 0)[:, :4])}), "numbers of its heads"),
        (moment({0: ([-1], table(1, 0))}), "heads beyond"),
        (moment({0: ([1 << 30], table(1, 0))}), "heads beyond"),
        (moment({0: (["<script>"], table(1, 0))}), "is damaged"),
        (moment({}, verdict="perfect"), "is damaged"),
        ([b"zyp1"], "pack"),
        ([b""], "no zhuyi pack"),
    ],
)
def test_what_is_no_moment_is_refused(packs: list[bytes], told: str) -> None:
    with pytest.raises(InputError, match=told):
        series_row(7, packs)


def test_a_logged_training_is_read_back(tmp_path: Path) -> None:
    """Against the moments of a real training, each read by itself."""
    from tests.ui.live.trainings import Remembering, log, tiny

    sink = Remembering()
    log(tiny(), sink, verify_every=2)
    moments = [(step, sink.moments["0", step]) for step in sink.steps()]
    _, found = unpack(series_pack((s, [m.head, *m.layers.values()]) for s, m in moments))
    for place, (step, one) in enumerate(moments):
        head = unpack(one.head)[0]
        assert found["steps"][place] == step
        assert found["probability"][place] == np.float32(head["probability"])
        np.testing.assert_array_equal(found["values"][place], np.float32(head["values"]))
        tables = [unpack(one.layers[layer])[1]["statistics"] for layer in sorted(one.layers)]
        np.testing.assert_array_equal(found["statistics"][place], np.concatenate(tables))
        assert (found["verdicts"][place] > 0) == (place % 2 == 1)
