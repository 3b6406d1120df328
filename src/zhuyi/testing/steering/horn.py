"""Horn rules: what follows from what, one step at a time; a person says which rule counts.

    tea & milk -> chai,  rain -> wet,  ...   known: tea, milk, rain   ->   next: chai, wet as well

The truth of every answer is computed. A veto of one rule must give what follows without it; a boost
of one rule must keep its conclusion and, when it is too strong, make the model forget the others
(the over-focus that theory predicts).

Ref: Xue et al. 2024, arXiv:2407.00075 (the reasoner); Guardieiro et al. 2025, arXiv:2506.13734
     (boosting it).

Letters: B inputs, P propositions, R rules.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from zhuyi.core.record import Unit
from zhuyi.steer.reading import UnitReader
from zhuyi.steer.rules import Rules
from zhuyi.steer.selectors import Column
from zhuyi.testing.steering.baselines import instaboost, pasta, spotlight
from zhuyi.testing.steering.fitting import fit
from zhuyi.testing.steering.network import Network, drawn, linear
from zhuyi.testing.steering.record import Line
from zhuyi.testing.steering.ways import Run, biased_by, plain, ruled

PROPOSITIONS: Final = 8
RULES: Final = 8
LAYERS: Final = 1
HEADS: Final = 4
#: From what silences a rule to what leaves room for no other; 12.2 is e^2.5.
DOSES: Final = (0.01, 0.1, 0.5, 2.0, 4.0, 12.1825, 20.0, 100.0)


@dataclass(frozen=True, kw_only=True)
class Theories:
    """Inputs: rules and what is known.

    Args:
        rows: "B 1+R 2P": first what is known (0, then the state), then per rule its antecedent and
            its consequent, each as P zeros and ones.
    """

    rows: Tensor

    @property
    def fires(self) -> Tensor:
        """Bool "B R": all of a rule's antecedent is known."""
        known = self.rows[:, :1, PROPOSITIONS:]
        return (self.rows[:, 1:, :PROPOSITIONS] <= known).all(-1)

    @property
    def adds(self) -> Tensor:
        """Bool "B R P": what a rule would add that is not known yet."""
        known = self.rows[:, :1, PROPOSITIONS:] > 0
        return (self.rows[:, 1:, PROPOSITIONS:] > 0) & self.fires[..., None] & ~known

    def next(self, without: Tensor | None = None) -> Tensor:
        """What is known after one step, bool "B P"; `without` the rules bool "B R"."""
        adds = self.adds if without is None else self.adds & ~without[..., None]
        return adds.any(1) | (self.rows[:, 0, PROPOSITIONS:] > 0)


class Reasoner(nn.Module):
    """Rows "B 1+R 2P" to one logit a proposition, "B P", read at the first row.

    Args:
        generator: of the parameters.
    """

    def __init__(self, generator: torch.Generator, width: int = 64) -> None:
        super().__init__()
        self.enter = linear(2 * PROPOSITIONS, width, generator)
        self.state = drawn(width, generator=generator)
        self.network = Network(width=width, num_heads=HEADS, num_layers=LAYERS, generator=generator)
        self.leave = linear(width, PROPOSITIONS, generator)

    def forward(self, rows_BLP: Tensor) -> Tensor:
        """Rows to logits."""
        rows = self.enter(rows_BLP)
        rows = torch.cat([rows[:, :1] + self.state, rows[:, 1:]], 1)
        logits: Tensor = self.leave(self.network(rows)[:, 0])
        return logits


def reader() -> UnitReader:
    """What stands at each position."""
    state = Unit(label="[STATE]", positions=(0,), special=True)
    units = [Unit(label=f"rule {n}", positions=(n + 1,)) for n in range(RULES)]
    return UnitReader([state, *units], layers=LAYERS)


def theories(count: int, generator: torch.Generator) -> Theories:
    """Fresh inputs: antecedents of one or two propositions, half of all propositions known."""
    chance = torch.rand(count, RULES, PROPOSITIONS, generator=generator)
    order = chance.argsort(-1)
    size = torch.randint(1, 3, (count, RULES, 1), generator=generator)
    antecedent = torch.zeros_like(chance).scatter_(2, order[..., :1], 1.0)
    antecedent.scatter_(2, order[..., 1:2], (size > 1).float())
    consequent = torch.zeros_like(chance).scatter_(2, order[..., 2:3], 1.0)
    known = (torch.rand(count, PROPOSITIONS, generator=generator) < 0.4).float()
    state = torch.cat([torch.zeros_like(known), known], 1)[:, None]
    return Theories(rows=torch.cat([state, torch.cat([antecedent, consequent], -1)], 1))


