"""What does watching cost a whole transformer?"""

import copy
from collections.abc import Callable

import torch
from transformers import BertConfig, BertModel, LlamaConfig, LlamaModel

from benchmarks.measure import Row, ratio, save
from zhuyi import Statistics, watch
from zhuyi.trace import Keep

QUESTION = "a whole model watched, against the same model with plain SDPA"
NOTE = (
    "Where the eager model itself takes less than 2.5 times the plain one (its own row says), "
    "no summary could be 2.5 times faster than it, however cheap: at 8 x 512 the linear maps "
    "dominate, and how much eager adds depends on what its large arrays cost the allocator."
)
SUMMARY = Keep(matrix=False, statistics=Statistics())


def encoder() -> BertModel:
    """Six layers, width 384, 12 heads: MiniLM's shape, random weights."""
    config = BertConfig(
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        max_position_embeddings=2048,
    )
    return BertModel(config).eval()


def decoder() -> LlamaModel:
    """Eight layers, width 512, 8 query heads over 2 key heads."""
    config = LlamaConfig(
        hidden_size=512,
        num_hidden_layers=8,
        num_attention_heads=8,
        num_key_value_heads=2,
        intermediate_size=1376,
        vocab_size=1000,
        max_position_embeddings=4096,
        use_cache=False,
    )
    return LlamaModel(config).eval()


def main() -> None:
    """Keep matrices, keep a summary, and the eager way, each against the plain model."""
    torch.manual_seed(0)
    cases = (
        ("encoder 8 x 512", encoder(), 8, 512, 9),
        ("encoder 1 x 2048", encoder(), 1, 2048, 9),
        ("decoder 1 x 4096", decoder(), 1, 4096, 5),
    )
    rows: list[Row] = []
    for name, model, batch, length, rounds in cases:
        tokens = torch.randint(999, (batch, length))
        rows.extend(_case(name, model, tokens, rounds))
    save("whole_model", QUESTION, rows, NOTE)


def _case(name: str, model: torch.nn.Module, tokens: torch.Tensor, rounds: int) -> list[Row]:
    slow = copy.deepcopy(model)
    slow.set_attn_implementation("eager")
    with torch.inference_mode():
        plain = lambda: model(tokens)  # noqa: E731 - a name for the three comparisons below
        kept, summary = _watched(model, tokens, Keep()), _watched(model, tokens, SUMMARY)
        eager = lambda: slow(tokens, output_attentions=True)  # noqa: E731
        most = Statistics(entropy=True, max=True, topk=8, pooled=64)
        full = _watched(model, tokens, Keep(matrix=False, statistics=most))
        return [
            ratio(f"{name}, keeping matrices", kept, plain, bar=1.05, rounds=rounds),
            ratio(f"{name}, summary (received)", summary, plain, bar=1.3, rounds=rounds),
            ratio(
                f"{name}, summary: times faster than eager with output_attentions",
                summary,
                eager,
                bar=2.5,
                at_least=True,
                rounds=rounds,
                inverse=True,
            ),
            ratio(f"{name}, summary (all five)", full, plain, rounds=rounds),
            ratio(f"{name}, eager with output_attentions", eager, plain, rounds=rounds),
        ]


def _watched(model: torch.nn.Module, tokens: torch.Tensor, keep: Keep) -> Callable[[], object]:
    def run() -> object:
        with watch(model, keep=keep) as tape:
            model(tokens)
        return tape

    return run


if __name__ == "__main__":
    main()
