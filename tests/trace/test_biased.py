"""`biased`: through every adapter against dense truth, and what it refuses."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.checkpoint import checkpoint

from tests.trace.models import HandMade, HandMadeAttention, TimmAttention, TimmViT, noise, seeded
from tests.trace.test_watch import Failing, assert_same, nothing_left, snapshot
from zhuyi.core import Bias, Statistics, attend
from zhuyi.errors import NotWatchable, OptionError, ShapeError
from zhuyi.layers import Attention
from zhuyi.trace import Keep, ModuleSubject, observe, watch
from zhuyi.trace.biased import biased

Shape = tuple[int, int, int, int]
INFINITY = float("inf")
PADDING = torch.tensor([[1] * 6, [1] * 4 + [0] * 2])


def dense(site: int, shape: Shape) -> torch.Tensor:
    """A bias of this site's own, float64."""
    return noise(*shape, seed=site + 10).double() * 2.0


def everywhere(site: int, shape: Shape) -> Bias:
    return Bias.dense(dense(site, shape))


def nothing(site: int, shape: Shape) -> None:
    return None


def veto(site: int, shape: Shape) -> Bias:
    """Key 1 is forbidden."""
    row = torch.zeros(shape[3])
    row[1] = -INFINITY
    return Bias.per_key(row)


# --- transformers ----------------------------------------------------------------------------


def transformer(family: str, attention: str = "sdpa") -> Any:
    """A tiny float64 model with a classification head, its attention far from uniform."""
    transformers = pytest.importorskip("transformers")
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4}
    sizes |= {"vocab_size": 40, "num_labels": 3, "pad_token_id": 0}
    config = {
        "bert": lambda: transformers.BertConfig(**sizes, intermediate_size=24),
        "gpt2": lambda: transformers.GPT2Config(**sizes, n_positions=32),
        "llama": lambda: transformers.LlamaConfig(
            **sizes, intermediate_size=24, num_key_value_heads=2
        ),
    }[family]()
    kind = transformers.AutoModelForSequenceClassification
    model = seeded(lambda: kind.from_config(config)).double()
    model.set_attn_implementation(attention)
    return model


def ids() -> torch.Tensor:
    drawn = torch.randint(3, 40, (2, 6), generator=torch.Generator().manual_seed(0))
    return drawn * PADDING


def asked(model: Any) -> torch.Tensor:
    logits: torch.Tensor = model(ids(), attention_mask=PADDING).logits
    return logits


@pytest.fixture
def truth(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """(logits, weights by site) of a model whose eager function is written out with the bias."""

    def run(family: str) -> tuple[torch.Tensor, list[torch.Tensor]]:
        module = __import__(f"transformers.models.{family}.modeling_{family}", fromlist=["x"])
        seen: list[torch.Tensor] = []

        def written_out(layer: Any, query: Any, key: Any, value: Any, mask: Any, **_: Any) -> Any:
            groups = query.shape[1] // key.shape[1]
            key, value = (t.repeat_interleave(groups, 1) for t in (key, value))
            scores = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
            if mask is not None:
                scores = scores + mask
            seen.append((scores + dense(len(seen), tuple(scores.shape))).softmax(-1))
            return (seen[-1] @ value).transpose(1, 2), seen[-1]

        monkeypatch.setattr(module, "eager_attention_forward", written_out)
        with torch.no_grad():
            logits = asked(transformer(family, "eager"))
        monkeypatch.undo()
        return logits, seen

    return run


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("family", ["bert", "gpt2", "llama"])
def test_transformers_equal_the_dense_truth(family: str, attention: str, truth: Any) -> None:
    expected, weights = truth(family)
    model = transformer(family, attention)
    with torch.no_grad():
        plain = asked(model)
        with biased(model, everywhere):
            alone = asked(model)
            with watch(model) as tape:
                watched = asked(model)
            with watch(model, Keep(matrix=False, statistics=Statistics())) as streamed:
                close = asked(model)
        assert torch.equal(asked(model), plain)
    assert not torch.allclose(plain, expected, atol=1e-2)  # the broken twin: without the bias
    for logits in (alone, watched, close):
        torch.testing.assert_close(logits, expected, rtol=0, atol=1e-10)
    real = PADDING.bool()[:, None, :, None]
    for sighting, summary, one in zip(tape, streamed, weights, strict=True):
        one = one.masked_fill(~real, 0.0)
        assert sighting.kernel == "attend"
        torch.testing.assert_close(sighting.matrix.materialize(), one, rtol=0, atol=1e-10)
        torch.testing.assert_close(summary.summary.received, one.sum(2), rtol=0, atol=1e-10)


def test_the_weights_that_eager_returns_are_those_of_the_biased_call(truth: Any) -> None:
    _, expected = truth("bert")
    model = transformer("bert", "eager")
    with torch.no_grad(), biased(model, everywhere):
        found = model(ids(), attention_mask=PADDING, output_attentions=True).attentions
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-10)


