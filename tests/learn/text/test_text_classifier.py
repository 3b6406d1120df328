"""The text classifier against its own parameters, against broken inputs, and as scikit-learn."""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from zhuyi.errors import InputError, OptionError
from zhuyi.learn import DataWarning, TextAttentionClassifier, UnseenWarning, load
from zhuyi.learn.training import Progress

from .reviews import negated, reviews, topics


@pytest.fixture(scope="module")
def fitted() -> TextAttentionClassifier:
    texts, labels = reviews(300)
    return TextAttentionClassifier(max_epochs=5, random_state=0).fit(texts, labels)


def many_labels(mixing: int) -> TextAttentionClassifier:
    texts, flags = topics(200)
    settings: dict[str, Any] = {"mixing_layers": mixing, "max_epochs": 3, "random_state": 0}
    return TextAttentionClassifier(**settings).fit(texts, flags)


def three_classes(mixing: int) -> TextAttentionClassifier:
    texts, flags = topics(200)
    settings: dict[str, Any] = {"mixing_layers": mixing, "max_epochs": 3, "random_state": 0}
    return TextAttentionClassifier(**settings).fit(texts, flags.sum(1) % 3)


def test_what_was_learned_holds_on_new_texts(fitted: TextAttentionClassifier) -> None:
    texts, labels = reviews(200, seed=1)
    assert (fitted.predict(texts) == labels).mean() >= 0.99


def test_the_decision_is_the_formula_of_the_docstring(fitted: TextAttentionClassifier) -> None:
    """Computed again from the parameters, in NumPy, without any of the module's code."""
    texts, _ = reviews(5, seed=2)
    state = {name: tensor.double().numpy() for name, tensor in fitted.module_.state_dict().items()}
    width = fitted.module_.shape.width
    keys, values = state["factors.table"][:, :width], state["factors.table"][:, width:]
    place = {key: n + 2 for n, key in enumerate(fitted.vocabulary_.known)}
    told = fitted.explain(texts)
    for row, logit in enumerate(fitted.decision_function(texts)):
        entries = [place[key] for key in told[told["row"] == row]["factor"]]
        scores = np.append(state["factors.rest"], keys[entries] @ state["query"][0] / width**0.5)
        weights = np.exp(scores) / np.exp(scores).sum()
        effects = values[entries] @ state["effect"][0]
        expected = state["constant"][0] + weights[1:] @ effects
        assert abs(logit - expected) < 1e-9
        own = told[told["row"] == row]
        np.testing.assert_allclose(own["contribution"], weights[1:] * effects, atol=1e-9)
        np.testing.assert_allclose(own["weight"], weights[1:], atol=1e-12)
        np.testing.assert_allclose(own["score"], scores[1:], atol=1e-9)


@pytest.mark.parametrize("mixing", [0, 1])
@pytest.mark.parametrize("make", [many_labels, three_classes])
def test_contributions_sum_to_the_decision(make: Any, mixing: int) -> None:
    model = make(mixing)
    assert model.explanation_ == ("evidence" if mixing else "computation")
    texts, _ = topics(30, seed=3)
    logits = model.decision_function(texts)
    for units in (False, True):
        told = model.explain(texts, labels=model.labels_, units=units)
        sums = told.groupby(["row", "label"])["contribution"].sum()
        for row in range(len(texts)):
            for column, label in enumerate(model.labels_):
                total = sums[row, label] + model.constants_[label]
                assert abs(total - logits[row, column]) < 1e-5
    assert told["score"].isna().all()  # a unit has none of its own


def test_of_two_classes_either_can_be_explained(fitted: TextAttentionClassifier) -> None:
    texts, _ = reviews(3, seed=4)
    second = fitted.explain(texts)
    assert set(second["label"]) == {"1"}
    first = fitted.explain(texts, labels=[0])
    np.testing.assert_array_equal(first["contribution"], -second["contribution"])
    with pytest.raises(OptionError, match=r"labels must be some of \['0', '1'\]"):
        fitted.explain(texts, labels=["2"])