def trained(seed: int, *, steps: int) -> Reasoner:
    """The model of a seed."""
    generator = torch.Generator().manual_seed(seed)
    model = Reasoner(generator)

    def loss(step: int) -> Tensor:
        now = theories(256, generator)
        return nn.functional.binary_cross_entropy_with_logits(model(now.rows), now.next().float())

    fit(model, loss, steps=steps)
    return model


def targeted(count: int, generator: torch.Generator) -> Theories:
    """Inputs in which "rule 0" fires, and it alone says its conclusion, and another fires too."""
    found: list[Tensor] = []
    while sum(map(len, found)) < count:
        now = theories(4 * count, generator)
        adds = now.adds
        sole = adds & (adds.sum(1, keepdim=True) == 1)
        others = adds.any(1).sum(-1)
        fit_B = sole.any(-1).any(-1) & (others > 1)
        rows, target = now.rows[fit_B], sole[fit_B].any(-1).float().argmax(1)
        order = torch.arange(1 + RULES).expand(len(rows), -1).clone()
        order[:, 1] = target + 1
        order[torch.arange(len(rows)), target + 1] = 1
        found.append(rows.gather(1, order[..., None].expand_as(rows)))
    return Theories(rows=torch.cat(found)[:count])


def measure(seed: int, *, steps: int = 600, inputs: int = 1000) -> tuple[Line, ...]:
    """Train the reasoner of a seed, and weaken or emphasize one rule that fires by every way.

    Numbers: "own" the share of inputs in which its conclusion is drawn; "others" the share of all
    other conclusions that are; "exact" the share of inputs in which the whole step is right, and
    "without" in which it is exactly the step without the rule.

    Args:
        seed: of the parameters, the training and the inputs.
        steps: updates.
        inputs: inputs of the test.
    Cost: ten seconds of one core.
    """
    model = trained(seed, steps=steps)
    generator = torch.Generator().manual_seed(1000 + seed)
    test = targeted(inputs, generator)
    return tuple(
        Line(method=method, dose=dose, numbers=_scored(run(test.rows) > 0, test))
        for method, dose, run in _ways(model, generator)
    )


def _scored(said: Tensor, test: Theories) -> Mapping[str, float]:
    gone = torch.zeros(len(test.rows), RULES, dtype=torch.bool)
    gone[:, 0] = True
    full, less = test.next(), test.next(gone)
    known = test.rows[:, 0, PROPOSITIONS:] > 0
    return {
        "own": float(said[full & ~less].double().mean()),
        "others": float(said[less & ~known].double().mean()),
        "exact": float((said == full).all(1).double().mean()),
        "without": float((said == less).all(1).double().mean()),
    }


def _ways(model: Reasoner, generator: torch.Generator) -> Sequence[tuple[str, float | None, Run]]:
    known = reader()
    every = [(site, head) for site in range(LAYERS) for head in range(HEADS)]

    def hit(rows: Tensor, *, others: bool = False) -> Tensor:
        keys = torch.full((len(rows), 1 + RULES), others)
        keys[:, 1] = not others
        return keys

    def weighed(weight: float) -> Run:
        rules = Rules().boost if weight >= 1 else Rules().damp
        return ruled(model, rules(Column("rule 0"), weight, beyond=True), known)

    def deleted(rows: Tensor) -> Tensor:
        return plain(model)(torch.cat([rows[:, :1], rows[:, 2:]], 1))

    def elsewhere(rows: Tensor) -> Tensor:
        other = int(torch.randint(1, RULES, (1,), generator=generator))
        return ruled(model, Rules().veto(Column(f"rule {other}")), known)(rows)

    def without(heads: tuple[int, ...]) -> Run:
        return ruled(model, Rules().veto(Column("rule 0"), heads=heads), known)

    return (
        ("no rule", None, plain(model)),
        ("veto", None, without(())),
        ("rule deleted", None, deleted),
        *(("damp or boost", weight, weighed(weight)) for weight in DOSES),
        ("veto, 2 of 4 heads", None, without((0, 1))),
        ("veto of another rule", None, elsewhere),
        (
            "InstABoost",
            math.exp(2.5),
            biased_by(model, lambda x: instaboost(hit(x), math.exp(2.5))),
        ),
        ("InstABoost", 0.05, biased_by(model, lambda x: instaboost(hit(x), 0.05))),
        ("SpotLight", 0.5, biased_by(model, lambda x: spotlight(hit(x), 0.5))),
        ("PASTA", 0.01, biased_by(model, lambda x: pasta(hit(x), every))),
        (
            "SpotLight on the others",
            0.95,
            biased_by(model, lambda x: spotlight(hit(x, others=True), 0.95)),
        ),
        (
            "PASTA on the others",
            0.01,
            biased_by(model, lambda x: pasta(hit(x, others=True), every)),
        ),
    )