def test_a_registered_function_is_biased_once_its_meaning_is_known(truth: Any) -> None:
    transformers = pytest.importorskip("transformers")
    expected, _ = truth("bert")
    masks = __import__("transformers.masking_utils", fromlist=["x"])

    def own(module: Any, query: Any, key: Any, value: Any, mask: Any, **_: Any) -> Any:
        weights = (query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5 + mask).softmax(-1)
        return (weights @ value).transpose(1, 2).contiguous(), None

    def strange(module: Any, query: Any, key: Any, value: Any, mask: Any, **_: Any) -> Any:
        return (value * 2.0).transpose(1, 2).contiguous(), None

    for name, function in (("own", own), ("strange", strange)):
        transformers.AttentionInterface.register(name, function)
        masks.AttentionMaskInterface.register(name, masks.eager_mask)
    model = transformer("bert", "own")
    with torch.no_grad(), biased(model, everywhere):
        torch.testing.assert_close(asked(model), expected, rtol=0, atol=1e-10)
    model.set_attn_implementation("strange")
    refused = pytest.raises(NotWatchable, match=r"layer.0.*computes something else")
    with refused, torch.no_grad(), biased(model, everywhere):
        asked(model)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("name", ["gpt_oss", "gemma2", "t5", "whisper"])
def test_sinks_softcaps_position_biases_and_cross_attention(name: str, attention: str) -> None:
    pytest.importorskip("transformers")
    from tests.zoo.tiny import tiny_inputs, tiny_model

    model = tiny_model(name, {})
    if attention == "eager":
        model.set_attn_implementation("eager")
    inputs = tiny_inputs(model)
    calls: list[tuple[int, Shape]] = []
    with torch.no_grad():
        plain = model(**inputs)[0]
        with biased(model, lambda site, shape: calls.append((site, shape))), watch(model) as tape:
            assert torch.equal(model(**inputs)[0], plain)
        with biased(model, lambda site, shape: Bias.dense(torch.zeros(shape))):
            zero = model(**inputs)[0]
        with biased(model, everywhere):
            moved = model(**inputs)[0]
    assert calls == [(s.site.index, s.matrix.shape) for s in tape if s.matrix is not None]
    assert bool(((zero - plain).abs() <= 1e-5 * plain.abs().max()).all())
    assert bool((moved - plain).abs().max() > 1e-3 * plain.abs().max())


def test_generation_asks_again_at_every_step_and_a_cache_changes_nothing() -> None:
    transformers = pytest.importorskip("transformers")
    config = transformers.LlamaConfig(
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=24,
        vocab_size=40,
    )
    model = seeded(lambda: transformers.LlamaForCausalLM(config))
    calls: list[tuple[int, Shape]] = []

    def rule(site: int, shape: Shape) -> Bias:
        calls.append((site, shape))
        return veto(site, shape)

    def generated(cache: bool) -> list[int]:
        calls.clear()
        options = {"max_new_tokens": 3, "do_sample": False, "pad_token_id": 0, "use_cache": cache}
        tokens: list[int] = model.generate(torch.tensor([[5, 6, 7, 8]]), **options)[0].tolist()
        return tokens

    unbiased = generated(True)
    with biased(model, rule):
        cached = generated(True)
        rows = [shape[2:] for _, shape in calls]
        whole = generated(False)
    assert [site for site, _ in calls] == [0, 1] * 3
    assert rows == [(4, 4), (4, 4), (1, 5), (1, 5), (1, 6), (1, 6)]
    assert cached == whole
    assert cached != unbiased


