"""Tiny random models of transformers' own architectures: no download, milliseconds to run."""

import inspect
from typing import Any

import torch
import transformers
from torch import nn
from transformers.models.auto.configuration_auto import CONFIG_MAPPING

LENGTH, TARGET, SMALL_IMAGE = 10, 6, 16

SIZES: dict[str, int] = {
    **dict.fromkeys(["vocab_size", "vocab_size_per_layer_input"], 64),
    **dict.fromkeys(["hidden_size", "d_model", "n_embd", "emb_dim", "embed_dim", "dim"], 32),
    **dict.fromkeys(["embedding_size", "shared_intermediate_size"], 32),
    **dict.fromkeys(["num_hidden_layers", "num_layers", "n_layer", "n_layers", "depth"], 2),
    **dict.fromkeys(["encoder_layers", "decoder_layers"], 2),
    **dict.fromkeys(["num_encoder_layers", "num_decoder_layers"], 2),
    **dict.fromkeys(["num_attention_heads", "n_head", "n_heads", "num_heads"], 4),
    **dict.fromkeys(["encoder_attention_heads", "decoder_attention_heads"], 4),
    **dict.fromkeys(["num_experts", "num_local_experts", "n_routed_experts"], 4),
    **dict.fromkeys(["num_key_value_heads", "num_experts_per_tok", "num_frames"], 2),
    **dict.fromkeys(["intermediate_size", "d_ff", "n_inner", "ffn_dim", "ffn_hidden_size"], 48),
    **dict.fromkeys(["encoder_ffn_dim", "decoder_ffn_dim"], 48),
    **dict.fromkeys(["head_dim", "d_kv", "attention_head_size", "kv_channels", "v_head_dim"], 8),
    **dict.fromkeys(["q_lora_rank", "kv_lora_rank", "hidden_size_per_layer_input"], 8),
    **dict.fromkeys(["image_size", "max_image_size", "projection_dim"], SMALL_IMAGE),
    **dict.fromkeys(["moe_intermediate_size", "expert_intermediate_size"], 16),
    **dict.fromkeys(["shared_expert_intermediate_size", "num_mel_bins"], 16),
    **dict.fromkeys(["patch_size", "sliding_window", "qk_rope_head_dim", "qk_nope_head_dim"], 4),
    **dict.fromkeys(["max_position_embeddings", "n_positions"], 64),
    **dict.fromkeys(["max_source_positions", "max_target_positions"], 64),
    **dict.fromkeys(["n_group", "topk_group", "first_k_dense_replace", "bos_token_id"], 1),
    **dict.fromkeys(["eos_token_id", "type_vocab_size"], 2),
    "pad_token_id": 0,
    "decoder_start_token_id": 1,
    "num_channels": 3,
}


def tiny_config(kind: type[Any], overrides: dict[str, Any]) -> Any:
    """A configuration whose sizes are those of `SIZES` wherever it has them."""
    default = kind()
    plain = default.to_dict()
    options: dict[str, Any] = {}
    for name, size in SIZES.items():
        if name in getattr(kind, "attribute_map", {}):
            continue
        current = plain.get(name)
        number = isinstance(current, int) and not isinstance(current, bool)
        if number or (current is None and name == "pad_token_id"):
            options[name] = size
    for name in getattr(kind, "sub_configs", {}):
        current = getattr(default, name, None)
        if current is not None:
            inner = overrides.get(name, {})
            options[name] = tiny_config(type(current), inner).to_dict()
    own = {k: v for k, v in overrides.items() if k not in getattr(kind, "sub_configs", {})}
    return kind(**{**options, **own})


def tiny_model(name: str, overrides: dict[str, Any]) -> nn.Module:
    """A random model in eval mode; weights so large that attention is far from uniform."""
    model = transformers.AutoModel.from_config(tiny_config(CONFIG_MAPPING[name], overrides)).eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() >= 2:
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.25)
    return model


def tiny_inputs(model: nn.Module) -> dict[str, torch.Tensor]:
    """Two inputs of different lengths, padded, of every kind the model asks for."""
    generator = torch.Generator().manual_seed(0)
    takes = inspect.signature(model.forward).parameters
    main, config = model.main_input_name, model.config
    inputs: dict[str, torch.Tensor] = {}
    if "input_ids" in takes:
        inputs["input_ids"] = torch.randint(3, 60, (2, LENGTH), generator=generator)
        if "attention_mask" in takes:
            inputs["attention_mask"] = _padding(LENGTH, 7)
            inputs["input_ids"][1, 7:] = 0
    if main == "pixel_values" or ("pixel_values" in takes and "input_ids" not in takes):
        size = getattr(config, "image_size", SMALL_IMAGE)
        size = size if isinstance(size, int) else SMALL_IMAGE
        channels = getattr(config, "num_channels", None) or 3
        inputs["pixel_values"] = torch.randn(2, channels, size, size, generator=generator)
    if main == "input_values":
        inputs["input_values"] = torch.randn(2, 1000, generator=generator)
        inputs["attention_mask"] = _padding(1000, 700)
    if main == "input_features":
        bins = getattr(config, "num_mel_bins", SIZES["num_mel_bins"])
        inputs["input_features"] = torch.randn(2, bins, 128, generator=generator)
    if "decoder_input_ids" in takes:
        inputs["decoder_input_ids"] = torch.randint(3, 60, (2, TARGET), generator=generator)
        if "decoder_attention_mask" in takes:
            inputs["decoder_attention_mask"] = _padding(TARGET, 4)
    return inputs


def _padding(length: int, second: int) -> torch.Tensor:
    mask = torch.ones(2, length, dtype=torch.long)
    mask[1, second:] = 0
    return mask
