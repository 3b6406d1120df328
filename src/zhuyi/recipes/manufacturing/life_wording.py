"""The words and tables of the part on remaining life."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from zhuyi.core.record import Said
from zhuyi.recipes.costs import ACTIONS, Costs
from zhuyi.recipes.intervals import Interval
from zhuyi.recipes.manufacturing.life_costs import Policy, saved
from zhuyi.recipes.manufacturing.life_models import BOOSTING, GLASS_BOX, MIXED
from zhuyi.recipes.records import Score, Table

if TYPE_CHECKING:
    from zhuyi.recipes.manufacturing.remaining_life import Findings


def answer(found: "Findings", scores: tuple[Score, ...], schedule: Interval) -> Said:
    """What came out, for a person who reads nothing else."""
    value = {one.model: one.value.value for one in scores}
    ours, other = found.policies[GLASS_BOX].outcome, found.fixed[0].outcome
    ends = (schedule.lower, schedule.upper)
    sure = None not in ends and (min(ends) > 0.0 or max(ends) < 0.0)  # type: ignore[type-var,operator]
    share = 1.0 - ours.total / other.total
    boosted = found.policies[BOOSTING].outcome
    engines = len(found.data.truth)
    return Said(
        en=f"The glass box is off by {value[GLASS_BOX]:.1f} cycles (RMSE; gradient boosting "
        f"{value[BOOSTING]:.1f}). Decided by it, the test engines cost {ours.total:.0f}, by the "
        f"fixed schedule {other.total:.0f}: {abs(share):.0%} {'less' if share > 0 else 'more'}"
        f"{'' if sure else ', which may be chance'}; by gradient boosting {boosted.total:.0f}. "
        f"It let {ours.failures} of {engines} engines fail, the schedule {other.failures}.",
        zh=f"玻璃盒模型的误差为 {value[GLASS_BOX]:.1f} 个循环（RMSE；梯度提升为 "
        f"{value[BOOSTING]:.1f}）。按它决定，测试发动机的总费用为 {ours.total:.0f}，按固定周期为 "
        f"{other.total:.0f}，{'节省' if share > 0 else '多花'} {abs(share):.0%}"
        f"{'' if sure else '（可能出于偶然）'}；按梯度提升为 {boosted.total:.0f}。"
        f"按它决定，{engines} 台中有 {ours.failures} 台发生故障，"
        f"按固定周期有 {other.failures} 台。",
    )


def data_said(found: "Findings") -> Said:
    """Where the rows come from and how they were split."""
    windows, engines = len(found.data.train.units), len(found.data.lives)
    box = found.box.fitted
    assert box is not None
    held = len(np.unique(found.data.train.units[box.validation_rows_]))
    return Said(
        en=f"NASA C-MAPSS FD001, simulated turbofan engines: {engines} run to failure for "
        f"training ({windows:,} windows of 30 cycles, 14 sensors that move), "
        f"{len(found.data.truth)} others cut off before their failure for the test. Of the "
        f"training engines {held} whole ones were kept back to stop the training and to measure "
        "errors; remaining life counts up to 125 cycles, as in the literature.",
        zh=f"NASA C-MAPSS FD001，仿真涡扇发动机：{engines} 台运行至故障，用于训练"
        f"（{windows:,} 个 30 循环的窗口，14 个有变化的传感器）；另外 {len(found.data.truth)} 台在"
        f"故障前截断，用于测试。训练发动机中有 {held} 台整台留出，用于停止训练和测量误差；"
        "剩余寿命最多按 125 个循环计，与文献一致。",
    )


def tables(found: "Findings", *, seed: int) -> tuple[Table, ...]:
    """What decisions cost, by policy; and how wide intervals are."""
    seeds = (_seeds(found),) if found.again else ()
    return (_policies(found, seed), _prices(found.costs), _intervals(found), *seeds)


def _policies(found: "Findings", seed: int) -> Table:
    ours = found.policies[GLASS_BOX]
    rows = [
        (
            policy.name,
            f"{policy.outcome.total:.0f}",
            str(policy.outcome.failures),
            f"{policy.outcome.wasted:.0f}",
            *(str(policy.outcome.actions[action]) for action in ACTIONS),
            "–" if policy is ours else str(saved(ours, policy, seed=seed)),
        )
        for policy in _ordered(found)
    ]
    return Table(
        title=Said(
            en="What deciding cost on the test engines", zh="各种决策方式在测试发动机上的费用"
        ),
        header=("decided by", "cost", "failures", "cycles wasted", *ACTIONS, "the glass box saves"),
        rows=tuple(rows),
        note=Said(
            en="Every test engine is decided once, at its last known cycle, and charged up to the "
            "next inspection by its true remaining life. The schedule's age comes from the "
            "training engines; the best age in hindsight and the future nobody knows. Savings are "
            "per engine, with the 95 % interval of a bootstrap over engines.",
            zh="每台测试发动机在最后一个已知循环决策一次，并按真实剩余寿命计费至下次检查。固定周期取自"
            "训练发动机；事后最佳周期和未来无人能预知。节省额为每台平均，"
            "附按发动机自助抽样的 95 % 区间。",
        ),
    )


def _ordered(found: "Findings") -> Iterator[Policy]:
    yield from (found.policies[name] for name in (GLASS_BOX, MIXED, BOOSTING))
    yield from (
        policy
        for name, policy in found.policies.items()
        if name not in (GLASS_BOX, MIXED, BOOSTING)
    )
    yield from found.fixed


def _prices(costs: Costs) -> Table:
    return Table(
        title=Said(en="The prices", zh="价格"),
        header=("what", "price"),
        rows=(
            ("a planned replacement", f"{costs.stop:g}"),
            ("each cycle of life thrown away by it", f"{costs.wasted:g}"),
            (f"a repair, which gives back {costs.restored:g} cycles", f"{costs.repair:g}"),
            ("a failure in use", f"{costs.failure:g}"),
            ("cycles to the next inspection", f"{costs.horizon:g}"),
        ),
        note=Said(
            en="An example, not a price list: with your own prices other actions are right. The "
            "action with the least expected cost is taken, over the prediction plus the errors "
            "made on engines kept back that were told about the same.",
            zh="仅为示例，不是价目表：换成您自己的价格，正确的选择会不同。取期望费用最低的行动，"
            "期望按预测值加上在留出发动机上（预测相近者）的误差计算。",
        ),
    )


def _intervals(found: "Findings") -> Table:
    low, high = found.intervals.T
    truth = found.data.capped
    rows = []
    for start, stop in ((0, 25), (25, 75), (75, 126)):
        own = (truth >= start) & (truth < stop)
        inside = (low[own] <= truth[own]) & (truth[own] <= high[own])
        error = found.box.said[own] - truth[own]
        rows.append(
            (
                f"{start} to {min(stop - 1, 125)}",
                str(int(own.sum())),
                f"{np.sqrt(np.mean(error**2)):.1f}",
                f"{error.mean():+.1f}",
                f"{(high - low)[own].mean():.0f}",
                f"{inside.mean():.0%}",
            )
        )
    return Table(
        title=Said(en="Errors and intervals by how much was left", zh="按剩余寿命划分的误差与区间"),
        header=("cycles left", "engines", "RMSE", "mean error", "interval's width", "inside"),
        rows=tuple(rows),
        note=Said(
            en="Intervals at 90 %. They promise 90 % over all engines like those of training, not "
            "in each of these rows; a mean error above 0 says too long a life.",
            zh="区间水平为 90 %。它保证的是与训练同类的全部发动机中 90 %，而不是每一行；"
            "平均误差大于 0 表示寿命估得过长。",
        ),
    )


def _seeds(found: "Findings") -> Table:
    first = float(np.sqrt(np.mean((found.box.said - found.data.capped) ** 2)))
    values = (first, *found.again)
    return Table(
        title=Said(en="The glass box trained again", zh="重新训练玻璃盒模型"),
        header=("trainings", "RMSE of each", "mean", "lowest", "highest"),
        rows=(
            (
                str(len(values)),
                ", ".join(f"{one:.2f}" for one in values),
                f"{np.mean(values):.2f}",
                f"{min(values):.2f}",
                f"{max(values):.2f}",
            ),
        ),
        note=Said(
            en="Each with other first weights and other engines kept back. All else on this page "
            "is of the first.",
            zh="每次初始权重和留出的发动机都不同。本页其他内容均出自第一次训练。",
        ),
    )


LIMITS = (
    Said(
        en="Simulated engines of one kind with one kind of failure (FD001). A real fleet differs: "
        "train on its own records.",
        zh="同一型号、同一故障模式的仿真发动机（FD001）。真实机队不同：请用自己的记录训练。",
    ),
    Said(
        en="No ground for flying, or grounding, an aircraft. Airworthiness has rules of its own.",
        zh="不能作为飞机放行或停飞的依据。适航另有规定。",
    ),
    Said(
        en="A repair is assumed to give back a stated number of cycles; the data hold no repair. "
        "Each test engine is decided once, not over its whole life.",
        zh="维修能恢复的循环数是假定的，数据中没有维修记录。每台测试发动机只决策一次，而非整个寿命期。",
    ),
    Said(
        en="The number of stretches, epochs and the width were chosen on validation engines of the "
        "training part, but while test scores could be seen; published figures may have been too.",
        zh="时间段数、训练轮数和宽度是在训练部分的验证发动机上选定的，但选定时测试得分可见；"
        "已发表的数字可能也是如此。",
    ),
    Said(
        en="A contribution says what the model went by. Sensors of one engine tell much the same, "
        "so another model may go by others and be as right. And where a removed sensor is replaced "
        "by what other engines showed, it contradicts the sensors that are left: by that way of "
        "removal the order of factors holds less (see the audit).",
        zh="贡献说明模型依据了什么。同一发动机的传感器信息高度重复，另一个同样准确的模型可能依据别的传感器。"
        "若用其他发动机的数值替换被移除的传感器，它会与其余传感器矛盾：按这种移除方式，"
        "因素的排序要差一些（见审计）。",
    ),
)
