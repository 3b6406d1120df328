"""nn.MultiheadAttention and the transformer layers of torch, in every way they can be called."""

from typing import Any

import pytest
import torch
from torch import nn

from tests.trace.models import TorchvisionBlock, noise, seeded, truth
from zhuyi.core import Statistics
from zhuyi.errors import NotWatchable
from zhuyi.trace import Keep, watch

SUMMARY = Keep(matrix=False, statistics=Statistics())
PADDED = torch.tensor([[False] * 5, [False] * 3 + [True] * 2])
CAUSAL = nn.Transformer.generate_square_subsequent_mask(5)
PER_HEAD = noise(4, 5, 5, seed=4)

MODULES: dict[str, dict[str, Any]] = {
    "plain": {},
    "batch first": {"batch_first": True},
    "no bias": {"bias": False},
    "bias_kv": {"add_bias_kv": True},
    "zero attention": {"add_zero_attn": True},
    "everything added": {"add_bias_kv": True, "add_zero_attn": True},
    "other widths": {"kdim": 16, "vdim": 16, "batch_first": True},
}
CALLS: dict[str, dict[str, Any]] = {
    "no mask": {},
    "without weights": {"need_weights": False},
    "weights per head": {"average_attn_weights": False},
    "padding": {"key_padding_mask": PADDED},
    "padding without weights": {"key_padding_mask": PADDED, "need_weights": False},
    "causal": {"attn_mask": CAUSAL},
    "causal hint": {"attn_mask": CAUSAL, "is_causal": True, "need_weights": False},
    "boolean mask": {"attn_mask": CAUSAL.isinf(), "need_weights": False},
    "per head": {"attn_mask": PER_HEAD},
    "both": {"attn_mask": CAUSAL, "key_padding_mask": PADDED.float() * -1e9},
    "both boolean": {
        "attn_mask": CAUSAL.isinf(),
        "key_padding_mask": PADDED,
        "need_weights": False,
    },
    "per head and padding": {
        "attn_mask": PER_HEAD,
        "key_padding_mask": PADDED.float() * -3.0,
        "need_weights": False,
    },
}


@pytest.mark.parametrize("options", MODULES.values(), ids=MODULES.keys())
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
@pytest.mark.parametrize("keep", [Keep(), SUMMARY], ids=["matrix", "summary"])
def test_weights_and_output_are_torchs_own(
    options: dict[str, Any], call: dict[str, Any], keep: Keep
) -> None:
    model = seeded(lambda: nn.MultiheadAttention(16, 2, **options))
    x = noise(2, 5, 16) if model.batch_first else noise(5, 2, 16)
    dense_call = {**call, "need_weights": True, "average_attn_weights": False, "is_causal": False}
    with torch.no_grad():
        plain, plain_weights = model(x, x, x, **call)
        _, dense = model(x, x, x, **dense_call)
        with watch(model, keep) as tape:
            watched, watched_weights = model(x, x, x, **call)
    assert torch.allclose(plain, watched, rtol=0, atol=1e-5)
    if call.get("need_weights", True):
        assert torch.allclose(plain_weights, watched_weights, rtol=0, atol=1e-6)
    else:
        assert watched_weights is None
    assert tape.sites[0].kind == "self"
    if call.get("is_causal") and (options.get("add_bias_kv") or options.get("add_zero_attn")):
        return  # with the hint, torch masks the keys it added; without it, it does not
    if "key_padding_mask" in call and call["key_padding_mask"].float().abs().max() != 3.0:
        dense = dense.masked_fill(PADDED[:, None, :, None], 0.0)  # padding rows do not count
    if keep is SUMMARY:
        received = tape[0].summary.received
    else:
        assert torch.allclose(tape[0].matrix.materialize(), dense, rtol=0, atol=1e-5)
        received = tape[0].matrix.received()
    assert torch.allclose(received, dense.sum(2), rtol=0, atol=1e-5)


def test_unbatched_input_and_static_keys() -> None:
    model = seeded(lambda: nn.MultiheadAttention(16, 2))
    x, memory = noise(5, 16), noise(7, 16, seed=2)
    with torch.no_grad():
        plain, dense = model(x, memory, memory, average_attn_weights=False)
        with watch(model) as tape:
            watched, _ = model(x, memory, memory, average_attn_weights=False)
    assert torch.allclose(plain, watched, rtol=0, atol=1e-6)
    assert torch.allclose(tape[0].matrix.materialize()[0], dense, rtol=0, atol=1e-6)
    assert tape.sites[0].kind == "cross"
    static = noise(2, 6, 8, seed=5)
    arguments = (x[:, None], x[:, None], x[:, None], 16, 2, model.in_proj_weight)
    holder = _Functional()

    def call() -> torch.Tensor:
        return holder(
            *arguments,
            model.in_proj_bias,
            None,
            None,
            False,
            0.0,
            model.out_proj.weight,
            None,
            need_weights=False,
            static_k=static,
            static_v=static,
        )[0]

    with torch.no_grad():
        plain = call()
        with watch(holder) as tape:
            watched = call()
    assert torch.equal(plain, watched)
    assert torch.equal(tape[0].matrix.key[0], static)


class _Functional(nn.Module):
    def forward(self, *args: object, **kwargs: object) -> object:
        return nn.functional.multi_head_attention_forward(*args, **kwargs)  # type: ignore[arg-type]