def test_places_of_an_explanation_are_of_the_text_as_it_came(
    fitted: TextAttentionClassifier,
) -> None:
    text = "ＦＲＩＥＮＤＬＹ  staff，房间干净"
    told = fitted.explain([text])
    assert len(told) > 8
    for value, start, end in zip(told["value"], told["start"], told["end"], strict=True):
        assert value == text[start:end]
    named = dict(zip(told["factor"], told["value"], strict=True))
    assert named["friendly"] == "ＦＲＩＥＮＤＬＹ"
    assert named["干净"] == "干净"
    units = fitted.explain([text], units=True)
    assert units["value"].tolist() == ["ＦＲＩＥＮＤＬＹ", "staff", "，", "房", "间", "干", "净"]


@pytest.mark.parametrize("mixing", [0, 1])
def test_texts_are_decided_one_by_one_as_together(mixing: int) -> None:
    """Padding to the longest text of a batch changes nothing."""
    model = many_labels(mixing)
    texts, _ = topics(12, seed=5)
    texts[3] *= 20
    together = model.decision_function(texts)
    alone = np.concatenate([model.decision_function([text]) for text in texts])
    np.testing.assert_allclose(together, alone, atol=1e-10)


def test_a_bag_does_not_see_order_and_mixing_layers_do() -> None:
    texts, flags = negated(300)
    short: dict[str, Any] = {"characters": 1, "words": 1, "letters": 0, "random_state": 0}
    bag = TextAttentionClassifier(max_epochs=2, **short).fit(texts, flags)
    a, b = "否认头痛；有咳嗽", "有头痛；否认咳嗽"
    np.testing.assert_allclose(bag.decision_function([a]), bag.decision_function([b]), atol=1e-9)
    reader = TextAttentionClassifier(
        mixing_layers=1, max_epochs=10, batch_size=16, learning_rate=5e-3, **short
    ).fit(texts, flags)
    assert reader.predict([a, b]).tolist() == [[0, 1, 0], [1, 0, 0]]
    new, held = negated(200, seed=1)
    assert (reader.predict(new) == held).mean() >= 0.98


@pytest.mark.parametrize("mixing", [0, 1])
def test_texts_that_say_nothing_are_decided_by_the_constant(mixing: int) -> None:
    model = many_labels(mixing)
    with pytest.warns(UnseenWarning, match=r"3 text\(s\) have no piece .*first is row 1"):
        logits = model.decision_function(["高血压", "", "Ж ж", " \n"])
    for row in logits[1:]:
        np.testing.assert_allclose(row, list(model.constants_.values()), atol=1e-12)
    assert np.isfinite(logits).all()
    with pytest.warns(UnseenWarning):
        told = model.explain(["", "高血压"])
    assert set(told["row"]) == ({1})


def test_training_reads_empty_texts(recwarn: pytest.WarningsRecorder) -> None:
    texts, labels = reviews(60)
    texts[5], texts[6] = "", "  "
    for mixing in (0, 1):
        model = TextAttentionClassifier(max_epochs=2, mixing_layers=mixing, random_state=0)
        model.fit([*texts, None], [*labels, 1])
        assert all(np.isfinite(loss) for loss, _ in model.history_)


def test_the_end_of_a_long_text_is_not_read_and_that_is_said() -> None:
    texts, labels = reviews(60)
    model = TextAttentionClassifier(max_epochs=2, max_length=30, random_state=0)
    model.fit(texts, labels)
    long = "干净" * 15
    with pytest.warns(DataWarning, match=r"1 text\(s\) are longer than max_length"):
        found = model.decision_function([long + "很脏"])
    np.testing.assert_allclose(found, model.decision_function([long]), atol=1e-12)
    with pytest.warns(DataWarning, match="longer than max_length"):
        model.fit([*texts, long * 2], [*labels, 1])


