"""The table of families that read the first position, checked on tiny models of each."""

from typing import Any

import pytest
import torch

from tests.trace.subject_models import bert_tokenizer, transformers
from zhuyi.errors import InputError
from zhuyi.trace.adapters.transformers_heads import _FIRST, task_of
from zhuyi.trace.adapters.transformers_subject import TransformersSubject
from zhuyi.trace.readout import FirstRow

SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 1,
    "num_attention_heads": 4,
    "vocab_size": 64,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "num_labels": 3,
    "pad_token_id": 0,
}
OPTIONS: dict[str, dict[str, Any]] = {
    "distilbert": {"dim": 32, "n_layers": 1, "n_heads": 4, "hidden_dim": 32},
    "mobilebert": {"embedding_size": 16, "intra_bottleneck_size": 32, "true_hidden_size": 32},
    "xmod": {"languages": ["en_XX"], "default_language": "en_XX"},
    "luke": {"entity_vocab_size": 8, "entity_emb_size": 16},
    "albert": {"embedding_size": 16},
    "electra": {"embedding_size": 16},
    "squeezebert": {"embedding_size": 32},
    "esm": {"mask_token_id": 4},
    "rembert": {"input_embedding_size": 16, "output_embedding_size": 16},
}


@pytest.mark.parametrize("family", [*sorted(_FIRST), "modernbert"])
def test_the_decision_depends_on_the_first_row_alone(family: str) -> None:
    config = transformers.AutoConfig.for_model(family, **{**SIZES, **OPTIONS.get(family, {})})
    kind = transformers.AutoModelForSequenceClassification
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = kind.from_config(config).eval()
    subject = TransformersSubject(model, bert_tokenizer())
    assert subject._rows == FirstRow()

    seen: list[torch.Tensor] = []
    model.base_model.register_forward_hook(lambda _, __, out: seen.append(out[0]))
    encoded = subject._encode(["the quick brown fox"])
    logits = model(**encoded.inputs).logits
    (gradient,) = torch.autograd.grad(logits.square().sum(), seen[0])
    rows = gradient.abs().sum((0, 2))
    assert rows[0] > 0
    assert not rows[1:].any()


@pytest.mark.parametrize(
    ("architecture", "task"),
    [
        ("BertForSequenceClassification", "text-classification"),
        ("ViTForImageClassification", "image-classification"),
        ("DeiTForImageClassificationWithTeacher", "image-classification"),
        ("Qwen2ForCausalLM", "next-token"),
        ("GPT2LMHeadModel", "next-token"),
        ("BertModel", "embedding"),
        ("RobertaForMaskedLM", "embedding"),
    ],
)
def test_tasks(architecture: str, task: str) -> None:
    assert task_of((architecture,), "x") == task


def test_no_task() -> None:
    with pytest.raises(InputError, match="x names no architecture, which gives no task"):
        task_of((), "x")
    with pytest.raises(InputError, match="x names BertForTokenClassification, which"):
        task_of(("BertForTokenClassification",), "x")
