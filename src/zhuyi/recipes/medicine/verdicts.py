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
        trusted, doubtful, refuted: how many rows.
        untested: of the doubtful those on which removal changes too little to test anything.
    """

    trusted: int
    doubtful: int
    refuted: int
    untested: int

    @property
    def rows(self) -> int:
        """All of them."""
        return self.trusted + self.doubtful + self.refuted

    def check(self, name: Said) -> Check:
        """Whether enough are trusted; those that could not be tested count as not trusted."""
        share, tested = self.trusted / self.rows, self.rows - self.untested
        among = ""
        if self.untested and tested:
            among = f" ({self.trusted / tested:.0%} of the {tested} that could be tested)"
        return Check(
            name=name,
            measured=f"{share:.0%} of {self.rows} rows trusted{among}; {self.doubtful} doubtful, "
            f"{self.untested} of them because nothing changes; {self.refuted} refuted",
            bar=f"at least {LEAST:.0%}",
            held=share >= LEAST,
        )


def verdicts(model: Any, rows: "pd.DataFrame") -> Verdicts:
    """Test the contributions of every row.

    Args:
        model: fitted, of `zhuyi.learn`.
        rows: that it did not learn from.
    Cost: about 500 decisions a row.
    """
    subject = model.subject()
    found = verify(subject, subject.read(rows), Contributions(), tests=[Deletion()])
    count = Counter(found.inputs)
    return Verdicts(
        trusted=count["trusted"],
        doubtful=count["doubtful"],
        refuted=count["refuted"],
        untested=found.findings[0].inputs.count("skipped"),
    )
