"""The sentences of the readmission part, in both languages."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from zhuyi.core.record import Said
from zhuyi.recipes.showing import published

TITLE: Final = Said(
    en="Stays of people with diabetes: who is back within 30 days, and what is done with insulin",
    zh="糖尿病患者住院：谁会在30天内再次入院，胰岛素如何调整",
)
BACK: Final = Said(en="back within 30 days", zh="30天内再次入院")
INSULIN: Final = Said(
    en="insulin: not given, steady, up or down", zh="胰岛素：未用、不变、加量或减量"
)
RARE: Final = "one of the rare ones"

# Sorted as a classifier sorts its classes: the second of two is the one that a logit speaks for.
BACK_LABELS: Final = {"False": "no · 未在30天内再入院", "True": "yes · 30天内再入院"}
INSULIN_LABELS: Final = {
    "Down": "down · 减量",
    "No": "none · 未用",
    "Steady": "steady · 不变",
    "Up": "up · 加量",
}

_SOURCE: Final = (
    "as reported in Predicting 30-Day Hospital Readmission in Patients With Diabetes Using Machine "
    "Learning on Electronic Health Record Data, Cureus 2025; one 80/20 split of encounters, not of "
    "patients"
)
PUBLISHED: Final = (
    published("XGBoost", 0.667, _SOURCE),
    published("logistic regression", 0.642, _SOURCE),
    published("random forest", 0.630, _SOURCE),
    published("deep neural network", 0.579, _SOURCE),
)

COLUMNS: Mapping[str, Said] = MappingProxyType(
    {
        "time_in_hospital": Said(en="days in hospital", zh="住院天数"),
        "num_lab_procedures": Said(en="laboratory tests", zh="化验次数"),
        "num_procedures": Said(en="other procedures", zh="其他操作次数"),
        "num_medications": Said(en="number of drugs given", zh="用药种数"),
        "number_outpatient": Said(en="outpatient visits in the year before", zh="前一年门诊次数"),
        "number_emergency": Said(en="emergencies in the year before", zh="前一年急诊次数"),
        "number_inpatient": Said(en="stays in the year before", zh="前一年住院次数"),
        "number_diagnoses": Said(en="number of diagnoses", zh="诊断数目"),
        "race": Said(en="race or ethnicity, as recorded", zh="种族或族裔（按记录）"),
        "gender": Said(en="gender", zh="性别"),
        "age": Said(en="age, by decades", zh="年龄段"),
        "admission_type_id": Said(en="type of admission, a code", zh="入院类型（代码）"),
        "discharge_disposition_id": Said(en="where they left to, a code", zh="出院去向（代码）"),
        "admission_source_id": Said(en="where they came from, a code", zh="入院来源（代码）"),
        "medical_specialty": Said(en="specialty of the physician", zh="接诊科室"),
        "diag_1": Said(en="first diagnosis, its group", zh="第一诊断（分组）"),
        "diag_2": Said(en="second diagnosis, its group", zh="第二诊断（分组）"),
        "diag_3": Said(en="third diagnosis, its group", zh="第三诊断（分组）"),
        "max_glu_serum": Said(en="glucose in the blood, as graded", zh="血糖（分级）"),
        "A1Cresult": Said(en="HbA1c, as graded", zh="糖化血红蛋白（分级）"),
        "change": Said(en="a diabetes drug was changed", zh="调整过降糖药"),
        "diabetesMed": Said(en="any diabetes drug", zh="使用降糖药"),
        "insulin": Said(en="insulin", zh="胰岛素"),
        "metformin": Said(en="metformin", zh="二甲双胍"),
    }
)

ENOUGH: Final = Said(
    en="The glass box tells who is back within 30 days", zh="玻璃盒模型能判断谁会在30天内再次入院"
)
NO_LEAK: Final = Said(
    en="Nothing that is the same decision, or came after it, is an input for insulin",
    zh="判断胰岛素时，未使用任何属于同一决定或发生在其后的信息",
)
BY_ANSWER: Final = Said(
    en="What was done with insulin, answer by answer", zh="胰岛素的处理，逐项结果"
)
BY_ANSWER_NOTE: Final = Said(
    en="AUROC of each answer against the three others, over all held-out stays.",
    zh="每一种处理相对于其余三种的AUROC，在所有留出的住院记录上计算。",
)
BY_GROUP: Final = Said(
    en="For whom it is better or worse: back within 30 days", zh="对哪些人更准或更差：30天内再入院"
)
BY_GROUP_NOTE: Final = Said(
    en="AUROC within each group, over the folds.", zh="各组内部的AUROC，跨折计算。"
)

LIMITS: Final = (
    Said(
        en="The stays are of 1999 to 2008 in American hospitals; treatment and discharge have "
        "changed since, so neither the risks nor the shares hold today.",
        zh="数据是1999至2008年美国医院的住院记录；此后的治疗和出院安排都已改变，"
        "其中的风险和比例都不适用于今天。",
    ),
    Said(
        en="Coming back elsewhere than to these hospitals was not recorded, and counts as not "
        "coming back.",
        zh="回到其他医院就诊的没有记录，按未再入院计算。",
    ),
    Said(
        en="What was done with insulin is what physicians did, not what would have been right.",
        zh="胰岛素的处理是医生当时的做法，不等于正确的做法。",
    ),
    Said(
        en="Doses, weight, blood sugar over time and the reason for a change are not in the table.",
        zh="表中没有剂量、体重、血糖变化过程，也没有调整的原因。",
    ),
)


def answer(back: tuple[Said, Said], insulin: tuple[Said, Said]) -> Said:
    """What came out: each the score of our better model, and that of boosting."""
    return Said(
        en="Who is back within 30 days is told by the better of our two models with an AUROC of "
        f"{back[0].en} (0.5 is chance), by gradient boosting with {back[1].en}. "
        f"What is done with insulin is told with a mean AUROC of {insulin[0].en}, by gradient "
        f"boosting with {insulin[1].en}.",
        zh=f"谁会在30天内再次入院：我们两个模型中较好的AUROC为{back[0].zh}（0.5为随机），"
        f"梯度提升为{back[1].zh}。"
        f"胰岛素如何处理，平均AUROC为{insulin[0].zh}，梯度提升为{insulin[1].zh}。",
    )


def data(back: int, insulin: int, patients: int) -> Said:
    """Where the rows come from."""
    return Said(
        en="Diabetes 130-US hospitals, 1999 to 2008, UCI 296 (CC BY 4.0). "
        f"{back:,} stays of {patients:,} patients for readmission, without those who died or went "
        f"to a hospice; {insulin:,} stays for insulin. Folds of patients: nobody is on both sides.",
        zh="Diabetes 130-US hospitals，1999至2008年，UCI 296（CC BY 4.0）。"
        f"再入院：{patients:,}名患者的{back:,}次住院，不含死亡或转入临终关怀者；胰岛素：{insulin:,}次住院。"
        "按患者分折，同一患者不会同时出现在训练和测试中。",
    )


def folds(count: int) -> Said:
    """How a comparison was split."""
    return Said(
        en=f"{count} of 5 folds of patients; intervals over folds, corrected for shared training "
        "rows. Published figures are of other splits.",
        zh=f"按患者分五折，运行其中{count}折；区间跨折计算，并对共用的训练数据作了校正。"
        "已发表的数字来自其他划分。",
    )


def explained(question: Said) -> Said:
    """A bar for verdicts."""
    return Said(
        en=f"Explanations of single stays stand the removal test: {question.en}",
        zh=f"对单次住院的解释经得起移除检验：{question.zh}",
    )


def stay(number: int) -> str:
    """Title of a decision."""
    return f"held-out stay {number} · 留出的住院记录{number}"
