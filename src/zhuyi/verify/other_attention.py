"""The search for another attention with the same decision, by biases on every score."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from zhuyi.core import AttentionMatrix, Bias
from zhuyi.errors import NotWatchable
from zhuyi.trace.biased import biased
from zhuyi.trace.keep import Keep
from zhuyi.trace.subject import Batch, ModelSubject
from zhuyi.trace.tape import Tape

LARGEST = math.log(2.0)
"""The Jensen-Shannon divergence of two attentions that share no key, in nats."""

_PENALTY = 500.0  # as Jain & Wallace: a decision off by 0.002 costs as much as all divergence gives
_START = 0.1  # the divergence has no gradient at a bias of exactly zero: a tenth of the way off
_LEAST = 1e-6
_SAME = 1e-3  # how far probabilities read off the logits may be from the subject's own
_TINY = 1e-30


@dataclass(frozen=True, kw_only=True)
class OtherAttention:
    """The most different attention found for a batch, and how different it is.

    Args:
        biases: per site, the bias "B' H Q K"; all zero for an input where nothing was found.
        distance: per input, the total variation distance of its decision, as `decide` gives it.
        divergence: per input, the mean Jensen-Shannon divergence of its attention, in nats.
    """

    biases: tuple[Tensor, ...]
    distance: tuple[float, ...]
    divergence: tuple[float, ...]

    def rule(self, site: int, shape: tuple[int, int, int, int]) -> Bias:
        """The biases, as `zhuyi.trace.biased` asks for them."""
        return Bias.dense(self.biases[site])


@dataclass(frozen=True, kw_only=True)
class Search:
    """Adam on a dense bias of every attention call.

        maximize   sum over inputs of  JSD / ln 2 - 500 max(0, TVD - 0.9 tolerance)

    JSD is the mean over sites, heads and real query rows of the divergence between the model's own
    weights and the biased ones; at the last site rows count by how much the decision reads them
    (`readout`), so that rows nobody reads change nothing. TVD is the total variation distance of
    the probabilities, for classes that do not exclude each other the largest difference. The best
    step whose TVD is within the tolerance is kept, for each input by itself.

    Args:
        steps: of Adam.
        rate: its first step, in units of scores; it falls to 0 in equal parts.
        tolerance: largest total variation distance of a decision that counts as the same.

    Raises: NotWatchable: from the call, if attention cannot be biased, or the subject's logits do
        not give its probabilities (so no distance could be derived).
    Cost:   each step a forward and a backward pass; memory about 12 times the attention weights.
    """

    steps: int
    rate: float
    tolerance: float

    def __call__(
        self, subject: ModelSubject, batch: Batch, shares: Tensor, generator: torch.Generator
    ) -> OtherAttention:
        """Search.

        Args:
            subject: whatever decides.
            batch: B inputs of similar length.
            shares: "B C", their probabilities as the subject decides them.
            generator: of the start.
        """
        tape = only_pass(subject.watch(batch, Keep()))
        assert tape.logits is not None
        exclusive = _exclusive(tape.logits.detach(), shares)
        own = _Own.of(subject, tape)
        with torch.enable_grad():
            best = self._best(subject, batch, own, shares, exclusive, generator)
        found = OtherAttention(biases=tuple(best), distance=(), divergence=())
        with biased(subject.model, found.rule):
            decided = subject.decide(batch)
            seen = only_pass(subject.watch(batch, Keep()))
        with torch.no_grad():
            divergence = own.divergence(seen, len(decided))
        return OtherAttention(
            biases=found.biases,
            distance=tuple(_distance(decided, shares, exclusive).tolist()),
            divergence=tuple(divergence.tolist()),
        )

    def _best(
        self,
        subject: ModelSubject,
        batch: Batch,
        own: "_Own",
        shares: Tensor,
        exclusive: bool,
        generator: torch.Generator,
    ) -> list[Tensor]:
        """The best bias of each site, input by input."""
        biases = [start.requires_grad_() for start in own.starts(generator)]
        adam = _Adam()
        best = [torch.zeros_like(bias) for bias in biases]
        reached = torch.zeros(len(shares))
        # One step more: the last one is looked at, too.
        for step in range(self.steps + 1):
            with biased(subject.model, lambda site, shape: Bias.dense(biases[site])):
                tape = only_pass(subject.watch(batch, Keep(), gradient=True))
                assert tape.logits is not None
                probabilities = tape.logits.softmax(1) if exclusive else tape.logits.sigmoid()
                distance = _distance(probabilities, shares, exclusive)
                divergence = own.divergence(tape, len(shares))
                better = _better(distance, divergence, reached, self.tolerance)
                reached = torch.where(better, divergence.detach().to(reached), reached)
                for kept, bias in zip(best, biases):
                    rows = better.repeat_interleave(len(bias) // len(better))
                    kept[rows.to(kept.device)] = bias.detach()[rows.to(bias.device)]
                if step == self.steps:
                    break
                excess = (distance - 0.9 * self.tolerance).clamp_min(0.0)
                loss = (_PENALTY * excess - divergence / LARGEST).sum()
                gradients = torch.autograd.grad(loss, biases)
            adam.step(biases, gradients, self.rate * (1.0 - step / self.steps))
        return best


def only_pass(tape: Tape) -> Tape:
    """The tape, when its decision is made in one pass of the model.

    Raises: NotWatchable: if there are more, so that a site's index does not tell the pass.
    """
    if len(tape.passes) != 1:
        raise NotWatchable(f"the decision takes {len(tape.passes)} passes of the model, not one")
    return tape


@dataclass(frozen=True)
class _Own:
    """The model's own attention, a site at a time.

    Args:
        weights: "B' H Q K", or "B' H Q K+1" where there is a sink.
        counts: "B' H Q", how much each row counts; each sequence sums to 1.
        keys: K.
    """

    weights: list[Tensor]
    counts: list[Tensor]
    keys: list[int]

    @classmethod
    def of(cls, subject: ModelSubject, tape: Tape) -> "_Own":
        weights, counts, keys = [], [], []
        readout = subject.readout(tape)
        for place, sighting in enumerate(tape):
            assert sighting.matrix is not None
            with torch.no_grad():
                own = _complete(sighting.matrix)
            rows = (own.sum(-1) > 0).to(own.dtype)
            if place == len(tape) - 1 and readout.shape == rows.shape[::2]:
                rows = rows * readout[:, None].to(rows)
            weights.append(own)
            counts.append(rows / rows.sum((1, 2), keepdim=True).clamp_min(_TINY))
            keys.append(sighting.matrix.shape[3])
        return cls(weights, counts, keys)

    def starts(self, generator: torch.Generator) -> list[Tensor]:
        """Per site "B' H Q K": towards equal weights, as random noise may only sharpen a peak."""
        result = []
        for own, keys in zip(self.weights, self.keys, strict=True):
            weights = own[..., :keys].float()
            noise = torch.randn(weights.shape, generator=generator).to(weights.device)
            result.append(_START * (noise - weights.clamp_min(_LEAST).log()))
        return result

    def divergence(self, tape: Tape, inputs: int) -> Tensor:
        """Mean Jensen-Shannon divergence from the tape's attention "B", in nats; differentiable."""
        total: Tensor | float = 0.0
        for own, rows, sighting in zip(self.weights, self.counts, tape, strict=True):
            assert sighting.matrix is not None
            other = _complete(sighting.matrix)
            middle = (own + other) / 2.0
            each = _entropy(middle) - (_entropy(own) + _entropy(other)) / 2.0
            total = total + (rows * each.clamp_min(0.0)).sum((1, 2))
        assert isinstance(total, Tensor)
        return (total / len(self.weights)).view(inputs, -1).mean(1)


