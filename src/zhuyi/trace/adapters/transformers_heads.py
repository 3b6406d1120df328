"""From a Hugging Face model's class and configuration to what it decides and where it reads it."""

import inspect
from collections.abc import Sequence
from typing import Any, Literal, get_args

from torch import nn

from zhuyi.errors import InputError
from zhuyi.trace.adapters.transformers_decisions import (
    ClassDecision,
    Decision,
    KeptEmbedding,
    NextToken,
    Similarity,
)
from zhuyi.trace.adapters.transformers_image import ImageReader
from zhuyi.trace.adapters.transformers_text import TextReader, Tokenizer
from zhuyi.trace.readout import FirstRow, LastRow, MeanRows, MeasuredRows, Readout

Task = Literal[
    "text-classification", "image-classification", "next-token", "similarity", "embedding"
]
TASKS: tuple[str, ...] = get_args(Task)

# Encoders whose sequence classification head reads the first position, checked in their source.
_FIRST = frozenset(
    {
        *("albert", "bert", "big_bird", "camembert", "convbert", "data2vec-text", "deberta"),
        *("deberta-v2", "distilbert", "electra", "ernie", "esm", "ibert", "layoutlm", "luke"),
        *("megatron-bert", "mobilebert", "mpnet", "nystromformer", "rembert", "roberta"),
        *("roberta-prelayernorm", "roformer", "squeezebert", "xlm-roberta", "xlm-roberta-xl"),
        *("xmod", "yoso"),
    }
)
# Vision transformers with one position a patch: names of the positions in front of the patches.
_LEADING: dict[str, tuple[str, ...]] = {
    "vit": ("[CLS]",),
    "vit_msn": ("[CLS]",),
    "deit": ("[CLS]", "[DISTILL]"),
    "beit": ("[CLS]",),
    "data2vec-vision": ("[CLS]",),
    "dinov2": ("[CLS]",),
    "dinov2_with_registers": ("[CLS]",),
    "ijepa": (),
    "siglip": (),
    "clip": ("[CLS]",),
}


def task_of(architectures: Sequence[str], name: str) -> Task:
    """The task that a checkpoint's architectures were trained for.

    Raises: InputError: if they tell nothing that can be explained here.
    """
    for architecture in architectures:
        if architecture.endswith("ForSequenceClassification"):
            return "text-classification"
        if "ForImageClassification" in architecture:
            return "image-classification"
        if architecture.endswith(("ForCausalLM", "LMHeadModel")):
            return "next-token"
        if architecture.endswith(("Model", "ForMaskedLM", "ForPreTraining")):
            return "embedding"
    listed = ", ".join(architectures) or "no architecture"
    raise InputError(f"{name} names {listed}, which gives no task: pass task= one of {TASKS}")


def decision_of(
    model: nn.Module, task: Task, processor: Any, readout: Readout | None
) -> tuple[Decision, Readout]:
    """What the model decides in this task, and the query rows it reads that from."""
    config: Any = model.config
    if task == "next-token":
        labels = _vocabulary(processor, config.get_text_config().vocab_size)
        selects = "logits_to_keep" in accepted(model)
        return NextToken(labels=labels, selects=selects), readout or LastRow()
    if task in ("similarity", "embedding"):
        pooling = readout or MeanRows()
        if isinstance(pooling, MeasuredRows):
            raise InputError(f"task {task!r} has to know how rows are pooled: pass readout=")
        kind = Similarity if task == "similarity" else KeptEmbedding
        return kind(pooling=pooling), pooling
    decision = _classes(model, config)
    if readout is None:
        image = task == "image-classification"
        readout = _image_readout(config) if image else _text_readout(config, decision)
    return decision, readout


def reader_of(model: nn.Module, task: Task, processor: Any) -> TextReader | ImageReader:
    """How inputs of this task become what the model takes."""
    config: Any = model.config
    if task == "image-classification":
        return _image_reader(config, processor)
    if processor is None:
        raise InputError(f"task {task!r} needs a tokenizer: pass one beside the model")
    return TextReader(
        processor,
        limit=_limit(config.get_text_config(), processor),
        per_input=2 if task == "similarity" else 1,
        accepts=accepted(model),
    )


def accepted(model: nn.Module) -> frozenset[str]:
    """Names of the keyword arguments that a model's forward takes."""
    return frozenset(inspect.signature(model.forward).parameters)


def _classes(model: nn.Module, config: Any) -> ClassDecision:
    names: dict[int, str] = config.id2label
    labels = tuple(str(names.get(index, "")) for index in range(config.num_labels))
    if len(labels) == 1:
        labels = (f"not {labels[0]}", labels[0])
    text = config.get_text_config()
    # Decoder classifiers call their head `score` and look for the last token themselves; fed with
    # embeddings, or without a padding token, they look in the wrong place.
    decoder = isinstance(getattr(model, "score", None), nn.Linear)
    return ClassDecision(
        labels=labels,
        independent=config.problem_type == "multi_label_classification",
        score="score" if decoder else None,
        padding=getattr(text, "pad_token_id", None) if decoder else None,
    )


def _text_readout(config: Any, decision: ClassDecision) -> Readout:
    if decision.score is not None:
        return LastRow()
    if config.model_type == "modernbert":
        return FirstRow() if config.classifier_pooling == "cls" else MeanRows()
    return FirstRow() if config.model_type in _FIRST else MeasuredRows()


def _image_readout(config: Any) -> Readout:
    kind = config.model_type
    if kind in ("vit", "vit_msn"):
        return FirstRow()
    if kind in ("beit", "data2vec-vision"):
        return MeanRows(first=1) if config.use_mean_pooling else FirstRow()
    if kind in ("siglip", "ijepa"):
        return MeanRows()
    return MeanRows(first=1) if kind == "clip" else MeasuredRows()


def _image_reader(config: Any, processor: Any) -> ImageReader:
    kind = config.model_type
    if kind not in _LEADING:
        raise InputError(
            f"image models of type {kind!r} do not have one position a patch of the image; "
            f"types that do: {', '.join(sorted(_LEADING))}"
        )
    vision = getattr(config, "vision_config", config)
    leading = _LEADING[kind]
    if kind == "dinov2_with_registers":
        leading += tuple(f"[REG{index}]" for index in range(config.num_register_tokens))
    return ImageReader(
        processor=processor,
        image_size=_two(vision.image_size),
        patch_size=_two(vision.patch_size),
        leading=leading,
        channels=vision.num_channels,
    )


def _two(size: int | Sequence[int]) -> tuple[int, int]:
    return (size, size) if isinstance(size, int) else (size[0], size[1])


def _limit(config: Any, tokenizer: Tokenizer) -> int | None:
    """The most tokens that fit, or None where nothing is said."""
    limits = [tokenizer.model_max_length]
    for name in ("max_position_embeddings", "n_positions"):
        positions = getattr(config, name, None)
        if isinstance(positions, int) and positions > 0:
            limits.append(positions)
    # The RoBERTa family counts positions from the padding id on, so its last ones are not there.
    if config.model_type in ("roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "mpnet"):
        limits.append(config.max_position_embeddings - (config.pad_token_id or 0) - 1)
    least = min(limits)
    return least if least < 10**9 else None


def _vocabulary(tokenizer: Any, size: int) -> tuple[str, ...]:
    if tokenizer is None:
        raise InputError("task 'next-token' needs a tokenizer: pass one beside the model")
    known = min(size, len(tokenizer))
    names: list[str] = tokenizer.convert_ids_to_tokens(list(range(known)))
    return tuple(name or "" for name in names) + ("",) * (size - known)
