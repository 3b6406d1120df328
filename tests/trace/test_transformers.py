"""Hugging Face transformers: kinds, masks, caches, output_attentions, custom functions."""

from typing import Any

import pytest
import torch
from torch import nn

from tests.trace.models import noise, truth
from zhuyi.core import Statistics
from zhuyi.errors import NotWatchable
from zhuyi.trace import Keep, Tape, watch
from zhuyi.trace.adapters.transformers_reading import Call, explaining, hypotheses
from zhuyi.trace.collector import Collector, Frame

transformers = pytest.importorskip("transformers")

SUMMARY = Keep(matrix=False, statistics=Statistics())
MASK = torch.tensor([[1] * 8, [1] * 5 + [0] * 3])
LEFT = MASK.flip(1)
WIDE = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 40}


def made(config: Any, auto: str = "AutoModel") -> nn.Module:
    """A tiny random model in eval mode, its attention far from uniform."""
    model = getattr(transformers, auto).from_config(config).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() >= 2:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.25)
    return model


def bert(**options: Any) -> nn.Module:
    return made(transformers.BertConfig(**WIDE, intermediate_size=24, **options))


def llama(auto: str = "AutoModelForCausalLM", **options: Any) -> nn.Module:
    config = transformers.LlamaConfig(
        **WIDE, intermediate_size=24, num_key_value_heads=2, pad_token_id=0, **options
    )
    return made(config, auto)


def ids(length: int = 8, seed: int = 0) -> torch.Tensor:
    return torch.randint(3, 40, (2, length), generator=torch.Generator().manual_seed(seed))


def eager_weights(model: nn.Module, **inputs: Any) -> tuple[torch.Tensor, ...]:
    """output_attentions of the same weights with the eager function."""
    model.set_attn_implementation("eager")
    weights = model(**inputs, output_attentions=True).attentions
    model.set_attn_implementation("sdpa")
    return weights


@pytest.mark.parametrize("mask", [None, MASK, LEFT], ids=["none", "right", "left"])
@pytest.mark.parametrize("build", [bert, llama])
def test_weights_equal_eager_and_padding_rows_are_absent(build: Any, mask: Any) -> None:
    model = build()
    with torch.no_grad():
        plain = model(ids(), attention_mask=mask)[0]
        with watch(model) as tape:
            watched = model(ids(), attention_mask=mask)[0]
        with watch(model, SUMMARY) as streamed:
            close = model(ids(), attention_mask=mask)[0]
        dense = eager_weights(model, input_ids=ids(), attention_mask=mask)
    assert torch.equal(plain, watched)
    real = (MASK if mask is None else mask).bool()
    assert torch.allclose(plain[real], close[real], rtol=0, atol=1e-5)
    for sighting, summary, weights in zip(tape, streamed, dense):
        if mask is not None:
            weights = weights.masked_fill(~mask.bool()[:, None, :, None], 0.0)
        assert torch.allclose(sighting.matrix.materialize(), weights, rtol=0, atol=1e-5)
        assert torch.allclose(summary.summary.received, weights.sum(2), rtol=0, atol=1e-5)
        assert sighting.site.kind == "self"
        assert summary.summary.rows.tolist() == ([8, 8] if mask is None else [8, 5])


def test_grouped_keys_stay_grouped() -> None:
    model = llama()
    with torch.no_grad(), watch(model) as tape:
        model(ids(), attention_mask=MASK)
    assert tape[0].matrix.key.shape == (2, 2, 8, 4)
    assert tape[0].value.shape == (2, 2, 8, 4)
    assert tape[0].output.shape == (2, 4, 8, 4)
    assert tape.sites[0].name == "model.layers.0.self_attn"


