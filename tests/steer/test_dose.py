"""From matched rules to a bias: against truth written out, compiled and dense forms equal."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhuyi.core import AttentionMatrix, Bias, Mask, attend
from zhuyi.core.record import Site
from zhuyi.errors import NotSteerable, OptionError
from zhuyi.steer.dose import Active, Dose
from zhuyi.steer.layers import LayerRange
from zhuyi.steer.rule import Rule
from zhuyi.steer.selectors import Column
from zhuyi.trace.collector import BiasedCall

B, H, Q, K, D = 2, 3, 5, 5, 4
ABOUT = (Column("x"),)
SENDERS = ((Column("one"),), (Column("two"),))


def numbers(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


QUERY, KEY, VALUE = numbers(B, H, Q, D), numbers(B, H, K, D, seed=1), numbers(B, H, K, D, seed=2)


def call(
    queries: int = Q, mask: Mask | None = None, index: int = 0, dtype: torch.dtype = torch.float64
) -> BiasedCall:
    query = QUERY[:, :, Q - queries :].to(dtype)
    return BiasedCall(
        site=Site(name="layer", kind="self", index=index, heads=H),
        shape=(B, H, queries, K),
        matrix=lambda: AttentionMatrix(query, KEY.to(dtype), mask=mask),
    )


def rule(action: Any, number: float | None = None, **options: Any) -> Rule:
    name = "at_least" if action == "share" else "weight"
    extra = {} if number is None else {name: number}
    return Rule(id=options.pop("id", action), action=action, select=ABOUT, **extra, **options)


def places(*rows: set[int], length: int = K) -> torch.Tensor:
    mask = torch.zeros(len(rows), length, dtype=torch.bool)
    for row, chosen in enumerate(rows):
        mask[row, sorted(chosen)] = True
    return mask


def written_out(active: list[Active], queries: int = Q) -> np.ndarray:
    """B x H x Q x K, number by number; shares left out."""
    total = np.zeros((B, H, queries, K))
    for b in range(B):
        for h in range(H):
            for i in range(queries):
                for j in range(K):
                    for one in active:
                        rows = one.rows is None or bool(one.rows[b, K - queries + i])
                        heads = not one.rule.heads or h in one.rule.heads
                        if rows and heads and bool(one.keys[b, j]) and one.rule.action != "share":
                            weight = one.rule.weight or 0.0
                            bias = math.log(weight) if weight else -math.inf
                            if not one.rule.beyond and weight:
                                bias = min(max(bias, -3.0), 3.0)
                            total[b, h, i, j] += bias
    return total


def softmax(scores: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        shifted = np.exp(scores - scores.max(-1, keepdims=True))
    shifted = np.nan_to_num(shifted)
    total = shifted.sum(-1, keepdims=True)
    return np.divide(shifted, total, out=np.zeros_like(shifted), where=total > 0)


def dose(active: list[Active], **options: Any) -> Dose:
    settings = {"length": K, "new": Q, **options}
    return Dose(active=tuple(active), **settings)


@st.composite
def actives(draw: Callable[[Any], Any]) -> list[Active]:
    masks = st.lists(st.sets(st.integers(0, K - 1), max_size=3), min_size=B, max_size=B).map(
        lambda rows: places(*rows)
    )
    senders = {sender: draw(masks) for sender in SENDERS}
    found = []
    for number in range(draw(st.integers(1, 6))):
        action = draw(st.sampled_from(["boost", "damp", "veto"]))
        weight = {"boost": st.floats(1.0, 1e3), "damp": st.floats(1e-3, 1.0), "veto": st.none()}
        sender = draw(st.sampled_from([(), *SENDERS]))
        one = rule(
            action,
            draw(weight[action]),
            id=f"r{number}",
            sender=sender,
            heads=draw(st.sampled_from([(), (0,), (1, 2)])),
            beyond=draw(st.booleans()),
        )
        found.append(Active(rule=one, keys=draw(masks), rows=senders[sender] if sender else None))
    return found


TRIANGLE = np.tril(np.ones((Q, K), bool))
MASKS = {
    "none": (None, np.ones((Q, K), bool)),
    "causal": (Mask.causal(), TRIANGLE),
    "window": (Mask.causal() & Mask.window(1, None), TRIANGLE & ~np.tril(TRIANGLE, -2)),
}


@settings(max_examples=150, deadline=None, derandomize=True, database=None,
          suppress_health_check=list(HealthCheck))  # fmt: skip
@given(actives(), st.sampled_from(sorted(MASKS)))
def test_both_forms_are_the_truth_written_out(active: list[Active], name: str) -> None:
    mask, seen = MASKS[name]
    expected = written_out(active)
    scores = (QUERY @ KEY.transpose(-1, -2)).numpy() / D**0.5 + expected
    weights = softmax(np.where(seen, scores, -np.inf))
    for form in ("low-rank", "dense"):
        bias = dose(active, form=form).bias(call(mask=mask))
        assert bias is not None
        found = bias.block(slice(0, Q), slice(0, K)).double().expand(B, H, Q, K).numpy()
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)
        output, matrix = attend(QUERY, KEY, VALUE, bias=bias, mask=mask)
        np.testing.assert_allclose(matrix.materialize().numpy(), weights, rtol=0, atol=1e-6)
        np.testing.assert_allclose(
            output.numpy(), weights @ VALUE.numpy(), rtol=0, atol=1e-6, err_msg=form
        )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_half_precision_is_as_near_as_its_inputs_allow(dtype: torch.dtype) -> None:
    keys = places({1, 2}, {0})
    active = [
        Active(rule=rule("boost", 7.0), keys=keys),
        Active(rule=rule("damp", 0.3, id="d", sender=SENDERS[0]), keys=keys.roll(1, 1), rows=keys),
    ]
    low, high = (one.to(dtype).double() for one in (QUERY, KEY))
    scores = (low @ high.transpose(-1, -2)).numpy() / D**0.5 + written_out(active)
    expected = softmax(scores) @ VALUE.to(dtype).double().numpy()
    bias = dose(active).bias(call(dtype=dtype))
    found = attend(QUERY.to(dtype), KEY.to(dtype), VALUE.to(dtype), bias=bias).output
    tolerance = {torch.float16: 5e-3, torch.bfloat16: 4e-2, torch.float32: 1e-5}[dtype]
    np.testing.assert_allclose(found.double().numpy(), expected, rtol=0, atol=tolerance)


def test_many_rules_stay_one_row_and_equal_senders_one_product() -> None:
    keys = places({0}, {1})
    plain = [Active(rule=rule("boost", 1.1, id=f"p{n}"), keys=keys.roll(n, 1)) for n in range(40)]
    bias = dose(plain).bias(call())
    assert bias is not None
    assert [term.rank for term in bias.terms] == [1]
    senders = [
        Active(rule=rule("boost", 1.1, id=f"s{n}", sender=SENDERS[n % 2]), keys=keys, rows=keys)
        for n in range(40)
    ]
    bias = dose(plain + senders).bias(call())
    assert bias is not None
    assert [term.rank for term in bias.terms] == [1, 2]
    assert bias.factors(Q, K)[0].shape[-1] == 3  # type: ignore[index]


def test_a_row_that_is_no_position_hears_no_rule_for_some_rows() -> None:
    keys = places({0}, {1})
    active = [Active(rule=rule("boost", 2.0, sender=SENDERS[0]), keys=keys, rows=places({4}, {4}))]
    assert float(dose(active, new=Q).bias(call(1)).block(slice(0, 1), slice(0, K)).abs().max()) == 0  # type: ignore[union-attr]  # fmt: skip
    step = dose(active, new=1).bias(call(1))
    assert step is not None
    assert float(step.block(slice(0, 1), slice(0, K)).max()) == pytest.approx(math.log(2))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [(7, [0, 1, 0, 0, 1, 0, 0]), (3, [0, 0, 1])],
)
def test_a_cache_may_have_room_behind_or_have_dropped_the_oldest(
    keys: int, expected: list[int]
) -> None:
    active = [Active(rule=rule("boost", math.e), keys=places({1, 4}))]
    site = Site(name="layer", kind="self", index=0, heads=1)
    one = BiasedCall(site=site, shape=(1, 1, 1, keys), matrix=lambda: None)  # type: ignore[arg-type, return-value]
    cached = Dose(active=tuple(active), length=5, new=1, cached=True)
    assert cached.bias(one).block(slice(0, 1), slice(0, keys))[0, 0, 0].tolist() == expected  # type: ignore[union-attr]  # fmt: skip
    with pytest.raises(NotSteerable, match=rf"attends to {keys} keys"):
        Dose(active=tuple(active), length=5, new=1).bias(one)


def test_places_that_do_not_exist() -> None:
    keys = places({0}, {1})
    with pytest.raises(OptionError, match=r"names head 3, and layer has 3"):
        dose([Active(rule=rule("boost", 2.0, heads=(3,)), keys=keys)]).bias(call())
    one = Active(rule=rule("boost", 2.0, layers=LayerRange("1")), keys=keys)
    assert dose([one]).bias(call(index=0)) is None
    assert dose([one]).bias(call(index=1)) is not None
    with pytest.raises(
        NotSteerable, match="in 2 rows, and the rules were matched in 5 positions of"
    ):
        dose([Active(rule=rule("boost", 2.0), keys=places({0}, {1}, {2}))]).bias(call())


def test_a_veto_under_a_causal_mask_is_exact_to_the_bit_and_a_row_without_keys_is_zero() -> None:
    """It rides on a channel of the fused kernel, as a finite number."""
    query, key, value = (numbers(2, 2, 40, 16, seed=n).float() for n in range(3))
    gone = torch.zeros(2, 40)
    gone[:, 0] = gone[1, 3:6] = -math.inf
    other_key, other_value = key.clone(), value.clone()
    other_key[:, :, 0], other_value[:, :, 0] = 1e4, -77.0
    bias, mask = Bias.per_key(gone), Mask.causal()
    one, matrix = attend(query, key, value, bias=bias, mask=mask)
    two = attend(query, other_key, other_value, bias=bias, mask=mask).output
    assert torch.equal(one, two)
    assert float(one[:, :, 0].abs().max()) == 0.0
    weights = matrix.materialize().double()
    torch.testing.assert_close(one.double(), weights @ value.double(), rtol=0, atol=1e-5)
    nearly = torch.where(gone.isneginf(), -5.0, 0.0)  # the broken twin: a finite weight is no veto
    soft = [attend(query, k, v, bias=Bias.per_key(nearly), mask=mask).output
            for k, v in ((key, value), (other_key, other_value))]  # fmt: skip
    assert not torch.equal(*soft)


# --- shares ------------------------------------------------------------------------------------


def shares(active: list[Active], bias: Bias | None, mask: Mask | None = None) -> torch.Tensor:
    """What every row gives to each rule's keys, [B, H, Q, rules]."""
    weights = AttentionMatrix(QUERY, KEY, bias=bias, mask=mask).materialize()
    return torch.stack([(weights * one.keys[:, None, None]).sum(-1) for one in active], -1)


