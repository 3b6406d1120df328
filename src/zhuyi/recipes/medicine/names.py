"""What the columns and drug classes of NHANES are called, for people who read no code book."""

from collections.abc import Mapping
from types import MappingProxyType

from zhuyi.core.record import Said
from zhuyi.recipes.intervals import Interval

COLUMNS: Mapping[str, Said] = MappingProxyType(
    {
        "demo_age_years": Said(en="age, years", zh="年龄（岁）"),
        "bp_sys_mean": Said(en="systolic pressure, mm Hg", zh="收缩压（mmHg）"),
        "bp_dia_mean": Said(en="diastolic pressure, mm Hg", zh="舒张压（mmHg）"),
        "chol_total": Said(en="total cholesterol, mg/dL", zh="总胆固醇（mg/dL）"),
        "chol_hdl": Said(en="HDL cholesterol, mg/dL", zh="高密度脂蛋白胆固醇（mg/dL）"),
        "chol_trig": Said(en="triglycerides, mg/dL", zh="甘油三酯（mg/dL）"),
        "chol_ldl": Said(en="LDL cholesterol, mg/dL", zh="低密度脂蛋白胆固醇（mg/dL）"),
        "cc_acr": Said(en="albumin to creatinine in urine, mg/g", zh="尿白蛋白/肌酐（mg/g）"),
        "cc_egfr": Said(en="kidney filtration (eGFR)", zh="肾小球滤过率（eGFR）"),
        "cc_hba1c": Said(en="HbA1c, %", zh="糖化血红蛋白（%）"),
        "demo_race": Said(en="race or ethnicity, as asked", zh="种族或族裔（按问卷）"),
        "demo_gender": Said(en="gender", zh="性别"),
        "demo_pregnant": Said(en="pregnant", zh="怀孕"),
        "cc_smoke": Said(en="smoking", zh="吸烟"),
        "cc_bmi": Said(en="body mass index, kg/m2", zh="体质指数（kg/m2）"),
        "cc_diabetes": Said(en="diabetes", zh="糖尿病"),
        "cc_ckd": Said(en="chronic kidney disease", zh="慢性肾脏病"),
        "cc_cvd_mi": Said(en="heart attack in the past", zh="曾患心肌梗死"),
        "cc_cvd_chd": Said(en="coronary heart disease", zh="冠心病"),
        "cc_cvd_stroke": Said(en="stroke in the past", zh="曾患脑卒中"),
        "cc_cvd_hf": Said(en="heart failure", zh="心力衰竭"),
    }
)
"""Of the inputs."""

CLASSES: Mapping[str, Said] = MappingProxyType(
    {
        "bp_med_ace": Said(en="ACE inhibitor", zh="血管紧张素转换酶抑制剂"),
        "bp_med_aldo": Said(en="aldosterone antagonist", zh="醛固酮受体拮抗剂"),
        "bp_med_alpha": Said(en="alpha blocker", zh="α受体阻滞剂"),
        "bp_med_angioten": Said(en="angiotensin receptor blocker", zh="血管紧张素受体拮抗剂"),
        "bp_med_beta": Said(en="beta blocker", zh="β受体阻滞剂"),
        "bp_med_central": Said(en="central agent", zh="中枢性降压药"),
        "bp_med_ccb": Said(en="calcium channel blocker", zh="钙通道阻滞剂"),
        "bp_med_diur_Ksparing": Said(en="potassium-sparing diuretic", zh="保钾利尿剂"),
        "bp_med_diur_loop": Said(en="loop diuretic", zh="袢利尿剂"),
        "bp_med_diur_thz": Said(en="thiazide diuretic", zh="噻嗪类利尿剂"),
        "bp_med_renin_inhibitors": Said(en="renin inhibitor", zh="肾素抑制剂"),
        "bp_med_vasod": Said(en="direct vasodilator", zh="直接血管扩张剂"),
        "chol_med_statin": Said(en="statin", zh="他汀类"),
        "chol_med_ezetimibe": Said(en="ezetimibe", zh="依折麦布"),
        "chol_med_pcsk9i": Said(en="PCSK9 inhibitor", zh="PCSK9抑制剂"),
        "chol_med_bile": Said(en="bile acid binder", zh="胆汁酸螯合剂"),
        "chol_med_fibric_acid": Said(en="fibrate", zh="贝特类"),
    }
)
"""Of the labels."""


def both(said: Said) -> str:
    """One text for readers of either language, where a record has a single one.

    Example:
        >>> both(CLASSES["chol_med_statin"])
        'statin · 他汀类'
    """
    return f"{said.en} · {said.zh}"


def told(value: Interval) -> Said:
    """A number with its interval, for a sentence.

    Example:
        >>> told(Interval(value=0.7, lower=0.69, upper=0.71, how="")).zh
        '0.700（0.690至0.710）'
    """
    if value.lower is None or value.upper is None:
        return Said(en=str(value), zh=f"{value.value:.3f}")
    return Said(en=str(value), zh=f"{value.value:.3f}（{value.lower:.3f}至{value.upper:.3f}）")
