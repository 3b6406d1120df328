"""Statistics, thumbnails and links of heads against dense NumPy."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.oracle.attention import attention
from tests.ui.synthetic import site_tensors
from zhuyi.core import AttentionMatrix, Mask
from zhuyi.core.record import Site
from zhuyi.ui.looked import HeadPicture
from zhuyi.ui.view.pictures import (
    STATISTICS,
    Seen,
    best_first,
    draw_site,
    floor_of,
    log_code,
    stand_out,
)


def drawn(length: int, mask: Mask | None = None) -> tuple[tuple[HeadPicture, ...], np.ndarray]:
    query, key, value = site_tensors(0, 7, length, 16)
    keep = None
    if mask is not None:
        keep = mask.block(slice(0, length), slice(0, length)).numpy()
    truth = attention(query.numpy(), key.numpy(), value.numpy(), keep_mask=keep)
    special = torch.zeros(length, dtype=torch.bool)
    special[[0, -1]] = True
    seen = Seen(
        site=Site(name="site", kind="self", index=3, heads=7),
        matrix=AttentionMatrix(query, key, mask=mask),
        batch=0,
        queries=0,
        keys=0,
        special=special,
        kernel="sdpa",
        heads=(6, 0, 1),
    )
    return draw_site(seen), truth.weights[0]


@pytest.mark.parametrize("length", [9, 64, 300])
@pytest.mark.parametrize("mask", [None, Mask.causal()], ids=["open", "causal"])
def test_statistics_agree_with_the_dense_matrix(length: int, mask: Mask | None) -> None:
    pictures, weights = drawn(length, mask)
    assert [(p.layer, p.head) for p in pictures] == [(3, 6), (3, 0), (3, 1)]
    place = np.arange(length)
    for picture in pictures:
        w = weights[picture.head]
        safe = np.where(w > 0, w, 1.0)
        want = {
            "reach": np.exp(-(w * np.log(safe)).sum(-1).mean()),
            "distance": (w * np.abs(place[:, None] - place)).sum(-1).mean(),
            "peak": w.max(-1).mean(),
            "max": w.max(),
            "first": w[:, 0].mean(),
            "special": w[:, [0, -1]].sum(-1).mean(),
            "self": np.diagonal(w).sum() / length,
            "previous": np.diagonal(w, -1).sum() / length,
            "next": np.diagonal(w, 1).sum() / length,
        }
        assert set(picture.statistics) == set(STATISTICS)
        for name, value in want.items():
            assert picture.statistics[name] == pytest.approx(value, abs=2e-4, rel=1e-4), name
        received = np.round(w.sum(0) / w.sum(0).max() * 255)
        assert np.abs(picture.received.astype(float) - received).max() <= 1


def test_links_are_the_strongest_and_some_are_inside_the_text() -> None:
    pictures, weights = drawn(40)
    for picture in pictures:
        w = weights[picture.head]
        found = {(x.query, x.key): x.weight for x in picture.links}
        for (query, key), weight in found.items():
            assert weight == pytest.approx(w[query, key], abs=1e-5)
        assert max(found.values()) == pytest.approx(w.max(), abs=1e-5)
        assert sum(weight >= np.sort(w, None)[-8] - 1e-6 for weight in found.values()) >= 8
        inside = [p for p in found if not {0, 39} & set(p) and p[0] != p[1]]
        assert inside
        assert [x.weight for x in picture.links] == sorted(found.values(), reverse=True)


@pytest.mark.parametrize("length", [9, 300])
def test_thumbnail_is_max_pooled_in_log_code(length: int) -> None:
    pictures, weights = drawn(length)
    size = min(length, 64)
    cells = [
        slice(i * length // size, -(-(i + 1) * length // size)) for i in range(size)
    ]  # as adaptive pooling cuts
    for picture in pictures:
        w = weights[picture.head]
        pooled = np.array([[w[r, c].max() for c in cells] for r in cells])
        code = log_code(torch.from_numpy(pooled), floor_of(length))
        assert np.abs(picture.thumbnail.astype(int) - code.astype(int)).max() <= 1


def test_log_code_ends() -> None:
    codes = log_code(torch.tensor([0.0, 0.9e-3, 1e-3, 1.0]), 1e-3)
    assert codes.tolist() == [0, 0, 1, 255]


def test_the_head_that_differs_stands_out() -> None:
    picture = drawn(20)[0][0]
    calm = {**dict.fromkeys(STATISTICS, 0.1), "reach": 9.0, "distance": 4.0}
    before = {**calm, "previous": 0.9, "reach": 2.0}
    heads = [replace(picture, statistics=calm)] * 9 + [replace(picture, statistics=before)]
    judged = stand_out(tuple(heads))
    # Nothing spreads here, so a deviation is the gap over 0.02 for shares.
    assert judged[-1].standing == pytest.approx((0.9 - 0.1) / 0.02)
    assert judged[-1].reason == "+previous"
    assert all(head.standing == 0 for head in judged[:-1])
    assert best_first(judged)[0] == 9
    assert sorted(best_first(judged)) == list(range(10))


def test_one_point_of_share_is_not_standing_out() -> None:
    picture = drawn(20)[0][0]
    calm = dict.fromkeys(STATISTICS, 0.1)
    heads = [replace(picture, statistics=calm)] * 9
    heads.append(replace(picture, statistics={**calm, "first": 0.11}))
    assert stand_out(tuple(heads))[-1].standing < 1


def test_equal_heads_do_not_stand_out() -> None:
    pictures, _ = drawn(20)
    assert all(head.standing == 0 for head in stand_out((pictures[0],) * 5))
