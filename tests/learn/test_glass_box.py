"""The glass box computes what it says: against NumPy, and against what it must not do."""

import numpy as np
import pytest
import torch

from zhuyi.learn.gauge import settle_constants
from zhuyi.learn.glass_box import GlassBox, Shape
from zhuyi.learn.mixing import SeededDropout
from zhuyi.learn.reading import read_table
from zhuyi.learn.schema import Schema, learn_schema

from .tables import mixed_frame


def made(mixing: int = 0, outputs: int = 3) -> tuple[GlassBox, Schema, torch.Tensor]:
    frame, _ = mixed_frame(50)
    cells = read_table(frame)
    schema = learn_schema(cells, bins=6)
    shape = Shape(outputs=outputs, width=8, mixing_layers=mixing, num_heads=2)
    module = GlassBox(schema, shape, torch.Generator().manual_seed(1)).double().eval()
    return module, schema, torch.from_numpy(schema.encode(cells)[0])


def test_the_decision_is_the_formula_in_numpy() -> None:
    module, _, codes = made()
    with torch.no_grad():
        tokens = module.factors(codes).numpy()
        logits = module(codes).numpy()
    key, value = tokens[..., :8], tokens[..., 8:]
    query, effect = (p.detach().numpy() for p in (module.query, module.effect))
    scores = np.einsum("cd,bnd->bcn", query, key) / np.sqrt(8.0)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    expected = (weights * np.einsum("cd,bnd->bcn", effect, value)).sum(-1)
    np.testing.assert_allclose(logits, expected + module.constant.detach().numpy(), atol=1e-12)


@pytest.mark.parametrize("mixing", [0, 2])
def test_contributions_sum_to_the_logit_less_the_constant(mixing: int) -> None:
    module, _, codes = made(mixing)
    with torch.no_grad():
        read = module.read(codes)
        total = read.contributions.sum(-1) + module.constant
        torch.testing.assert_close(total, module(codes), atol=1e-12, rtol=0)
    torch.testing.assert_close(read.weights.sum(-1), torch.ones_like(total), atol=1e-12, rtol=0)


def test_constants_move_and_decisions_stay() -> None:
    module, schema, codes = made()
    with torch.no_grad():
        before = module.read(codes)
        constant = module.constant.clone()
        settle_constants(module, codes, torch.from_numpy(schema.spread(8)))
        after = module.read(codes)
    shift = constant - module.constant
    assert bool((shift.abs() > 1e-3).all())
    torch.testing.assert_close(after.logits, before.logits, atol=1e-6, rtol=0)
    torch.testing.assert_close(after.contributions, before.contributions
                               + after.weights * shift[:, None], atol=1e-12, rtol=0)  # fmt: skip
    total = after.contributions.sum(-1) + module.constant
    torch.testing.assert_close(total, after.logits, atol=1e-12, rtol=0)


def test_the_shift_is_the_least_squares_one_of_numpy() -> None:
    """Against columns replaced one by one, through the whole box."""
    module, schema, codes = made(outputs=2)
    typical = torch.from_numpy(schema.spread(8))
    with torch.no_grad():
        read = module.read(codes)
        lost = torch.zeros_like(read.effects)
        for n in range(6):
            for row in typical:
                changed = codes.clone()
                changed[:, n] = row[n]
                lost[:, :, n] += (read.logits - module(changed)) / 8
    weights, told = read.weights.detach().numpy(), read.contributions.detach().numpy()
    counts = np.linalg.norm(lost.detach().numpy(), axis=-1, keepdims=True) ** -0.5
    left, right = counts * weights, counts * (lost.detach().numpy() - told)
    expected = [
        np.linalg.lstsq(left[:, c].reshape(-1, 1), right[:, c].ravel())[0][0] for c in range(2)
    ]
    before = module.constant.detach().clone()
    settle_constants(module, codes, typical)
    np.testing.assert_allclose((before - module.constant).detach(), expected, atol=1e-5)


def test_a_factor_reads_its_own_column_only() -> None:
    module, schema, codes = made()
    changed = codes.clone()
    changed[:, 0, 0] += 3.0
    with torch.no_grad():
        before, after = module.factors(codes), module.factors(changed)
    assert torch.equal(before[:, 1:], after[:, 1:])
    assert not torch.equal(before[:, 0], after[:, 0])


def test_a_number_is_piecewise_linear_between_quantiles() -> None:
    module, schema, _ = made()
    edges = np.array(schema.columns[0].edges)
    inside = np.linspace(edges[2], edges[3], 5)
    codes = torch.zeros(5, 6, 2, dtype=torch.float64)
    codes[:, 0, 0] = torch.from_numpy(inside)
    with torch.no_grad():
        tokens = module.factors(codes)[:, 0].numpy()
    np.testing.assert_allclose(np.diff(tokens, 2, axis=0), 0.0, atol=1e-12)
    pieces = module.factors.features(codes[..., 0])[:, 0, 1:7].numpy()
    expected = np.clip((inside[:, None] - edges[:-1]) / np.diff(edges), 0.0, 1.0)
    np.testing.assert_allclose(pieces, expected, atol=1e-12)


def test_missing_differs_from_every_value_and_settles_to_the_mean() -> None:
    module, _, codes = made()
    frame_row = codes[:1].clone()
    gone = frame_row.clone()
    gone[:, 5, 1] = 1.0  # the column "count" never missed a value
    module.factors.settle(codes)
    with torch.no_grad():
        tokens = module.factors(codes)[:, 5]
        assert not torch.equal(module.factors(gone)[:, 5], module.factors(frame_row)[:, 5])
        torch.testing.assert_close(module.factors(gone)[0, 5], tokens.mean(0))


def test_parameters_come_from_the_generator_and_the_global_one_is_untouched() -> None:
    state = torch.get_rng_state()
    first, second = made(2)[0].state_dict(), made(2)[0].state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_dropout_draws_from_its_own_generator_only() -> None:
    layer = SeededDropout(0.5).train()
    rows = torch.ones(400, 4)
    assert torch.equal(layer(rows), rows), "without a generator nothing is dropped"
    state = torch.get_rng_state()
    layer.generator = torch.Generator().manual_seed(3)
    dropped = layer(rows)
    assert torch.equal(torch.get_rng_state(), state)
    assert set(dropped.unique().tolist()) == {0.0, 2.0}
    assert abs(float(dropped.mean()) - 1.0) < 0.1
    assert torch.equal(layer.eval()(rows), rows)