def _complete(matrix: AttentionMatrix) -> Tensor:
    """The weights, with what a sink takes as one more key, so that each row sums to 1."""
    weights = matrix.materialize()
    if matrix.sink is None:
        return weights
    rows = weights.sum(-1, keepdim=True)
    return torch.cat((weights, (1.0 - rows).clamp_min(0.0) * (rows > 0)), -1)


def _entropy(weights: Tensor) -> Tensor:
    """-sum p ln p over keys; 0 ln 0 = 0, with a finite gradient."""
    return -(weights * weights.clamp_min(_TINY).log()).sum(-1)


def _exclusive(logits: Tensor, shares: Tensor) -> bool:
    """Whether softmax (else sigmoid) of the logits gives the subject's probabilities."""
    wanted = shares.to(logits)
    for exclusive, found in ((True, logits.softmax(1)), (False, logits.sigmoid())):
        if bool(((found - wanted).abs() <= _SAME).all()):
            return exclusive
    raise NotWatchable(
        "its probabilities are not those of its logits (a comparison of each input with itself), "
        "so no distance between two decisions is known"
    )


def _distance(probabilities: Tensor, shares: Tensor, exclusive: bool) -> Tensor:
    """Total variation distance "B"; the largest of them where classes are decided one by one."""
    difference = (probabilities - shares.to(probabilities)).abs()
    return difference.sum(1) / 2.0 if exclusive else difference.amax(1)


def _better(distance: Tensor, divergence: Tensor, reached: Tensor, tolerance: float) -> Tensor:
    within = distance.detach().to(reached) <= tolerance
    return within & (divergence.detach().to(reached) > reached)


@dataclass
class _Adam:
    """Adam (Kingma & Ba 2015) with its usual constants.

    torch.optim would import the compiler at its first step, which takes seconds.
    """

    count: int = 0
    means: list[Tensor] = field(default_factory=list)
    squares: list[Tensor] = field(default_factory=list)

    def step(self, tensors: Sequence[Tensor], gradients: Sequence[Tensor], rate: float) -> None:
        """Move the tensors in place."""
        if not self.count:
            self.means = [torch.zeros_like(tensor) for tensor in tensors]
            self.squares = [torch.zeros_like(tensor) for tensor in tensors]
        self.count += 1
        first, second = 1.0 - 0.9**self.count, 1.0 - 0.999**self.count
        for tensor, gradient, mean, square in zip(tensors, gradients, self.means, self.squares):
            mean.lerp_(gradient, 0.1)
            square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
            with torch.no_grad():
                tensor -= rate * (mean / first) / ((square / second).sqrt() + 1e-12)
