"""Penalties on shares of attention: the numbers of an independent computation, and gradients."""

import math
from datetime import date
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import zhuyi
from tests.trace.subject_models import bert, bert_tokenizer
from zhuyi import AttentionMatrix, Mask
from zhuyi.errors import NotKept, OptionError, ShapeError
from zhuyi.steer import Column, Relation, Rules, Text
from zhuyi.steer.layout import Layout, Piece
from zhuyi.steer.penalty import CrossEntropy, Hinge, attended, mass_penalties
from zhuyi.steer.readers import reader_of
from zhuyi.steer.reading import Reading
from zhuyi.trace.keep import Keep

NAMES = ["a", "b", "c", "d"]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def matrix(*, causal: bool = False, seed: int = 0) -> AttentionMatrix:
    mask = Mask.causal() if causal else None
    return AttentionMatrix(
        noise(2, 3, 4, 5, seed=seed), noise(2, 3, 4, 5, seed=seed + 9), mask=mask
    )


def dense(one: AttentionMatrix, causal: bool) -> np.ndarray:
    """The weights in NumPy, from the formula."""
    scores = one.query.numpy() @ one.key.numpy().swapaxes(-1, -2) / math.sqrt(5)
    if causal:
        scores = np.where(np.tril(np.ones((4, 4), bool)), scores, -np.inf)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def divergence(p: float, t: float) -> float:
    found = 0.0
    if t > 0:
        found += t * math.log(t / p)
    if t < 1:
        found += (1 - t) * math.log((1 - t) / (1 - p))
    return found


def expected(weights: np.ndarray, keys: list[int], rule: Any, hinge: bool, causal: bool) -> float:
    """Row by row, by plain arithmetic."""
    total, count = 0.0, 0
    for b, h, q in np.ndindex(*weights.shape[:3]):
        if rule.heads and h not in rule.heads:
            continue
        sees = list(range(q + 1)) if causal else list(range(4))
        meant = [k for k in keys if k in sees]
        p, e = weights[b, h, q, keys].sum(), len(meant) / len(sees)
        if e in (0.0, 1.0):
            continue
        count += 1
        if rule.action == "share":
            t, least = rule.at_least, True
        else:
            w = 0.0 if rule.action == "veto" else rule.weight
            t, least = w * e / (w * e + 1 - e), w > 1
        if (p < t) if least else (p > t):
            total += abs(t - p) if hinge else divergence(p, t)
    return total / count


RULES = {
    "share": Rules().share(Column("b"), 0.5),
    "boost": Rules().boost([Column("b"), Column("d")], 6),
    "damp": Rules().damp(Column("a"), 0.2),
    "veto": Rules().veto(Column("c")),
    "heads": Rules().share(Column("b"), 0.7, heads=[0, 2]),
}
KEYS = {"share": [1], "boost": [1, 3], "damp": [0], "veto": [2], "heads": [1]}


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("hinge", [False, True])
def test_a_penalty_is_the_formula(name: str, causal: bool, hinge: bool) -> None:
    one, rules = matrix(causal=causal), RULES[name]
    found = rules.penalty(one, NAMES, supervision=Hinge() if hinge else None)
    wanted = expected(dense(one, causal), KEYS[name], rules.rules[0], hinge, causal)
    assert wanted > 0
    assert float(found) == pytest.approx(wanted, rel=1e-10)


def test_layers_are_a_mean_and_rules_a_sum() -> None:
    layers = [matrix(seed=1), matrix(seed=2)]
    rules = Rules().share(Column("b"), 0.5).veto(Column("c"), layers="1")
    found = mass_penalties(rules.rules, layers, NAMES)
    each = [float(RULES["share"].penalty(one, NAMES)) for one in layers]
    assert float(found["share-1"]) == pytest.approx(sum(each) / 2, rel=1e-10)
    assert float(found["veto-2"]) == pytest.approx(
        float(RULES["veto"].penalty(layers[1], NAMES)), rel=1e-10
    )
    assert float(rules.penalty(layers, NAMES)) == pytest.approx(sum(map(float, found.values())))
    assert float(Rules().penalty(layers, NAMES)) == 0.0


def test_only_the_rows_that_a_rule_holds_for_count() -> None:
    one = matrix()
    found = Rules().share(Column("b"), 0.9, sender=Column("d")).penalty(one, NAMES)
    share = dense(one, False)[:, :, 3, 1]
    wanted = np.mean([divergence(p, 0.9) if p < 0.9 else 0.0 for p in share.ravel()])
    assert float(found) == pytest.approx(wanted, rel=1e-10)


