"""C-MAPSS FD001: how long will this engine still run, and should it be repaired or replaced now?"""

import itertools
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from zhuyi.core.record import Said
from zhuyi.recipes import cmapss
from zhuyi.recipes.costs import Costs
from zhuyi.recipes.data import fetch
from zhuyi.recipes.intervals import Interval, bootstrap
from zhuyi.recipes.manufacturing.life_costs import Policy, by_model, fixed, saved
from zhuyi.recipes.manufacturing.life_models import (
    GLASS_BOX,
    LATER,
    MIXED,
    Cut,
    Told,
    cut,
    glass_box,
    ours,
    simple,
)
from zhuyi.recipes.manufacturing.life_wording import LIMITS, answer, data_said, tables
from zhuyi.recipes.records import Check, Comparison, Decision, Options, Part, Score
from zhuyi.recipes.scoring import Rmse
from zhuyi.recipes.showing import audited, decisions, in_order, published, sums_to_decision

PART: Final = "life"
BAR: Final = 14.9
"""RMSE of a one-layer LSTM, as reported: what ours must reach."""
STRETCH: Final = 12.6
"""RMSE of a deep convolutional network, as reported."""
LEVEL: Final = 0.9
"""Of the intervals."""
COVERED: Final = 0.84
"""Share of 100 test engines within a 90 % interval that chance alone reaches 19 times in 20."""
TRUSTED: Final = 0.95
"""Share of test engines whose own explanation must be trusted."""
_OTHER_SEEDS: Final = (1, 2, 3, 4)
_SHOWN: Final = ("repair", "replace", "run on")


@dataclass(frozen=True, kw_only=True)
class Findings:
    """All that was measured.

    Args:
        data: the windows.
        told: what every model said, in the order of roles.
        policies: decided by a model, by model.
        fixed: policies without a model; the first is the schedule that the training engines ask
            for.
        intervals: "N 2", of the glass box for the test engines.
        trusted: share of test engines whose explanation is trusted.
        again: RMSE of the glass box trained with other seeds; empty where it was not.
        costs: the prices.
    """

    data: Cut
    told: tuple[Told, ...]
    policies: dict[str, Policy]
    fixed: tuple[Policy, ...]
    intervals: npt.NDArray[np.float64]
    trusted: float
    again: tuple[float, ...]
    costs: Costs

    @property
    def box(self) -> Told:
        """The glass box."""
        return next(one for one in self.told if one.model == GLASS_BOX)

    @property
    def covered(self) -> float:
        """Share of test engines whose (capped) truth is within the interval."""
        low, high = self.intervals.T
        return float(((low <= self.data.capped) & (self.data.capped <= high)).mean())


def run(options: Options) -> Part:
    """Fit all models on whole training engines, decide each test engine, charge what it cost.

    Args:
        options: quick takes every fourth training window and fewer epochs.

    Raises: DataUnavailable: if FD001 cannot be had.
    Cost:   about 2 minutes on one core, quick about 40 seconds.
    """
    files = ("train_FD001", "test_FD001", "RUL_FD001")
    engines = cmapss.load(*(fetch(name, download=options.download) for name in files))
    steps = itertools.count(1)

    def step(name: str) -> None:
        options.listener(PART, name, next(steps), 7)

    step("windows")
    data = cut(engines, stride=4 if options.quick else 2)
    step("simple models")
    told = [*simple(data, options)]
    for name, stretches, mixing_layers in ((GLASS_BOX, 1, 0), (LATER, 3, 0), (MIXED, 1, 1)):
        step(name)
        model = glass_box(options, stretches=stretches, mixing_layers=mixing_layers)
        told.append(ours(name, model, data))
    step("decisions")
    costs = Costs()
    policies = {one.model: by_model(one, data.truth, costs) for one in told}
    box = next(one for one in told if one.model == GLASS_BOX)
    others = () if options.quick else _OTHER_SEEDS
    again = [
        ours(GLASS_BOX, glass_box(replace(options, seed=options.seed + other)), data)
        for other in others
    ]
    shown = _shown(box.fitted, data, policies[GLASS_BOX])
    frame = _fitted(box).explain(data.test.values, verify=True)
    found = Findings(
        data=data,
        told=tuple(told),
        policies=policies,
        fixed=fixed(data, costs),
        intervals=_fitted(box).predict_interval(data.test.values, LEVEL),
        trusted=float((frame.groupby("row")["verdict"].first() == "trusted").mean()),
        again=tuple(float(Rmse()(data.capped, one.said)) for one in again),
        costs=costs,
    )
    step("audit")
    subject = _fitted(box).subject()
    report = audited(
        subject,
        subject.read(data.test.values),
        title="glass box of remaining life",
        task="how many cycles this engine will still run",
        options=options,
        part=PART,
    )
    return replace(_part(found, options), decisions=shown, audit=report)


def rmse(told: Told, data: Cut, options: Options) -> Score:
    """The root of the mean squared error over test engines, with a bootstrap over engines."""
    score = Rmse()
    return Score(
        model=told.model,
        role=told.role,
        value=bootstrap(
            lambda rows: score(data.capped[rows], told.said[rows]),
            len(told.said),
            draws=1000,
            seed=options.seed,
        ),
        seconds=told.seconds,
    )


