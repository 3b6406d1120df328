"""The demo's classifier: the pretrained MiniLM with trained biases and a head laid over it.

`sentiment.safetensors` holds what scripts/sentiment_model.py trained on SST-2: 179,330 numbers in
half precision. That script prints 0.8555 as the share of right decisions on the development set.
"""

import json
import shutil
from importlib.resources import as_file, files
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

LABELS = ("negative", "positive")
_KEPT = ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json")


def write_model(pretrained: Path, folder: Path) -> Path:
    """Write the classifier as a model folder that `zhuyi audit` and transformers load.

    Args:
        pretrained: the folder of all-MiniLM-L6-v2.
        folder: where to; made where it is missing.
    Returns: `folder`.
    Cost:    a file of 90 MB.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in _KEPT:
        if (pretrained / name).is_file():
            shutil.copyfile(pretrained / name, folder / name)
    config = json.loads((pretrained / "config.json").read_text(encoding="utf-8"))
    config |= {
        "architectures": ["BertForSequenceClassification"],
        "id2label": {str(index): label for index, label in enumerate(LABELS)},
        "label2id": {label: index for index, label in enumerate(LABELS)},
    }
    (folder / "config.json").write_text(json.dumps(config, indent=1), encoding="utf-8")
    weights = load_file(pretrained / "model.safetensors")
    tensors = {
        name if name.startswith("bert.") else f"bert.{name}": t for name, t in weights.items()
    }
    with as_file(files("zhuyi.ui.demo_model").joinpath("sentiment.safetensors")) as file:
        tensors |= {name: tensor.to(torch.float32) for name, tensor in load_file(file).items()}
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    return folder
