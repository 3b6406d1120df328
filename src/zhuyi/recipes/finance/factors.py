"""What the glass box goes by, on average over the rows it was scored on last."""

from zhuyi.core.record import Said
from zhuyi.recipes.finance.study import Study
from zhuyi.recipes.records import Table
from zhuyi.recipes.showing import taken


def goes_by(found: Study) -> Table:
    """Each factor's mean weight and contribution to what was decided, the largest first.

    Args:
        found: the study, for the last block and its model.
    """
    model, block = found.walked.last
    lines = model.explain(taken(found.market.inputs, block))
    lines = lines.assign(size=lines["contribution"].abs())
    means = lines.groupby("factor", sort=False)[["weight", "size"]].mean()
    means = means.sort_values("size", ascending=False)
    return Table(
        title=Said(
            en=f"What the glass box goes by, on {len(block):,} rows of the last block",
            zh=f"玻璃盒模型依据什么（最后一段的 {len(block):,} 条记录）",
        ),
        header=("factor", "mean weight", "mean size of its contribution, logits"),
        rows=tuple(
            (str(factor), f"{weight:.3f}", f"{size:.3f}")
            for factor, (weight, size) in zip(means.index, means.to_numpy(), strict=True)
        ),
        note=Said(
            en="Contribution is weight times effect, to the class that was decided. It says what "
            "the model goes by, not what moves prices.",
            zh="贡献等于权重乘以效应，对所作的决定而言。它说明模型依据什么，而不是什么推动价格。",
        ),
    )