def _part(found: Findings, options: Options) -> Part:
    scores = tuple(rmse(one, found.data, options) for one in found.told)
    schedule = saved(found.policies[GLASS_BOX], found.fixed[0], seed=options.seed)
    return Part(
        name=PART,
        title=Said(en="Remaining life of engines", zh="发动机的剩余寿命"),
        answer=answer(found, scores, schedule),
        data=data_said(found),
        comparisons=(_comparison(scores),),
        checks=_checks(found, scores, schedule),
        tables=tables(found, seed=options.seed),
        limits=LIMITS,
    )


def _comparison(scores: tuple[Score, ...]) -> Comparison:
    reported = (
        published("one-layer LSTM", 14.93, "arXiv:2604.27234, as reported"),
        published(
            "deep convolutional network",
            12.61,
            "Li, Ding & Sun 2018, Reliability Engineering & System Safety 172, as reported",
        ),
        published(
            "two-stage attention (STAR)",
            10.6,
            "Fan, Li & Chang 2024, Sensors 24(3), as reported",
        ),
    )
    return Comparison(
        title=Said(en="Cycles that the test engines had left", zh="测试发动机的剩余循环数"),
        metric="RMSE in cycles, at most 125",
        better="lower",
        scores=in_order((*scores, *reported)),
        note=Said(
            en="The last window of each of the 100 test engines; the bar is the 95 % interval of a "
            "bootstrap over engines, for one training. Published figures are of the same test.",
            zh="100 台测试发动机各取最后一个窗口；横线为按发动机自助抽样的 95 % 区间（单次训练）。"
            "已发表的数字来自同一测试集。",
        ),
    )


def _checks(found: Findings, scores: tuple[Score, ...], schedule: Interval) -> tuple[Check, ...]:
    box = next(one for one in scores if one.model == GLASS_BOX).value.value
    values = found.data.test.values
    return (
        Check(
            name=Said(
                en="The glass box is as near as a one-layer LSTM, as reported",
                zh="玻璃盒模型的误差不高于文献中的单层 LSTM",
            ),
            measured=f"RMSE {box:.2f} (a deep network reached {STRETCH}, as reported)",
            bar=f"at most {BAR}",
            held=box <= BAR,
        ),
        Check(
            name=Said(
                en=f"{LEVEL:.0%} intervals hold what they say, within chance",
                zh=f"{LEVEL:.0%} 区间名副其实（在偶然误差之内）",
            ),
            measured=f"{found.covered:.0%} of {len(values)} test engines are inside",
            bar=f"at least {COVERED:.0%}",
            held=found.covered >= COVERED,
        ),
        Check(
            name=Said(
                en="Deciding by it costs less than the fixed schedule",
                zh="按它决定比按固定周期更省钱",
            ),
            measured=f"saves {schedule} an engine",
            bar="the interval's lower end above 0",
            held=schedule.lower is not None and schedule.lower > 0.0,
        ),
        Check(
            name=Said(
                en="Explanations stand the test of removing their factors",
                zh="解释经得起移除因素的检验",
            ),
            measured=f"trusted for {found.trusted:.0%} of {len(values)} test engines",
            bar=f"at least {TRUSTED:.0%}",
            held=found.trusted >= TRUSTED,
        ),
        *(_sums(one, values) for one in found.told if one.fitted is not None),
    )


def _sums(told: Told, values: npt.NDArray[np.float64]) -> Check:
    check = sums_to_decision(told.fitted, values)
    return replace(
        check,
        name=Said(
            en=f"{check.name.en} ({told.model})",
            zh=f"{check.name.zh}（{told.model}）",
        ),
    )


def _fitted(told: Told) -> Any:
    assert told.fitted is not None
    return told.fitted


def _shown(model: Any, data: Cut, policy: Policy) -> tuple[Decision, ...]:
    """The surest engine of each action, then the costliest decisions, three in all."""
    rows: list[int] = []
    for action in _SHOWN:
        sure = {
            row: sorted(choice.expected.values())[1] - choice.expected[action]
            for row, choice in enumerate(policy.choices)
            if choice.action == action
        }
        if sure:
            rows.append(max(sure, key=lambda row: sure[row]))
    mistakes = [int(row) for row in np.argsort(-policy.each, kind="stable") if row not in rows]
    rows += mistakes[: len(_SHOWN) - len(rows)]
    low, high = model.predict_interval(data.test.values[rows], LEVEL).T
    found = decisions(
        model,
        data.test.values,
        rows,
        titles=[
            f"engine {data.test.units[row]}{' (the costliest decision)' * (row in mistakes)}"
            for row in rows
        ],
        truth=[f"{data.truth[row]:.0f} cycles were left" for row in rows],
        unit=" cycles",
    )
    return tuple(
        replace(
            one,
            label=policy.actions[row],
            said=f"{one.said} left ({max(low[place], 0.0):.0f} to {high[place]:.0f}); "
            f"risk {policy.choices[row].risk:.0%}",
        )
        for place, (row, one) in enumerate(zip(rows, found, strict=True))
    )
