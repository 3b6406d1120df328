"""What all recipes share: from fitted estimators and measurements to the records of a report."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, clone, is_regressor

from zhuyi.audit import About, AuditReport, audit
from zhuyi.audit.progress import Progress
from zhuyi.core.record import Said
from zhuyi.errors import InputError, OptionError
from zhuyi.explain import GradientAttention, Occlusion, Received
from zhuyi.learn import Contributions
from zhuyi.recipes.baselines import Measured
from zhuyi.recipes.intervals import Interval, over_folds
from zhuyi.recipes.records import ROLES, Check, Decision, Factor, Options, Role, Score
from zhuyi.recipes.scoring import Metric
from zhuyi.recipes.splits import Fold
from zhuyi.trace.subject import Batch, Subject

if TYPE_CHECKING:
    import pandas as pd

BAR = 1e-5
"""How far a glass box's contributions may be from its decision, in logits or standard units."""

MISSING = "missing"
_DIGITS = 6  # of a cell's number
_AT_ONCE = 1000


# --- scores ----------------------------------------------------------------------------------


def score(measured: Measured, role: Role) -> Score:
    """A measurement as a line of a comparison.

    Args:
        measured: what `baselines.measure` or `measure_ours` gave.
        role: trivial, simple or ours; a published one is made by `published`.
    """
    return Score(model=measured.model, role=role, value=measured.score, seconds=measured.seconds)


def published(
    model: str,
    value: float,
    source: str,
    *,
    lower: float | None = None,
    upper: float | None = None,
) -> Score:
    """Somebody else's figure, not measured here.

    Args:
        model: its name.
        value: as reported.
        source: the paper; say there when the split or the data were another.
        lower, upper: the reported interval's ends, if any.
    """
    interval = Interval(value=value, lower=lower, upper=upper, how="as reported")
    return Score(model=model, role="published", value=interval, source=source)


def in_order(scores: Sequence[Score]) -> tuple[Score, ...]:
    """Trivial, simple, ours, published; within a role in the order given."""
    return tuple(sorted(scores, key=lambda one: ROLES.index(one.role)))


def measure_ours(
    name: str,
    model: BaseEstimator,
    inputs: "pd.DataFrame | Sequence[str] | npt.NDArray[np.float64]",
    answers: "npt.NDArray[Any] | pd.DataFrame",
    folds: Sequence[Fold],
    metric: Metric,
    *,
    fitted: Callable[[Any, Fold], None] | None = None,
) -> Measured:
    """Fit and score a fresh copy of an estimator of `zhuyi.learn` on every fold.

    Unlike `baselines.measure` many labels are one model's, and each fitted copy can be looked at.

    Args:
        name: of the model, for the record.
        model: unfitted; it stays so.
        inputs: [N] rows.
        answers: [N] classes or numbers, or [N, labels] of truth values; as a frame its columns name
            the labels.
        folds: of `zhuyi.recipes.splits`.
        metric: of `zhuyi.recipes.scoring`.
        fitted: called with each fitted copy and its fold, for progress or checks of the test rows.
            Its time is not counted.

    Returns: Measured, with the interval corrected for shared training rows.
    Raises:  InputError: if there is no fold.
    """
    if not folds:
        raise InputError("folds must hold one fold at least, got none")
    scores, seconds, right = [], 0.0, np.asarray(answers)
    for fold in folds:
        begun = perf_counter()
        copy: Any = clone(model).fit(taken(inputs, fold.train), taken(answers, fold.train))
        said = _said(copy, taken(inputs, fold.test), metric)
        seconds += perf_counter() - begun
        scores.append(metric(right[fold.test], said))
        if fitted is not None:
            fitted(copy, fold)
    share = float(np.mean([len(fold.test) / len(fold.train) for fold in folds]))
    interval = over_folds(scores, test_share=share)
    return Measured(
        model=name, metric=metric.name, score=interval, folds=tuple(scores), seconds=seconds
    )


def taken(inputs: Any, rows: "npt.NDArray[np.int64] | Sequence[int]") -> Any:
    """Some rows of a frame, an array or a sequence, as the same kind of thing."""
    import pandas as pd

    if isinstance(inputs, pd.DataFrame):
        return inputs.iloc[np.asarray(rows)]
    if isinstance(inputs, np.ndarray):
        return inputs[np.asarray(rows)]
    return [inputs[row] for row in rows]


