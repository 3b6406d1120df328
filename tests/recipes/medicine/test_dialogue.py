"""Dialogues to drugs: the metrics, what is said of few, and a whole run on a few dialogues."""

from pathlib import Path

import numpy as np
import pytest

from zhuyi.recipes.dialmed import Dialogue, Dialogues
from zhuyi.recipes.medicine import dialogue
from zhuyi.recipes.medicine.dialogue import chosen, f1, frequent, jaccard
from zhuyi.recipes.records import Options

TRUTH = np.array([[1, 1, 0, 0], [0, 0, 1, 0], [1, 0, 0, 1]], dtype=bool)
SAID = np.array([[1, 0, 0, 0], [0, 0, 1, 0], [0, 1, 1, 0]], dtype=bool)


def test_jaccard_and_f1_by_hand() -> None:
    assert jaccard(TRUTH, SAID).tolist() == [0.5, 1.0, 0.0]
    assert f1(TRUTH, SAID).tolist() == [pytest.approx(2 / 3), 1.0, 0.0]


def test_at_least_one_drug_is_said() -> None:
    shares = np.array([[0.1, 0.2, 0.05], [0.6, 0.5, 0.1]])
    assert chosen(shares, 0.5).tolist() == [[False, True, False], [True, True, False]]


def test_rare_drugs_are_left_out() -> None:
    taken = np.zeros((20, 3), dtype=bool)
    taken[:10, 0] = taken[:9, 1] = True
    assert frequent(taken) == [0]


def made(count: int, seed: int) -> Dialogues:
    rng = np.random.default_rng(seed)
    said = (("咳嗽有痰", "氨溴索"), ("胃痛反酸", "奥美拉唑"), ("皮肤发痒", "氯雷他定"))
    found = []
    for _ in range(count):
        complaint, drug = said[int(rng.integers(3))]
        turns = (f"患者：医生您好，我{complaint}{rng.integers(1, 9)}天了，怎么办？", "医生：[MASK]")
        found.append(Dialogue(turns=turns, drugs=(drug,), diseases=("病",)))
    drugs = tuple(drug for _, drug in said)
    taken = np.array([[drug in one.drugs for drug in drugs] for one in found])
    return Dialogues(dialogues=tuple(found), drugs=drugs, taken=taken)


@pytest.mark.long
def test_a_run_finds_what_a_dialogue_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialogue, "fetch", lambda name, *, download: Path(name))
    monkeypatch.setattr(dialogue, "load", lambda part, *paths: made(150, 0 if part == "dev" else 1))
    part = dialogue.run(Options(quick=True))
    first = {score.role: score.value.value for score in part.comparisons[0].scores}
    assert first["ours"] > 0.95 > 0.6 > first["trivial"]
    assert all(check.held for check in part.checks)
    assert len(part.decisions) == 3
    assert part.audit is not None


@pytest.mark.long
def test_the_real_dialogues_beat_the_base_rate(real_data: Path) -> None:
    part = dialogue.run(Options(quick=True))
    scores = {score.role: score.value.value for score in part.comparisons[0].scores}
    assert scores["ours"] > scores["trivial"] + 0.05
    assert all(check.held for check in part.checks)
