"""A fitted estimator as a folder: weights.safetensors and model.json. Nothing is unpickled.

A folder from elsewhere is untrusted: sizes are checked before anything is read whole, the class
comes from a list, names of files are fixed, links are not followed, and every tensor must have the
shape that the schema says.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors
from torch import Tensor

from zhuyi.errors import InputError
from zhuyi.learn.embedding import Inputs
from zhuyi.learn.glass_box import GlassBox, Shape

if TYPE_CHECKING:
    from zhuyi.learn.base import GlassBoxEstimator

FORMAT: Final = "zhuyi.learn"
VERSION: Final = 1
RULED: Final = 2  # with rules: a zhuyi that knows none must refuse it, not leave them out
WEIGHTS, FACTS = "weights.safetensors", "model.json"
_MOST_JSON: Final = 64 * 2**20  # bytes
_LARGEST: Final = {"outputs": 10_000, "width": 4096, "mixing_layers": 64, "num_heads": 64}
_PLAIN: Final = (bool, int, float, str, type(None))
_PAIRS: Final = "pairs"  # JSON's own keys are texts, those of classes may be numbers
_NOT_READ: Final = {"checkpoint"}  # a folder from elsewhere must not name a path
_ARRAYS: Final = ("classes_", "feature_names_in_")


def save(estimator: "GlassBoxEstimator", folder: Path) -> None:
    """Write the folder; see `GlassBoxEstimator.save`."""
    inputs = estimator.inputs_.as_json()
    if len(json.dumps(inputs, ensure_ascii=False)) > _MOST_JSON // 2:
        raise InputError("what the model knows of its inputs is too large to be saved and read")
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: tensor.detach().float().contiguous()
        for name, tensor in estimator.module_.state_dict().items()
    }
    unfinished = folder / f"{WEIGHTS}.part"
    # save_file would leave a file that only its owner can read
    unfinished.write_bytes(save_tensors(tensors))
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "class": type(estimator).__name__,
        "weights_sha256": _digest(unfinished),
        "parameters": _plain_parameters(estimator),
        "inputs": inputs,
        "shape": vars(estimator.module_.shape),
        "state": _state(estimator),
    }
    more = estimator._more_facts()
    if more is not None:
        facts |= {"more": more, "version": RULED}
    text = json.dumps(facts, ensure_ascii=False, indent=1, allow_nan=False)
    (folder / f"{FACTS}.part").write_text(text, encoding="utf-8")
    os.replace(unfinished, folder / WEIGHTS)
    os.replace(folder / f"{FACTS}.part", folder / FACTS)


def load(folder: Path, classes: Mapping[str, "type[GlassBoxEstimator]"]) -> "GlassBoxEstimator":
    """The estimator that `save` wrote.

    Args:
        folder: that holds weights.safetensors and model.json.
        classes: that may be built, by name.
    Returns: the fitted estimator; its decisions are the same bit for bit.
    Raises:  InputError: files that are missing, too large, of another format or version, of a class
        that is not ours, or whose numbers do not fit each other.
    """
    facts = _read_facts(_file(folder, FACTS, _MOST_JSON))
    kind = classes.get(facts["class"])
    if kind is None:
        raise InputError(
            f"model.json names the class {facts['class']!r}: expected one of {sorted(classes)}"
        )
    inputs, shape = kind._inputs_from(facts["inputs"]), _shape(facts["shape"])
    known = kind().get_params(deep=False)
    given = facts["parameters"]
    if not isinstance(given, Mapping) or not set(given) <= set(known) - _NOT_READ:
        raise InputError("model.json has parameters that the class does not know")
    estimator = kind(**{name: _parameter(name, value) for name, value in given.items()})
    _restore(estimator, facts["state"])
    estimator.inputs_ = inputs
    estimator.module_ = _module(folder, inputs, shape, facts["weights_sha256"])
    if not estimator._fits(shape):
        raise InputError("model.json does not fit itself: inputs, labels and shape differ")
    estimator._take_facts(facts.get("more"))
    return estimator


def _file(folder: Path, name: str, most: int) -> Path:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path} must be a file, not a link: name the folder that save() wrote")
    if path.stat().st_size > most:
        raise InputError(f"{path} has {path.stat().st_size:,} bytes, at most {most:,} are read")
    return path


def _read_facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON that can be read: {error}") from None
    needed = {"format", "version", "class", "weights_sha256", "parameters", "inputs", "shape"}
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise InputError(f"{path} is not of the format {FORMAT!r}")
    version = RULED if facts.get("more") is not None else VERSION
    if facts.get("version") != version:
        raise InputError(
            f"{path} has version {facts.get('version')!r}, this zhuyi reads {version}: update it"
        )
    if not (needed | {"state"}) <= set(facts) or not isinstance(facts["class"], str):
        raise InputError(f"{path} lacks {sorted((needed | {'state'}) - set(facts))}")
    return facts


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _shape(data: object) -> Shape:
    fields = set(vars(Shape(outputs=1)))
    if not isinstance(data, Mapping) or set(data) != fields:
        raise InputError("model.json has a shape of other entries")
    for name, most in _LARGEST.items():
        value = data[name]
        least = 0 if name == "mixing_layers" else 1
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InputError(f"{name} of the shape must be within [{least}, {most}], got {value!r}")
    if not isinstance(data["dropout"], float | int) or not 0.0 <= data["dropout"] < 1.0:
        raise InputError("dropout of the shape must be within [0, 1)")
    if data["mixing_layers"] and data["width"] % data["num_heads"]:
        raise InputError("width of the shape must be divisible by num_heads")
    return Shape(**data)


def _module(folder: Path, inputs: Inputs, shape: Shape, digest: object) -> GlassBox:
    with torch.device("meta"):  # nothing is allocated before the file is known to fit
        wanted = GlassBox(inputs, shape, None).state_dict()
    most = sum(4 * tensor.numel() for tensor in wanted.values()) + 2**20
    path = _file(folder, WEIGHTS, most)
    if _digest(path) != digest:
        raise InputError(f"{path} is not the file that model.json was written with")
    try:
        with safe_open(path, framework="pt") as file:
            _check_tensors(file, wanted)
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in wanted}
    except SafetensorError as error:
        raise InputError(f"{path} is no safetensors file: {error}") from None
    if not all(bool(tensor.isfinite().all()) for tensor in tensors.values()):
        raise InputError(f"{path} has weights that are not finite")
    module = GlassBox(inputs, shape, None)
    module.load_state_dict(tensors)
    module = module.double().eval()
    module.requires_grad_(False)
    return module


def _check_tensors(file: Any, wanted: Mapping[str, Tensor]) -> None:
    if set(file.keys()) != set(wanted):
        raise InputError(f"the weights must be {sorted(wanted)}, got {sorted(file.keys())}")
    for name, tensor in wanted.items():
        found = file.get_slice(name)
        if tuple(found.get_shape()) != tuple(tensor.shape) or found.get_dtype() != "F32":
            raise InputError(
                f"the weights {name!r} must be F32 {tuple(tensor.shape)}, got {found.get_dtype()} "
                f"{tuple(found.get_shape())}"
            )


def _plain_parameters(estimator: "GlassBoxEstimator") -> dict[str, Any]:
    """Parameters that are plain values; the others stay at their defaults."""
    plain: dict[str, Any] = {}
    for name, value in estimator.get_params(deep=False).items():
        value = value.item() if isinstance(value, np.generic) else value
        if name != "checkpoint" and isinstance(value, _PLAIN):
            plain[name] = value
        elif isinstance(value, Mapping):
            plain[name] = {_PAIRS: [[_plain(key), _plain(one)] for key, one in value.items()]}
    return plain


def _plain(value: object) -> object:
    value = value.item() if isinstance(value, np.generic) else value
    if not isinstance(value, _PLAIN):
        raise InputError(f"a parameter with {value!r} cannot be saved: use texts and numbers")
    return value


def _parameter(name: str, value: object) -> object:
    """A parameter as it was: pairs are a mapping, whose keys need not be texts."""
    if isinstance(value, _PLAIN):
        return value
    pairs = value.get(_PAIRS) if isinstance(value, Mapping) and len(value) == 1 else None
    if not isinstance(pairs, list) or not all(
        isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, _PLAIN) for one in pair)
        for pair in pairs
    ):
        raise InputError(f"model.json has a parameter {name!r} of the wrong type")
    return dict(pairs)


def _state(estimator: "GlassBoxEstimator") -> dict[str, Any]:
    names = estimator.remembered()
    state = {name: vars(estimator)[name] for name in names if name not in _ARRAYS}
    for name in _ARRAYS:
        if name in vars(estimator):
            array = vars(estimator)[name]
            kind = array.dtype.kind
            if kind not in "biufUO" or (kind == "O" and not _all_texts(array)):
                raise InputError(
                    f"{name} of type {array.dtype} cannot be saved: use text or numbers"
                )
            state[name] = {"dtype": "O" if kind == "O" else array.dtype.str, "list": array.tolist()}
    return state


def _all_texts(array: Any) -> bool:
    return all(isinstance(entry, str) for entry in array.tolist())


def _restore(estimator: "GlassBoxEstimator", state: object) -> None:
    needed = set(estimator.remembered())
    if not isinstance(state, Mapping) or set(state) - {"feature_names_in_"} != needed:
        raise InputError("model.json has a state of other entries than the class")
    for name, value in state.items():
        if name in _ARRAYS:
            setattr(estimator, name, _array(name, value))
        elif isinstance(value, list):
            setattr(estimator, name, _numbers(name, value))
        elif isinstance(value, _PLAIN):
            setattr(estimator, name, value)
        else:
            raise InputError(f"model.json has a state {name!r} of the wrong type")
    estimator.validation_rows_ = np.empty(0, np.int64)


def _numbers(name: str, value: list[Any]) -> Any:
    """A list of numbers as a tuple of them, a list of pairs (the history) as a list of tuples."""
    flat = [one for entry in value for one in (entry if isinstance(entry, list) else [entry])]
    if not all(one is None or isinstance(one, int | float) for one in flat):
        raise InputError(f"model.json has a state {name!r} that are no numbers")
    if name == "history_":
        return [tuple(entry) if isinstance(entry, list) else (entry,) for entry in value]
    return tuple(value)


def _array(name: str, value: object) -> Any:
    if not isinstance(value, Mapping) or not isinstance(value.get("list"), list):
        raise InputError(f"model.json has no list of {name}")
    entries, kind = value["list"], value.get("dtype")
    if not isinstance(kind, str) or not re.fullmatch(r"[<>|=]?[biufUO]\d{0,9}", kind):
        raise InputError(f"model.json has {name} of the type {kind!r}")
    if not all(isinstance(entry, _PLAIN) for entry in entries):
        raise InputError(f"model.json has {name} that are no plain values")
    if kind.lstrip("<>|=")[:1] == "U":
        return np.array([str(entry) for entry in entries])
    try:
        return np.array(entries, dtype=object if kind == "O" else kind)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"model.json has {name} that are not of the type {kind!r}") from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
