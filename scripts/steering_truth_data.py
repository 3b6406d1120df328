"""The data that scripts/steering_truth.py shows to small models, where they can be had."""

import gzip
import json
import os
from pathlib import Path

import numpy as np
import torch

from zhuyi.recipes.reviews import sst2
from zhuyi.testing.steering import decoy_patches, distractor


def mnist() -> decoy_patches.Pictures | None:
    """5,000 handwritten digits in any order, or None without the file."""
    path = _folder() / "mnist_5k.csv.gz"
    if not path.is_file():
        return None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        table = torch.from_numpy(np.loadtxt(file, delimiter=",", dtype=np.float32))
    table = table[torch.randperm(len(table), generator=torch.Generator().manual_seed(0))]
    pixels = table[:, :-1].reshape(-1, decoy_patches.SIDE, decoy_patches.SIDE) / 255
    return decoy_patches.Pictures(pixels=pixels, labels=table[:, -1].long())


def reviews() -> distractor.Corpus | None:
    """Film reviews of SST-2, each beside a sentence of a paper's abstract (SciTLDR), or None."""
    path = _folder() / "scitldr_a_train.jsonl.gz"
    if not path.is_file():
        return None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        sentences = [one for line in file for one in json.loads(line)["source"]]
    parts = {name: sst2(name) for name in ("train", "dev", "test")}
    train, dev, test = (
        [(text, int(label)) for text, label in zip(one.sentences, one.labels, strict=True)]
        for one in parts.values()
    )
    generator = torch.Generator().manual_seed(0)
    return distractor.corpus(train, [*dev, *test], sentences, generator)


def _folder() -> Path:
    return Path(os.environ.get("ZHUYI_DATA", ""))
