"""The subject of a table estimator: what tests of explanations ask of it, and what they find."""

import copy

import numpy as np
import pytest
import torch

from zhuyi import watch
from zhuyi.errors import InputError, NotWatchable, OptionError, ShapeError
from zhuyi.explain import (
    GradientAttention,
    InputGradient,
    IntegratedGradients,
    Occlusion,
    Random,
    Received,
    Rollout,
    ValueNorm,
)
from zhuyi.learn import AttentionClassifier, AttentionRegressor, Contributions
from zhuyi.learn.glass_box import Read
from zhuyi.trace import ModuleSubject
from zhuyi.trace.subject import (
    DifferentiableSubject,
    ModelSubject,
    NearbySubject,
    RemovableSubject,
)
from zhuyi.verify import Deletion, verify

from .tables import mixed_frame, one_column_decides


@pytest.fixture(scope="module")
def decided() -> tuple[AttentionClassifier, np.ndarray]:
    X, y = one_column_decides()
    return AttentionClassifier(max_epochs=30, random_state=0).fit(X, y), X


def test_the_verdict_is_trusted_where_one_column_decides(
    decided: tuple[AttentionClassifier, np.ndarray],
) -> None:
    model, X = decided
    subject = model.subject()
    batch = subject.read(X[:32])
    verdict = verify(subject.removing("missing"), batch, Contributions(), tests=[Deletion()])
    assert verdict.label == "trusted"
    assert verdict.inputs.count("trusted") >= 30
    verdict = verify(subject, batch, Contributions(), tests=[Deletion()])
    assert verdict.label == "trusted"
    assert verdict.inputs.count("trusted") >= 30


def test_the_verdict_of_a_row_is_about_its_logit_and_one_row_is_enough(
    decided: tuple[AttentionClassifier, np.ndarray],
) -> None:
    model, X = decided
    told = model.explain(X[:32], verify=True).groupby("row")["verdict"].first()
    subject = model.subject().by_logits()
    batch = subject.read(X[:32])
    verdict = verify(subject, batch, Contributions(), target=[1] * 32, tests=[Deletion()])
    assert told.tolist() == list(verdict.inputs)
    assert told.tolist().count("trusted") >= 30  # of rows like the average there is nothing to tell
    assert set(model.explain(X[:1], verify=True)["verdict"]) == {"trusted"}
    assert subject.decide(batch).sum(1).tolist() == pytest.approx([1.0] * 32)
    logits = model.decision_function(X[:32])
    order = subject.decide(batch)[:, 1].argsort().tolist()
    assert order == logits.argsort().tolist()


def test_columns_do_not_trade_what_they_say_on_average() -> None:
    """Two columns could add and take away the same for every row; then rows would be told wrong.

    With the weaker centering of before (0.05) the explanation of this table is refuted.
    """
    draw = np.random.default_rng(0)
    X = draw.normal(size=(900, 24))
    y = (X[:, 0] + 0.5 * X[:, 1] - X[:, 2] > 0).astype(int)
    model = AttentionClassifier(max_epochs=12, random_state=0).fit(X[:800], y[:800])
    verdicts = model.explain(X[800:840], verify=True).groupby("row")["verdict"].first()
    assert (verdicts == "trusted").mean() >= 0.95


def test_random_numbers_and_a_broken_box_are_not_trusted_row_by_row(
    decided: tuple[AttentionClassifier, np.ndarray],
) -> None:
    """The broken twin: the verdict of `explain` is able to fail."""
    model, X = decided
    subject = model.subject().by_logits()
    batch = subject.read(X[:32])
    verdict = verify(subject, batch, Random(seed=0), tests=[Deletion()])
    assert verdict.label == "refuted"
    assert set(verdict.inputs) == {"refuted"}
    broken = copy.deepcopy(model)
    effects = broken.module_.read

    def shuffled(codes: torch.Tensor, tokens: torch.Tensor | None = None) -> Read:
        read = effects(codes, tokens)
        return read._replace(effects=read.effects.roll(1, -1))  # told of the wrong columns

    broken.module_.read = shuffled  # type: ignore[method-assign]
    assert "trusted" not in set(broken.explain(X[:32], verify=True)["verdict"])