def test_output_is_in_the_graph_and_training_gradients_are_bit_equal() -> None:
    for model in (llama().train(), bert().train()):
        torch.manual_seed(0)
        model(ids(), attention_mask=MASK)[0].square().sum().backward()
        plain = {n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
        for keep in (Keep(), SUMMARY):
            model.zero_grad()
            torch.manual_seed(0)
            with watch(model, keep) as tape:
                loss = model(ids(), attention_mask=MASK)[0].square().sum()
            if keep.matrix:
                outputs = [sighting.output for sighting in tape]
                gradients = torch.autograd.grad(loss, outputs, retain_graph=True)
                assert all(gradient.abs().max().item() > 0.0 for gradient in gradients)
            loss.backward()
            for name, gradient in plain.items():
                assert torch.equal(model.get_parameter(name).grad, gradient), name


def test_gradient_checkpointing_of_transformers() -> None:
    for reentrant in (False, True):
        model = llama().train()
        model.activation_checkpointing_enable({"use_reentrant": reentrant})
        model(ids(), use_cache=False).logits.square().sum().backward()
        plain = [p.grad.clone() for p in model.parameters()]
        model.zero_grad()
        with watch(model) as tape:
            model(ids(), use_cache=False).logits.square().sum().backward()
        assert [site.index for site in tape.sites] == [0, 1]
        for gradient, parameter in zip(plain, model.parameters()):
            assert torch.equal(gradient, parameter.grad)


@pytest.mark.parametrize("cache", [None, "static"])
@pytest.mark.parametrize("mask", [None, LEFT], ids=["full", "padded"])
@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_generation_with_caches(cache: str | None, mask: Any) -> None:
    model = llama()
    model.generation_config.pad_token_id = 0
    options = {
        "max_new_tokens": 4, "min_new_tokens": 4, "do_sample": False, "attention_mask": mask,
        "cache_implementation": cache, "disable_compile": True,
    }  # fmt: skip
    plain = model.generate(ids(), **options)
    with watch(model) as tape:
        watched = model.generate(ids(), **options)
    assert torch.equal(plain, watched)
    assert len(tape.passes) == 4
    with torch.no_grad():
        whole = plain[:, :-1]
        full_mask = None if mask is None else torch.cat([mask, torch.ones(2, 3).long()], 1)
        dense = eager_weights(model, input_ids=whole, attention_mask=full_mask)
    for step, one in enumerate(tape.passes):
        assert [site.kind for site in one.sites] == ["self", "self"]
        for layer, sighting in enumerate(one):
            weights = sighting.matrix.materialize()
            end = 8 + step
            rows = slice(0, 8) if step == 0 else slice(end - 1, end)
            expected = dense[layer][:, :, rows, :end]
            if step == 0 and mask is not None:
                expected = expected.masked_fill(~mask.bool()[:, None, :, None], 0.0)
                weights = weights.masked_fill(~mask.bool()[:, None, :, None], 0.0)
            assert torch.allclose(weights[..., :end], expected, rtol=0, atol=1e-5)
            assert weights[..., end:].abs().sum().item() == 0.0


def test_sliding_static_cache_keys_are_kept_as_they_were_seen() -> None:
    config = transformers.MistralConfig(
        **WIDE, intermediate_size=24, num_key_value_heads=2, sliding_window=4, pad_token_id=0
    )
    model = made(config, "AutoModelForCausalLM")
    options = {"max_new_tokens": 5, "min_new_tokens": 5, "do_sample": False, "pad_token_id": 0}
    options |= {"cache_implementation": "static", "disable_compile": True}
    with watch(model) as tape:
        text = model.generate(ids(6), **options)
    with torch.no_grad():
        dense = eager_weights(model, input_ids=text[:, :-1])
    for step, one in enumerate(tape.passes[1:], start=1):
        for layer, sighting in enumerate(one):
            row = dense[layer][:, :, 5 + step]
            received = sighting.matrix.materialize()[:, :, 0]
            for b in range(2):
                for h in range(4):
                    mine = received[b, h][received[b, h] > 0]
                    theirs = row[b, h][row[b, h] > 0]
                    assert torch.allclose(mine.sort()[0], theirs.sort()[0], rtol=0, atol=1e-5)


def encoder_decoders() -> dict[str, nn.Module]:
    bart = transformers.BartConfig(
        vocab_size=40, d_model=16, encoder_layers=2, decoder_layers=2, encoder_attention_heads=4,
        decoder_attention_heads=4, encoder_ffn_dim=24, decoder_ffn_dim=24, pad_token_id=0,
        bos_token_id=1, eos_token_id=2, decoder_start_token_id=1, forced_eos_token_id=None,
    )  # fmt: skip
    t5 = transformers.T5Config(
        vocab_size=40, d_model=16, d_kv=4, d_ff=24, num_layers=2, num_heads=4, pad_token_id=0,
        decoder_start_token_id=1, eos_token_id=2,
    )  # fmt: skip
    return {
        "bart": made(bart, "AutoModelForSeq2SeqLM"),
        "t5": made(t5, "AutoModelForSeq2SeqLM"),
    }


@pytest.mark.parametrize("name", ["bart", "t5"])
@pytest.mark.parametrize("target", [5, 8], ids=["other length", "same length"])
def test_cross_attention_of_encoder_decoders(name: str, target: int) -> None:
    model = encoder_decoders()[name]
    inputs = {"input_ids": ids(), "attention_mask": MASK, "decoder_input_ids": ids(target, 1)}
    with torch.no_grad():
        plain = model(**inputs).logits
        with watch(model) as tape:
            watched = model(**inputs).logits
        model.set_attn_implementation("eager")
        out = model(**inputs, output_attentions=True)
    assert torch.equal(plain, watched)
    assert [site.kind for site in tape.sites] == ["self"] * 2 + ["self", "cross"] * 2
    hidden = ~MASK.bool()[:, None, :, None]
    for sighting, weights in zip(list(tape)[:2], out.encoder_attentions):
        expected = weights.masked_fill(hidden, 0.0)
        assert torch.allclose(sighting.matrix.materialize(), expected, rtol=0, atol=1e-5)
    for sighting, weights in zip(list(tape)[2::2], out.decoder_attentions):
        assert torch.allclose(sighting.matrix.materialize(), weights, rtol=0, atol=1e-5)
    for sighting, weights in zip(list(tape)[3::2], out.cross_attentions):
        assert torch.allclose(sighting.matrix.materialize(), weights, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["bart", "t5"])
def test_kinds_hold_through_cached_generation(name: str) -> None:
    model = encoder_decoders()[name]
    options = {"max_new_tokens": 3, "min_new_tokens": 3, "do_sample": False}
    plain = model.generate(ids(), attention_mask=MASK, **options)
    with watch(model) as tape:
        watched = model.generate(ids(), attention_mask=MASK, **options)
    assert torch.equal(plain, watched)
    encoder, *steps = tape.passes
    assert encoder.root in ("model.encoder", "encoder")
    assert [site.kind for site in encoder.sites] == ["self", "self"]
    assert len(steps) == 3
    for number, one in enumerate(steps, start=1):
        assert [site.kind for site in one.sites] == ["self", "cross"] * 2
        assert [s.matrix.shape[2:] for s in one] == [(1, number), (1, 8)] * 2


def test_bert_decoder_with_cross_attention() -> None:
    model = bert(is_decoder=True, add_cross_attention=True)
    memory = noise(2, 8, 16)
    inputs = {"input_ids": ids(), "attention_mask": MASK, "encoder_hidden_states": memory}
    with torch.no_grad(), watch(model) as tape:
        model(**inputs, use_cache=False)
    assert [site.kind for site in tape.sites] == ["self", "cross"] * 2
    own = tape[0].matrix.materialize()
    assert own.triu(1).abs().max().item() == 0.0
    assert tape[1].matrix.materialize()[1, :, 6].sum().item() == pytest.approx(4.0, abs=1e-5)


def test_output_attentions_callers_get_what_they_get_unwatched() -> None:
    model = bert()
    model.set_attn_implementation("eager")
    with torch.no_grad():
        plain = model(ids(), attention_mask=MASK, output_attentions=True)
        for keep in (Keep(), SUMMARY):
            with watch(model, keep) as tape:
                watched = model(ids(), attention_mask=MASK, output_attentions=True)
            assert torch.equal(plain.last_hidden_state, watched.last_hidden_state)
            for one, other in zip(plain.attentions, watched.attentions):
                assert torch.equal(one, other)
            assert tape[0].kernel == "eager"


def test_eager_with_dropout_in_training_is_watched_without_the_dropout() -> None:
    model = bert().train()
    model.set_attn_implementation("eager")
    with watch(model) as tape:
        model(ids())
    matrix = tape[0].matrix
    weights = truth(matrix.query, matrix.key)
    assert torch.allclose(matrix.materialize().double(), weights, rtol=0, atol=1e-6)


@pytest.fixture
def registered() -> Any:
    """Register attention functions, and take them away again."""
    mapping = transformers.AttentionInterface._global_mapping
    before = dict(mapping)
    yield transformers.AttentionInterface.register
    mapping.clear()
    mapping.update(before)


def plain_function(module: Any, query: Any, key: Any, value: Any, mask: Any, **_: Any) -> Any:
    """A user's attention function: ordinary attention, causal where the module is."""
    group = query.shape[1] // key.shape[1]
    scores = query @ key.repeat_interleave(group, 1).transpose(2, 3) * query.shape[-1] ** -0.5
    if mask is None and module.is_causal and query.shape[2] > 1:
        blocked = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
        scores = scores.masked_fill(blocked, float("-inf"))
    output = scores.softmax(-1) @ value.repeat_interleave(group, 1)
    return output.transpose(1, 2).contiguous(), None


def linear_function(module: Any, query: Any, key: Any, value: Any, mask: Any, **_: Any) -> Any:
    """Linear attention: no softmax, nothing an attention matrix could say."""
    group = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(group, 1), value.repeat_interleave(group, 1)
    return (query @ (key.transpose(2, 3) @ value)).transpose(1, 2).contiguous(), None


def test_custom_functions_are_understood_or_refused_never_guessed(registered: Any) -> None:
    registered("mine", plain_function)
    registered("linear", linear_function)
    model = llama()
    model.set_attn_implementation("mine")
    with torch.no_grad(), watch(model) as tape:
        model(ids())
    matrix = tape[0].matrix
    keep = torch.ones(8, 8, dtype=torch.bool).tril()
    weights = truth(matrix.query, matrix.key, keep=keep)
    assert torch.allclose(matrix.materialize().double(), weights, rtol=0, atol=1e-6)
    assert tape[0].kernel == "mine"
    model.set_attn_implementation("linear")
    with (
        torch.no_grad(),
        pytest.raises(NotWatchable, match=r"layers.0.self_attn.*else than softmax"),
    ):
        with watch(model):
            model(ids())


def test_the_interface_is_restored(registered: Any) -> None:
    interface = transformers.modeling_utils.AttentionInterface
    original = interface.get_interface
    model = llama()
    first, second = watch(model), watch(model)
    first.__enter__()
    second.__enter__()
    assert interface.get_interface is not original
    model(ids())
    first.__exit__(None, None, None)
    assert interface.get_interface is not original
    second.__exit__(None, None, None)
    assert interface.get_interface is original


def direct_forward(self: nn.Module, hidden_states: torch.Tensor, *_: Any, **__: Any) -> Any:
    """What people patch into attention modules: torch's attention, called directly."""
    x = hidden_states[:, None]
    return nn.functional.scaled_dot_product_attention(x, x, x)[:, 0], None


@pytest.mark.parametrize("where", ["class", "module"])
def test_a_forward_patched_in_from_outside_is_seen(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = llama()
    attention = model.model.layers[1].self_attn
    with torch.no_grad():
        with watch(model):
            assert not torch._C._is_torch_function_mode_enabled()  # a plain model needs none
            model(ids())
        if where == "class":
            monkeypatch.setattr(type(attention), "forward", direct_forward)
        else:
            attention.forward = direct_forward.__get__(attention)
        with watch(model) as tape:
            model(ids())
    names = [f"model.layers.{layer}.self_attn" for layer in range(2)]
    assert [site.name for site in tape.sites] == names
    assert tape[1].matrix.shape == (2, 1, 8, 8)


def deberta() -> nn.Module:
    config = transformers.DebertaV2Config(
        **WIDE, intermediate_size=24, relative_attention=True, pos_att_type=["p2c", "c2p"]
    )
    return made(config)


def test_deberta_is_refused_by_name() -> None:
    model = deberta()
    with pytest.raises(NotWatchable, match=r"encoder.layer.0.attention.self \(Disentangled"):
        with torch.no_grad(), watch(model) as tape:
            model(ids())
    assert isinstance(tape, Tape)
    with pytest.raises(NotWatchable, match="Disentangled"):
        tape[0]


def test_bfloat16_bound() -> None:
    model = llama().to(torch.bfloat16)
    with torch.no_grad():
        plain = model(ids(), attention_mask=LEFT).logits
        with watch(model) as tape:
            assert torch.equal(plain, model(ids(), attention_mask=LEFT).logits)
        with watch(model, SUMMARY):
            streamed = model(ids(), attention_mask=LEFT).logits
        real = LEFT.bool()
        bound = 2e-2 * plain.abs().max().item()
        assert (plain - streamed)[real].abs().max().item() <= bound
    assert tape[0].matrix.query.dtype == torch.bfloat16


def test_autocast_is_watched_with_the_types_of_the_kernel() -> None:
    for model in (bert(), llama()):
        with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
            plain = model(ids(), attention_mask=MASK)[0]
            for keep in (Keep(), SUMMARY):
                with watch(model, keep) as tape:
                    watched = model(ids(), attention_mask=MASK)[0]
                assert torch.equal(plain, watched)
        assert len(tape) == 2
        assert tape.unseen == ()


class FlashLike:
    """What flash functions do with their options, written densely."""

    def __init__(self, **options: Any) -> None:
        self.options = options
        self.padding = torch.tensor([[True] * 6, [False] * 2 + [True] * 4])

    def keep(self, queries: int, keys: int) -> torch.Tensor:
        i = torch.arange(queries)[:, None] + keys - queries
        j = torch.arange(keys)[None, :]
        keep = (j <= i) if self.options["causal"] else torch.ones(queries, keys, dtype=torch.bool)
        window = self.options["window"]
        if window is not None:
            keep = keep & (i - j < window)
        return keep & (self.padding[:, None, None, :] if self.options["padded"] else True)


@pytest.mark.parametrize("queries", [1, 4, 6])
@pytest.mark.parametrize(("causal", "window"), [(True, None), (True, 3), (False, None)])
@pytest.mark.parametrize("padded", [True, False])
def test_flash_style_calls_are_read_from_their_options(
    queries: int, causal: bool, window: int | None, padded: bool
) -> None:
    keys = 6
    flash = FlashLike(causal=causal, window=window, padded=padded)
    query, key = noise(2, 4, queries, 8, seed=1), noise(2, 4, keys, 8, seed=2)
    value = noise(2, 4, keys, 8, seed=3)
    weights = truth(query, key, keep=flash.keep(queries, keys))
    output = (weights @ value.double()).float().transpose(1, 2).contiguous()
    module = nn.Linear(1, 1)
    options = {"sliding_window": window, "is_causal": causal}
    mask = flash.padding if padded else None
    call = Call(flash, "flash_attention_2", module, query, key, value, mask, options)
    collector = Collector(module, Keep())
    collector.frames.append(Frame("", module, (), {}, 0, 0))
    heards = hypotheses(call, collector)
    place = explaining(heards, output, None, 0.0)
    assert place == 0 or (queries == 1 and place is not None)  # the documented one comes first
    found = heards[place].unpadded().materialize()
    assert torch.allclose(found.double(), weights, rtol=0, atol=1e-6)
    assert explaining(heards, output.roll(1, dims=-1), None, 0.0) is None


def test_a_reading_that_sees_nothing_explains_nothing() -> None:
    query, key, value = (noise(1, 2, 3, 4, seed=n) for n in range(3))
    hidden = torch.zeros(1, 1, 3, 3, dtype=torch.bool)
    module = nn.Linear(1, 1)
    call = Call(plain_function, "mine", module, query, key, value, hidden, {})
    collector = Collector(module, Keep())
    collector.frames.append(Frame("", module, (), {}, 0, 0))
    output = noise(1, 3, 2, 4, seed=9)
    assert explaining(hypotheses(call, collector), output, None, 0.0) is None


def test_a_custom_function_is_understood_anew_when_decoding(registered: Any) -> None:
    registered("mine", plain_function)
    model = llama()
    model.set_attn_implementation("mine")
    with torch.no_grad(), watch(model) as tape:
        cache = model(ids(), use_cache=True).past_key_values
        model(ids(1, 1), past_key_values=cache)
    prefill, step = (one[0].matrix.materialize() for one in tape.passes)
    assert prefill.triu(1).abs().max().item() == 0.0
    assert step.shape == (2, 4, 1, 9)
    assert step.sum(-1).sub(1).abs().max().item() <= 1e-5
    assert step.min().item() > 0.0
