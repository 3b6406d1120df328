"""What the model decides when units are removed: asked in bulk, each question answered once.

Every test that removes units asks here, so that a reduced input is decided once however many
orders, random controls and limits go through it, and in batches of similar length.
"""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from zhuyi.errors import OptionError
from zhuyi.trace.subject import Batch, Subject


class Removals:
    """p(target | what is left) for sets of removed units of each input of a batch.

    A set is written as a whole number: bit i says that the i-th removable unit is gone. Special
    units are not removable. Answers are kept.

    Args:
        subject: whatever decides.
        batch: B inputs.
        targets: per input, the index of the decision; None for the most likely of each.
        positions: most positions (inputs times the longest of them) in one run of the model; it is
            halved whenever a run does not fit into memory.
        spend: called with a number of inputs before they are decided; it may raise to stop.

    Raises: OptionError: if there are not B targets.
    Cost:   one forward pass for every B inputs in the constructor; later one for every set that
        was not asked before.

    Example:
        >>> from torch import nn
        >>> from zhuyi.trace import ModuleSubject
        >>> model = nn.Sequential(nn.Flatten(), nn.Linear(3, 2))
        >>> subject = ModuleSubject(model, unit_names=("a", "b", "c"), labels=("no", "yes"))
        >>> removals = Removals(subject, torch.ones(1, 3))
        >>> removals.probabilities([(0, 0b000), (0, 0b101)])[0] == removals.whole[0]
        True
    """

    def __init__(
        self,
        subject: Subject,
        batch: Batch,
        targets: Sequence[int] | None = None,
        *,
        positions: int = 2048,
        spend: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.subject = subject
        self.batch = batch
        self.units = subject.units(batch)
        self.removable = tuple(
            tuple(n for n, unit in enumerate(units) if not unit.special) for units in self.units
        )
        self.positions = tuple(
            tuple(len(units[n].positions) for n in removable)
            for units, removable in zip(self.units, self.removable, strict=True)
        )
        self._widths = tuple(max(sum(len(u.positions) for u in units), 1) for units in self.units)
        self._most = positions
        self._spend = spend
        self.calls = 0
        shares = self._decided_whole()
        if targets is None:
            targets = shares.argmax(1).tolist()
        if len(targets) != len(self.units):
            raise OptionError(f"targets must be one an input ({len(self.units)}), got {targets}")
        self.targets = tuple(int(target) for target in targets)
        self.shares = shares
        self.whole = tuple(float(row[t]) for row, t in zip(shares, self.targets, strict=True))
        self._known: list[dict[int, float]] = [{0: whole} for whole in self.whole]

    def __len__(self) -> int:
        return len(self.units)

    def probabilities(self, asked: Sequence[tuple[int, int]]) -> list[float]:
        """p(target) for pairs of (input, set of removed units), in the order asked.

        Cost: one forward pass for every distinct pair that was not asked before.
        """
        unknown = {pair for pair in asked if pair[1] not in self._known[pair[0]]}
        left = sorted(unknown, key=lambda pair: (self._left(*pair), pair))
        for chunk in self._chunks(left):
            self._decide(chunk)
        return [self._known[row][gone] for row, gone in asked]

    def known(self) -> list[dict[int, float]]:
        """All answers so far: per input, set of removed units -> p(target)."""
        return [dict(one) for one in self._known]

    def learn(self, known: Sequence[Mapping[int, float]]) -> None:
        """Take over the answers of another `Removals` of the same batch and targets."""
        for mine, theirs in zip(self._known, known, strict=True):
            mine.update(theirs)

    def everything(self, row: int) -> int:
        """The set of all removable units of an input."""
        return (1 << len(self.removable[row])) - 1

    def _left(self, row: int, gone: int) -> int:
        """Positions that are not removed."""
        lengths = self.positions[row]
        return self._widths[row] - sum(n for i, n in enumerate(lengths) if gone >> i & 1)

    def _chunks(self, pairs: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
        """Pairs of similar width together: a run is as wide as its widest input."""
        pairs = sorted(pairs, key=lambda pair: self._widths[pair[0]])
        chunks: list[list[tuple[int, int]]] = []
        for pair in pairs:
            width = self._widths[pair[0]]
            if not chunks or (len(chunks[-1]) + 1) * width > self._most:
                chunks.append([])
            chunks[-1].append(pair)
        return chunks

    def _decide(self, chunk: list[tuple[int, int]]) -> None:
        rows = [row for row, _ in chunk]
        keep = torch.ones(len(chunk), max(len(self.units[row]) for row in rows), dtype=torch.bool)
        for place, (row, gone) in enumerate(chunk):
            removable = self.removable[row]
            keep[place, [n for i, n in enumerate(removable) if gone >> i & 1]] = False
        self._count(len(chunk))
        try:
            shares = self.subject.decide(taken(self.batch, rows), keep)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            if len(chunk) == 1 or not _no_memory(error):
                raise
            # Half as much from now on; the calls that failed stay counted, they were paid for.
            self._most = max(self._most // 2, 1)
            middle = len(chunk) // 2
            self._decide(chunk[:middle])
            self._decide(chunk[middle:])
            return
        index = torch.tensor([self.targets[row] for row in rows], device=shares.device)
        found = shares.gather(1, index[:, None])[:, 0].double().tolist()
        for (row, gone), value in zip(chunk, found, strict=True):
            self._known[row][gone] = value

    def _decided_whole(self) -> Tensor:
        """Probabilities "B C" of the complete inputs."""
        order = sorted(range(len(self.units)), key=lambda row: self._widths[row])
        parts: list[Tensor] = []
        for chunk in self._chunks([(row, 0) for row in order]):
            self._count(len(chunk))
            parts.append(self.subject.decide(taken(self.batch, [row for row, _ in chunk])).cpu())
        back = torch.tensor(order).argsort()
        return torch.cat(parts)[back].double()

    def _count(self, inputs: int) -> None:
        self._spend(inputs)
        self.calls += inputs


def _no_memory(error: Exception) -> bool:
    """Whether a run failed for want of memory; on CPU torch has no class of its own for it."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)


def taken(batch: Batch, rows: Sequence[int]) -> Batch:
    """Some inputs of a batch, repeated where a row is."""
    return batch[list(rows)] if isinstance(batch, Tensor) else [batch[row] for row in rows]
