"""A recipe's report made by hand: every kind of thing that a page shows, and no model run."""

from tests.ui.synthetic_audit import synthetic_audit
from zhuyi.core.record import Said
from zhuyi.recipes.intervals import Interval
from zhuyi.recipes.records import (
    Check,
    Comparison,
    Decision,
    Factor,
    Part,
    RecipeReport,
    Role,
    Score,
    Table,
)

NOTE = "高血压病史5年，高血脂3年，否认糖尿病史。"


def synthetic_recipe(*, evil: str = "", quick: bool = False) -> RecipeReport:
    """Two parts, one of them skipped besides; `evil` is put wherever data can bring a text."""
    return RecipeReport(
        name="manufacturing",
        title=Said(
            en=f"Manufacturing: what will fail, why, and when to repair it{evil}",
            zh=f"制造业：哪台设备会出故障，原因何在，何时维修{evil}",
        ),
        parts=(_failures(evil), _life(evil)),
        forbidden=(
            Said(en="As the only ground for stopping a machine.", zh="作为停机的唯一依据。"),
            Said(en=f"Where people may be hurt.{evil}", zh=f"漏报会伤人的场合。{evil}"),
        ),
        skipped=(("notes", f"notes.csv cannot be had: no connection{evil}"),),
        quick=quick,
        seed=3,
        version="0.1.0",
    )


def _score(
    model: str,
    role: Role,
    value: float,
    *ends: float,
    seconds: float | None = None,
    source: str = "",
) -> Score:
    lower, upper = ends or (None, None)
    interval = Interval(value=value, lower=lower, upper=upper, how="25 folds, corrected t")
    return Score(model=model, role=role, value=interval, seconds=seconds, source=source)


def _failures(evil: str) -> Part:
    scores = (
        _score("never a failure", "trivial", 0.0, 0.0, 0.0, seconds=0.1),
        _score("logistic regression", "simple", 0.262, 0.18, 0.344, seconds=1.2),
        _score("gradient boosting", "simple", 0.781, 0.72, 0.842, seconds=19.0),
        _score(f"glass box{evil}", "ours", 0.655, 0.58, 0.73, seconds=213.0),
        _score("with 2 mixing layers", "ours", 0.802, 0.741, 0.863, seconds=455.0),
        _score("the published rules", "published", 0.917, source=f"Matzka 2020{evil}"),
    )
    return Part(
        name="failures",
        title=Said(en="Machine failures and their causes", zh="设备故障及其原因"),
        answer=Said(
            en="The factor named first is a true cause in 97 % of the true failures; failures are "
            "found with an F1 of 0.80, gradient boosting reaches 0.78.",
            zh="在 97 % 的真实故障中，首位因素确实是原因；F1 为 0.80，梯度提升为 0.78。",
        ),
        data=Said(en=f"10,000 machines, 339 failures.{evil}", zh="10,000 台设备，339 次故障。"),
        comparisons=(
            Comparison(
                title=Said(en="Which machines fail", zh="哪些设备会出故障"),
                metric="F1 of failures",
                better="higher",
                scores=scores,
                note=Said(en="Mean over 25 folds.", zh="25 折平均。"),
            ),
        ),
        checks=(
            Check(
                name=Said(en="Contributions sum to the decision", zh="各项贡献之和等于决定"),
                measured="largest difference 4.4e-15 over 50,000 decisions",
                bar="at most 1e-05",
                held=True,
            ),
            Check(
                name=Said(en=f"The first factor is a cause{evil}", zh="首位因素是原因"),
                measured="91.2 % (301 of 330 failures)",
                bar="at least 95 %",
                held=False,
            ),
        ),
        decisions=(_machine(evil), _note()),
        tables=(
            Table(
                title=Said(en="Each mode by itself", zh="各种故障模式"),
                header=("mode", "failures", "F1", "true causes"),
                rows=(
                    ("heat dissipation", "115", "0.93", "air, process temperature, speed"),
                    (f"power{evil}", "95", "0.88", "speed, torque"),
                ),
                note=Said(en="Each machine scored once.", zh="每台设备评分一次。"),
            ),
        ),
        audit=synthetic_audit(evil=evil),
        limits=(Said(en="The data are synthetic.", zh="数据是合成的。"),),
        seconds=812.0,
    )


def _machine(evil: str) -> Decision:
    parts = (("Torque [Nm]", 3.1), ("Rotational speed [rpm]", 1.9), ("Tool wear [min]", -0.7))
    return Decision(
        title="machine 70",
        label=f"fails by HDF{evil}",
        said="93.1%",
        truth="failed by HDF",
        constant=-1.7,
        factors=tuple(
            Factor(name=name, value=f"{65.7}{evil}", weight=0.3, contribution=amount)
            for name, amount in parts
        ),
        verdict="trusted",
    )


def _note() -> Decision:
    """More factors than a page shows by themselves, and a text to mark them in."""
    named = (("高血压", 2.6), ("糖尿病", -1.4), ("高血脂", 0.9))
    rest = tuple(
        Factor(name=f"w{index}", value="", weight=0.01, contribution=0.05) for index in range(9)
    )
    return Decision(
        title="note 12",
        label="降压药",
        said="97.0%",
        truth="",
        constant=-0.4,
        factors=(
            *(Factor(name=n, value=n, weight=0.3, contribution=a) for n, a in named),
            *rest,
        ),
        verdict="not verified",
        text=NOTE,
    )


def _life(evil: str) -> Part:
    return Part(
        name="life",
        title=Said(en="Remaining life of engines", zh="发动机剩余寿命"),
        answer=Said(en="The error is 14.2 cycles.", zh="误差为 14.2 个循环。"),
        data=Said(en="100 engines.", zh="100 台发动机。"),
        comparisons=(
            Comparison(
                title=Said(en="Error on the test engines", zh="测试发动机上的误差"),
                metric="RMSE, cycles",
                better="lower",
                scores=(
                    _score("mean life", "trivial", 41.2, 37.0, 45.1),
                    _score("gradient boosting", "simple", 15.1, 12.9, 17.2, seconds=4.0),
                    _score("glass box", "ours", 14.2, 12.1, 16.6, seconds=61.0),
                    _score("LSTM", "published", 14.93, source=f"as reported{evil}"),
                ),
                note=Said(en="100 engines, bootstrap.", zh="100 台发动机，自助法。"),
            ),
        ),
        limits=(Said(en="A simulated engine.", zh="仿真发动机。"),),
    )
