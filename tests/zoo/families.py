"""The architecture families of the zoo; a line added here is run, judged and put in the table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

Status = Literal["supported", "partly", "refused"]


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
    inputs: Callable[[torch.Generator], dict[str, torch.Tensor]] | None = None
    long: bool = False
    remark: str = ""
    sink_outside: bool = False


def _families(group: str, names: str, **options: Any) -> list[Family]:
    return [Family(name=name, group=group, **options) for name in names.split()]


def _image(size: int) -> Callable[[torch.Generator], dict[str, torch.Tensor]]:
    return lambda g: {"pixel_values": torch.randn(2, 3, size, size, generator=g)}


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
SPEECH = """data2vec-audio hubert moonshine seamless_m4t seamless_m4t_v2 sew unispeech
    unispeech-sat wav2vec2 wav2vec2-conformer whisper"""
MULTIMODAL = """aria clip_text_model florence2 fuyu gemma3 idefics2 idefics3 internvl janus kosmos-2.5
    llama4 llava llava_next mistral3 mllama paligemma qwen2_audio qwen3_vl smolvlm
    video_llava voxtral"""

PARTLY = """bigbird_pegasus longt5 minimax mobilebert olmo_hybrid pegasus_x"""
REFUSED_TEXT = """big_bird bloom canine convbert cpmant deberta deberta-v2 falcon_mamba flaubert fnet
    fsmt gpt_neox_japanese ibert led longformer luke mamba megatron-bert mpnet mpt mra mvp
    nystromformer openai-gpt rembert roformer rwkv squeezebert tapas visual_bert xglm xlm yoso"""
REFUSED_OTHER = """cvt focalnet git imagegpt mobilevit poolformer regnet resnet sew-d swiftformer
    vitdet vits"""

FAMILIES: tuple[Family, ...] = (
    *_families("text encoder", ENCODERS),
    *_families("text decoder", DECODERS),
    *_families("text decoder", MORE_DECODERS, long=True),
    *_families("encoder-decoder", ENCODER_DECODERS),
    *_families("vision", VISION),
    *_families("speech", SPEECH),
    *_families("multimodal", MULTIMODAL, long=True),
    *_families("multimodal", "clip chinese_clip altclip clipseg siglip metaclip_2 owlvit", inputs=_image(16)),
    *_families("vision", "data2vec-vision sam_vision_model aimv2_vision_model siglip_vision_model"),
    *_families("speech", "wavlm"),
    *_families("text decoder", "falcon"),
    *_families("text decoder","granite_swa granitemoe_swa", sink_outside=True, remark="eager reports its weights before the sink takes its share, the tape after"),
    *_families("text decoder","inkling2_text", expected="partly",remark="a sink that differs from query to query"),
    *_families("text encoder","xlnet", expected="refused"),
    *_families("encoder-decoder","prophetnet", expected="refused"),
    *_families("multimodal","blip flava", expected="refused",inputs=_image(16)),
    *_families("text", PARTLY, expected="partly"),
    *_families("text", REFUSED_TEXT, expected="refused", long=True),
    *_families("vision or speech", REFUSED_OTHER, expected="refused", long=True),
)