# --- what a glass box promises ---------------------------------------------------------------


def largest_gap(estimator: Any, inputs: Any) -> float:
    """How far contributions are from the decision at most, over all rows and labels.

        max | constant + sum_n contribution_n - decision |

    The decision is the logit of `decision_function`, and a regressor's `predict`.

    Args:
        estimator: fitted, of `zhuyi.learn`.
        inputs: rows it can read.

    Cost: an explanation of every row, 1000 rows at a time.
    """
    worst = 0.0
    for start in range(0, len(inputs), _AT_ONCE):
        rows = taken(inputs, range(start, min(start + _AT_ONCE, len(inputs))))
        frame = estimator.explain(rows, labels=_told(estimator))
        sums = frame.groupby(["row", "label"], sort=False)["contribution"].sum()
        constants = estimator.constants_
        starts = np.array([constants[label] for label in sums.index.get_level_values("label")])
        decided = np.asarray(_decided(estimator, rows), dtype=np.float64).reshape(-1)
        if len(decided) != len(sums):
            raise InputError(f"{len(decided)} decisions have {len(sums)} explanations")
        worst = max(worst, float(np.abs(starts + sums.to_numpy() - decided).max()))
    return worst


def sums_to_decision(estimator: Any, inputs: Any, *, bar: float = BAR) -> Check:
    """Whether contributions sum to the decision, on every row and label; see `largest_gap`.

    Args:
        estimator: fitted, of `zhuyi.learn`.
        inputs: every row that was scored.
        bar: the most they may be apart.
    """
    return sums_check(largest_gap(estimator, inputs), len(inputs), bar=bar)


def sums_check(gap: float, rows: int, *, bar: float = BAR) -> Check:
    """The same, where the gap was collected over several models (`measure_ours(fitted=...)`).

    Args:
        gap: the largest of `largest_gap`.
        rows: decisions looked at, over all models.
        bar: the most it may be.
    """
    return Check(
        name=Said(
            en="Contributions sum to the decision, on every scored row",
            zh="在每一条被评分的记录上，各项贡献之和等于决定本身",
        ),
        measured=f"largest difference {gap:.1e} over {rows:,} decisions",
        bar=f"at most {bar:.0e}",
        held=gap <= bar,
    )


def decisions(
    estimator: Any,
    inputs: Any,
    rows: Sequence[int],
    *,
    titles: Sequence[str],
    truth: Sequence[str],
    labels: Sequence[str] | None = None,
    unit: str = "",
    texts: Sequence[str] | None = None,
    verify: bool = True,
) -> tuple[Decision, ...]:
    """A few decisions with the factors they rest on, from `estimator.explain`.

    Args:
        estimator: fitted, of `zhuyi.learn`.
        inputs: 5 held-out rows or more, better 30: verdicts are on explanations of all of them,
            and on fewer than five nothing is ever trusted. All are explained, some shown.
        rows: positions in `inputs` of those to show.
        titles: one each ("machine 3", never a person's name).
        truth: one each, what happened; "" where it is not known.
        labels: one each, which label to tell of. None: of two classes the second, of several the
            predicted one, of many labels the most probable one, of a regressor the target.
        unit: of a regressor's numbers, written behind them.
        texts: one each, the whole input where it is a text.
        verify: whether explanations are tested; else the verdict is "not verified".

    Raises: OptionError: lists of other lengths.
    Cost:   with `verify` some hundred decisions a row of `inputs`.
    """
    given = {"titles": titles, "truth": truth, "labels": labels, "texts": texts}
    for name, values in given.items():
        if values is not None and len(values) != len(rows):
            raise OptionError(f"{name} must have one entry a row ({len(rows)}), got {len(values)}")
    asked = _asked(estimator, inputs, rows) if labels is None else [str(one) for one in labels]
    frames = {
        label: estimator.explain(inputs, labels=[label], verify=verify)
        for label in dict.fromkeys(asked)
    }
    said = _words(estimator, inputs, unit)
    found = []
    for place, (row, label) in enumerate(zip(rows, asked, strict=True)):
        frame = frames[label]
        found.append(
            replace(
                decision(frame[frame["row"] == row], constant=_constant(estimator, label)),
                title=titles[place],
                said=said(row, label),
                truth=truth[place],
                text="" if texts is None else texts[place],
            )
        )
    return tuple(found)


