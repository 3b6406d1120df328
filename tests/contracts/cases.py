"""The grid of attention calls on which the core is held against the oracle.

Each case says the same thing twice: to zhuyi with `Mask` and `Bias`, to the oracle with dense
arrays that the oracle's own builders made.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np
import torch

from tests import oracle
from zhuyi import Bias, Mask
from zhuyi.testing import Probe, naive_answers, naive_attention

DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


@dataclass(frozen=True)
class Sizes:
    """B batch, H heads, G key heads, Q queries, K keys, D width, V width of the values.

    `wide` is the dtype of what is not query, key or value: float64 for float64, else float32.
    """

    B: int = 2
    H: int = 4
    G: int = 4
    Q: int = 7
    K: int = 7
    D: int = 8
    V: int = 8
    wide: torch.dtype = torch.float32

    def random(self, *shape: int) -> torch.Tensor:
        draw = torch.Generator().manual_seed(7)
        return torch.randn(*shape, generator=draw, dtype=torch.float64).to(self.wide)


@dataclass(frozen=True)
class Extra:
    """What a case adds to plain attention, for zhuyi and for the oracle."""

    mask: Mask | None = None
    keep: np.ndarray | None = None
    bias: Bias | None = None
    dense_bias: np.ndarray | None = None
    options: dict[str, Any] = field(default_factory=dict)
    offset: int = 0


@dataclass(frozen=True)
class Case:
    """One attention call, and what is asked of it."""

    query: torch.Tensor
    key: torch.Tensor
    value: torch.Tensor
    extra: Extra
    probe: Probe

    @property
    def options(self) -> dict[str, Any]:
        """Keyword arguments of `AttentionMatrix` and `attend`."""
        return {"mask": self.extra.mask, "bias": self.extra.bias, **self.extra.options}


def ids(*numbers: int) -> torch.Tensor:
    return torch.tensor(numbers)


def padded(lengths: list[int], size: int) -> torch.Tensor:
    return torch.arange(size) < torch.tensor(lengths)[:, None]


def causal(sizes: Sizes, offset: int = 0) -> Extra:
    keep = oracle.causal(sizes.Q, sizes.K, offset)
    return Extra(mask=Mask.causal(offset), keep=keep, offset=offset)


def window(sizes: Sizes, left: int | None, right: int | None, offset: int = 0) -> Extra:
    keep = oracle.window(sizes.Q, sizes.K, left, right, offset)
    return Extra(mask=Mask.window(left, right, offset), keep=keep, offset=offset)


def padding(sizes: Sizes, lengths: list[int], with_rows: bool = False) -> Extra:
    flags = padded(lengths, sizes.K)
    mask, keep = Mask.padding(flags), oracle.padding(flags.numpy())
    if with_rows:
        mask, keep = mask & Mask.rows(flags), keep & oracle.rows(flags.numpy())
    return Extra(mask=mask, keep=keep)


def segments(sizes: Sizes) -> Extra:
    query_ids = torch.arange(sizes.Q) // 3
    key_ids = torch.stack([torch.arange(sizes.K) // 3, torch.arange(sizes.K) // 2])
    keep = oracle.segments(query_ids.numpy(), key_ids.numpy())
    return Extra(mask=Mask.segments(query_ids, key_ids), keep=keep)


def dense_mask(sizes: Sizes) -> Extra:
    keep = sizes.random(1, sizes.H, sizes.Q, sizes.K) < 0.3
    return Extra(mask=Mask.dense(keep), keep=keep.numpy())


def dead_rows(sizes: Sizes) -> Extra:
    """Row 2 sees nothing, and in the second input no row does."""
    keep = torch.ones(sizes.B, 1, sizes.Q, sizes.K, dtype=torch.bool)
    keep[:, :, 2] = False
    keep[1] = False
    return Extra(mask=Mask.dense(keep), keep=keep.numpy())


def causal_padding_window(sizes: Sizes) -> Extra:
    left = padding(sizes, [sizes.K, 3], with_rows=True)
    mask = Mask.causal() & Mask.window(2, None) & left.mask
    keep = oracle.causal(sizes.Q, sizes.K) & oracle.window(sizes.Q, sizes.K, 2, None) & left.keep
    return Extra(mask=mask, keep=keep)


def dense_bias(sizes: Sizes, veto: bool = False) -> Extra:
    bias = sizes.random(sizes.B, 1, sizes.Q, sizes.K)
    if veto:
        bias[:, :, :, 1] = -torch.inf
        bias[0, :, 0] = -torch.inf
    return Extra(bias=Bias.dense(bias), dense_bias=bias.double().numpy())


def per_key_bias(sizes: Sizes, dims: int, veto: bool = False) -> Extra:
    bias = sizes.random(sizes.B, sizes.H, sizes.K)
    bias = {1: bias[0, 0], 2: bias[:, 0], 3: bias}[dims].clone()
    if veto:
        bias[..., 1] = -torch.inf
    return Extra(bias=Bias.per_key(bias), dense_bias=oracle.per_key_bias(bias.double().numpy()))


def table_bias(sizes: Sizes, batched: bool) -> Extra:
    values = sizes.random(sizes.B, sizes.H, 3, 2)
    rows, keys = torch.arange(sizes.Q) % 3, torch.arange(sizes.K) % 2
    if batched:
        rows, keys = torch.stack([rows, rows.flip(0)]), torch.stack([keys, 1 - keys])
    else:
        values = values[0, 0]
    dense = oracle.table_bias(values.double().numpy(), rows.numpy(), keys.numpy())
    return Extra(bias=Bias.table(values, rows, keys), dense_bias=dense)


def outer_bias(sizes: Sizes) -> Extra:
    rows = sizes.random(1, sizes.H, sizes.Q, 2)
    keys = sizes.random(sizes.B, 1, sizes.K, 2)
    dense = oracle.outer_bias(rows.double().numpy(), keys.double().numpy())
    return Extra(bias=Bias.outer(rows, keys), dense_bias=dense)


def alibi(sizes: Sizes, offset: int = 0) -> Extra:
    slopes = 2.0 ** -torch.arange(3, sizes.H + 3, dtype=sizes.wide)
    dense = oracle.alibi_bias(slopes.double().numpy(), sizes.Q, sizes.K, offset)
    return Extra(bias=Bias.alibi(slopes, offset), dense_bias=dense)


def sum_of_biases(sizes: Sizes) -> Extra:
    parts = [per_key_bias(sizes, 2), table_bias(sizes, False), alibi(sizes), dense_bias(sizes)]
    bias, dense = parts[0].bias, parts[0].dense_bias
    for part in parts[1:]:
        bias, dense = bias + part.bias, dense + part.dense_bias
    mixed = causal(sizes)
    return Extra(mask=mixed.mask, keep=mixed.keep, bias=bias, dense_bias=dense)


def scale_zero_bias(sizes: Sizes) -> Extra:
    """Only the bias speaks."""
    return replace(per_key_bias(sizes, 2), options={"scale": 0.0})


def everything(sizes: Sizes) -> Extra:
    mixed, biased = causal(sizes, 2), alibi(sizes, 2)
    options = {"softcap": 3.0, "sink": sink(sizes), "scale": 0.7}
    return Extra(
        mask=mixed.mask,
        keep=mixed.keep,
        bias=biased.bias,
        dense_bias=biased.dense_bias,
        options=options,
        offset=2,
    )


def sink(sizes: Sizes) -> torch.Tensor:
    return torch.linspace(-1.0, 1.5, sizes.H, dtype=sizes.wide)


def plain(sizes: Sizes) -> Extra:
    return Extra()


GROUPED = Sizes(H=6, G=2)
CROSS = Sizes(Q=5, K=11)
# Longer than one row block, and no multiple of it.
LONG = Sizes(B=1, H=2, G=1, Q=150, K=141, D=4, V=3)

CASES: dict[str, tuple[Sizes, Callable[[Sizes], Extra]]] = {
    "plain": (Sizes(), plain),
    "grouped": (GROUPED, plain),
    "multi_query": (Sizes(G=1), plain),
    "cross": (CROSS, plain),
    "cross_more_queries": (Sizes(Q=11, K=5), plain),
    "narrow_values": (Sizes(V=3), plain),
    "wide_values": (Sizes(V=13), plain),
    "odd_width": (Sizes(D=5, V=5), plain),
    "one_query": (Sizes(Q=1), plain),
    "one_key": (Sizes(K=1), plain),
    "one_of_each": (Sizes(B=1, H=1, G=1, Q=1, K=1), plain),
    "empty_batch": (Sizes(B=0), plain),
    "empty_batch_causal": (Sizes(B=0), causal),
    "scale": (Sizes(), lambda s: Extra(options={"scale": 1.3})),
    "scale_large": (Sizes(D=64, V=64), lambda s: Extra(options={"scale": 1.0})),
    "scale_zero_bias": (Sizes(), scale_zero_bias),
    "scale_negative_bias": (
        Sizes(),
        lambda s: replace(per_key_bias(s, 2), options={"scale": -0.4}),
    ),
    "scale_zero": (Sizes(), lambda s: Extra(options={"scale": 0.0})),
    "softcap": (Sizes(), lambda s: Extra(options={"softcap": 2.0})),
    "sink": (GROUPED, lambda s: Extra(options={"sink": sink(s)})),
    "causal": (Sizes(), causal),
    "causal_grouped": (GROUPED, causal),
    "causal_with_cache": (Sizes(Q=3, K=9), lambda s: causal(s, 6)),
    "causal_sees_nothing_at_first": (Sizes(), lambda s: causal(s, -2)),
    "decode_one": (Sizes(Q=1, K=9), lambda s: causal(s, 8)),
    "window": (Sizes(), lambda s: window(s, 2, 1)),
    "window_causal": (Sizes(), lambda s: window(s, 2, 0)),
    "window_open_left": (Sizes(), lambda s: window(s, None, 1)),
    "window_with_cache": (Sizes(Q=3, K=9), lambda s: window(s, 3, 0, 6)),
    "window_beside_the_keys": (Sizes(Q=9, K=3), lambda s: window(s, 1, 0)),
    "padding": (Sizes(), lambda s: padding(s, [7, 4])),
    "padding_rows": (Sizes(), lambda s: padding(s, [7, 4], with_rows=True)),
    "padding_everything": (Sizes(), lambda s: padding(s, [7, 0], with_rows=True)),
    "segments": (CROSS, segments),
    "dense_mask": (Sizes(), dense_mask),
    "dead_rows": (GROUPED, dead_rows),
    "dead_rows_sink": (
        Sizes(),
        lambda s: Extra(mask=dead_rows(s).mask, keep=dead_rows(s).keep, options={"sink": sink(s)}),
    ),
    "causal_padding_window": (Sizes(), causal_padding_window),
    "bias_dense": (GROUPED, dense_bias),
    "bias_dense_veto": (Sizes(), lambda s: dense_bias(s, veto=True)),
    "bias_per_key": (Sizes(), lambda s: per_key_bias(s, 1)),
    "bias_per_key_batch": (Sizes(), lambda s: per_key_bias(s, 2)),
    "bias_per_key_head": (GROUPED, lambda s: per_key_bias(s, 3)),
    "bias_per_key_veto": (Sizes(), lambda s: per_key_bias(s, 2, veto=True)),
    "bias_table": (CROSS, lambda s: table_bias(s, False)),
    "bias_table_batch": (Sizes(), lambda s: table_bias(s, True)),
    "bias_outer": (CROSS, outer_bias),
    "bias_outer_grouped": (GROUPED, outer_bias),
    "alibi": (GROUPED, alibi),
    "alibi_with_cache": (Sizes(Q=3, K=9), lambda s: alibi(s, 6)),
    "sum_of_biases": (Sizes(), sum_of_biases),
    "everything": (GROUPED, everything),
    "long": (LONG, plain),
    "long_causal": (LONG, causal),
    "long_window": (LONG, lambda s: window(s, 20, 5)),
    "long_alibi_sink": (
        LONG,
        lambda s: Extra(
            bias=alibi(s).bias, dense_bias=alibi(s).dense_bias, options={"sink": sink(s)}
        ),
    ),
}


@cache
def case(name: str, dtype: str) -> Case:
    """The case with random tensors of this dtype, the same ones every time."""
    sizes, build = CASES[name]
    kind = DTYPES[dtype]
    wide = torch.float64 if kind == torch.float64 else torch.float32
    extra = build(replace(sizes, wide=wide))
    draw = torch.Generator().manual_seed(sum(name.encode()))

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64).to(kind)

    return Case(
        query=random(sizes.B, sizes.H, sizes.Q, sizes.D),
        key=random(sizes.B, sizes.G, sizes.K, sizes.D),
        value=random(sizes.B, sizes.G, sizes.K, sizes.V),
        extra=extra,
        probe=Probe(
            right=random(sizes.B, sizes.G, sizes.K, 3).to(wide),
            left=random(sizes.B, sizes.H, sizes.Q, 3).to(wide),
            row_weights=random(sizes.B, sizes.Q).to(wide),
            topk=min(2, sizes.K),
            cells=3,
            offset=extra.offset,
        ),
    )


def numpy64(tensor: torch.Tensor | None) -> np.ndarray | None:
    return None if tensor is None else tensor.detach().to(torch.float64).numpy()


def oracle_attention(one: Case) -> oracle.Truth:
    options = dict(one.extra.options)
    return oracle.attention(
        numpy64(one.query),
        numpy64(one.key),
        numpy64(one.value),
        bias=one.extra.dense_bias,
        keep_mask=one.extra.keep,
        scale=options.get("scale"),
        softcap=options.get("softcap"),
        sink=numpy64(options.get("sink")),
    )


def oracle_answers(truth: oracle.Truth, probe: Probe) -> dict[str, np.ndarray]:
    """The answers of `zhuyi.testing.answers`, by the oracle, from the true weights."""
    weights_BHQK = truth.weights
    repeats = weights_BHQK.shape[1] // probe.right.shape[1]
    right_BHKD = np.repeat(numpy64(probe.right), repeats, axis=1)
    left_BHQD = numpy64(probe.left)
    top = oracle.topk(weights_BHQK, probe.topk)[0]
    return {
        "scores": truth.scores,
        "weights": weights_BHQK,
        "lse": truth.lse,
        "received": oracle.received(weights_BHQK),
        "received_weighted": oracle.received(weights_BHQK, numpy64(probe.row_weights)),
        "product": np.einsum("bhij,bhjd->bhid", weights_BHQK, right_BHKD),
        "transposed_product": np.einsum("bhij,bhid->bhjd", weights_BHQK, left_BHQD),
        "entropy": oracle.entropy(weights_BHQK),
        "max": oracle.maximum(weights_BHQK),
        "topk": top,
        "topk_at": top,
        "pooled_max": oracle.pooled(weights_BHQK, probe.cells),
        "pooled_mean": oracle.pooled(weights_BHQK, probe.cells, how="mean"),
        "distance": oracle.distance(weights_BHQK, probe.offset),
    }


@cache
def truths(name: str, dtype: str) -> tuple[oracle.Truth, dict[str, np.ndarray]]:
    one = case(name, dtype)
    truth = oracle_attention(one)
    return truth, oracle_answers(truth, one.probe)


def naive_parts(one: Case, **changes: Any) -> dict[str, torch.Tensor]:
    """The naive computation of a case; `changes` replace its arguments (for broken twins)."""
    extra = one.extra
    given = {
        "bias": None if extra.dense_bias is None else torch.from_numpy(np.array(extra.dense_bias)),
        "keep": None if extra.keep is None else torch.from_numpy(np.array(extra.keep)),
        **extra.options,
        **changes,
    }
    query, key = given.pop("query", one.query), given.pop("key", one.key)
    return naive_attention(query, key, given.pop("value", one.value), **given)


@cache
def naives(name: str, dtype: str) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    one = case(name, dtype)
    parts = naive_parts(one)
    return parts, naive_answers(parts, one.probe)
