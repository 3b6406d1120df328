"""Baselines: scored as by hand, fitted on training rows only, honest about noise."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from zhuyi.errors import InputError
from zhuyi.recipes import baselines
from zhuyi.recipes.baselines import measure, predicted
from zhuyi.recipes.scoring import F1, Accuracy, Auroc, Matthews, MeanAuroc, Metric, Rmse
from zhuyi.recipes.splits import Fold, StratifiedFolds


def people(rows: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Two columns decide, one with missing values; a third is noise."""
    generator = np.random.default_rng(seed)
    age = generator.normal(50.0, 10.0, rows)
    ward = generator.choice(["a", "b", "c"], rows)
    answer = (age - 50.0) / 10.0 + 2.0 * (ward == "c") + generator.normal(0.0, 0.5, rows) > 0.7
    frame = pd.DataFrame({"age": age, "ward": ward, "noise": generator.normal(size=rows)})
    frame.loc[generator.random(rows) < 0.1, "age"] = np.nan
    frame.loc[generator.random(rows) < 0.1, "ward"] = None
    return frame, answer


def test_models_find_what_is_there_and_nothing_else() -> None:
    frame, answers = people(500)
    folds = StratifiedFolds()(answers)
    auroc = {
        name: measure(name, model, frame, answers, folds, Auroc()).score.value
        for name, model in {
            "base rate": baselines.base_rate(),
            "logistic": baselines.logistic(frame),
            "boosting": baselines.boosted_classifier(frame),
        }.items()
    }
    assert auroc["base rate"] == 0.5
    assert min(auroc["logistic"], auroc["boosting"]) > 0.85
    shuffled = np.random.default_rng(1).permutation(answers)
    found = measure("logistic", baselines.logistic(frame), frame, shuffled, folds, Auroc())
    assert found.score.value == pytest.approx(0.5, abs=0.1)
    assert len(found.folds) == 5
    assert found.seconds > 0.0


def test_regression_beats_the_mean() -> None:
    frame, _ = people(300)
    target = frame["noise"].to_numpy() * 3.0 + np.random.default_rng(2).normal(0.0, 0.5, 300)
    folds = StratifiedFolds()(np.zeros(300))
    rmse = {
        name: measure(name, model, frame, target, folds, Rmse()).score.value
        for name, model in {
            "mean": baselines.mean_answer(),
            "linear": baselines.linear(frame),
            "boosting": baselines.boosted_regressor(frame),
        }.items()
    }
    assert rmse["mean"] == pytest.approx(3.0, abs=0.4)
    assert rmse["linear"] == pytest.approx(0.5, abs=0.1)
    assert rmse["boosting"] < 1.2


def test_nothing_is_learned_from_test_rows() -> None:
    """What is said of one test row is the same whatever the others are."""
    frame, answers = people(200)
    fold = Fold(train=np.arange(150), test=np.arange(150, 200))
    wild = frame.copy()
    wild.loc[151:, "age"] = 1e9
    wild.loc[151:, "ward"] = "unheard of"
    for model in (baselines.logistic(frame), baselines.boosted_classifier(frame)):
        said = [predicted(model, f, answers, fold, probabilities=True) for f in (frame, wild)]
        assert said[0][0] == said[1][0]


def test_many_labels_have_one_model_each() -> None:
    frame, answers = people(300)
    both = np.stack([answers, ~answers, np.zeros(300, dtype=bool)], axis=1)
    fold = Fold(train=np.arange(200), test=np.arange(200, 300))
    said = predicted(baselines.logistic(frame), frame, both, fold, probabilities=True)
    np.testing.assert_allclose(said[:, 0], 1.0 - said[:, 1], atol=1e-6)
    assert (said[:, 2] == 0.0).all(), "a class without a case is never said"


def test_texts_of_both_kinds() -> None:
    good, bad = ["服务很好", "房间很好，满意"], ["服务不好", "房间很差"]
    texts = (good * 10) + (bad * 10)
    labels = np.array([1] * 20 + [0] * 20)
    folds = StratifiedFolds(folds=2)(labels)
    for model in (baselines.characters(), baselines.words()):
        assert measure("tfidf", model, texts, labels, folds, Accuracy()).score.value == 1.0
    # One word in each text: only characters can tell two unseen texts apart.
    said = baselines.characters().fit(texts, labels).predict(["早餐很好", "早餐很差"])
    assert said.tolist() == [1, 0]


@pytest.mark.parametrize(
    ("metric", "answers", "said", "value"),
    [
        (Accuracy(), [1, 0, 1, 1], [1, 1, 1, 0], 0.5),
        (F1(), [True, True, False, False], [True, False, True, False], 0.5),
        (F1(), [True, False], [False, False], 0.0),
        (F1(threshold=0.3), [True, False], [0.3, 0.2], 1.0),
        (Auroc(), [True, False, True, False], [0.9, 0.8, 0.7, 0.1], 0.75),
        (Rmse(), [0.0, 0.0], [3.0, 4.0], np.sqrt(12.5)),
        (Matthews(), [True, True, False, False], [True, False, True, False], 0.0),
        (Matthews(), [True, True, False, True], [True, False, False, True], np.sqrt(1 / 3)),
        (Matthews(), [True, False], [True, True], 0.0),
    ],
)
def test_metrics_by_hand(
    metric: Metric, answers: list[float], said: list[float], value: float
) -> None:
    assert metric(np.array(answers), np.array(said)) == pytest.approx(value)


def test_classes_without_both_answers_do_not_count() -> None:
    generator = np.random.default_rng(0)
    answers = generator.random((50, 3)) < np.array([0.5, 0.3, 0.0])
    said = generator.random((50, 3))
    kept = [float(roc_auc_score(answers[:, c], said[:, c])) for c in (0, 1)]
    assert MeanAuroc()(answers, said) == pytest.approx(np.mean(kept))
    assert np.isnan(Auroc()(answers[:, 2], said[:, 2]))
    with pytest.raises(InputError, match="no class has 40 rows"):
        MeanAuroc(least=40)(answers, said)


def test_f1_is_scikit_learns() -> None:
    generator = np.random.default_rng(0)
    answers, said = generator.random((2, 60)) > 0.6
    assert F1()(answers, said) == pytest.approx(f1_score(answers, said))


def test_nothing_to_score_is_named() -> None:
    frame, answers = people(30)
    with pytest.raises(InputError, match="got none"):
        measure("x", baselines.base_rate(), frame, answers, [], Accuracy())
    empty = Fold(train=np.arange(0), test=np.arange(30))
    with pytest.raises(InputError, match="fold 1 must have rows to train"):
        measure("x", baselines.base_rate(), frame, answers, [empty], Accuracy())