def test_a_link_speaks_of_pairs() -> None:
    layout = Layout(length=2, text="metformin diabetes", spans=((0, 9), (10, 18)))
    query, key = noise(1, 1, 2, 3), noise(1, 1, 2, 3, seed=4)
    one = AttentionMatrix(query, key)
    rules = Rules().link(Relation(graph={"metformin": ["diabetes"]}), 3)
    p = dense_pair(query, key)
    t = 3 * 0.5 / (3 * 0.5 + 0.5)
    parts = [divergence(x, t) if x < t else 0.0 for x in (p[0, 1], p[1, 0])]
    found = mass_penalties(rules.rules, one, [layout])["link-1"]
    assert float(found) == pytest.approx(sum(parts) / 2, rel=1e-10)


def dense_pair(query: Tensor, key: Tensor) -> np.ndarray:
    scores = (query[0, 0].numpy() @ key[0, 0].numpy().T) / math.sqrt(3)
    weights = np.exp(scores)
    return weights / weights.sum(-1, keepdims=True)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("supervision", [CrossEntropy(), Hinge()])
def test_gradients_are_those_of_the_numbers(name: str, supervision: Any) -> None:
    query, key = noise(2, 3, 4, 5).requires_grad_(), noise(2, 3, 4, 5, seed=9).requires_grad_()

    def penalty(query: Tensor, key: Tensor) -> Tensor:
        one = AttentionMatrix(query, key, mask=Mask.causal())
        return RULES[name].penalty(one, NAMES, supervision=supervision)

    assert torch.autograd.gradcheck(penalty, (query, key), fast_mode=True)


@pytest.mark.parametrize("supervision", [CrossEntropy(), Hinge()])
def test_what_is_obeyed_costs_nothing_and_has_no_broken_gradient(supervision: Any) -> None:
    query = torch.zeros(1, 1, 4, 2, requires_grad=True)
    key = torch.zeros(1, 1, 4, 2)
    bias = zhuyi.core.Bias.per_key(torch.tensor([0.0, 0.0, -math.inf, -math.inf]))
    one = AttentionMatrix(query, key, bias=bias)
    rules = Rules().share(Column("b"), 0.4).veto(Column("c")).boost(Column("a"), 1)
    loss = rules.penalty(one, NAMES, supervision=supervision)
    loss.backward()
    assert float(loss.detach()) == 0.0
    assert query.grad is not None
    assert bool((query.grad == 0).all())


def test_a_share_that_no_attention_has_pulls_back() -> None:
    """Float32 rounds 1 - p to 0 where the others are small: the gradient must not die there."""
    query = torch.full((1, 1, 1, 1), 20.0, requires_grad=True)
    one = AttentionMatrix(query, torch.tensor([1.0, -1.0, -1.0, -1.0])[None, None, :, None])
    loss = Rules().veto(Column("a")).penalty(one, NAMES)
    loss.backward()
    assert float(loss.detach()) == pytest.approx(40.0 - math.log(3), rel=1e-5)
    assert query.grad is not None
    assert float(query.grad) == pytest.approx(2.0, rel=1e-5)


def test_nothing_of_the_size_of_the_matrix_is_kept() -> None:
    L = 1024
    query = torch.randn(1, 1, L, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    layouts = [Layout(length=L, pieces=(Piece(name="a", positions=tuple(range(9))),))]
    sizes: list[int] = []

    def kept(tensor: Tensor) -> Tensor:
        sizes.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(kept, lambda tensor: tensor):
        one = AttentionMatrix(query, query, mask=Mask.causal())
        Rules().share(Column("a"), 0.5).penalty(one, layouts)
        assert max(sizes) <= 16 * L
        sizes.clear()
        one.weights()[..., :9].sum(-1)  # the broken twin
        assert max(sizes) >= L * L


def test_a_watched_model_learns_what_is_asked() -> None:
    layer = nn.TransformerEncoder(
        nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True), 2
    )
    x = noise(5, 4, 8).float()
    rules = Rules().share(Column("b"), 0.6).veto(Column("d"))
    optimizer = torch.optim.Adam(layer.parameters(), 2e-2)
    losses = []
    for _ in range(30):
        with zhuyi.watch(layer) as tape:
            layer(x)
        loss = rules.penalty(tape, NAMES)
        losses.append(float(loss.detach()))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert losses[-1] < losses[0] / 4
    with zhuyi.watch(layer) as tape, torch.no_grad():
        layer(x)
    masses = {k: one.detach() for k, one in attended(rules.rules, tape, NAMES).items()}
    assert float(masses["share-1"].mean()) > 0.5
    assert float(masses["veto-2"].mean()) < 0.1
    one = torch.stack([part.matrix.weights()[..., 1] for part in tape if part.matrix]).mean(
        (0, 2, 3)
    )
    torch.testing.assert_close(masses["share-1"], one, rtol=0, atol=1e-6)
    # the same by layers, by layouts, and by a reading
    again = [part.matrix for part in tape if part.matrix]
    pieces = tuple(Piece(name=name, positions=(place,)) for place, name in enumerate(NAMES))
    layouts = (Layout(length=4, pieces=pieces),) * 5
    for attention, reads in (
        (again, NAMES),
        (tape, layouts),
        (tape, Reading(layouts=layouts, new=4)),
    ):
        torch.testing.assert_close(rules.penalty(attention, reads), rules.penalty(tape, NAMES))


