"""Manufacturing: which machine will fail and why, and how long an engine will still run."""

from types import MappingProxyType

from zhuyi.core.record import Said
from zhuyi.recipes.records import Options, Part
from zhuyi.recipes.scene import PartOf, Scene


def _failures(options: Options) -> Part:
    from zhuyi.recipes.manufacturing import machine_failures

    return machine_failures.run(options)


def _life(options: Options) -> Part:
    from zhuyi.recipes.manufacturing import remaining_life

    return remaining_life.run(options)


RECIPE = Scene(
    name="manufacturing",
    title=Said(
        en="Manufacturing: what will fail, why, and when to repair it",
        zh="制造业：哪台设备会出故障，原因何在，何时维修",
    ),
    by_name=MappingProxyType(
        {
            "failures": PartOf(
                question=Said(
                    en="Which machine fails, by which mode, and what caused it?",
                    zh="哪台机器会发生哪种故障，由什么引起？",
                ),
                data="AI4I 2020 (UCI 601, CC BY 4.0, 0.5 MB)",
                run=_failures,
            ),
            "life": PartOf(
                question=Said(
                    en="How long will this engine run, and should it be repaired now?",
                    zh="这台发动机还能运行多久，现在该维修吗？",
                ),
                data="NASA C-MAPSS FD001 (public, 12 MB)",
                run=_life,
            ),
        }
    ),
    forbidden=(
        Said(
            en="As the only ground for running or stopping a machine. A maintenance order needs a "
            "person who knows the machine, and the maker's own limits come first.",
            zh="作为开机或停机的唯一依据。维修指令必须由了解设备的人下达，并以制造商的限值为先。",
        ),
        Said(
            en="On a real machine as it stands: both data sets are simulated. Train on your own "
            "records, and look at the verdict again.",
            zh="直接用于真实设备：两个数据集都是仿真得到的。请用自己的记录重新训练，并重新查看结论。",
        ),
        Said(
            en="Where people may be hurt if a failure is missed (safety functions, pressure "
            "vessels, lifts, aircraft). Missed failures are counted on this page, not prevented.",
            zh="漏报会伤人的场合（安全功能、压力容器、电梯、航空器）。本页只统计漏报，并不防止漏报。",
        ),
        Said(
            en="To blame an operator: a factor that counts in a decision is not a person's fault.",
            zh="用于追究操作人员的责任：某个因素影响了决定，并不等于某个人有过错。",
        ),
    ),
)
"""The scene."""
