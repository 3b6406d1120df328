"""DialMed: drugs as columns, and nothing of the recommendation in the text."""

import json
from pathlib import Path
from typing import Any

import pytest

from zhuyi.errors import InputError
from zhuyi.recipes import dialmed

TALK: dict[str, Any] = {
    "label": ["奥美拉唑", "蒙脱石"],
    "disease": ["胃炎"],
    "dialog": ["患者：胃疼", "医生：多久了", "医生：[MASK]，[MASK]", "患者：蒙脱石吃几次"],
    "original_dialog": ["患者：胃疼", "医生：奥美拉唑"],
}


def files(folder: Path, lines: list[str], drugs: object) -> tuple[Path, Path]:
    talks, labels = folder / "dialmed_dev.jsonl", folder / "dialmed_label.json"
    talks.write_text("\n".join(lines) + "\n", encoding="utf-8")
    labels.write_text(json.dumps(drugs, ensure_ascii=False), encoding="utf-8")
    return talks, labels


def test_a_dialogue_and_its_drugs(tmp_path: Path) -> None:
    order = {"蒙脱石": 1, "阿奇霉素": 0, "奥美拉唑": 2}
    paths = files(tmp_path, [json.dumps(TALK)], order)
    found = dialmed.load("dev", *paths, check=False)
    assert found.drugs == ("阿奇霉素", "蒙脱石", "奥美拉唑")
    assert found.taken.tolist() == [[False, True, True]]
    text = found.dialogues[0].text()
    assert text == "患者：胃疼\n医生：多久了"
    assert not any(drug in text for drug in found.drugs)


@pytest.mark.parametrize(
    ("line", "drugs", "why"),
    [
        ("{", {"a": 0}, "line 1 must be a JSON object"),
        ("[]", {"a": 0}, "line 1 must be a JSON object"),
        (json.dumps(TALK | {"label": "a"}), {"a": 0}, "list of texts as 'label'"),
        (json.dumps(TALK), {"a": 0}, "names 奥美拉唑, which is not in the list"),
        (json.dumps(TALK), {"a": 1}, "its place 0, 1, 2"),
        (json.dumps(TALK), ["a"], "its place 0, 1, 2"),
    ],
)
def test_other_files_are_refused(tmp_path: Path, line: str, drugs: object, why: str) -> None:
    with pytest.raises(InputError, match=why):
        dialmed.load("dev", *files(tmp_path, [line], drugs), check=False)


def test_a_cut_off_part_is_refused(tmp_path: Path) -> None:
    drugs = {str(place): place for place in range(68)} | {"奥美拉唑": 68, "蒙脱石": 69}
    with pytest.raises(InputError, match="dialmed_dev must have 1,192 rows, got 1"):
        dialmed.load("dev", *files(tmp_path, [json.dumps(TALK)], drugs))


def test_the_real_dialogues(real_data: Path) -> None:
    dev, test = dialmed.load("dev"), dialmed.load("test")
    assert dev.taken.shape == (1_192, 70)
    assert test.taken.shape == (1_199, 70)
    both = dev.taken.sum() + test.taken.sum()
    assert both / (1_192 + 1_199) == pytest.approx(1.89, abs=0.03)
    diseases = {d for part in (dev, test) for talk in part.dialogues for d in talk.diseases}
    assert len(diseases - {"其他疾病或无确诊"}) == 16, "and one for others or none"
    assert all(dialmed.MASK not in talk.text() for talk in dev.dialogues)
    assert sum(bool(talk.text()) for talk in dev.dialogues) > 1_150
