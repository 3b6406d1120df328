"""Whether a glass box goes by what guidelines name: conditions, as they move a class's logit.

d_n = mean_(has it) a_n - mean_(has it not) a_n,   a_n = weight times effect of column n
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from zhuyi.core.record import Said
from zhuyi.errors import InputError
from zhuyi.recipes.medicine.names import CLASSES, both
from zhuyi.recipes.nhanes import SIGNALS
from zhuyi.recipes.records import Check
from zhuyi.recipes.splits import Fold

if TYPE_CHECKING:
    import pandas as pd

SAYING: Mapping[str, tuple[tuple[str, ...], Said]] = MappingProxyType(
    {
        "cc_cvd_hf": (("cc_cvd_hf",), Said(en="heart failure", zh="心力衰竭")),
        "cc_cvd_mi": (("cc_cvd_mi", "cc_cvd_chd"), Said(en="a heart attack", zh="心肌梗死")),
        "cc_diabetes": (("cc_diabetes", "cc_hba1c"), Said(en="diabetes", zh="糖尿病")),
        "demo_race_black": (("demo_race",), Said(en="being a Black adult", zh="非裔成年人")),
        "cc_cvd_ascvd": (
            ("cc_cvd_mi", "cc_cvd_chd", "cc_cvd_stroke"),
            Said(en="atherosclerotic disease", zh="动脉粥样硬化性疾病"),
        ),
    }
)
"""Condition -> the input columns that say it, and its name. Where several say the same thing (a
heart attack and coronary disease, diabetes and the HbA1c that defines it) their parts are added."""

AMONG_FIRST = 3


@dataclass(frozen=True, kw_only=True)
class Recovered:
    """What an explanation says of a guideline's signal.

    Args:
        drug: column of the class.
        condition: column of the condition.
        moved: d of the columns that say the condition, added up, in logits.
        own: d of the condition's own column by itself; `moved` where it has none.
        rank: place of `moved` among the d of all other columns, 1 is the first.
        own_rank: place of `own` among all single columns.
        people: without and with the condition.
    """

    drug: str
    condition: str
    moved: float
    own: float
    rank: int
    own_rank: int
    people: tuple[int, int]

    def check(self) -> Check:
        """Whether it moves the class up, and among the first."""
        drug, (_, said) = CLASSES[self.drug], SAYING[self.condition]
        return Check(
            name=Said(
                en=f"Contributions recover a guideline: {said.en} speaks for {drug.en}",
                zh=f"贡献值找回了指南信号：{said.zh}支持使用{drug.zh}",
            ),
            measured=(
                f"{self.moved:+.2f} logits, rank {self.rank}; its own column {self.own:+.2f}, rank "
                f"{self.own_rank} ({self.people[1]:,} people)"
            ),
            bar=f"both above 0, and among the first {AMONG_FIRST}",
            held=min(self.moved, self.own) > 0.0 and self.rank <= AMONG_FIRST,
        )


def recovered(
    fits: Sequence[tuple[Fold, Any]],
    inputs: "pd.DataFrame",
    people: "pd.DataFrame",
    drugs: Sequence[str],
) -> tuple[Recovered, ...]:
    """The signals of `nhanes.SIGNALS`, by explanations of rows that the models did not learn from.

    Args:
        fits: glass boxes with their folds; labels are the names of `drugs` in both languages.
        inputs: all rows, of which each fold tests some.
        people: all columns of the same rows.
        drugs: columns of the classes that were learned.

    Raises: InputError: if nobody has, or everybody has, a condition.
    """
    found = []
    for drug, condition in SIGNALS:
        if drug not in drugs:
            continue
        parts, said = [], []
        for fold, model in fits:
            rows = inputs.iloc[fold.test]
            frame = model.explain(rows, labels=[both(CLASSES[drug])])
            parts.append(frame["contribution"].to_numpy().reshape(len(rows), -1))
            said.append(people[condition].iloc[fold.test].to_numpy())
        answers = np.concatenate(said)
        has, has_not = answers == "Yes", answers == "No"
        if not has.any() or not has_not.any():
            raise InputError(f"{condition} must be Yes for some people and No for others")
        contributions = np.concatenate(parts)
        apart = contributions[has].mean(0) - contributions[has_not].mean(0)
        saying = [inputs.columns.get_loc(name) for name in SAYING[condition][0]]
        moved = float(apart[saying].sum())
        rank = 1 + int((np.delete(apart, saying) > moved).sum())
        own, own_rank = moved, rank
        if condition in inputs.columns:
            own = float(apart[inputs.columns.get_loc(condition)])
            own_rank = 1 + int((apart > own).sum())
        counts = (int(has_not.sum()), int(has.sum()))
        found.append(
            Recovered(
                drug=drug,
                condition=condition,
                moved=moved,
                own=own,
                rank=rank,
                own_rank=own_rank,
                people=counts,
            )
        )
    return tuple(found)