def test_a_share_is_exactly_what_was_asked_where_it_was_less_and_else_untouched() -> None:
    active = [Active(rule=rule("share", 0.4, beyond=True), keys=places({1}, {0, 3}))]
    before = shares(active, None)
    after = shares(active, dose(active).bias(call()))
    expected = before.clamp_min(0.4)
    assert float((before < 0.4).double().mean()) > 0.5  # most rows had to be lifted, not all
    assert bool((before > 0.4).any())
    torch.testing.assert_close(after, expected, rtol=0, atol=1e-5)


def test_several_shares_hold_together_though_each_takes_from_the_others() -> None:
    active = [
        Active(rule=rule("share", 0.3, id="a", beyond=True), keys=places({0}, {1})),
        Active(rule=rule("share", 0.3, id="b", beyond=True), keys=places({2}, {3})),
        Active(rule=rule("share", 0.2, id="c", beyond=True), keys=places({4}, {0})),
    ]
    after = shares(active, dose(active).bias(call()))
    asked = torch.tensor([0.3, 0.3, 0.2])
    assert bool((after >= asked - 1e-5).all())
    # Nothing is lifted further than asked: a row with more than that had it before.
    before = shares(active, None)
    assert bool(((after <= asked + 1e-5) | (after <= before + 1e-5)).all())