def test_a_lie_about_the_same_decisions_is_refuted(
    decided: tuple[AttentionClassifier, np.ndarray],
) -> None:
    model, X = decided
    subject = model.subject()
    batch = subject.read(X[:32])
    true = Contributions()(subject, batch)
    lie = type(true)(**{**vars(true), "values": -true.values})
    assert verify(subject, batch, lie, tests=[Deletion()]).label == "refuted"


def test_all_default_tests_run(decided: tuple[AttentionClassifier, np.ndarray]) -> None:
    model, X = decided
    verdict = verify(model.subject(), model.subject().read(X[:24]), Contributions())
    assert {one.test for one in verdict.findings} == {
        "Deletion", "OtherRemoval", "Sanity", "Stability", "Deception",
    }  # fmt: skip
    assert verdict.label != "refuted"


def test_protocols(decided: tuple[AttentionClassifier, np.ndarray]) -> None:
    subject = decided[0].subject()
    for protocol in (RemovableSubject, ModelSubject, NearbySubject, DifferentiableSubject):
        assert isinstance(subject, protocol)
    assert subject.labels == ("0", "1")
    assert subject.removals == ("values drawn from the training data, on average", "missing")


def test_decide_is_predict_proba(decided: tuple[AttentionClassifier, np.ndarray]) -> None:
    model, X = decided
    subject = model.subject()
    found = subject.decide(subject.read(X[:9]))
    np.testing.assert_allclose(found, model.predict_proba(X[:9]), atol=1e-7)
    np.testing.assert_array_equal(subject.decide([list(row) for row in X[:9]]), found)


def test_missing_removes_to_the_models_missing_entry() -> None:
    frame, y = mixed_frame(120)
    model = AttentionClassifier(max_epochs=5, random_state=0).fit(frame, y)
    subject = model.subject().removing("missing")
    keep = torch.ones(4, 6, dtype=torch.bool)
    keep[:, 0] = False
    gone = frame.head(4).assign(dose=np.nan)
    np.testing.assert_allclose(
        subject.decide(subject.read(frame.head(4)), keep), model.predict_proba(gone), atol=1e-7
    )
    rows = frame.head(4).to_dict("records")
    assert torch.equal(subject.read(rows), subject.read(frame.head(4)))


def test_the_attention_can_be_watched(decided: tuple[AttentionClassifier, np.ndarray]) -> None:
    model, X = decided
    subject = model.subject()
    batch = subject.read(X[:5])
    tape = subject.watch(batch)
    assert [site.heads for site in tape.sites] == [1]
    matrix = tape[0].matrix
    assert matrix is not None
    told = model.explain(X[:5])["weight"].to_numpy().reshape(5, 4)
    np.testing.assert_allclose(matrix.weights()[:, 0, 0], told, atol=1e-12)
    np.testing.assert_array_equal(subject.readout(tape), np.ones((5, 1)))
    with watch(model.module_) as direct:
        model.module_(batch)
    assert len(direct.sites) == 1


def test_methods_of_other_kinds_find_the_column(
    decided: tuple[AttentionClassifier, np.ndarray],
) -> None:
    model, X = decided
    # a drawn value may lie on the same side of 0 and change nothing; a missing one tells nothing
    subject = model.subject().removing("missing")
    batch = subject.read(X[:20])
    for method in (Occlusion(), InputGradient(), IntegratedGradients(steps=8), Contributions()):
        values = method(subject, batch).values
        assert (values.abs().argmax(1) == 2).float().mean() > 0.85, method


@pytest.mark.parametrize("mixing", [0, 1])
@pytest.mark.parametrize("method", [Received(), Rollout(), ValueNorm(), GradientAttention()])
def test_weights_alone_are_no_explanation_of_a_box(mixing: int, method: Received) -> None:
    """A column that is looked at may say nothing: the methods that read weights only refuse."""
    X, y = one_column_decides(40)
    model = AttentionClassifier(max_epochs=1, mixing_layers=mixing, random_state=0).fit(X, y)
    with pytest.raises(NotWatchable, match="the model itself attends from one sequence to another"):
        method(model.subject(), model.subject().read(X[:3]))


