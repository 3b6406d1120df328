"""DialMed: from a Chinese dialogue, up to the recommendation, to the drugs recommended in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.multiclass import OneVsRestClassifier

from zhuyi.core.record import Said
from zhuyi.recipes.baselines import base_rate, characters
from zhuyi.recipes.data import fetch
from zhuyi.recipes.dialmed import Dialogues, load
from zhuyi.recipes.intervals import bootstrap
from zhuyi.recipes.records import Comparison, Decision, Options, Part, Role, Score, Table
from zhuyi.recipes.scoring import F1
from zhuyi.recipes.showing import audited, decisions, sums_check

PART: Final = "dialogue"
FEWEST: Final = 10
"""Dialogues of training in which a drug must be recommended to be learned."""

_HELD_BACK: Final = 0.2  # of the training dialogues, where thresholds are chosen
_THRESHOLDS: Final = np.linspace(0.02, 0.6, 59)
_AUDITED, _AUDITED_QUICK = 30, 20
_LONGEST_SHOWN: Final = 90  # characters
_EPOCHS, _EPOCHS_QUICK = 15, 5


@dataclass(frozen=True)
class Model:
    """One model's answers.

    Args:
        name: as the page shows it.
        role: in the comparison.
        shares: of the test dialogues, "N drugs".
        threshold: probability from which a drug is said.
        seconds: for fitting and predicting.
    """

    name: str
    role: Role
    shares: npt.NDArray[np.float64]
    threshold: float
    seconds: float

    def said(self) -> npt.NDArray[np.bool_]:
        """The drugs it says, "N drugs"; the most probable one where none is probable enough."""
        return chosen(self.shares, self.threshold)


Fit = Callable[[Sequence[str], npt.NDArray[np.bool_]], Callable[[Sequence[str]], Any]]
"""From texts and drugs to what gives the shares of other texts."""


def run(options: Options) -> Part:
    """Learn from the development part, score on the test part.

    Raises: DataUnavailable: if the dialogues cannot be had.
    Cost:   about a quarter of an hour on one core, most of it for the audit of long dialogues.
    """
    labels, dev, tests = (
        fetch(f"dialmed_{name}", download=options.download) for name in ("label", "dev", "test")
    )
    train, test = load("dev", dev, labels), load("test", tests, labels)
    drugs = frequent(train.taken)
    names = [test.drugs[place] for place in drugs]
    texts, answers = [one.text() for one in train.dialogues], train.taken[:, drugs]
    asked, truth = [one.text() for one in test.dialogues], test.taken
    ours = _Ours(names, options)
    fits: tuple[tuple[str, Role, Fit], ...] = (
        ("base rate", "trivial", lambda t, y: _one_by_one(base_rate(), t, y)),
        ("TF-IDF of characters + logistic", "simple", lambda t, y: _one_by_one(characters(), t, y)),
        ("glass box over pieces of text", "ours", ours),
    )
    models = []
    for number, (name, role, fit) in enumerate(fits):
        options.listener(PART, name, number, len(fits) + 1)
        models.append(_answered(name, role, fit, texts, answers, asked, options.seed))
    wide = [_widened(model, drugs, truth.shape[1]) for model in models]
    estimator = ours.fitted
    best = wide[-1]
    options.listener(PART, "audit", len(fits), len(fits) + 1)
    count = _AUDITED_QUICK if options.quick else _AUDITED
    return Part(
        name=PART,
        title=Said(en="From a dialogue to drugs (DialMed)", zh="从医患对话到推荐药物（DialMed）"),
        answer=_answer(wide, truth),
        data=_data(train, test, drugs),
        comparisons=(
            _compared(wide, truth, "Jaccard", jaccard, options.seed),
            _compared(wide, truth, "F1", f1, options.seed),
        ),
        checks=(sums_check(_gap(estimator, asked, names), len(asked)),),
        decisions=_decisions(estimator, asked, names, test),
        tables=(_by_drug(best, truth, test.drugs, train.taken),),
        audit=audited(
            estimator.subject(),
            asked[:count],
            title="glass box, drugs recommended in dialogues",
            task="which drug is a doctor most likely to recommend",
            options=options,
            part=PART,
        ),
        limits=LIMITS,
    )


def frequent(taken: npt.NDArray[np.bool_], least: int = FEWEST) -> list[int]:
    """Places of the drugs that are recommended often enough to be learned."""
    return [int(place) for place in np.flatnonzero(taken.sum(0) >= least)]


def chosen(shares: npt.NDArray[np.float64], threshold: float) -> npt.NDArray[np.bool_]:
    """Drugs from a probability on, at least the most probable one of each dialogue.

    Example:
        >>> chosen(np.array([[0.5, 0.4, 0.1], [0.1, 0.2, 0.15]]), 0.3).tolist()
        [[True, True, False], [False, True, False]]
    """
    said = shares >= threshold
    said[np.arange(len(shares)), shares.argmax(1)] = True
    return said


def jaccard(truth: npt.NDArray[np.bool_], said: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Per dialogue |truth and said| / |truth or said|, as the medication literature has it.

    Example:
        >>> jaccard(np.array([[True, True, False]]), np.array([[True, False, True]])).tolist()
        [0.3333333333333333]
    """
    either = (truth | said).sum(1)
    shares: npt.NDArray[np.float64] = (truth & said).sum(1) / np.maximum(either, 1)
    return shares


