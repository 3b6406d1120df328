"""Save and load: the same bits, and files from elsewhere that are refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from zhuyi.errors import InputError
from zhuyi.learn import AttentionClassifier, AttentionRegressor, load
from zhuyi.learn.saving import _digest

from .tables import mixed_frame


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frame, y = mixed_frame(100)
    folder = tmp_path_factory.mktemp("model")
    AttentionClassifier(max_epochs=3, mixing_layers=1, random_state=0).fit(frame, y).save(folder)
    return folder


@pytest.fixture
def copied(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "copy"))


@pytest.mark.parametrize("mixing", [0, 1])
def test_a_loaded_classifier_is_the_same_bit_for_bit(tmp_path: Path, mixing: int) -> None:
    frame, y = mixed_frame(150)
    model = AttentionClassifier(
        max_epochs=5, mixing_layers=mixing, threshold="f1", columns={"count": "ordinal"},
        random_state=0, validation_fraction=0.3,
    ).fit(frame, y)  # fmt: skip
    model.save(tmp_path / "m")
    again = load(tmp_path / "m")
    assert isinstance(again, AttentionClassifier)
    np.testing.assert_array_equal(again.decision_function(frame), model.decision_function(frame))
    np.testing.assert_array_equal(again.predict(frame), model.predict(frame))
    assert again.explain(frame).equals(model.explain(frame))
    assert again.get_params() == model.get_params()
    assert {p.name for p in (tmp_path / "m").iterdir()} == {"weights.safetensors", "model.json"}


def test_a_loaded_regressor_is_the_same_bit_for_bit(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(80, 2))
    model = AttentionRegressor(max_epochs=3, random_state=0).fit(X, X[:, 0] * 3 + X[:, 1])
    model.save(tmp_path)
    np.testing.assert_array_equal(AttentionRegressor.load(tmp_path).predict(X), model.predict(X))
    with pytest.raises(InputError, match="names the class 'AttentionRegressor'"):
        AttentionClassifier.load(tmp_path)


@pytest.mark.parametrize("classes", [[0, 1, 2], ["a", "b", "c"], ["a", "b"], [False, True]])
def test_classes_keep_their_type(tmp_path: Path, classes: list[Any]) -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = np.array(classes)[np.arange(60) % len(classes)]
    model = AttentionClassifier(max_epochs=1, random_state=0).fit(X, y)
    model.save(tmp_path)
    again = load(tmp_path)
    assert isinstance(again, AttentionClassifier)
    assert again.classes_.tolist() == model.classes_.tolist()
    assert again.classes_.dtype.kind == model.classes_.dtype.kind


def changed(folder: Path, **changes: Any) -> None:
    facts = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    for path, value in changes.items():
        *outer, last = path.split("__")
        place = facts
        for name in outer:
            place = place[name]
        place[last] = value
    (folder / "model.json").write_text(json.dumps(facts), encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"class": "Popen"}, "names the class 'Popen'"),
        ({"class": ["x"]}, "lacks"),
        ({"format": "other"}, "not of the format"),
        ({"version": 2}, "version 2"),
        ({"shape__width": 10**9}, "width of the shape"),
        ({"shape__width": 30}, "divisible"),
        ({"shape__outputs": 7}, "(must be|bytes|fit)"),
        ({"shape__extra": 1}, "other entries"),
        ({"parameters__callback": "os.system"}, "does not know"),
        ({"state__odd_": "x"}, "state of other entries"),
        ({"state__n_features_in_": 99}, "does not fit itself"),
        ({"state__classes_": {"dtype": "O", "list": [{}, {}]}}, "no plain values"),
        ({"state__classes_": {"dtype": "V8", "list": ["a", "b"]}}, "type 'V8'"),
        ({"inputs": []}, "schema"),
        ({"inputs": [{"name": "a"}]}, "wrong entries"),
        ({"weights_sha256": "0"}, "not the file"),
    ],
)
def test_hostile_json_is_refused(copied: Path, changes: dict[str, Any], said: str) -> None:
    changed(copied, **changes)
    with pytest.raises(InputError, match=said):
        load(copied)


@pytest.mark.parametrize("text", ["{", "[" * 100_000, '{"format": NaN}', b"\xff\xfe\x00"])
def test_json_that_is_none_is_refused(copied: Path, text: str | bytes) -> None:
    content = text.encode() if isinstance(text, str) else text
    (copied / "model.json").write_bytes(content)
    with pytest.raises(InputError):
        load(copied)


def test_weights_of_other_shapes_and_numbers_are_refused(copied: Path) -> None:
    path = copied / "weights.safetensors"
    good = load_file(path)

    def written(tensors: dict[str, torch.Tensor]) -> None:
        save_file(tensors, path)
        changed(copied, weights_sha256=_digest(path))

    for wrong, said in (
        ({**good, "query": good["query"][:, :4].contiguous()}, "'query' must be F32"),
        ({**good, "query": good["query"].double()}, "'query' must be F32"),
        ({**good, "more": good["query"].clone()}, "the weights must be"),
        ({k: v for k, v in good.items() if k != "query"}, "the weights must be"),
        ({**good, "query": good["query"] * float("nan")}, "not finite"),
        ({**good, "more": torch.zeros(2**20)}, "bytes, at most"),
    ):
        written(wrong)
        with pytest.raises(InputError, match=said):
            load(copied)
    path.write_bytes(b"\xff" * 100)
    changed(copied, weights_sha256=_digest(path))
    with pytest.raises(InputError, match="no safetensors file"):
        load(copied)


def test_links_and_missing_files_are_refused(copied: Path, tmp_path: Path) -> None:
    secret = tmp_path / "elsewhere"
    shutil.move(copied / "weights.safetensors", secret)
    with pytest.raises(InputError, match="must be a file, not a link"):
        load(copied)
    (copied / "weights.safetensors").symlink_to(secret)
    with pytest.raises(InputError, match="must be a file, not a link"):
        load(copied)
    with pytest.raises(InputError, match="must be a file"):
        load(tmp_path / "nothing")


def test_no_row_of_the_training_data_is_saved(saved: Path) -> None:
    """Typical values are kept a column, by quantiles: extremes and pairs of cells are not."""
    frame, _ = mixed_frame(100)
    facts = json.loads((saved / "model.json").read_text(encoding="utf-8"))
    draws = [value for value, _ in facts["inputs"][0]["draws"]]
    assert draws == sorted(draws, key=lambda v: (v == 0.0, v)), "sorted: no order of rows is left"