# --- torch's own attention, and ours -----------------------------------------------------------


def test_sdpa_equals_the_same_call_with_a_mask() -> None:
    layer = seeded(lambda: TimmAttention(16, 2)).double()
    x = noise(2, 5, 16).double()
    expected = layer(x, attn_mask=dense(0, (2, 2, 5, 5)))
    with biased(layer, everywhere), watch(layer) as tape:
        torch.testing.assert_close(layer(x), expected, rtol=0, atol=1e-12)
        causal = torch.ones(5, 5, dtype=torch.bool).tril()
        both = layer(x, attn_mask=causal)
    added = dense(0, (2, 2, 5, 5)).masked_fill(~causal, -INFINITY)
    torch.testing.assert_close(both, layer(x, attn_mask=added), rtol=0, atol=1e-12)
    assert bool((tape.passes[1][0].matrix.materialize()[..., ~causal] == 0.0).all())


@pytest.mark.parametrize("need_weights", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_multihead_equals_the_same_call_with_a_mask(need_weights: bool, padded: bool) -> None:
    layer = seeded(lambda: nn.MultiheadAttention(16, 2, batch_first=True)).double()
    x = noise(2, 6, 16).double()
    padding = ~PADDING.bool() if padded else None
    additive = None if padding is None else torch.zeros(2, 6).double().masked_fill(padding, -1e30)
    options = {"need_weights": need_weights, "average_attn_weights": False}
    bias = dense(0, (2, 2, 6, 6))
    expected = layer(x, x, x, key_padding_mask=additive, attn_mask=bias.flatten(0, 1), **options)
    with biased(layer, everywhere), watch(layer) as tape:
        output, weights = layer(x, x, x, key_padding_mask=padding, **options)
    torch.testing.assert_close(output, expected[0], rtol=0, atol=1e-12)
    assert (weights is None) == (not need_weights)
    if need_weights:
        torch.testing.assert_close(weights, expected[1], rtol=0, atol=1e-12)
        first = tape[0].matrix.materialize()[0]
        torch.testing.assert_close(first, expected[1][0], rtol=0, atol=1e-12)


def test_encoder_layer_equals_the_same_call_with_a_mask() -> None:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True).double()
    model = seeded(lambda: nn.TransformerEncoder(layer, 2))
    x = noise(2, 6, 16).double()
    expected = x
    for site, inner in enumerate(model.layers):
        expected = inner(expected, src_mask=dense(site, (2, 2, 6, 6)).flatten(0, 1))
    with torch.no_grad(), biased(model, everywhere), watch(model) as tape:
        found = model(x)
    torch.testing.assert_close(found, expected.detach(), rtol=0, atol=1e-12)
    assert [site.index for site in tape.sites] == [0, 1]


def test_own_layer_equals_its_own_bias_and_hands_back_the_biased_matrix() -> None:
    layer = seeded(lambda: Attention(16, 16, 16, num_heads=2)).double()
    x = noise(2, 5, 16).double()
    expected = layer(x, x, x, attention_bias=everywhere(0, (2, layer.num_heads, 5, 5)))
    with biased(layer, everywhere):
        found = layer(x, x, x)
    torch.testing.assert_close(found.output, expected.output, rtol=0, atol=1e-12)
    given, wanted = (result.matrix.materialize() for result in (found, expected))
    torch.testing.assert_close(given, wanted, rtol=0, atol=1e-12)
    assert not torch.allclose(layer(x, x, x).matrix.materialize(), wanted, atol=1e-2)


