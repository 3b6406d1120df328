"""The architecture families of the zoo; a line added here is run, judged and put in the table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

Status = Literal["supported", "partly", "refused"]
Inputs = Callable[[torch.Generator], dict[str, torch.Tensor]]


@dataclass(frozen=True, kw_only=True)
class Family:
    """One architecture.

    Args:
        name: `model_type` of its configuration.
        group: what it reads.
        expected: what the watch should make of it.
        overrides: options of its configuration beside the tiny sizes.
        inputs: further inputs, made from a generator.
        long: left out of the quick run.
        remark: for the table.
        sink_outside: its eager function reports weights before the sink takes its share.
    """

    name: str
    group: str
    expected: Status = "supported"
    overrides: dict[str, Any] = field(default_factory=dict)
    inputs: Inputs | None = None
    long: bool = False
    remark: str = ""
    sink_outside: bool = False


def _families(group: str, names: str, **options: Any) -> list[Family]:
    return [Family(name=name, group=group, **options) for name in names.split()]


ENCODERS = """albert bert bert-generation camembert data2vec-text distilbert dpr electra ernie
    eurobert gte jina_embeddings_v3 layoutlm markuplm mobilebert modernbert nomic_bert
    roberta roberta-prelayernorm roc_bert splinter xlm-roberta xlm-roberta-xl"""
DECODERS = """apertus arcee biogpt bitnet cohere cohere2 ctrl diffllama exaone4 gemma gemma2
    gemma3_text glm glm4 gpt2 gpt_bigcode gpt_neox gpt_oss granite helium llama ministral3 mistral
    mixtral modernbert-decoder nanochat olmo olmo2 olmo3 olmoe opt persimmon phi phi3 qwen2
    qwen2_moe qwen3 qwen3_moe smollm3 stablelm starcoder2 vaultgemma"""
MORE_DECODERS = """afmoe aria_text cohere2_moe cwm deepseek_v4 doge ernie4_5 ernie4_5_moe
    exaone_moe falcon_h1 flex_olmo gemma4_text glm4_moe granitemoe granitemoeshared
    jais2 jetmoe lfm2 mimo_v2_flash minimax_m2 openai_privacy_filter phimoe seed_oss solar_open
    hyperclovax"""
ENCODER_DECODERS = """bart blenderbot blenderbot-small m2m_100 marian mbart mt5 pegasus
    plbart switch_transformers t5 t5gemma umt5 nllb-moe"""
VISION = """beit clip_vision_model deit dinov2 dinov2_with_registers dinov3_vit dpt ijepa
    mlcd_vision_model pixio vit vit_mae vit_msn yolos"""
CONTRASTIVE = """clip chinese_clip altclip clipseg siglip metaclip_2 owlvit"""
SPEECH = """data2vec-audio hubert moonshine seamless_m4t seamless_m4t_v2 sew unispeech
    unispeech-sat wav2vec2 wav2vec2-conformer whisper"""
MULTIMODAL = """aria clip_text_model florence2 fuyu gemma3 idefics2 idefics3 internvl janus
    kosmos-2.5 llama4 llava llava_next mistral3 mllama paligemma qwen2_audio qwen3_vl smolvlm
    video_llava voxtral"""

REFUSED_TEXT = """big_bird bloom canine convbert cpmant deberta deberta-v2 falcon_mamba flaubert
    fnet fsmt gpt_neox_japanese ibert led longformer mamba megatron-bert mpnet mpt mra mvp
    nystromformer openai-gpt prophetnet rembert roformer rwkv squeezebert tapas visual_bert xglm xlm
    xlnet yoso"""
REFUSED_OTHER = """cvt focalnet git imagegpt mobilevit poolformer regnet resnet sew-d swiftformer
    vitdet vits"""


def _tensor(name: str, *shape: int) -> Inputs:
    return lambda g: {name: torch.randn(*shape, generator=g)}


def _series(g: torch.Generator) -> dict[str, torch.Tensor]:
    past, future = (2, 15), (2, 4)
    return {
        "past_values": torch.rand(past, generator=g),
        "past_time_features": torch.rand(*past, 1, generator=g),
        "past_observed_mask": torch.ones(past),
        "future_values": torch.rand(future, generator=g),
        "future_time_features": torch.rand(*future, 1, generator=g),
    }


IMAGE = _tensor("pixel_values", 2, 3, 16, 16)
LARGE_IMAGE = _tensor("pixel_values", 2, 3, 64, 64)
VIDEO = _tensor("pixel_values", 2, 2, 3, 16, 16)
WINDOWS = {
    "embed_dim": 16,
    "depths": [1, 2],
    "num_heads": [2, 4],
    "window_size": 2,
    "image_size": 16,
    "patch_size": 2,
}
MROPE = {"rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [1, 1, 2]}}
SERIES = {"prediction_length": 4, "context_length": 8, "num_time_features": 1}
LATENT = {"head_dim": 4, "num_key_value_heads": 4}
SINK = "eager reports its weights before the sink takes its share, the tape after"

SPECIAL: tuple[Family, ...] = (
    *_families("text decoder", "deepseek_v3 minicpm3 mistral4", overrides=LATENT),
    *_families("text decoder", "qwen2_vl_text qwen2_5_vl_text", overrides=MROPE),
    *_families(
        "text decoder",
        "qwen3_next qwen3_5_text",
        expected="partly",
        overrides={"num_hidden_layers": 4},
    ),
    *_families("text decoder", "gptj codegen", expected="refused", overrides={"rotary_dim": 4}),
    Family(
        name="gpt_neo",
        group="text decoder",
        expected="refused",
        overrides={"attention_types": [[["global", "local"], 1]]},
    ),
    Family(name="nemotron", group="text decoder", overrides={"num_key_value_heads": 2}),
    Family(name="falcon", group="text decoder"),
    *_families("text decoder", "granite_swa granitemoe_swa", sink_outside=True, remark=SINK),
    Family(
        name="inkling2_text",
        group="text decoder",
        expected="partly",
        remark="its sink differs from query to query",
    ),
    *_families("text decoder", "minimax olmo_hybrid", expected="partly"),
    *_families("encoder-decoder", "bigbird_pegasus longt5 pegasus_x", expected="partly"),
    Family(name="esm", group="text encoder", overrides={"vocab_size": 64}),
    Family(name="xmod", group="text encoder", overrides={"default_language": "en_XX"}),
    Family(
        name="perceiver",
        group="multimodal",
        expected="refused",
        inputs=_tensor("inputs", 2, 12, 32),
        overrides={
            "num_latents": 6,
            "d_latents": 32,
            "num_self_attention_heads": 4,
            "num_cross_attention_heads": 4,
            "num_self_attends_per_block": 2,
        },
    ),
    *_families("multimodal", CONTRASTIVE, inputs=IMAGE),
    *_families("multimodal", "blip flava", expected="refused", inputs=IMAGE),
    *_families("vision", "data2vec-vision sam_vision_model aimv2_vision_model"),
    *_families("vision", "siglip_vision_model"),
    Family(name="swin", group="vision", overrides=WINDOWS),
    *_families(
        "vision", "donut-swin maskformer-swin swinv2", expected="refused", overrides=WINDOWS
    ),
    Family(
        name="segformer",
        group="vision",
        inputs=LARGE_IMAGE,
        overrides={"hidden_sizes": [8, 8, 16, 16], "num_attention_heads": [1, 2, 2, 4]},
    ),
    Family(name="pvt_v2", group="vision", expected="refused", inputs=LARGE_IMAGE),
    *_families("vision", "videomae vivit", inputs=VIDEO),
    Family(name="timesformer", group="vision", expected="refused", inputs=VIDEO),
    Family(name="wavlm", group="speech"),
    Family(
        name="wav2vec2-bert",
        group="speech",
        inputs=_tensor("input_features", 2, 20, 16),
        overrides={"feature_projection_input_dim": 16},
    ),
    Family(
        name="speech_to_text",
        group="speech",
        inputs=_tensor("input_features", 2, 40, 16),
        overrides={"input_feat_per_channel": 16, "conv_channels": 16},
    ),
    Family(name="time_series_transformer", group="time series", overrides=SERIES, inputs=_series),
    Family(
        name="informer", group="time series", expected="partly", overrides=SERIES, inputs=_series
    ),
)

FAMILIES: tuple[Family, ...] = (
    *_families("text encoder", ENCODERS),
    *_families("text decoder", DECODERS),
    *_families("text decoder", MORE_DECODERS),
    *_families("encoder-decoder", ENCODER_DECODERS),
    *_families("vision", VISION),
    *_families("speech", SPEECH),
    *_families("multimodal", MULTIMODAL),
    *SPECIAL,
    *_families("text", REFUSED_TEXT, expected="refused"),
    *_families("vision or speech", REFUSED_OTHER, expected="refused"),
)