def test_attention_dropout_in_training_is_untouched() -> None:
    model = seeded(lambda: nn.MultiheadAttention(16, 2, dropout=0.5)).train()
    x = noise(5, 2, 16)
    for need_weights in (True, False):
        torch.manual_seed(0)
        plain, _ = model(x, x, x, need_weights=need_weights)
        torch.manual_seed(0)
        with watch(model, Keep(statistics=Statistics())) as tape:
            watched, _ = model(x, x, x, need_weights=need_weights)
        assert torch.equal(plain, watched)
        weights = truth(tape[0].matrix.query, tape[0].matrix.key, scale=tape[0].matrix.scale)
        assert torch.allclose(tape[0].summary.received.double(), weights.sum(2), rtol=0, atol=1e-5)


@pytest.mark.parametrize("keep", [Keep(), SUMMARY], ids=["matrix", "summary"])
def test_torchvision_style_block(keep: Keep) -> None:
    model, x = (
        seeded(lambda: nn.Sequential(TorchvisionBlock(), TorchvisionBlock())),
        noise(2, 5, 16),
    )
    with torch.no_grad():
        plain = model(x)
        with watch(model, keep) as tape:
            watched = model(x)
    assert torch.allclose(plain, watched, rtol=0, atol=1e-5)
    assert [site.name for site in tape.sites] == ["0.self_attention", "1.self_attention"]


def encoder(**options: Any) -> nn.Module:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True, dropout=0.1)
    return nn.TransformerEncoder(layer, 2, nn.LayerNorm(16), **options)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("options", [{}, {"enable_nested_tensor": False}, {"mask_check": False}])
@pytest.mark.parametrize("aligned", [True, False])
@pytest.mark.parametrize("keep", [Keep(), SUMMARY], ids=["matrix", "summary"])
def test_encoder_fast_path_with_padding(options: dict[str, Any], aligned: bool, keep: Keep) -> None:
    if not aligned and options == {"mask_check": False}:
        pytest.skip("torch itself gives wrong numbers there")
    model, x = seeded(lambda: encoder(**options)), noise(2, 5, 16)
    padded = PADDED if aligned else PADDED.flip(1)
    with torch.no_grad():
        plain = model(x, src_key_padding_mask=padded)
        with watch(model, keep) as tape:
            watched = model(x, src_key_padding_mask=padded)
        again = model(x, src_key_padding_mask=padded)
    assert torch.allclose(plain, watched, rtol=0, atol=1e-5)
    assert torch.equal(plain, again)
    received = (tape[0].summary if keep is SUMMARY else tape[0].matrix.summary()).received
    assert received[1].sum().item() == pytest.approx(2 * 3, abs=1e-4)
    assert received[1][:, padded[1]].abs().max().item() == 0.0


def test_encoder_gives_the_same_with_gradients_and_in_training() -> None:
    x = noise(2, 5, 16)
    for training in (False, True):
        model = seeded(encoder).train(training)
        torch.manual_seed(0)
        plain = model(x, src_key_padding_mask=PADDED)
        torch.manual_seed(0)
        with watch(model):
            watched = model(x, src_key_padding_mask=PADDED)
        assert torch.equal(plain, watched)


@pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")
@pytest.mark.parametrize("batch_first", [True, False])
def test_whole_transformer_with_all_masks(batch_first: bool) -> None:
    model = seeded(lambda: nn.Transformer(16, 2, 2, 2, 32, 0.0, batch_first=batch_first))
    source, target = noise(2, 7, 16), noise(2, 5, 16, seed=2)
    if not batch_first:
        source, target = source.transpose(0, 1), target.transpose(0, 1)
    padded = torch.tensor([[False] * 7, [False] * 4 + [True] * 3])
    masks = {
        "tgt_mask": CAUSAL,
        "src_key_padding_mask": padded,
        "memory_key_padding_mask": padded,
        "tgt_key_padding_mask": PADDED.float().masked_fill(PADDED, float("-inf")),
    }
    plain = model(source, target, **masks)
    with watch(model) as tape:
        watched = model(source, target, **masks)
    assert torch.equal(plain, watched)
    assert [(site.name, site.kind) for site in tape.sites] == [
        ("encoder.layers.0.self_attn", "self"),
        ("encoder.layers.1.self_attn", "self"),
        ("decoder.layers.0.self_attn", "self"),
        ("decoder.layers.0.multihead_attn", "cross"),
        ("decoder.layers.1.self_attn", "self"),
        ("decoder.layers.1.multihead_attn", "cross"),
    ]
    cross = tape[3].matrix.materialize()
    assert cross[1, :, :, 4:].abs().max().item() == 0.0
    assert torch.allclose(cross.sum(-1), torch.ones(2, 2, 5), rtol=0, atol=1e-5)
    own = tape[2].matrix.materialize()
    assert own.triu(1).abs().max().item() == 0.0
    assert own[1, :, 3:].abs().max().item() == 0.0


def test_bfloat16_stays_within_its_bound() -> None:
    model, x = seeded(encoder).to(torch.bfloat16), noise(2, 5, 16).to(torch.bfloat16)
    with torch.no_grad():
        plain = model(x)
        for keep in (Keep(), SUMMARY):
            with watch(model, keep):
                watched = model(x)
            assert (plain - watched).abs().max().item() <= 2e-2 * plain.abs().max().item()


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_nested_tensors_are_refused_with_the_module_and_the_remedy() -> None:
    model = seeded(lambda: nn.TransformerEncoderLayer(16, 2, batch_first=True))
    nested = torch.nested.nested_tensor([noise(3, 16), noise(5, 16)])
    with torch.no_grad():
        model(nested)
        with pytest.raises(NotWatchable, match="nested tensor.*key_padding_mask"), watch(model):
            model(nested)
        model(nested)