@pytest.mark.parametrize(("mixing", "draws"), [(0, 16), (1, 4)])
def test_removal_is_the_mean_logit_over_typical_cells(mixing: int, draws: int) -> None:
    X, y = one_column_decides(120)
    model = AttentionClassifier(max_epochs=4, mixing_layers=mixing, random_state=0).fit(X, y)
    subject = model.subject()
    keep = torch.ones(3, 4, dtype=torch.bool)
    keep[:, [1, 2]] = False
    typical = subject.schema.spread(draws)
    # each column has the same evenly spaced ranks, in an order of its own
    column = np.array([value for value, _ in subject.schema.columns[1].draws])
    ranks = np.searchsorted(column, np.sort(typical[:, 1, 0]))
    assert set(np.diff(ranks)) == {128 // draws}
    logits = np.zeros(3)
    for cells in typical[..., 0]:
        changed = X[:3].copy()
        changed[:, [1, 2]] = cells[[1, 2]]
        logits += model.decision_function(changed) / draws
    expected = 1.0 / (1.0 + np.exp(-logits))
    np.testing.assert_allclose(subject.decide(subject.read(X[:3]), keep)[:, 1], expected, atol=1e-6)
    whole = subject.decide(subject.read(X[:3]), torch.ones(3, 4, dtype=torch.bool))
    np.testing.assert_allclose(whole[:, 1], model.predict_proba(X[:3])[:, 1], atol=1e-6)
    assert set(model.explain(X[:2], verify=True)["verdict"]) <= {"trusted", "doubtful", "refuted"}


def test_nearby_moves_numbers_and_leaves_categories() -> None:
    frame, y = mixed_frame(120)
    subject = AttentionClassifier(max_epochs=1, random_state=0).fit(frame, y).subject()
    batch = subject.read(frame)
    with subject.nearby(batch, size=0.1, generator=torch.Generator().manual_seed(0)) as near:
        assert isinstance(near, torch.Tensor)
        moved = (near[..., 0] - batch[..., 0]).std(0)
    spread = torch.tensor([c.scale for c in subject.schema.columns], dtype=torch.float64)
    assert moved[[1, 2, 3]].tolist() == [0.0, 0.0, 0.0]
    np.testing.assert_allclose(moved[[4, 5]] / spread[[4, 5]], 0.1, rtol=0.25)
    assert torch.equal(near[..., 1], batch[..., 1])


def test_a_regressor_decides_a_place_between_low_and_high() -> None:
    X = np.random.default_rng(0).normal(size=(200, 3))
    y = 10.0 + 4.0 * X[:, 1]
    model = AttentionRegressor(max_epochs=30, random_state=0).fit(X, y + X[:, 0])
    subject = model.subject()
    found = subject.decide(subject.read(X[:6]))[:, 0].double().numpy()
    standard = (model.predict(X[:6]) - model.center_) / model.scale_
    np.testing.assert_allclose(found, 1.0 / (1.0 + np.exp(-standard)), atol=1e-7)


def test_what_is_no_batch_is_refused(decided: tuple[AttentionClassifier, np.ndarray]) -> None:
    model, X = decided
    subject = model.subject()
    with pytest.raises(ShapeError, match="pass subject.read"):
        subject.decide(torch.zeros(3, 4))
    with pytest.raises(ShapeError, match="keep must be bool"):
        subject.decide(subject.read(X[:2]), torch.ones(2, 4))
    with pytest.raises(InputError, match="state of 0, 1 or 2"):
        subject.decide(torch.full((1, 4, 2), 7.0, dtype=torch.float64))
    with pytest.raises(OptionError, match="got 'zeros'"):
        subject.removing("zeros")
    other = ModuleSubject(
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(2, 2)),
        unit_names=("a", "b"), labels=("x", "y"),
    )  # fmt: skip
    with pytest.raises(NotWatchable, match="does not decide by a sum"):
        Contributions()(other, torch.ones(1, 2))