def decision(frame: "pd.DataFrame", *, constant: float) -> Decision:
    """The lines that `explain` gave for one row and label, as a decision without words around it.

    Args:
        frame: columns as `explain` gives them, one row and label.
        constant: of the label.
    """
    order = np.argsort(-np.abs(frame["contribution"].to_numpy()), kind="stable")
    lines = [frame.iloc[place] for place in order]
    return Decision(
        title="",
        label=str(frame["label"].iloc[0]),
        said="",
        truth="",
        constant=float(constant),
        factors=tuple(
            Factor(
                name=str(line["factor"]),
                value=cell(line["value"]),
                weight=float(line["weight"]),
                contribution=float(line["contribution"]),
            )
            for line in lines
        ),
        verdict=str(frame["verdict"].iloc[0]),
    )


def cell(value: object) -> str:
    """A cell's value as a page shows it: numbers short, what is missing as "missing"."""
    if value is None or (isinstance(value, float) and np.isnan(value)):
        return MISSING
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    return str(value)


# --- audits ----------------------------------------------------------------------------------


def audited(
    subject: Subject,
    batch: Batch,
    *,
    title: str,
    task: str,
    truth: Sequence[str | None] | None = None,
    options: Options,
    part: str,
) -> AuditReport:
    """Audit our model's own explanation on held-out rows: its contributions.

    Occlusion, attention times gradient, plain attention and random values are shown beside them.

    Args:
        subject: `estimator.subject()`.
        batch: 50 held-out rows or more; of tables `subject.read(frame)`.
        title: what a person calls the model.
        task: what it is asked, in plain words.
        truth: per row, the right label's name.
        options: for the seed and the listener.
        part: whose audit it is, for the listener.
    """

    def heard(progress: Progress) -> None:
        options.listener(part, f"audit: {progress.stage.en}", progress.done, progress.total)

    return audit(
        subject,
        batch,
        truth=truth,
        methods=(Occlusion(), GradientAttention(), Received()),
        own=Contributions(),
        about=About(title=title, task=task),
        seed=options.seed,
        progress=heard,
    )


def _said(estimator: Any, rows: Any, metric: Metric) -> npt.NDArray[Any]:
    if not metric.probabilities:
        return np.asarray(estimator.predict(rows))
    shares = np.asarray(estimator.predict_proba(rows))
    return shares[:, 1] if _two(estimator) else shares


def _two(estimator: Any) -> bool:
    """Whether there is one logit for two classes."""
    return len(estimator.constants_) == 1 and len(estimator.labels_) == 2


def _told(estimator: Any) -> list[str] | None:
    """All labels that have a logit; None where `explain` tells of it anyway."""
    return None if len(estimator.constants_) == 1 else list(estimator.labels_)


def _decided(estimator: Any, rows: Any) -> Any:
    return estimator.predict(rows) if is_regressor(estimator) else estimator.decision_function(rows)


def _constant(estimator: Any, label: str) -> float:
    constants = estimator.constants_
    # Of two classes the one logit speaks for the second, and against the first.
    return float(constants[label] if label in constants else -sum(constants.values()))


def _asked(estimator: Any, inputs: Any, rows: Sequence[int]) -> list[str]:
    names = list(estimator.labels_)
    if len(estimator.constants_) == 1:
        return [names[-1]] * len(rows)
    likeliest = np.asarray(estimator.predict_proba(inputs)).argmax(1)
    return [names[likeliest[row]] for row in rows]


def _words(estimator: Any, inputs: Any, unit: str) -> Callable[[int, str], str]:
    """What was decided on a row, as text."""
    if is_regressor(estimator):
        numbers = np.asarray(estimator.predict(inputs))
        return lambda row, label: f"{numbers[row]:.4g}{unit}"
    shares, names = np.asarray(estimator.predict_proba(inputs)), list(estimator.labels_)
    return lambda row, label: f"{shares[row, names.index(label)]:.1%}"