def f1(truth: npt.NDArray[np.bool_], said: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Per dialogue 2 |truth and said| / (|truth| + |said|).

    Example:
        >>> f1(np.array([[True, True, False]]), np.array([[True, False, True]])).tolist()
        [0.5]
    """
    total = truth.sum(1) + said.sum(1)
    shares: npt.NDArray[np.float64] = 2.0 * (truth & said).sum(1) / np.maximum(total, 1)
    return shares


class _Ours:
    """Our estimator as a `Fit`; keeps the last one fitted."""

    def __init__(self, names: Sequence[str], options: Options) -> None:
        self.names = names
        self.options = options
        self.fitted: Any = None

    def __call__(
        self, texts: Sequence[str], answers: npt.NDArray[np.bool_]
    ) -> Callable[[Sequence[str]], Any]:
        import pandas as pd

        from zhuyi.learn import TextAttentionClassifier

        epochs = _EPOCHS_QUICK if self.options.quick else _EPOCHS
        model = TextAttentionClassifier(max_epochs=epochs, random_state=self.options.seed)
        self.fitted = model.fit(
            list(texts), pd.DataFrame(answers.astype(int), columns=list(self.names))
        )
        return lambda others: self.fitted.predict_proba(list(others))


def _one_by_one(
    model: Any, texts: Sequence[str], answers: npt.NDArray[np.bool_]
) -> Callable[[Sequence[str]], Any]:
    if isinstance(model, type(base_rate())):
        rates = answers.mean(0)
        return lambda others: np.tile(rates, (len(others), 1))
    vectors, head = model[:-1], OneVsRestClassifier(model[-1])
    head.fit(vectors.fit_transform(texts), answers)
    return lambda others: head.predict_proba(vectors.transform(others))


def _answered(
    name: str,
    role: Role,
    fit: Fit,
    texts: Sequence[str],
    answers: npt.NDArray[np.bool_],
    asked: Sequence[str],
    seed: int,
) -> Model:
    """Threshold on dialogues held back for it, then fitted anew on all."""
    begun = perf_counter()
    order = np.random.default_rng(seed).permutation(len(texts))
    back, rest = np.split(order, [int(_HELD_BACK * len(texts))])
    if not answers[rest].any(0).all():  # a drug that only the held-back part has: learn from all
        rest = order
    part = fit([texts[i] for i in rest], answers[rest])
    shares = np.asarray(part([texts[i] for i in back]))
    found = [jaccard(answers[back], chosen(shares, cut)).mean() for cut in _THRESHOLDS]
    cut = float(_THRESHOLDS[int(np.argmax(found))])
    said = np.asarray(fit(texts, answers)(asked), dtype=np.float64)
    return Model(name, role, said, cut, perf_counter() - begun)


def _widened(model: Model, drugs: Sequence[int], count: int) -> Model:
    """The same for all drugs, 0 for those that were not learned."""
    shares = np.zeros((len(model.shares), count))
    shares[:, list(drugs)] = model.shares
    return Model(model.name, model.role, shares, model.threshold, model.seconds)


def _mean(values: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]) -> float:
    return float(values[rows].mean())


def _compared(
    models: Sequence[Model],
    truth: npt.NDArray[np.bool_],
    metric: str,
    score: Callable[..., npt.NDArray[np.float64]],
    seed: int,
) -> Comparison:
    scores = []
    for model in models:
        each = score(truth, model.said())
        value = bootstrap(partial(_mean, each), len(each), seed=seed)
        scores.append(Score(model=model.name, role=model.role, value=value, seconds=model.seconds))
    return Comparison(
        title=Said(en="Drugs of 1,199 test dialogues", zh="1,199 段测试对话的药物"),
        metric=f"mean {metric} over dialogues",
        better="higher",
        scores=tuple(scores),
        note=Said(
            en="Thresholds chosen on a fifth of the training dialogues; at least one drug is said. "
            "Intervals: bootstrap of test dialogues. The paper's own scores (DDN, COLING 2022) "
            "were made with 9,605 training dialogues and masked turns; they are not known here.",
            zh="阈值在五分之一的训练对话上选定，每段对话至少说出一种药。区间为对测试对话的自助法。"
            "原论文（DDN，COLING 2022）用 9,605 段训练对话并读取被遮盖的轮次，其分数此处未知。",
        ),
    )


def _answer(models: Sequence[Model], truth: npt.NDArray[np.bool_]) -> Said:
    trivial, simple, ours = (float(jaccard(truth, model.said()).mean()) for model in models)
    return Said(
        en="From what is said before the recommendation, the drugs are told with a Jaccard index "
        f"(1 is all right) of {ours:.3f} by the glass box, {simple:.3f} by TF-IDF with logistic "
        f"regression, {trivial:.3f} for the base rate.",
        zh=f"只读到推荐之前，判断药物的 Jaccard 指数（1 为全对）：玻璃盒模型 {ours:.3f}，"
        f"TF-IDF 加逻辑回归 {simple:.3f}，只说常用药 {trivial:.3f}。",
    )


def _data(train: Dialogues, test: Dialogues, drugs: Sequence[int]) -> Said:
    a, b, c, d = len(train.dialogues), len(test.dialogues), len(test.drugs), len(drugs)
    return Said(
        en=f"DialMed (MIT), the publisher's own split: {a:,} development dialogues to learn from "
        f"(its 9,605 training dialogues are a user's download), {b:,} test dialogues. {c} drugs, "
        f"of which {d} are recommended in {FEWEST} dialogues or more and were learned. Each "
        "dialogue is read up to the first turn that names a drug.",
        zh=f"DialMed（MIT 许可），沿用发布者的划分：用 {a:,} 段开发集对话学习（其 9,605 段训练对话"
        f"需使用者自行下载），在 {b:,} 段测试对话上评分。共 {c} 种药，其中 {d} 种至少出现在 "
        f"{FEWEST} 段对话中，因而被学习。每段对话只读到首次提到药名之前。",
    )


def _gap(estimator: Any, texts: Sequence[str], names: Sequence[str]) -> float:
    """The largest distance of sums from decisions, each dialogue by its most probable drug."""
    logits = np.asarray(estimator.decision_function(list(texts)))
    top = logits.argmax(1)
    worst = 0.0
    for place in np.unique(top).tolist():
        rows = np.flatnonzero(top == place)
        frame = estimator.explain([texts[row] for row in rows.tolist()], labels=[names[place]])
        sums = frame.groupby("row", sort=True)["contribution"].sum()
        start = estimator.constants_[names[place]]
        found = start + sums.reindex(range(len(rows)), fill_value=0.0).to_numpy()
        worst = max(worst, float(np.abs(found - logits[rows, place]).max()))
    return worst


def _decisions(
    estimator: Any, texts: Sequence[str], names: Sequence[str], test: Dialogues
) -> tuple[Decision, ...]:
    """Three short dialogues, whose explanations are tested among thirty."""
    short = [row for row, text in enumerate(texts) if 20 <= len(text) <= _LONGEST_SHOWN][:30]
    some = [texts[row] for row in short]
    shown = range(min(3, len(some)))
    return decisions(
        estimator,
        some,
        list(shown),
        titles=[f"dialogue {short[place] + 1}" for place in shown],
        truth=["、".join(test.dialogues[short[place]].drugs) for place in shown],
        texts=[some[place] for place in shown],
    )


def _by_drug(
    model: Model,
    truth: npt.NDArray[np.bool_],
    names: Sequence[str],
    seen: npt.NDArray[np.bool_],
) -> Table:
    said, metric = model.said(), F1()
    order = np.argsort(-seen.sum(0), kind="stable")[:15]
    return Table(
        title=Said(en="The 15 drugs recommended most", zh="推荐最多的 15 种药"),
        header=("drug", "training", "test", "F1"),
        rows=tuple(
            (
                names[place],
                str(int(seen[:, place].sum())),
                str(int(truth[:, place].sum())),
                f"{metric(truth[:, place], said[:, place]):.2f}",
            )
            for place in order
        ),
        note=Said(
            en="Dialogues with the drug in the training and the test part; F1 of the glass box.",
            zh="训练与测试部分中含该药的对话数，以及透明模型的 F1。",
        ),
    )


LIMITS: Final = (
    Said(
        en="It repeats what doctors of one website wrote, right or wrong; it knows no allergy, no "
        "other drug and no disease beyond 16 common ones. Not for choosing a drug for anybody.",
        zh="它只是重复某一网站医生写过的内容，无论对错；它不了解过敏、合用药物，也不了解 16 种"
        "常见病以外的疾病。不可用于为任何人选药。",
    ),
    Said(
        en="High blood pressure, high lipids and diabetes do not occur in these dialogues.",
        zh="这些对话中没有高血压、高血脂和糖尿病。",
    ),
)
