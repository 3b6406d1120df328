"""Another removal: would the deletion test say the same if units were removed in another way?"""

from dataclasses import dataclass, field, replace

from zhuyi.core.record import Attribution, Finding, Outcome, Said
from zhuyi.errors import OptionError
from zhuyi.trace.subject import RemovableSubject
from zhuyi.verify.case import Case
from zhuyi.verify.deletion import Deletion
from zhuyi.verify.removals import Removals, taken
from zhuyi.verify.scores import Score, conclude


@dataclass(frozen=True, kw_only=True)
class OtherRemoval:
    """Another removal: is the deletion test's answer a matter of how units are removed?

    The same explanation is scored on the same inputs with every way of removal that the subject
    offers. The finding cautions where one way trusts what another refutes, or where another way
    puts the skill below the bar for trust although the first puts it above.

    Args:
        most: inputs to compare on.
        deletion: the test, with its settings.

    Returns: Finding; numbers "skill, <way>", one a way. Skipped where there is one way only.
    Raises:  OptionError: most < 1.
    Cost:    that of the deletion test on `most` inputs for each other way.
    Not:     a judgment of which way is right: all of them make inputs that nobody wrote.
    Ref:     Hooker et al. 2019, arXiv:1806.10758, and Hase et al. 2021, arXiv:2106.00786, on how
             the way of removal decides such tests.

    Example:
        >>> OtherRemoval(most=8).most
        8
    """

    most: int = 12
    deletion: Deletion = field(default_factory=lambda: Deletion(width=1, orders=4))

    def __post_init__(self) -> None:
        if self.most < 1:
            raise OptionError(f"most must be at least 1, got {self.most}")

    def __call__(self, case: Case) -> Finding:
        """Compare the ways."""
        subject = case.subject
        if not isinstance(subject, RemovableSubject) or len(subject.removals) < 2:
            return self._finding(
                "skipped",
                Said(
                    en="Only one way to remove a unit is known here, so no other was tried.",
                    zh="这里只有一种去除方式，没有别的方式可比较。",
                ),
            )
        rows = list(range(min(self.most, len(case.removals))))
        own = {subject.removal: self.deletion.scores(case, rows)}
        calls = 0
        for how in subject.removals:
            if how not in own:
                other = Removals(
                    subject.removing(how),
                    taken(case.batch, rows),
                    [case.removals.targets[row] for row in rows],
                )
                own[how] = self.deletion.scores(_part(case, rows, other))
                calls += other.calls
        return self._compared(case, own, calls)

    def _compared(self, case: Case, scores: dict[str, list[Score]], calls: int) -> Finding:
        found = {
            how: conclude(
                ours,
                inputs=min(self.most, len(case.removals)),
                settings=repr(self.deletion),
                removal=how,
                thresholds=case.thresholds,
                seed=case.seed,
            )
            for how, ours in scores.items()
        }
        skills = {
            how: float(one.numbers["skill"])  # type: ignore[arg-type]
            for how, one in found.items()
            if one.numbers.get("skill") is not None
        }
        bar = case.thresholds
        first = skills.get(case.subject.removal)
        changed = [
            how
            for how, skill in skills.items()
            if first is not None and (first > bar.trusted) != (skill > bar.trusted)
            and abs(first - skill) > (bar.trusted - bar.refuted) / 2
        ]  # fmt: skip
        told = ", ".join(
            f"{how}: {skills[how]:.2f}" if how in skills else f"{how}: –" for how in found
        )
        outcome: Outcome = "cautions" if changed else "informs"
        if changed:
            said = Said(
                en=f"Another way to remove units changes the answer (skill by way: {told}).",
                zh=f"换一种去除方式，结论会改变（各方式的技能：{told}）。",
            )
        else:
            said = Said(
                en=f"Another way to remove units gives the same answer (skill by way: {told}).",
                zh=f"换一种去除方式，结论相同（各方式的技能：{told}）。",
            )
        return self._finding(
            outcome, said, {f"skill, {how}": skill for how, skill in skills.items()}, calls
        )

    def _finding(
        self, outcome: Outcome, said: Said, numbers: dict[str, float] | None = None, calls: int = 0
    ) -> Finding:
        return Finding(
            test="OtherRemoval",
            settings=repr(self),
            outcome=outcome,
            said=said,
            numbers=dict(numbers or {}),
            calls=calls,
        )


def _part(case: Case, rows: list[int], removals: Removals) -> Case:
    """The first inputs of a case under another way of removal."""
    attribution = case.attribution
    part = Attribution(
        values=attribution.values[rows],
        units=tuple(attribution.units[row] for row in rows),
        method=attribution.method,
        target=removals.targets,
        signed=attribution.signed,
    )
    return replace(
        case,
        subject=removals.subject,
        batch=removals.batch,
        attribution=part,
        removals=removals,
    )
