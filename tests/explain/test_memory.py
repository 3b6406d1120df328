"""Received, Rollout and GradientAttention never hold an L x L array."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from tests.trace.subject_models import bert_tokenizer, built, transformers
from zhuyi.core import AttentionMatrix, Mask
from zhuyi.explain import GradientAttention, Received, Rollout, ValueNorm
from zhuyi.explain.gradient_attention import carried
from zhuyi.explain.rollout import roll_out
from zhuyi.trace.adapters.transformers_subject import TransformersSubject

LENGTH = 2048  # a tile of two heads has a quarter of LENGTH ** 2 numbers


class Largest(TorchDispatchMode):
    """Remembers the most elements that any operation's result had storage for."""

    def __init__(self) -> None:
        super().__init__()
        self.elements = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                held = leaf.untyped_storage().nbytes() // leaf.element_size()
                self.elements = max(self.elements, held)
        return result


def long_subject() -> TransformersSubject:
    config = transformers.BertConfig(
        vocab_size=len(bert_tokenizer()),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=LENGTH,
    )
    tokenizer = bert_tokenizer()
    tokenizer.model_max_length = LENGTH
    return TransformersSubject(built(transformers.BertForSequenceClassification, config), tokenizer)


@pytest.mark.parametrize("method", [Received(), Rollout(), GradientAttention(), ValueNorm()])
def test_no_array_has_a_number_for_every_pair_of_positions(method: Any) -> None:
    subject = long_subject()
    text = "fox " * (LENGTH - 2)
    with Largest() as seen:
        found = method(subject, [text])
    assert found.values.shape == (1, LENGTH)
    assert found.values.min() >= 0
    assert 0 < seen.elements < LENGTH * LENGTH / 2


def test_the_watch_sees_a_dense_matrix() -> None:
    """The broken twin: the dense product would be caught."""
    matrix = AttentionMatrix(torch.randn(1, 1, LENGTH, 4), torch.randn(1, 1, LENGTH, 4))
    with Largest() as seen:
        matrix.materialize()
    assert seen.elements >= LENGTH * LENGTH


@pytest.mark.parametrize("causal", [False, True])
def test_16k_positions_fit(causal: bool) -> None:
    """One row out of 16,384 positions, where dense float32 would take 1 GB a head."""
    length = 16_384
    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, 1, 1, length, 8, generator=generator)
    matrix = AttentionMatrix(query, key, mask=Mask.causal() if causal else None)
    row = torch.zeros(1, length)
    row[0, -1] = 1.0
    with Largest() as seen:
        found = roll_out([matrix], row)
        step = carried(matrix, value, value, row)
    assert seen.elements < length * 1024
    weights = torch.softmax(query[0, 0, -1] @ key[0, 0].T / 8**0.5, 0)
    torch.testing.assert_close(found[0], weights / 2 + row[0] / 2, atol=1e-6, rtol=0)
    change = value[0, 0, -1] @ value[0, 0].T
    torch.testing.assert_close(step[0], (weights * change).relu(), atol=1e-5, rtol=0)


ALONE = """
from pathlib import Path
import torch
from zhuyi.core import AttentionMatrix
from zhuyi.explain.rollout import roll_out

def status(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))

torch.manual_seed(0)
matrices = [AttentionMatrix(*torch.randn(2, 1, 12, 16384, 32)) for _ in range(2)]
row = torch.zeros(1, 16384)
row[0, 0] = 1.0
Path("/proc/self/clear_refs").write_text("5")  # sets the high-water mark back
before = status("VmRSS")
found = roll_out(matrices, row)
assert abs(float(found.sum()) - 1.0) < 1e-3
print(status("VmHWM") - before)
"""


@pytest.mark.long
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux's /proc")
def test_rollout_over_16k_tokens_takes_less_than_a_gigabyte() -> None:
    """As the process's own memory says it, where one layer's dense weights take 12 GB."""
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 1_000_000