def test_padding_counts_for_nothing() -> None:
    one = matrix()
    pieces = tuple(Piece(name=name, positions=(place,)) for place, name in enumerate(NAMES))
    short = Layout(length=4, pieces=pieces, padding=frozenset({3}))
    rules = Rules().share(Column("b"), 0.9)
    found = rules.penalty(one, [short, short])
    share = dense(one, False)[:, :, :3, 1]
    wanted = np.mean([divergence(p, 0.9) if p < 0.9 else 0.0 for p in share.ravel()])
    assert float(found) == pytest.approx(wanted, rel=1e-10)


def test_what_means_nothing_or_has_expired_asks_nothing() -> None:
    one = matrix()
    assert float(Rules().share(Text("xyzzy"), 0.9).penalty(one, NAMES)) == 0.0
    rules = Rules().share(Column("b"), 0.9, expires="2020-01-01")
    assert float(rules.penalty(one, NAMES, today=date(2020, 1, 2))) == 0.0
    assert float(rules.penalty(one, NAMES, today=date(2020, 1, 1))) > 0.0
    assert attended(Rules().veto(Text("xyzzy")).rules, one, NAMES)["veto-1"].tolist() == [0.0, 0.0]


def test_another_input_and_a_tape_without_matrices_are_refused() -> None:
    rules = Rules().share(Column("b"), 0.9)
    with pytest.raises(ShapeError, match="4 keys in 2 rows.* of 3 positions"):
        rules.penalty(matrix(), NAMES[:3])
    with pytest.raises(ShapeError, match="4 keys in 2 rows.* 4 positions in 3 rows"):
        rules.penalty(matrix(), [Layout(length=4)] * 3)
    with pytest.raises(OptionError, match="names layer 3, and the model has 1"):
        Rules().veto(Column("b"), layers="3").penalty(matrix(), NAMES)
    with pytest.raises(OptionError, match="names head 9"):
        Rules().veto(Column("b"), heads=[9]).penalty(matrix(), NAMES)
    layer = nn.TransformerEncoderLayer(8, 2, batch_first=True).eval()
    statistics = zhuyi.core.Statistics()
    with (
        zhuyi.watch(layer, keep=Keep(matrix=False, statistics=statistics)) as tape,
        torch.no_grad(),
    ):
        layer(torch.zeros(2, 4, 8))
    with pytest.raises(NotKept, match="needs attention matrices"):
        rules.penalty(tape, NAMES)


def test_texts_are_supervised_by_what_a_call_reads() -> None:
    model, tokenizer = bert().eval(), bert_tokenizer()
    inputs = tokenizer(
        ["the quick brown fox over the lazy dog", "the fox"], padding=True, return_tensors="pt"
    )
    rules = Rules().share("fox", 0.5).veto("dog")
    reading = reader_of(model, tokenizer, None).read((), inputs)
    with zhuyi.watch(model) as tape:
        model(**inputs)
    loss = rules.penalty(tape, reading)
    total, count = [0.0, 0.0], [0, 0]
    words = [[], []]  # of each text, the places of "fox" and of "dog"
    for row in range(2):
        tokens = tokenizer.convert_ids_to_tokens(inputs["input_ids"][row])
        words[row] = [[n for n, one in enumerate(tokens) if one == name] for name in ("fox", "dog")]
    for sighting in tape:
        weights = sighting.matrix.weights().detach().double().numpy()
        for b, h, q in np.ndindex(*weights.shape[:3]):
            if not inputs["attention_mask"][b, q]:
                continue
            for rule, keys in enumerate(words[b]):
                if keys:
                    p = weights[b, h, q, keys].sum()
                    count[rule] += 1
                    total[rule] += divergence(p, 0.0) if rule else divergence(p, 0.5) * (p < 0.5)
    wanted = sum(one / many for one, many in zip(total, count, strict=True))
    assert float(loss.detach()) == pytest.approx(wanted, rel=1e-4)
    loss.backward()
    gradients = [one.grad for one in model.parameters() if one.grad is not None]
    assert any(bool((one != 0).any()) for one in gradients)
    assert all(bool(one.isfinite().all()) for one in gradients)
