"""Tiny random Hugging Face models and tokenizers for the tests of subjects and explanations."""

from typing import Any

import pytest
import torch

transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

WORDS = "the a quick brown fox jump over lazy dog good bad film was not very is it i love hate"
PIECES = ["##s", "##ed", "##ly", "##ing", ".", ",", "!", "'", "注", "意", "力", "很", "重", "要"]
SIZES = {"hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 4}


def vocabulary(*special: str) -> dict[str, int]:
    names = [*special, *WORDS.split(), *PIECES, *"bcefghjklmnopqrstuvwxyz"]
    return {name: index for index, name in enumerate(dict.fromkeys(names))}


def bert_tokenizer() -> Any:
    """WordPiece with [CLS], [SEP] and a mask token, as BERT has it."""
    known = vocabulary("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    inner = tokenizers.Tokenizer(tokenizers.models.WordPiece(known, unk_token="[UNK]"))
    inner.normalizer = tokenizers.normalizers.BertNormalizer(lowercase=True)
    inner.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
    inner.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", known["[CLS]"]), ("[SEP]", known["[SEP]"])],
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=inner,
        model_max_length=32,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
    )


def gpt_tokenizer(*, padding: bool = False) -> Any:
    """Byte-level BPE without merges: every byte is a token; no mask token, <s> in front."""
    alphabet = sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    known = {name: index for index, name in enumerate(["<s>", "<pad>", *alphabet])}
    merges = []
    for pair in (("t", "h"), ("th", "e"), ("Ġ", "q"), ("Ġ", "the"), ("f", "o"), ("fo", "x")):
        known["".join(pair)] = len(known)
        merges.append(pair)
    inner = tokenizers.Tokenizer(tokenizers.models.BPE(vocab=known, merges=merges))
    inner.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = tokenizers.decoders.ByteLevel()
    inner.post_processor = tokenizers.processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 0)]
    )
    extra = {"pad_token": "<pad>"} if padding else {}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", **extra)


def bert(kind: str = "BertForSequenceClassification", **options: Any) -> Any:
    config = transformers.BertConfig(
        vocab_size=len(bert_tokenizer()),
        intermediate_size=32,
        max_position_embeddings=32,
        initializer_range=0.4,
        **{**SIZES, "num_labels": 3, **options},
    )
    return built(getattr(transformers, kind), config)


def llama(kind: str = "LlamaForCausalLM", **options: Any) -> Any:
    """A decoder with grouped heads: 4 query heads on 2 key heads."""
    config = transformers.LlamaConfig(
        vocab_size=len(gpt_tokenizer()),
        intermediate_size=32,
        num_key_value_heads=2,
        max_position_embeddings=64,
        initializer_range=0.4,
        **{**SIZES, "num_labels": 3, **options},
    )
    return built(getattr(transformers, kind), config)


def gpt2(kind: str = "GPT2LMHeadModel", **options: Any) -> Any:
    config = transformers.GPT2Config(
        vocab_size=len(gpt_tokenizer()),
        n_embd=16,
        n_layer=2,
        n_head=4,
        n_positions=48,
        initializer_range=0.4,
        bos_token_id=0,
        eos_token_id=0,
        **{"num_labels": 3, **options},
    )
    return built(getattr(transformers, kind), config)


def vit(**options: Any) -> Any:
    config = transformers.ViTConfig(
        image_size=12, patch_size=4, intermediate_size=32, initializer_range=0.4, **SIZES, **options
    )
    return built(transformers.ViTForImageClassification, config)


def built(kind: Any, config: Any) -> Any:
    """A model of its own random weights, the same in every run."""
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return kind(config).eval()
