"""Models that call scaled_dot_product_attention themselves."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.trace.models import Call, Perceiver, TimmAttention, TimmViT, noise, seeded, truth
from zhuyi.core import Statistics
from zhuyi.trace import Keep, watch

SUMMARY = Keep(matrix=False, statistics=Statistics(entropy=True))


def test_timm_style_model_is_seen_bit_equal_by_its_module_paths() -> None:
    model, image = seeded(TimmViT), noise(2, 3, 8, 8)
    plain = model(image)
    with watch(model) as tape:
        watched = model(image)
    assert torch.equal(plain, watched)
    assert [(s.name, s.kind, s.index, s.heads) for s in tape.sites] == [
        ("blocks.0.attn", "self", 0, 2),
        ("blocks.1.attn", "self", 1, 2),
    ]
    assert tape.unseen == ()
    sighting = tape["blocks.1.attn"]
    assert sighting.kernel == "sdpa"
    weights = truth(sighting.matrix.query, sighting.matrix.key)
    assert torch.allclose(sighting.matrix.materialize().double(), weights, rtol=0, atol=1e-6)
    expected = weights @ sighting.value.double()
    assert torch.allclose(sighting.output.double(), expected, rtol=0, atol=1e-5)
    hidden = model.blocks[0].norm1(_embedded(model, image))
    query = model.blocks[0].attn.qkv(hidden)[..., :16].unflatten(-1, (2, 8)).transpose(1, 2)
    assert torch.allclose(tape[0].matrix.query, query, rtol=0, atol=1e-5)


def _embedded(model: nn.Module, image: torch.Tensor) -> torch.Tensor:
    x = model.patch_embed(image).flatten(2).transpose(1, 2)
    return torch.cat([model.cls_token.expand(len(x), -1, -1), x], dim=1)


@pytest.mark.parametrize(("dtype", "bound"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
def test_streamed_outputs_equal_the_unwatched_ones(dtype: torch.dtype, bound: float) -> None:
    model, image = seeded(TimmViT).to(dtype), noise(2, 3, 8, 8).to(dtype)
    with torch.no_grad():
        plain = model(image)
        with watch(model, SUMMARY) as tape:
            watched = model(image)
    assert (plain - watched).abs().max().item() <= bound * plain.abs().max().item()
    assert tape[0].kernel != "sdpa"
    assert tape[0].matrix is None
    assert tape[0].value is None
    assert tape[0].output is None


def test_streamed_statistics_are_those_of_the_dense_weights() -> None:
    model, image = seeded(TimmViT), noise(2, 3, 8, 8)
    with torch.no_grad():
        with watch(model, SUMMARY) as streamed:
            model(image)
        with watch(model) as kept:
            model(image)
    for summary, matrix in zip([s.summary for s in streamed], [s.matrix for s in kept]):
        weights = truth(matrix.query, matrix.key)
        entropy = -(weights * weights.log()).sum(-1)
        assert torch.allclose(summary.received.double(), weights.sum(2), rtol=0, atol=1e-4)
        assert torch.allclose(summary.entropy.double(), entropy, rtol=0, atol=1e-4)


Q, K = 5, 7
BOOL = torch.rand(2, 3, Q, K, generator=torch.Generator().manual_seed(0)) > 0.3
BOOL[..., 0] = True
FLOAT = noise(2, 3, Q, K)
PADDING = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])


MASKS = {
    "none": None,
    "bool full": BOOL,
    "bool of one input": BOOL[:1],
    "bool of one head": BOOL[:, :1],
    "bool rows and columns": BOOL[0, 0],
    "bool per head and key": BOOL[0, :, :1],
    "padding": PADDING[:, None, None, :],
    "padding, expanded rows": PADDING[:, None, None, :].expand(2, 1, Q, K),
    "float full": FLOAT,
    "float of three dimensions": FLOAT[0],
    "float rows and columns": FLOAT[0, 0],
    "float per key": FLOAT[:, :1, :1],
    "float per row": FLOAT[:, :1, :, :1],
    "float with -inf": FLOAT.masked_fill(~BOOL, float("-inf")),
    "padding, additive": torch.zeros(2, 1, 1, K).masked_fill(
        ~PADDING[:, None, None], torch.finfo(torch.float32).min
    ),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
@pytest.mark.parametrize("keep", [Keep(), SUMMARY], ids=["matrix", "summary"])
def test_every_mask_means_what_sdpa_does_with_it(mask: torch.Tensor | None, keep: Keep) -> None:
    query, key, value = noise(2, 3, Q, 8), noise(2, 3, K, 8, seed=2), noise(2, 3, K, 6, seed=3)
    model = Call()
    with torch.no_grad():
        plain = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        with watch(model, keep) as tape:
            watched = model(query, key, value, attn_mask=mask)
    assert torch.allclose(plain, watched, rtol=0, atol=1e-5)
    boolean = mask is not None and mask.dtype == torch.bool
    weights = truth(query, key, keep=mask if boolean else None, additive=None if boolean else mask)
    if keep is SUMMARY:
        received = tape[0].summary.received
    else:
        received = tape[0].matrix.received()
        assert torch.allclose(tape[0].matrix.materialize().double(), weights, rtol=0, atol=1e-6)
    assert torch.allclose(received.double(), weights.sum(2), rtol=0, atol=1e-5)


def test_padding_rows_of_self_attention_are_absent_and_the_output_untouched() -> None:
    model, x = seeded(TimmAttention), noise(2, 7, 16)
    mask = PADDING[:, None, None, :]
    with torch.no_grad():
        plain = model(x, mask)
        with watch(model) as tape:
            watched = model(x, mask)
    assert torch.equal(plain, watched)
    matrix = tape[0].matrix
    weights = truth(matrix.query, matrix.key, keep=mask)
    weights = weights.masked_fill(~PADDING[:, None, :, None], 0.0)
    assert torch.allclose(matrix.materialize().double(), weights, rtol=0, atol=1e-6)
    assert matrix.received()[1].sum().item() == pytest.approx(2 * 4, abs=1e-4)


def test_causal_is_aligned_top_left_and_grouped_heads_keep_their_key_heads() -> None:
    query, key, value = noise(1, 4, 3, 8), noise(1, 2, 6, 8, seed=2), noise(1, 2, 6, 8, seed=3)
    model = Call()
    with watch(model) as tape:
        watched = model(query, key, value, is_causal=True, enable_gqa=True, scale=0.5)
    plain = F.scaled_dot_product_attention(
        query, key, value, is_causal=True, enable_gqa=True, scale=0.5
    )
    assert torch.equal(plain, watched)
    keep = torch.ones(3, 6, dtype=torch.bool).tril()
    weights = truth(query, key, keep=keep, scale=0.5)
    assert torch.allclose(tape[0].matrix.materialize().double(), weights, rtol=0, atol=1e-6)
    assert tape[0].matrix.key.shape == (1, 2, 6, 8)


@pytest.mark.parametrize("lead", [(), (4,), (2, 3, 2)], ids=["2-D", "3-D", "5-D"])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("keep", [Keep(), SUMMARY], ids=["matrix", "summary"])
def test_inputs_of_other_ranks(lead: tuple[int, ...], masked: bool, keep: Keep) -> None:
    query, key, value = (noise(*lead, n, 8, seed=s) for n, s in ((5, 1), (7, 2), (7, 3)))
    mask = BOOL[0, 0].expand(*lead, Q, K) if masked else None
    model = Call()
    with torch.no_grad():
        with watch(model, keep) as tape:
            watched = model(query, key, value, mask)
        plain = F.scaled_dot_product_attention(query, key, value, mask)
    assert watched.shape == plain.shape
    assert torch.allclose(plain, watched, rtol=0, atol=1e-5)
    heads = lead[-1] if len(lead) == 3 else 1
    keep_mask = BOOL[0, 0] if masked else None
    weights = truth(query.reshape(-1, heads, Q, 8), key.reshape(-1, heads, K, 8), keep=keep_mask)
    expected = weights.sum(2)
    received = tape[0].summary.received if keep is SUMMARY else tape[0].matrix.received()
    assert torch.allclose(received.double(), expected, rtol=0, atol=1e-5)


def test_dropout_runs_the_models_own_kernel_and_the_statistics_are_without_it() -> None:
    model, x = seeded(lambda: TimmAttention(dropout=0.5)).train(), noise(1, 6, 16)
    torch.manual_seed(3)
    plain = model(x)
    torch.manual_seed(3)
    with watch(model, Keep(statistics=Statistics())) as tape:
        watched = model(x)
    assert torch.equal(plain, watched)
    weights = truth(tape[0].matrix.query, tape[0].matrix.key)
    assert torch.allclose(tape[0].summary.received.double(), weights.sum(2), rtol=0, atol=1e-5)


def test_autocast_keeps_what_the_kernel_saw() -> None:
    model, x = seeded(TimmAttention), noise(1, 6, 16)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        plain = model(x)
        with watch(model, Keep(statistics=Statistics())) as tape:
            watched = model(x)
    assert torch.equal(plain, watched)
    assert tape[0].matrix.query.dtype == torch.bfloat16
    weights = truth(tape[0].matrix.query, tape[0].matrix.key)
    assert torch.allclose(tape[0].summary.received.double(), weights.sum(2), rtol=0, atol=1e-4)


def test_cross_attention_is_told_from_self_attention() -> None:
    model, x = seeded(Perceiver), noise(2, 9, 16)
    with watch(model) as tape:
        model(x)
    assert [(site.name, site.kind) for site in tape.sites] == [("read", "cross"), ("think", "self")]
    with watch(model) as tape:
        model(noise(2, 4, 16))  # as many inputs as latents
    assert [site.kind for site in tape.sites] == ["cross", "self"]


def test_a_shared_module_gets_a_numbered_site_each_time() -> None:
    layer = seeded(TimmAttention)
    model = nn.Sequential(layer, layer, layer)
    with watch(model) as tape:
        model(noise(1, 4, 16))
    assert [site.name for site in tape.sites] == ["0", "0#2", "0#3"]
    assert tape["0#2"].matrix is not tape["0"].matrix
