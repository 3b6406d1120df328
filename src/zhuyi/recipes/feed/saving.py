"""A feed as a folder: weights.safetensors and feed.json. Nothing is unpickled.

The folder holds a catalog and some people's histories, so it is as free or bound as the data it
was made of: a feed of MovieLens must not be handed on.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as save_tensors

from zhuyi.errors import InputError, OptionError
from zhuyi.recipes.feed.feed import Feed
from zhuyi.recipes.feed.movielens import Film
from zhuyi.recipes.feed.recommender import Form, Recommender

FORMAT: Final = "zhuyi.feed"
VERSION: Final = 1
WEIGHTS, FACTS = "weights.safetensors", "feed.json"
_MOST_FACTS: Final = 32 * 2**20  # bytes
_LARGEST: Final = {"films": 100_000, "width": 1024, "layers": 16, "num_heads": 64, "length": 1024}
_KEYS: Final = {
    "format",
    "version",
    "weights_sha256",
    "form",
    "films",
    "watched",
    "people",
    "about",
}


@dataclass(frozen=True, kw_only=True)
class SavedFeed:
    """What a folder holds.

    Args:
        feed: the feed.
        people: name -> history, to try it with.
        about: what is known of it, for people: data set, license, scores; plain texts and numbers.
    """

    feed: Feed
    people: Mapping[str, tuple[int, ...]]
    about: Mapping[str, Any] = field(default_factory=dict)


def save(saved: SavedFeed, folder: Path) -> None:
    """Write the folder; an earlier feed there is replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    feed = saved.feed
    model = feed.subject.model
    tensors = {name: one.detach().contiguous() for name, one in model.state_dict().items()}
    data = save_tensors(tensors)
    facts = {
        "format": FORMAT,
        "version": VERSION,
        "weights_sha256": hashlib.sha256(data).hexdigest(),
        "form": vars(model.form),
        "films": [[film.title, *film.genres] for film in feed.films],
        "watched": feed.watched.tolist(),
        "people": {name: list(history) for name, history in saved.people.items()},
        "about": dict(saved.about),
    }
    text = json.dumps(facts, ensure_ascii=False, allow_nan=False)
    for name, content in ((WEIGHTS, data), (FACTS, text.encode())):
        part = folder / f"{name}.part"
        part.write_bytes(content)
        os.replace(part, folder / name)


def load(folder: Path) -> SavedFeed:
    """The feed that `save` wrote.

    Raises: InputError: for files that are missing, too large, linked, or do not fit each other.
    """
    facts = _facts(_file(folder, FACTS, _MOST_FACTS))
    form = _form(facts["form"])
    films = tuple(_film(one) for one in _list(facts, "films"))
    watched = _list(facts, "watched")
    if len(films) != form.films or not all(type(one) in (int, float) for one in watched):
        raise InputError(f"{FACTS} does not fit itself: films, counts and form differ")
    if len({film.title for film in films}) != len(films):
        raise InputError(f"{FACTS} has two films of the same title")
    model = _model(folder, form, facts["weights_sha256"])
    people, about = facts["people"], facts["about"]
    if not isinstance(people, dict) or not isinstance(about, dict):
        raise InputError(f"{FACTS} must have objects as 'people' and 'about'")
    feed = Feed(model, films, np.array(watched, dtype=np.float64))
    histories = {name: _history(one, form.films) for name, one in people.items()}
    return SavedFeed(feed=feed, people=histories, about=about)


def _file(folder: Path, name: str, most: int) -> Path:
    path = folder / name
    if path.is_symlink() or not path.is_file():
        raise InputError(f"{path} must be a file, not a link: name the folder of a feed")
    if path.stat().st_size > most:
        raise InputError(f"{path} has {path.stat().st_size:,} bytes, at most {most:,} are read")
    return path


def _facts(path: Path) -> dict[str, Any]:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is no JSON that can be read: {error}") from None
    if not isinstance(facts, dict) or facts.get("format") != FORMAT:
        raise InputError(f"{path} is not of the format {FORMAT!r}")
    if facts.get("version") != VERSION:
        raise InputError(f"{path} has version {facts.get('version')!r}, this zhuyi reads {VERSION}")
    if set(facts) != _KEYS:
        raise InputError(f"{path} must have {sorted(_KEYS)}, got {sorted(facts)}")
    return facts


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number")


def _form(data: object) -> Form:
    known = vars(Form(films=1))
    if not isinstance(data, dict) or set(data) != set(known):
        raise InputError(f"{FACTS} has a form of other entries")
    for name, value in data.items():
        if type(value) is not type(known[name]) or (name in _LARGEST and value > _LARGEST[name]):
            raise InputError(f"{name} of the form must be like {known[name]!r}, got {value!r}")
    try:
        return Form(**data)
    except OptionError as error:
        raise InputError(f"{FACTS}: {error}") from None


def _list(facts: dict[str, Any], name: str) -> list[Any]:
    found = facts[name]
    if not isinstance(found, list):
        raise InputError(f"{FACTS} must have a list as {name!r}")
    return found


def _film(data: object) -> Film:
    if not isinstance(data, list) or not data or not all(isinstance(one, str) for one in data):
        raise InputError(f"{FACTS} has a film that is no list of a title and genres")
    return Film(title=data[0], genres=tuple(data[1:]))


def _history(data: object, films: int) -> tuple[int, ...]:
    if not isinstance(data, list) or not all(type(one) is int and 0 <= one < films for one in data):
        raise InputError(f"{FACTS} has a history that names no films")
    return tuple(dict.fromkeys(data))


def _model(folder: Path, form: Form, digest: object) -> Recommender:
    model = Recommender(form, None)
    wanted = model.state_dict()
    most = sum(4 * tensor.numel() for tensor in wanted.values()) + 2**20
    path = _file(folder, WEIGHTS, most)
    if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise InputError(f"{path} is not the file that {FACTS} was written with")
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except SafetensorError as error:
        raise InputError(f"{path} is no safetensors file: {error}") from None
    shapes = {name: (one.shape, torch.float32) for name, one in wanted.items()}
    if {name: (one.shape, one.dtype) for name, one in tensors.items()} != shapes:
        raise InputError(f"{path} must hold the tensors of the form, of float32")
    if not all(bool(one.isfinite().all()) for one in tensors.values()):
        raise InputError(f"{path} has weights that are not finite")
    model.load_state_dict(tensors)
    return model.eval().requires_grad_(False)
