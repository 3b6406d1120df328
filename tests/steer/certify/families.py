"""Architecture families under an exact veto: tiny random models of their own kind."""

from typing import Any

import torch
from torch import Tensor

from tests.trace.subject_models import bert_tokenizer
from tests.zoo.tiny import tiny_model

TEXT_FAMILIES = (
    *("bert", "distilbert", "roberta", "albert", "electra", "modernbert"),
    *("gpt2", "gpt_neox", "llama", "qwen2", "mistral", "opt"),
)
#: Wide enough for the texts: the tiny default of 4 lets a window hide what a veto should.
OVERRIDES: dict[str, dict[str, Any]] = {"mistral": {"sliding_window": 64}}


def family(name: str) -> torch.nn.Module:
    return tiny_model(name, OVERRIDES.get(name, {}))


def texts(rows: int, *, length: int = 12, seed: int = 0) -> dict[str, Tensor]:
    """Random token ids of different lengths, padded, each row with something to veto."""
    generator = torch.Generator().manual_seed(seed)
    first = len(bert_tokenizer().all_special_ids)
    ids = torch.randint(first, len(bert_tokenizer()), (rows, length), generator=generator)
    lengths = torch.randint(length - 4, length + 1, (rows,), generator=generator)
    used = torch.arange(length)[None] < lengths[:, None]
    return {"input_ids": torch.where(used, ids, 0), "attention_mask": used.long()}