def test_a_share_cannot_be_had_of_keys_that_nobody_sees() -> None:
    active = [Active(rule=rule("share", 0.5, beyond=True), keys=places({4}, {4}))]
    after = shares(active, dose(active).bias(call(mask=Mask.causal())), Mask.causal())
    assert bool((after[:, :, :4] == 0).all())
    torch.testing.assert_close(after[:, :, 4].min(), torch.tensor(0.5).double(), rtol=0, atol=1e-5)


def test_a_share_is_found_after_the_other_rules_and_within_the_clamp() -> None:
    keys = places({1}, {2})
    damp = Active(rule=rule("damp", 0.1), keys=keys)
    share = Active(rule=rule("share", 0.5, beyond=True), keys=keys)
    after = shares([share], dose([damp, share]).bias(call()))
    assert float(after.min()) >= 0.5 - 1e-5
    held = Active(rule=rule("share", 0.9999), keys=keys)
    bias = dose([held]).bias(call())
    assert bias is not None
    assert float(bias.block(slice(0, Q), slice(0, K)).max()) == pytest.approx(3.0)


def test_shares_for_some_heads_and_rows_leave_the_others_alone() -> None:
    keys = places({1}, {2})
    one = rule("share", 0.8, heads=(1,), sender=SENDERS[0], beyond=True)
    active = [Active(rule=one, keys=keys, rows=places({3}, {3}))]
    before, after = shares(active, None), shares(active, dose(active).bias(call()))
    moved = (after - before).abs() > 1e-6
    assert bool(moved[:, 1, 3].all())
    moved[:, 1, 3] = False
    assert not bool(moved.any())


def test_links_join_pairs_and_no_others() -> None:
    rows, keys = places({0, 1}, set())[..., None], places({3}, set())[..., None]
    one = Active(rule=rule("link", 2.0), keys=rows[..., 0] | keys[..., 0], links=(rows, keys))
    bias = dose([one]).bias(call())
    assert bias is not None
    expected = torch.zeros(B, H, Q, K)
    expected[0, :, [0, 1], 3] = math.log(2)
    found = bias.block(slice(0, Q), slice(0, K)).expand(B, H, Q, K)
    torch.testing.assert_close(found, expected)
