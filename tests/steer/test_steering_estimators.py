"""Rules in fitted estimators: tables, texts, series, modules; what they decide and explain."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from tests.trace.models import TimmAttention, noise, seeded
from tests.trace.test_watch import nothing_left
from zhuyi.core.record import Unit
from zhuyi.errors import InputError, NotSteerable
from zhuyi.explain import Occlusion
from zhuyi.learn import (
    AttentionClassifier,
    AttentionRegressor,
    SeriesAttentionClassifier,
    TextAttentionClassifier,
)
from zhuyi.steer.certify import certify
from zhuyi.steer.reading import UnitReader
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Channel, Column
from zhuyi.steer.steering import steer
from zhuyi.trace import ModuleSubject

DRAW = np.random.default_rng(0)
ROWS = 160
TABLE = pd.DataFrame(
    {
        "age": DRAW.normal(60, 10, ROWS),
        "sex": DRAW.choice(["F", "M"], ROWS),
        "bp": DRAW.normal(size=ROWS),
        "smokes": DRAW.integers(0, 2, ROWS).astype(bool),
    }
)
ILL = (TABLE.age / 10 + (TABLE.sex == "F") * 2 > 7).astype(int).to_numpy()
SWAPPED = TABLE.assign(sex=np.where(TABLE.sex == "F", "M", "F"))


@pytest.fixture(scope="module", params=[0, 1], ids=["glass box", "mixing"])
def tabular(request: pytest.FixtureRequest) -> AttentionClassifier:
    model = AttentionClassifier(max_epochs=4, random_state=0, mixing_layers=request.param)
    return model.fit(TABLE, ILL)


def test_a_veto_of_a_column_holds_in_all_that_an_estimator_says(tabular: Any) -> None:
    plain = tabular.predict_proba(TABLE)
    assert np.abs(plain - tabular.predict_proba(SWAPPED)).max() > 0.02  # the broken twin
    with steer(tabular, Rules().veto(Column("sex"))) as steering:
        one, two = tabular.predict_proba(TABLE), tabular.predict_proba(SWAPPED)
        told = tabular.explain(TABLE[:3])
        subject = tabular.subject()
        decided = subject.decide(subject.read(TABLE))
        parts = subject.contributions(subject.read(TABLE[:3]), (1, 1, 1))
        occluded = Occlusion()(subject, subject.read(TABLE[:3]))
        without = torch.ones(len(TABLE), 4, dtype=torch.bool)
        without[:, 2] = False
        reduced = [subject.decide(subject.read(one), without) for one in (TABLE, SWAPPED)]
    np.testing.assert_array_equal(one, two)
    np.testing.assert_allclose(decided.numpy(), one, rtol=0, atol=1e-6)
    assert torch.equal(*reduced)
    assert (told[told.factor == "sex"].weight == 0).all()
    assert (told[told.factor == "sex"].contribution == 0).all()
    logits = told.groupby("row").contribution.sum() + tabular.constants_[told.label[0]]
    np.testing.assert_allclose(1 / (1 + np.exp(-logits)), one[:3, 1], rtol=0, atol=1e-5)
    assert (parts[:, 1] == 0).all()
    assert (occluded.values[:, 1] == 0).all()
    assert steering.matched["veto-1"].shown == ("sex",)
    np.testing.assert_array_equal(tabular.predict_proba(TABLE), plain)
    assert nothing_left(tabular.module_)


def test_what_an_estimator_reads_its_report_and_certificate_read(tabular: Any) -> None:
    rules = Rules().boost(Column("bp"), 3).veto(Column("sex"))
    steering = steer(tabular, rules)
    of_frame = steering.report(TABLE[:8], others=TABLE[8:12], draws=0)
    subject = tabular.subject()
    others = subject.read(TABLE[8:12])
    of_codes = steering.report(subject.read(TABLE[:8]), others=others, draws=0)
    assert of_frame == of_codes
    after = [steered(tabular, rules, TABLE[n : n + 1]) for n in range(8)]
    before = [tabular.predict_proba(TABLE[n : n + 1]) for n in range(8)]
    moved = [float((b - a)[0, a.argmax()]) for a, b in zip(before, after, strict=True)]
    np.testing.assert_allclose(of_frame.effect.inputs, moved, rtol=0, atol=1e-6)
    assert certify(tabular, rules, TABLE[:8], swaps=2)["veto-2"].level == "exact"


def steered(model: Any, rules: Rules, rows: pd.DataFrame) -> Any:
    with steer(model, rules):
        return model.predict_proba(rows)


def test_a_boost_is_the_formula_and_a_condition_asks_the_row(tabular: Any) -> None:
    if tabular.mixing_layers:
        pytest.skip("the read-out is the formula only where nothing comes before it")
    before = tabular.explain(TABLE).pivot_table(index="row", columns="factor", values="weight")
    rules = Rules().boost(Column("bp"), 5, when="age >= 60 and sex == 'F' and smokes")
    with steer(tabular, rules) as steering:
        after = tabular.explain(TABLE).pivot_table(index="row", columns="factor", values="weight")
    meant = ((TABLE.age >= 60) & (TABLE.sex == "F") & TABLE.smokes).to_numpy()
    assert 5 < meant.sum() < 100
    expected = before.copy()
    expected.loc[meant, "bp"] *= 5
    expected = expected.div(expected.sum(axis=1), axis=0)
    np.testing.assert_allclose(after.to_numpy(), expected.to_numpy(), rtol=0, atol=1e-5)
    assert steering.matched["boost-1"].rows == meant.sum()


def test_values_beside_the_cells_come_row_by_row(tabular: Any) -> None:
    rules = Rules().damp(Column("age"), 0.1, when="consent == false")
    plain = tabular.predict_proba(TABLE[:4])
    values = [{"consent": place > 1} for place in range(4)]
    with steer(tabular, rules, values=values):
        moved = np.abs(tabular.predict_proba(TABLE[:4]) - plain).max(1) > 1e-6
        with pytest.raises(InputError, match="values are those of 4 rows, and a call reads 5"):
            tabular.predict_proba(TABLE[:5])
    assert moved.tolist() == [True, True, False, False]


def test_a_regressor_and_a_veto_of_everything() -> None:
    model = AttentionRegressor(max_epochs=3, random_state=0).fit(
        TABLE[["age", "bp"]], TABLE.age + TABLE.bp
    )
    with steer(model, Rules().veto(Column("*"))):
        found = model.predict(TABLE[["age", "bp"]])
        subject = model.subject()
        keep = torch.ones(2, 2, dtype=torch.bool)
        assert bool(subject.decide(subject.read(TABLE[["age", "bp"]][:2]), keep).isfinite().all())
    assert np.isfinite(found).all()
    assert np.ptp(found) == 0.0


TEXTS = ["the room was clean and quiet", "a dirty room, not good", "Zhang said clean",
         "dirty dirty noise", "房间很脏", "房间干净"] * 12  # fmt: skip
PRAISE = [1, 0, 1, 0, 0, 1] * 12
ASKED = ["dirty room and xyzzy clean", "clean clean", "qwerty room and clean", "unknown1 room",
         "unknown2 room", "dirtyish", "很脏的房间"]  # fmt: skip


@pytest.fixture(scope="module", params=[0, 1], ids=["pieces", "in context"])
def textual(request: pytest.FixtureRequest) -> TextAttentionClassifier:
    layers = request.param
    model = TextAttentionClassifier(max_epochs=3, random_state=0, mixing_layers=layers)
    return model.fit(TEXTS, PRAISE)


@pytest.mark.filterwarnings("ignore::zhuyi.learn.warnings_of_data.UnseenWarning")
def test_texts_are_steered_by_their_characters(textual: Any) -> None:
    plain = textual.predict_proba(ASKED)
    rules = Rules().veto("dirty").veto("脏").damp("unknown1 room", 0.1)
    with steer(textual, rules) as steering:
        found = textual.predict_proba(ASKED)
        backwards = textual.predict_proba(ASKED[::-1])[::-1]
        one_by_one = np.concatenate([textual.predict_proba([text]) for text in ASKED])
        told = textual.explain(ASKED)
        assert len(textual.explain(ASKED[:1], verify=True)) == (told.row == 0).sum()
        subject = textual.subject()
        decided = subject.decide(ASKED)
        explained = Occlusion()(subject, ASKED[:1])
    np.testing.assert_allclose(backwards, found, rtol=0, atol=1e-7)
    np.testing.assert_allclose(one_by_one, found, rtol=0, atol=1e-6)
    np.testing.assert_allclose(decided.numpy(), found, rtol=0, atol=1e-6)
    touched = told[(told.row == 0) & (told.start < 5)]
    assert len(touched) >= 1
    assert (touched.weight == 0).all()  # parts of the word and pairs with it as well
    other = told[(told.row == 5) & told.factor.str.contains("irt")]
    if not textual.mixing_layers:  # in context a text without a known unit has no weights
        assert (other.weight > 0).all()  # another word that only begins like it
    dirty = told[(told.row == 6) & (told.factor == "脏")]
    assert (dirty.weight == 0).all()
    assert float(explained.values[0, 0]) == 0.0
    assert steering.matched["veto-1"].shown == ("dirty",)
    moved = np.abs(found - plain).max(1) > 1e-6
    # The two unknown words have the same codes: only the text that is meant is steered.
    assert not moved[4]
    assert not moved[1]
    assert moved[0]
    np.testing.assert_array_equal(textual.predict_proba(ASKED), plain)


@pytest.mark.filterwarnings("ignore::zhuyi.learn.warnings_of_data.UnseenWarning")
def test_codes_without_a_text_are_refused(textual: Any) -> None:
    codes = textual._codes(ASKED[:1])
    with steer(textual, Rules().veto("clean")):
        textual.predict(ASKED[1:2])
        with pytest.raises(InputError, match="need to know the text behind these codes"):
            textual.module_(codes)


@pytest.mark.filterwarnings("ignore::zhuyi.errors.UnmatchedRule")
def test_units_that_a_test_removes_are_gone_for_rules_too(textual: Any) -> None:
    subject = textual.subject()
    batch = ["clean dirty room"]
    keep = torch.tensor([[True, False, True]])
    for way in subject.removals:
        removing = subject.removing(way)
        plain = removing.decide(batch, keep)
        with steer(removing, Rules().boost("dirty", 9).boost("clean dirty", 9)):
            moved = removing.decide(batch, keep)
        if way.startswith("cut out") or not textual.mixing_layers:
            # Nothing of it is left; "clean" alone is not the phrase, which also had meant it.
            close = torch.allclose(moved, plain, atol=1e-6)
            assert close == way.startswith("cut out")


def test_series_are_steered_by_channel_and_time() -> None:
    series = DRAW.normal(size=(80, 12, 2))
    model = SeriesAttentionClassifier(max_epochs=3, stretches=4, random_state=0)
    model.fit(series, series[:, -1, 1] > 0)
    other = series.copy()
    other[:, -3:, 1] += 5.0
    name = "channel 2"
    with steer(model, Rules().veto(Channel(name, -3))) as steering:
        one, two = model.predict_proba(series), model.predict_proba(other)
        short = model.predict_proba(series[:, -7:]), model.predict_proba(other[:, -7:])
        told = model.explain(series[:2])
    np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(*short)
    assert steering.matched["veto-1"].shown == ("channel 2, last 3 steps",)
    gone = told[told.factor == "channel 2, last 3 steps"]
    assert (gone.weight == 0).all()
    assert (told[told.factor == "channel 1, last 3 steps"].weight > 0).all()
    assert np.abs(model.predict_proba(series) - model.predict_proba(other)).max() > 1e-3


# --- modules ------------------------------------------------------------------------------------


class Encoder(nn.Module):
    """Three columns behind a token of its own, in chunks of at most two rows if asked to."""

    def __init__(self, chunk: int = 0) -> None:
        super().__init__()
        self.start = nn.Parameter(torch.randn(1, 1, 8))
        self.attention, self.head = TimmAttention(8, 2), nn.Linear(8, 2)
        self.chunk = chunk

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.cat([self.start.expand(len(x), -1, -1), x], 1)
        x = x + self.attention(x)
        return self.head(x[:, 0])


def test_a_module_subject_and_its_leading_positions() -> None:
    model = seeded(Encoder)
    subject = ModuleSubject(
        model, unit_names=("a", "b", "c"), labels=("no", "yes"), leading=("[CLS]",)
    )
    x, other = noise(4, 3, 8), noise(4, 3, 8).clone()
    other[:, 1] = 9.0
    with steer(subject, Rules().veto(Column("b"))) as steering:
        assert torch.equal(subject.decide(x), subject.decide(other))
        chunks = torch.cat([subject.decide(part) for part in x.split(2)])
        torch.testing.assert_close(chunks, subject.decide(x))
    assert steering.matched["veto-1"].shown == ("b",)
    assert not torch.allclose(subject.decide(x), subject.decide(other), atol=1e-3)


def test_units_that_do_not_fit_the_keys_are_refused() -> None:
    model = seeded(Encoder)
    units = [Unit(label=name, positions=(place,)) for place, name in enumerate("abc")]
    refused = pytest.raises(NotSteerable, match="attends to 4 keys in 2 rows.* 3 positions")
    with (
        refused,
        torch.no_grad(),
        steer(model, Rules().veto(Column("b")), reader=UnitReader(units)),
    ):
        model(noise(2, 3, 8))


def test_a_torch_encoder_and_its_fast_path() -> None:
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    model = seeded(lambda: nn.TransformerEncoder(layer, 2, enable_nested_tensor=False))
    units = [Unit(label=name, positions=(place,)) for place, name in enumerate("abcd")]
    x = noise(2, 4, 8)
    other = x.clone()
    other[:, 2] = 5.0
    with torch.no_grad(), steer(model, Rules().veto(Column("c")), reader=UnitReader(units)):
        one, two = model(x), model(other)
    kept = [0, 1, 3]
    assert torch.equal(one[:, kept], two[:, kept])
