"""Load a Hugging Face model with what reads its inputs: safetensors only, no foreign code."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import nn

from zhuyi.errors import InputError
from zhuyi.trace.adapters.transformers_heads import TASKS, Task, task_of
from zhuyi.trace.readout import FirstRow, LastRow, MeanRows, Readout

_POOLINGS: dict[str, Readout] = {"cls": FirstRow(), "mean": MeanRows(), "lasttoken": LastRow()}
_HEADED = ("text-classification", "image-classification", "next-token")


@dataclass(frozen=True)
class Parts:
    """What a checkpoint gives."""

    model: nn.Module
    processor: Any
    task: Task
    readout: Readout | None


def load_parts(path_or_name: str, task: Task | None) -> Parts:
    """Load model, tokenizer or image processor, task and pooling of a checkpoint.

    Raises: InputError: one line that says what is missing.
    """
    if task is not None and task not in TASKS:
        raise InputError(f"task must be one of {', '.join(TASKS)}, got {task!r}")
    _check_place(path_or_name)
    try:
        import transformers
    except ModuleNotFoundError:
        raise InputError(
            "loading a model by name needs transformers: pip install 'zhuyi[transformers]'"
        ) from None
    local = Path(path_or_name).is_dir()
    with (
        _quiet(transformers, bars=not local),
        _one_line(f"model {path_or_name!r} cannot be loaded"),
    ):
        config = transformers.AutoConfig.from_pretrained(path_or_name, trust_remote_code=False)
        modules = _json(path_or_name, "modules.json")
    if task is None:
        task = "embedding" if modules else task_of(config.architectures or (), path_or_name)
    sentence = task in ("similarity", "embedding")
    readout = _pooling(path_or_name, modules) if sentence and modules else None
    with _quiet(transformers, bars=not local):
        processor = _processor(transformers, path_or_name, task)
        model = _model(transformers, path_or_name, task, encoder=config.is_encoder_decoder)
    return Parts(model, processor, task, readout)


def _check_place(path_or_name: str) -> None:
    if Path(path_or_name).is_dir():
        if not (Path(path_or_name) / "config.json").is_file():
            raise InputError(f"folder {path_or_name} holds no model: it has no config.json")
        return
    parts = path_or_name.split("/")
    name = all(part and set(part) <= _NAME_CHARACTERS for part in parts)
    if not name or len(parts) > 2 or parts[0].startswith("."):
        raise InputError(f"{path_or_name} is neither a folder here nor a model's name")


_NAME_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def _processor(transformers: Any, path_or_name: str, task: Task) -> Any:
    if task == "image-classification":
        with _one_line(f"model {path_or_name!r} has no image processor"):
            return transformers.AutoImageProcessor.from_pretrained(
                path_or_name, trust_remote_code=False
            )
    with _one_line(f"model {path_or_name!r} has no tokenizer"):
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            path_or_name, trust_remote_code=False
        )
    # transformers 5 builds a tokenizer of nothing but special tokens when the files are missing.
    if len(tokenizer) <= len(tokenizer.all_special_ids):
        raise InputError(f"model {path_or_name!r} has no tokenizer: its vocabulary is missing")
    return tokenizer


def _model(transformers: Any, path_or_name: str, task: Task, *, encoder: bool) -> nn.Module:
    """The model of a task; of an encoder-decoder that embeds, its `encoder` alone."""
    whole = transformers.AutoModelForTextEncoding if encoder else transformers.AutoModel
    classes = {
        "text-classification": transformers.AutoModelForSequenceClassification,
        "image-classification": transformers.AutoModelForImageClassification,
        "next-token": transformers.AutoModelForCausalLM,
        "similarity": whole,
        "embedding": whole,
    }
    with _one_line(f"model {path_or_name!r} cannot be loaded for task {task!r}"):
        loaded = classes[task].from_pretrained(
            path_or_name, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
    model: nn.Module = loaded[0]
    missing = sorted(loaded[1]["missing_keys"])
    if missing and task in _HEADED:
        raise InputError(
            f"model {path_or_name!r} was not trained for task {task!r}: its checkpoint has no "
            f"{missing[0]}" + (f" and {len(missing) - 1} more" if len(missing) > 1 else "")
        )
    return model.eval()


def _pooling(path_or_name: str, modules: Any) -> Readout:
    """The pooling of a sentence-transformers folder."""
    for module in modules:
        kind = str(module["type"]).rpartition(".")[2]
        if kind == "Pooling":
            return _pooling_of(path_or_name, _json(path_or_name, f"{module['path']}/config.json"))
        if kind not in ("Transformer", "Normalize"):
            raise InputError(
                f"model {path_or_name!r} has a {kind} step after its encoder, which is not read "
                "here: load the encoder alone"
            )
    raise InputError(f"model {path_or_name!r} names no Pooling in its modules.json")


def _pooling_of(path_or_name: str, options: Any) -> Readout:
    options = options or {}
    chosen = [
        kind
        for kind, key in (
            ("cls", "pooling_mode_cls_token"),
            ("mean", "pooling_mode_mean_tokens"),
            ("lasttoken", "pooling_mode_lasttoken"),
            ("max", "pooling_mode_max_tokens"),
            ("sqrt", "pooling_mode_mean_sqrt_len_tokens"),
            ("weighted", "pooling_mode_weightedmean_tokens"),
        )
        if options.get(key)
    ] or [str(options.get("pooling_mode", "nothing"))]
    if len(chosen) != 1 or chosen[0] not in _POOLINGS:
        raise InputError(
            f"model {path_or_name!r} pools by {' + '.join(chosen)}; mean, cls and lasttoken are "
            "understood"
        )
    return _POOLINGS[chosen[0]]


def _json(path_or_name: str, name: str) -> Any:
    """A JSON file of the checkpoint, or None when it has no such file."""
    from transformers.utils.hub import cached_file

    found = cached_file(
        path_or_name,
        name,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return None if found is None else json.loads(Path(found).read_text(encoding="utf-8"))


@contextmanager
def _one_line(what: str) -> Iterator[None]:
    """Turn the loader's many exceptions and many lines into one `InputError` of one line."""
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as wrong:
        said = " ".join(str(wrong).split())
        raise InputError(f"{what}: {said[:300] or type(wrong).__name__}") from None


@contextmanager
def _quiet(transformers: Any, *, bars: bool) -> Iterator[None]:
    """No advice on stderr while loading, and `bars` only for a download; put back afterwards."""
    ours = transformers.utils.logging
    level, shown = ours.get_verbosity(), ours.is_progress_bar_enabled()
    hub = logging.getLogger("huggingface_hub")
    hub_level = hub.level
    ours.set_verbosity_error()
    hub.setLevel(logging.ERROR)
    if not bars:
        ours.disable_progress_bar()
    try:
        yield
    finally:
        ours.set_verbosity(level)
        hub.setLevel(hub_level)
        if shown and not bars:
            ours.enable_progress_bar()
