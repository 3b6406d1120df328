"""How many explanations of single rows stand the removal test."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zhuyi.core.record import Said
from zhuyi.learn import Contributions
from zhuyi.recipes.records import Check
from zhuyi.verify import Deletion, verify

if TYPE_CHECKING:
    import pandas as pd

LEAST = 0.95


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """Explanations of rows, each of its most likely decision, by what the removal test says.

    Args:
        trusted, doubtful, refuted: how many rows, tested on the logit that contributions sum to,
            as `explain(verify=True)` does.
        untested: of the doubtful those on which removal changes too little to test anything.
        by_probability: how many are trusted where the probability is tested instead; it hardly
            moves where it is near 0 or 1, and then nothing can be tested.
    """

    trusted: int
    doubtful: int
    refuted: int
    untested: int
    by_probability: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.trusted + self.doubtful + self.refuted

    def check(self, name: Said) -> Check:
        """Whether enough are trusted; those that could not be tested count as not trusted."""
        share = self.trusted / self.rows
        return Check(
            name=name,
            measured=f"{share:.0%} of {self.rows} rows trusted; {self.doubtful} doubtful, "
            f"{self.untested} of them because nothing changes; {self.refuted} refuted (tested on "
            f"the probability instead of its logit: {self.by_probability / self.rows:.0%} trusted)",
            bar=f"at least {LEAST:.0%}",
            held=share >= LEAST,
        )


def verdicts(model: Any, rows: "pd.DataFrame") -> Verdicts:
    """Test the contributions of every row.

    Args:
        model: fitted, of `zhuyi.learn`.
        rows: that it did not learn from.
    Cost: about 1,000 decisions a row.
    """
    subject = model.subject()
    batch = subject.read(rows)
    likeliest = tuple(subject.decide(batch).argmax(1).tolist())
    said, found = (
        verify(one, batch, Contributions(), target=likeliest, tests=[Deletion()])
        for one in (subject, subject.by_logits())
    )
    count = Counter(found.inputs)
    return Verdicts(
        trusted=count["trusted"],
        doubtful=count["doubtful"],
        refuted=count["refuted"],
        untested=found.findings[0].inputs.count("skipped"),
        by_probability=Counter(said.inputs)["trusted"],
    )