def test_effects_begin_as_log_ratios_of_counts() -> None:
    texts, labels = reviews(60)
    model = TextAttentionClassifier(
        max_epochs=1, learning_rate=1e-12, weight_decay=0.0, validation_fraction=0.0,
        characters=1, words=1, letters=0, random_state=0,
    ).fit(texts, labels)  # fmt: skip
    table = model.module_.factors.state_dict()["table"].double().numpy()
    effects = table[2:, 8:] @ model.module_.effect.double().numpy()[0]
    inside = np.array([[key in text.lower().split() or (len(key) == 1 and key in text)
                        for text in texts] for key in model.vocabulary_.known])  # fmt: skip
    words = np.array([key.isascii() and key.isalpha() for key in model.vocabulary_.known])
    good, bad = labels == 1, labels == 0
    expected = np.log((inside[:, good].sum(1) + 1) / (good.sum() + 2)) - np.log(
        (inside[:, bad].sum(1) + 1) / (bad.sum() + 2)
    )
    np.testing.assert_allclose(effects[words], 5 * expected[words], atol=0.12)  # 0.02 of noise
    assert np.abs(expected[words]).max() > 2.0


def test_the_same_seed_gives_the_same_model_and_global_generators_stay() -> None:
    texts, labels = reviews(60)
    before = (torch.get_rng_state(), np.random.get_state()[1].copy())  # noqa: NPY002
    first, again, other = (
        TextAttentionClassifier(max_epochs=2, random_state=seed).fit(texts, labels)
        for seed in (1, 1, 2)
    )
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    probabilities = first.predict_proba(texts)
    np.testing.assert_array_equal(probabilities, again.predict_proba(texts))
    assert not np.array_equal(probabilities, other.predict_proba(texts))


def test_a_training_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    texts, labels = reviews(60)
    settings: dict[str, Any] = {"max_epochs": 6, "random_state": 0}

    def stop(progress: Progress) -> None:
        if progress.epoch == 5:
            raise KeyboardInterrupt

    cut = TextAttentionClassifier(progress=stop, checkpoint=tmp_path, **settings)
    with pytest.raises(KeyboardInterrupt):
        cut.fit(texts, labels)
    whole = TextAttentionClassifier(**settings).fit(texts, labels)
    resumed = TextAttentionClassifier(checkpoint=tmp_path, **settings).fit(texts, labels)
    np.testing.assert_array_equal(resumed.predict_proba(texts), whole.predict_proba(texts))
    with pytest.raises(OptionError, match="other data or settings"):
        TextAttentionClassifier(checkpoint=tmp_path, words=3, **settings).fit(texts, labels)


@pytest.mark.parametrize("mixing", [0, 1])
def test_a_loaded_model_is_the_same_bit_for_bit(tmp_path: Path, mixing: int) -> None:
    model = many_labels(mixing)
    model.save(tmp_path)
    texts, _ = topics(20, seed=6)
    for loaded in (load(tmp_path), TextAttentionClassifier.load(tmp_path)):
        np.testing.assert_array_equal(loaded.predict_proba(texts), model.predict_proba(texts))
        assert isinstance(loaded, TextAttentionClassifier)
        assert loaded.explain(texts).equals(model.explain(texts))
        assert loaded.get_params() == model.get_params()