MODELS: dict[str, Callable[[], tuple[nn.Module, Callable[[nn.Module], torch.Tensor]]]] = {
    "sdpa": lambda: (seeded(TimmViT), lambda m: m(noise(2, 3, 8, 8))),
    "bert": lambda: (transformer("bert").float(), asked),
    "bert eager": lambda: (transformer("bert", "eager").float(), asked),
    "llama": lambda: (transformer("llama").float(), asked),
    "multihead": lambda: (
        seeded(lambda: nn.MultiheadAttention(16, 2)),
        lambda m: torch.cat([t.flatten() for t in m(*(noise(5, 2, 16),) * 3)]),
    ),
    "own layer": lambda: (
        seeded(lambda: Attention(16, 16, 16, num_heads=2)),
        lambda m: m(*(noise(2, 5, 16),) * 3).output,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_no_bias_is_bit_for_bit_zero_is_close_and_a_veto_is_exact(name: str) -> None:
    model, run = MODELS[name]()
    before = snapshot(model)
    with torch.no_grad():
        plain = run(model)
        with biased(model, nothing):
            assert torch.equal(run(model), plain)
        with biased(model, lambda site, shape: Bias.dense(torch.zeros(shape))):
            torch.testing.assert_close(run(model), plain, rtol=0, atol=1e-6)
        with biased(model, veto), watch(model) as tape:
            changed = run(model)
        assert not torch.allclose(changed, plain, atol=1e-3)
        assert bool(changed.isfinite().all())
        for sighting in tape:
            assert not sighting.matrix.materialize()[..., 1].any()
        with biased(model, lambda site, shape: Bias.dense(torch.full(shape, -INFINITY))):
            assert bool(run(model).isfinite().all())
    assert_same(before, snapshot(model))
    assert nothing_left(model)


def test_only_the_sites_asked_for_change() -> None:
    model, image = seeded(TimmViT), noise(2, 3, 8, 8)
    asked_for: list[tuple[int, Shape]] = []

    def second(site: int, shape: Shape) -> Bias | None:
        asked_for.append((site, shape))
        return everywhere(site, shape) if site == 1 else None

    with torch.no_grad():
        with watch(model) as plain:
            model(image)
        with biased(model, second), watch(model, Keep(layers=(1,))) as one:
            model(image)
        with biased(model, second), watch(model) as tape:
            model(image)
    assert asked_for == [(0, (2, 2, 5, 5)), (1, (2, 2, 5, 5))] * 2
    assert [s.index for s in tape.sites] == [0, 1]
    assert torch.equal(plain[0].output, tape[0].output)
    assert [s.kernel for s in tape] == ["sdpa", "attend"]
    assert torch.equal(one[0].output, tape[1].output)


def test_blocks_add_up_in_any_order_with_watches() -> None:
    layer, x = seeded(lambda: TimmAttention(16, 2)).double(), noise(2, 5, 16).double()
    twice = layer(x, attn_mask=2.0 * dense(0, (2, 2, 5, 5)))
    with watch(layer) as outer, biased(layer, everywhere), biased(layer, everywhere):
        found = layer(x)
    torch.testing.assert_close(found, twice, rtol=0, atol=1e-12)
    assert len(outer) == 1


def test_a_subject_decides_and_is_watched_under_the_bias() -> None:
    class Mean(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layer = TimmAttention(16, 2)
            self.head = nn.Linear(16, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.head(self.layer(x).mean(1))

    model, x = seeded(Mean), noise(2, 4, 16)
    subject = ModuleSubject(model, unit_names="abcd", labels="xyz")
    plain = subject.decide(x)
    with biased(model, veto):
        shares = subject.decide(x)
        tape = subject.watch(x, gradient=True)
    assert not torch.allclose(shares, plain, atol=1e-3)
    torch.testing.assert_close(tape.logits.softmax(1), shares, rtol=0, atol=1e-6)
    (gradient,) = torch.autograd.grad(tape.logits[:, 0].sum(), tape[0].output)
    assert bool(gradient.abs().max() > 0)


# --- gradients ---------------------------------------------------------------------------------


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("frozen", [False, True])
def test_gradients_reach_the_bias(attention: str, frozen: bool) -> None:
    model = transformer("bert", attention)
    model.requires_grad_(not frozen)
    start = [dense(site, (2, 4, 6, 6)).requires_grad_() for site in range(2)]

    def logits(*biases: torch.Tensor) -> torch.Tensor:
        with biased(model, lambda site, shape: Bias.dense(biases[site])), watch(model):
            return asked(model)

    assert torch.autograd.gradcheck(logits, start, fast_mode=True)
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("name", ["sdpa", "bert", "multihead", "own layer"])
def test_gradients_reach_a_bias_per_key(name: str) -> None:
    model, run = MODELS[name]()
    model.double()
    row = noise(6, seed=3).double().requires_grad_()
    call = {"bert": run, "sdpa": lambda m: m(noise(2, 3, 8, 8).double())}.get(name)
    x = noise(5, 2, 16) if name == "multihead" else noise(2, 5, 16)

    def output(row: torch.Tensor) -> torch.Tensor:
        with biased(model, lambda site, shape: Bias.per_key(row[: shape[3]])):
            if call is not None:
                return call(model)
            result: torch.Tensor = model(*(x.double(),) * 3)[0]
            return result

    assert torch.autograd.gradcheck(output, [row], fast_mode=True)


def test_gradients_of_the_weights_that_multihead_hands_back() -> None:
    layer, x = seeded(lambda: nn.MultiheadAttention(16, 2)).double(), noise(5, 2, 16).double()
    start = dense(0, (2, 2, 5, 5)).requires_grad_()

    def weights(bias: torch.Tensor) -> torch.Tensor:
        with biased(layer, lambda site, shape: Bias.dense(bias)):
            result: torch.Tensor = layer(x, x, x)[1]
            return result

    assert torch.autograd.gradcheck(weights, [start], fast_mode=True)


# --- lower precision ---------------------------------------------------------------------------


def test_autocast_and_bfloat16() -> None:
    model = seeded(TimmViT)
    image = noise(2, 3, 8, 8)
    with torch.no_grad(), biased(model, everywhere):
        exact = model(image)
        with torch.autocast("cpu", torch.bfloat16):
            cast = model(image)
        low = model.to(torch.bfloat16)(image.to(torch.bfloat16))
    for found in (cast, low):
        assert found.dtype == torch.bfloat16
        assert bool(((found - exact).abs() <= 5e-2 * exact.abs().max()).all())


# --- refusals ----------------------------------------------------------------------------------


def test_an_exception_leaves_the_model_as_it_was() -> None:
    model, image = seeded(Failing), noise(1, 3, 8, 8)
    plain = model(image)
    before = snapshot(model)
    with pytest.raises(KeyError, match="inside the model"), biased(model, everywhere):
        model.fail = True
        model(image)
    del model.fail

    def broken(site: int, shape: Shape) -> Bias:
        raise LookupError("inside the rule")

    with pytest.raises(LookupError, match="inside the rule"), biased(model, broken):
        model(image)
    assert_same(before, snapshot(model))
    assert nothing_left(model)
    assert torch.equal(model(image), plain)


class Half(nn.Module):
    """One attention that can be heard and one that cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.heard, self.other = TimmAttention(16, 2), HandMadeAttention()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.other(self.heard(x))


@pytest.mark.parametrize(
    ("model", "text"),
    [
        (HandMade(), "no attention took place"),
        (HandMadeAttention(), "cannot be seen"),
        (Half(), r"without a bias in other \(HandMadeAttention\)"),
    ],
)
def test_attention_that_cannot_be_heard_is_never_silently_unbiased(
    model: nn.Module, text: str
) -> None:
    with pytest.raises(NotWatchable, match=text), biased(model.eval(), nothing):
        model(noise(1, 4, 16))
    assert nothing_left(model)


def test_a_pass_that_failed_before_its_attention_is_no_refusal() -> None:
    class Picky(TimmAttention):
        def forward(self, x: torch.Tensor, attn_mask: Any = None) -> torch.Tensor:
            if x.shape[1] < 2:
                raise KeyError("too short")
            return super().forward(x)

    layer = seeded(lambda: Picky(16, 2))
    with biased(layer, everywhere):
        with pytest.raises(KeyError):
            layer(noise(1, 1, 16))
        layer(noise(1, 4, 16))


def test_what_is_refused_and_why() -> None:
    layer, x = seeded(lambda: TimmAttention(16, 2)), noise(1, 4, 16)
    with pytest.raises(NotWatchable, match="no module of the watched TimmAttention ran"):
        with biased(layer, everywhere):
            pass
    with pytest.raises(OptionError, match="must be a torch.nn.Module, got list"):
        biased([], everywhere)  # type: ignore[arg-type]
    with pytest.raises(OptionError, match=r"site 0 \(TimmAttention\) must be a Bias"):
        with biased(layer, lambda site, shape: torch.zeros(shape)):  # type: ignore[arg-type,return-value]
            layer(x)
    with pytest.raises(ShapeError, match=r"site 0 \(TimmAttention\): per_key bias must"):
        with biased(layer, lambda site, shape: Bias.per_key(torch.zeros(5))):
            layer(x)
    again = biased(layer, everywhere)
    with again, pytest.raises(OptionError, match="open already"):
        layer(x)
        again.__enter__()
    with pytest.raises(OptionError, match="not open"):
        again.__exit__(None, None, None)
    assert nothing_left(layer)


@pytest.mark.parametrize("name", ["sdpa", "bert", "bert eager", "multihead", "own layer"])
def test_dropout_is_refused(name: str) -> None:
    model, run = MODELS[name]()
    model.train()
    for module in model.modules():
        if isinstance(module, (TimmAttention, nn.MultiheadAttention, Attention)):
            module.dropout = 0.5
    with biased(model, nothing):
        run(model)
    with pytest.raises(NotWatchable, match="of its weights, so no bias can be added"):
        with biased(model, everywhere):
            run(model)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_nested_tensors_are_refused() -> None:
    layer = seeded(lambda: nn.TransformerEncoderLayer(16, 2, batch_first=True))
    nested = torch.nested.nested_tensor([noise(3, 16), noise(4, 16)])
    with pytest.raises(NotWatchable, match="nested"), torch.no_grad(), biased(layer, everywhere):
        layer(nested)


def test_layers_that_run_again_in_the_backward_pass_are_refused() -> None:
    class Again(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = TimmAttention(16, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = checkpoint(self.inner, x, use_reentrant=False)
            return result

    model = seeded(Again)
    with pytest.raises(NotWatchable, match="gradient checkpointing"), biased(model, everywhere):
        model(noise(1, 4, 16).requires_grad_()).sum().backward()


def test_attention_inside_the_rule_is_none_of_the_models() -> None:
    layer, x = seeded(lambda: TimmAttention(16, 2)), noise(1, 4, 16)

    def rule(site: int, shape: Shape) -> Bias:
        output = attend(*(noise(1, 1, 4, 8),) * 3).output
        return Bias.dense(output[..., :4] * 0.0)

    plain = layer(x)
    with biased(layer, rule), watch(layer) as tape:
        torch.testing.assert_close(layer(x), plain, rtol=0, atol=1e-6)
    assert len(tape) == 1


@pytest.mark.parametrize("content", [0.5, 1e9, float("nan"), float("inf")])
@pytest.mark.parametrize("causal", [False, True])
def test_what_stands_at_a_vetoed_key_never_matters(content: float, causal: bool) -> None:
    """Harmless numbers are left where they are; others are zeroed, since 0 x NaN would be NaN."""
    query, key, value = (noise(1, 2, 6, 4, seed=n) for n in range(3))
    other = [one.clone() for one in (key, value)]
    for one in other:
        one[:, :, 1] = content

    class Attends(nn.Module):
        def forward(self, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
            return F.scaled_dot_product_attention(query, key, value, is_causal=causal)

    model = Attends()
    with biased(model, veto):
        one, two = model(key, value), model(*other)
    assert torch.equal(one, two)
    assert not torch.equal(model(key, value), model(*other))
    scores = query.double() @ key.double().transpose(-1, -2) / 2.0
    scores[..., 1] = -INFINITY
    if causal:
        scores = scores.masked_fill(torch.ones(6, 6).triu(1).bool(), -INFINITY)
    expected = scores.softmax(-1) @ value.double()
    torch.testing.assert_close(one.double(), expected, rtol=0, atol=1e-6)


def test_harmless_vetoed_keys_are_not_copied() -> None:
    heard = observe.Heard(
        query=noise(1, 1, 4, 2), key=noise(1, 1, 4, 2), value=noise(1, 1, 4, 2),
        bias=veto(0, (1, 1, 4, 4)),
        run=lambda: torch.zeros(1), kernel="", cross=False,
    )  # fmt: skip
    assert observe._without_vetoed(heard) is heard
    loud = replace(heard, key=heard.key * 1e9)
    assert float(observe._without_vetoed(loud).key[:, :, 1].abs().max()) == 0.0
    wanted = replace(heard, key=heard.key.clone().requires_grad_())
    assert bool((observe._without_vetoed(wanted).key[:, :, 1] == 0.0).all())
