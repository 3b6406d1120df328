"""Training on notes: it learns what a negation does, and the same seed gives the same bytes."""

from pathlib import Path

import pytest

from zhuyi.recipes.medicine.notes.examples import made_up
from zhuyi.recipes.medicine.notes.shipped import train


def saved(folder: Path, seed: int) -> dict[str, bytes]:
    train(made_up(), notes=160, epochs=1, seed=seed).save(folder)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first, again, other = (saved(tmp_path / name, seed) for name, seed in zip("abc", (0, 0, 1)))
    assert sorted(first) == ["model.json", "weights.safetensors"]
    assert first == again
    assert first["weights.safetensors"] != other["weights.safetensors"]


@pytest.mark.long
def test_some_training_tells_own_from_denied() -> None:
    model = train(made_up(), notes=6000, epochs=3)
    said = model.predict(["高血压5年。", "否认高血压。", "父亲患高血压。"])
    assert said[:, 0].tolist() == [1, 0, 0]