def test_files_from_elsewhere_are_refused(fitted: TextAttentionClassifier, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    facts = json.loads((tmp_path / "model" / "model.json").read_text())

    def refused(said: str, **changes: object) -> None:
        folder = Path(shutil.copytree(tmp_path / "model", tmp_path / "copy", dirs_exist_ok=True))
        (folder / "model.json").write_text(json.dumps({**facts, **changes}))
        with pytest.raises(InputError, match=said):
            load(folder)

    refused("a vocabulary must be an object", inputs=[1])
    refused("the weights must be", inputs={**facts["inputs"], "context": True})
    refused("weights", inputs={**facts["inputs"], "known": facts["inputs"]["known"][:-1]})
    refused("other entries", state={})
    refused("parameters that the class does not know", parameters={"seen": 1})


def test_it_lives_in_pipelines_and_searches(fitted: TextAttentionClassifier) -> None:
    assert clone(fitted).get_params() == fitted.get_params()
    texts, labels = reviews(60)
    small = TextAttentionClassifier(max_epochs=2, random_state=0)
    trim = FunctionTransformer(lambda some: [text.strip() for text in some])
    search = GridSearchCV(make_pipeline(trim, small), {"textattentionclassifier__words": [1, 2]})
    search.fit(texts, labels)
    assert search.best_score_ > 0.9
    assert cross_val_score(small, np.array(texts), labels, cv=3).mean() > 0.9


def test_classes_may_have_names_and_weights() -> None:
    texts, labels = reviews(120)
    names = np.where(labels == 1, "praise", "blame")
    model = TextAttentionClassifier(
        max_epochs=5, class_weight={"praise": 5.0, "blame": 1.0}, threshold=0.4, random_state=0
    )
    assert (model.fit(texts, names).predict(texts) == names).mean() > 0.95
    assert model.labels_ == ("blame", "praise")
    plain = clone(model).set_params(class_weight=None).fit(texts, names)
    neither = ["the room，前台", "breakfast 早餐 staff"]
    assert (model.predict_proba(neither)[:, 1] > plain.predict_proba(neither)[:, 1]).all()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"vocabulary": 0}, "vocabulary must be within"),
        ({"min_count": 1.5}, "min_count must be an integer"),
        ({"characters": 17}, "characters must be within"),
        ({"words": True}, "words must be an integer"),
        ({"width": 6}, "width must be divisible by 4"),
        ({"width": 0}, "width must be an integer >= 4"),
        ({"dropout": 1.0}, "dropout must be within"),
        ({"mixing_layers": -1}, "mixing_layers must be"),
    ],
)
def test_wrong_options_are_named(settings: dict[str, Any], said: str) -> None:
    texts, labels = reviews(40)
    with pytest.raises(OptionError, match=said):
        TextAttentionClassifier(**settings).fit(texts, labels)


def test_nothing_to_learn_from_is_said() -> None:
    with pytest.raises(InputError, match="one class only"):
        TextAttentionClassifier().fit(["a", "a b"], [1, 1])
    with pytest.raises(InputError, match="no piece stands in 2 texts"):
        TextAttentionClassifier().fit(["a", "b"], [0, 1])
    with pytest.raises(InputError, match="put it into a list"):
        TextAttentionClassifier().fit("a b", [0, 1])


def test_ten_thousand_texts_are_decided_in_seconds(fitted: TextAttentionClassifier) -> None:
    texts, labels = reviews(2_000, seed=7)
    texts[0] = "房间干净" * 250  # one long text does not make all others as wide
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found: NDArray[np.int64] = fitted.predict(texts * 5)
    assert (found.reshape(5, -1) == labels).mean() > 0.98


@pytest.mark.long
def test_it_reads_as_well_as_tfidf_and_logistic_regression() -> None:
    """On a part of ChnSentiCorp; see docs/learn.md for all of it."""
    from zhuyi.errors import DataUnavailable
    from zhuyi.recipes.reviews import chnsenticorp

    try:
        train, test = chnsenticorp("train"), chnsenticorp("test")
    except DataUnavailable as error:
        pytest.skip(str(error))
    texts, labels = train.sentences[:2400], train.labels[:2400]
    model = TextAttentionClassifier(random_state=0).fit(texts, labels)
    words = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), min_df=2, sublinear_tf=True)
    simple = make_pipeline(words, LogisticRegression(C=10.0)).fit(texts, labels)
    ours, theirs = (float(one.score(test.sentences, test.labels)) for one in (model, simple))
    assert ours >= 0.88
    assert ours >= theirs - 0.01
