"""A feed as a folder: the same bits back, and nothing else is taken for one."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.recipes.feed.made_up import FILMS, saved
from zhuyi.errors import InputError
from zhuyi.recipes.feed.saving import FACTS, WEIGHTS, load, save


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(saved(), tmp_path / "feed")
    return tmp_path / "feed"


def change(folder: Path, **facts: object) -> None:
    path = folder / FACTS
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))


def test_the_same_feed_comes_back(folder: Path) -> None:
    one, two = saved(), load(folder)
    assert two.people == one.people
    assert two.about == one.about
    assert two.feed.films == one.feed.films
    history = one.people["person 2"]
    assert (one.feed.scores(history) == two.feed.scores(history)).all()
    assert one.feed.list(history, personal=False) == two.feed.list(history, personal=False)
    assert sorted(path.name for path in folder.iterdir()) == [FACTS, WEIGHTS]


def test_weights_of_another_feed_are_refused(folder: Path, tmp_path: Path) -> None:
    save(saved(seed=1), tmp_path / "other")
    shutil.copy(tmp_path / "other" / WEIGHTS, folder / WEIGHTS)
    with pytest.raises(InputError, match="not the file that feed.json was written with"):
        load(folder)


def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    (folder / FACTS).rename(tmp_path / "elsewhere.json")
    (folder / FACTS).symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(InputError, match="not a link"):
        load(folder)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"format": "zhuyi.learn"}, "not of the format"),
        ({"version": 2}, "version 2, this zhuyi reads 1"),
        ({"more": 1}, "must have"),
        ({"form": {"films": 24}}, "form of other entries"),
        ({"films": [["A"]]}, "do not fit|does not fit itself"),
        ({"films": [["A"]] * FILMS}, "two films of the same title"),
        ({"films": [[3]] * FILMS}, "no list of a title and genres"),
        ({"films": {}}, "a list as 'films'"),
        ({"watched": ["1"] * FILMS}, "does not fit itself"),
        ({"watched": [1]}, "must be of 24 films, got 1"),
        ({"people": {"a": [99]}}, "names no films"),
        ({"people": [1]}, "objects as 'people'"),
        ({"weights_sha256": "0"}, "not the file that"),
    ],
)
def test_other_facts_are_refused(folder: Path, facts: dict[str, object], why: str) -> None:
    change(folder, **facts)
    with pytest.raises(InputError, match=why):
        load(folder)


@pytest.mark.parametrize(
    ("name", "value"),
    [("width", 10**9), ("layers", 10**6), ("films", -1), ("width", "16"), ("dropout", 1.5)],
)
def test_other_forms_are_refused(folder: Path, name: str, value: object) -> None:
    form = json.loads((folder / FACTS).read_text())["form"]
    change(folder, form=form | {name: value})
    with pytest.raises(InputError):
        load(folder)


@pytest.mark.parametrize("text", ["{", "[]", '{"format": NaN}', "[" * 100_000])
def test_what_is_no_json_is_refused(folder: Path, text: str) -> None:
    (folder / FACTS).write_text(text)
    with pytest.raises(InputError):
        load(folder)


@pytest.mark.parametrize("wrong", ["shape", "type", "name", "nan", "garbage"])
def test_other_tensors_are_refused(folder: Path, wrong: str) -> None:
    import hashlib

    tensors = {k: t.clone() for k, t in saved().feed.subject.model.state_dict().items()}
    if wrong == "shape":
        tensors["constant"] = torch.zeros(3)
    elif wrong == "type":
        tensors["constant"] = tensors["constant"].half()
    elif wrong == "name":
        tensors["other"] = torch.zeros(1)
    elif wrong == "nan":
        tensors["constant"][0] = torch.nan
    save_file(tensors, folder / WEIGHTS)
    if wrong == "garbage":
        (folder / WEIGHTS).write_bytes(b"\x00" * 64)
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    change(folder, weights_sha256=digest)
    with pytest.raises(InputError):
        load(folder)
