"""The recommender as a Subject: units are the films of a history, decisions all other films."""

import copy
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from zhuyi.core.record import Site, Unit
from zhuyi.errors import InputError, OptionError, ShapeError
from zhuyi.recipes.feed.movielens import Film
from zhuyi.recipes.feed.naming import piece_name
from zhuyi.recipes.feed.recommender import Recommender
from zhuyi.steer.layout import Layout, Piece
from zhuyi.steer.reading import Reader, Reading, Values, values_of
from zhuyi.trace.keep import Keep
from zhuyi.trace.subject import Batch, gather_units
from zhuyi.trace.tape import Tape
from zhuyi.trace.watch import watch

UNSEEN: Final = "never watched"
HIDDEN: Final = "hidden at its place"
_REMOVALS: Final = (UNSEEN, HIDDEN)
_ASKING: Final = "what next?"


class FeedSubject:
    """Histories and the recommender that decides what comes next, as a Subject.

    A batch is a sequence of histories (films' numbers in the order of time; the latest `length` of
    them count) or a tensor of codes. Films of the history are no candidates. Units can be removed
    in two ways: "never watched" (the history without the film, later ones move up) and "hidden at
    its place".

    Args:
        module: the trained recommender.
        films: the catalog.
    Raises: OptionError: if the catalog is not the module's.

    Example:
        >>> from zhuyi.recipes.feed.recommender import Form
        >>> films = [Film(title=f"{name} (1995)", genres=()) for name in "ABCD"]
        >>> module = Recommender(Form(films=4, width=8), torch.Generator().manual_seed(0)).eval()
        >>> subject = FeedSubject(module, films)
        >>> [unit.label for unit in subject.units([[2, 0]])[0]]
        ['C (1995)', 'A (1995)', 'what next?']
        >>> subject.decide([[2, 0]])[0, [0, 2]].tolist()
        [0.0, 0.0]
    """

    def __init__(self, module: Recommender, films: Sequence[Film]) -> None:
        if len(films) != module.form.films:
            raise OptionError(
                f"the catalog must have the model's {module.form.films} films, got {len(films)}"
            )
        self.module = module
        self.films = tuple(films)
        self._removal = UNSEEN
        self._asking = WeakKeyDictionary[Tape, Tensor]()

    @property
    def model(self) -> Recommender:
        """The module that decides."""
        return self.module

    @property
    def labels(self) -> tuple[str, ...]:
        """Titles of all films."""
        return tuple(film.title for film in self.films)

    @property
    def removal(self) -> str:
        """How a film of the history is removed."""
        return self._removal

    @property
    def removals(self) -> tuple[str, ...]:
        """Both ways, the one in use first."""
        return (self._removal, *(way for way in _REMOVALS if way != self._removal))

    def removing(self, how: str) -> "FeedSubject":
        """The same subject, whose films are removed the way named `how`.

        Raises: OptionError: if there is no such way.
        """
        if how not in _REMOVALS:
            raise OptionError(f"how must be one of {', '.join(_REMOVALS)}, got {how!r}")
        other = copy.copy(self)
        other._removal = how
        return other

    def units(self, batch: Batch) -> tuple[tuple[Unit, ...], ...]:
        """Per input the films that are read, in order, and the position that asks."""
        return tuple(self._units(row) for row in self.codes(batch).tolist())

    def codes(self, batch: Batch) -> Tensor:
        """Codes "B L" of histories; codes as they are.

        Raises: InputError: for numbers that no film has, or the same film twice.
        """
        if isinstance(batch, Tensor):
            if batch.dim() != 2 or batch.dtype != torch.int64:
                raise InputError(f"codes must be int64 (B, L), got {batch.dtype} {batch.dim()} D")
            return batch
        rows = [self._history(one) for one in batch]
        if not rows:
            raise InputError("there is no history to decide on")
        width = max(map(len, rows)) + 1
        form = self.module.form
        return torch.tensor(
            [[*row, form.ask] + [form.nothing] * (width - 1 - len(row)) for row in rows]
        )

    def decide(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """Probabilities "B films", with the films outside `keep` (bool "B N") removed.

        A removed film is no candidate either: it was watched all the same.
        """
        codes = self.codes(batch)
        read = codes if keep is None else self.reduced(codes, keep)
        with torch.no_grad():
            return self._candidates(codes, self.module(read)).softmax(1)

    def logits(self, batch: Batch, keep: Tensor | None = None) -> Tensor:
        """The scores behind `decide`, "B films"; -inf for films of the history."""
        codes = self.codes(batch)
        read = codes if keep is None else self.reduced(codes, keep)
        with torch.no_grad():
            return self._candidates(codes, self.module(read))

    def watch(self, batch: Batch, keep: Keep | None = None, *, gradient: bool = False) -> Tape:
        """Run the recommender on the batch under observation; see `Subject.watch`."""
        codes = self.codes(batch)
        with torch.set_grad_enabled(gradient):
            vectors = self.module.embedding(codes).detach().requires_grad_(gradient)
            with watch(self.module, keep=Keep() if keep is None else keep) as tape:
                tape.logits = self.decide_embedded(codes, vectors)
        self._asking[tape] = codes == self.module.form.ask
        return tape

    def readout(self, tape: Tape) -> Tensor:
        """All of the decision is read from the position that asks: "B Q".

        Raises: InputError: for a tape of another run.
        """
        if tape not in self._asking:
            raise InputError("this tape is not from this subject's watch(): pass one that is")
        return self._asking[tape].float()

    def gather(self, batch: Batch, values: Tensor) -> Tensor:
        """Per-position values "B L" as per-unit values "B N"."""
        return gather_units(self.units(batch), values)

    def embed(self, batch: Batch) -> Tensor:
        """The vectors that enter, "B L W"."""
        with torch.no_grad():
            vectors: Tensor = self.module.embedding(self.codes(batch))
        return vectors

    def baseline(self, batch: Batch) -> Tensor:
        """Of a film that is like all films: the mean vector, at its place."""
        codes = self.codes(batch)
        with torch.no_grad():
            embedding = self.module.embedding
            plain = embedding(torch.full_like(codes, self.module.form.nothing))
            films = (codes < self.module.form.films)[..., None]
            return torch.where(films, plain + embedding.film.mean(0), embedding(codes))

    def decide_embedded(self, batch: Batch, embeddings: Tensor) -> Tensor:
        """Logits "B films" of vectors "B L W"."""
        codes = self.codes(batch)
        return self._candidates(codes, self.module(codes, embeddings))

    def output_projection(self, site: Site) -> Tensor | None:
        """Weight "W W" of the map behind a layer's attention."""
        found = dict(self.module.named_modules())[site.name]
        return found.output.weight if isinstance(found.output, torch.nn.Linear) else None

    def reader(self, values: Values = None) -> Reader:
        """Films by name, for rules."""
        return FeedReader(self, values)

    def _history(self, given: object) -> list[int]:
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise InputError(f"a history must be the numbers of films, got {type(given).__name__}")
        films = [int(one) for one in given]
        count = self.module.form.films
        wrong = next((one for one in films if not 0 <= one < count), None)
        if wrong is not None:
            raise InputError(f"films are numbered from 0 to {count - 1}, got {wrong}")
        if len(set(films)) != len(films):
            raise InputError("a history must name each film once")
        return films[-self.module.form.length :]

    def _units(self, row: list[int]) -> tuple[Unit, ...]:
        form = self.module.form
        return tuple(
            Unit(label=_ASKING, positions=(place,), special=True)
            if code == form.ask
            else Unit(label=self.films[code].title, positions=(place,))
            for place, code in enumerate(row)
            if code != form.nothing
        )

    def _candidates(self, codes: Tensor, scores: Tensor) -> Tensor:
        gone = torch.zeros(len(codes), self.module.form.films + 2, dtype=torch.bool)
        gone.scatter_(1, codes, True)
        return scores.masked_fill(gone[:, : self.module.form.films], float("-inf"))

    def reduced(self, codes: Tensor, keep: Tensor) -> Tensor:
        """The codes "B L" without the films outside `keep` (bool "B N")."""
        form = self.module.form
        units = int((codes != form.nothing).sum(1).max())
        if keep.dtype != torch.bool or tuple(keep.shape) != (len(codes), units):
            raise ShapeError(
                f"keep must be bool (B, N) = {(len(codes), units)}, got {keep.dtype} "
                f"{tuple(keep.shape)}"
            )
        keep = torch.nn.functional.pad(keep, (0, codes.shape[1] - units), value=True)
        gone = ~keep & (codes < form.films)
        hidden = torch.where(gone, form.nothing, codes)
        if self._removal == HIDDEN:
            return hidden
        # a stable sort moves what is left to the front, in its order
        order = (hidden == form.nothing).long().argsort(dim=1, stable=True)
        return hidden.gather(1, order)


class FeedReader:
    """What the recommender's calls read: the films of each history by name.

    Args:
        subject: whose calls.
        values: what `when` may ask beside `watched`, the number of films read.
    """

    def __init__(self, subject: FeedSubject, values: Values = None) -> None:
        self._form = subject.module.form
        self._names = [piece_name(film, "seen") for film in subject.films]
        self._values = values

    @property
    def layers(self) -> int:
        """Attention sites of a pass."""
        return self._form.layers

    def begin(self) -> None:
        """Nothing to forget."""

    def read(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Reading:
        """The rows of codes "B L"."""
        codes = kwargs.get("codes", args[0] if args else None)
        if not isinstance(codes, Tensor) or codes.dim() != 2:
            raise InputError("rules on histories need the codes (B, L) as the first argument")
        rows = codes.tolist()
        values = values_of(self._values, len(rows))
        layouts = tuple(self._layout(row, told) for row, told in zip(rows, values, strict=True))
        return Reading(layouts=layouts, new=codes.shape[1])

    def _layout(self, row: list[int], values: Mapping[str, object]) -> Layout:
        form = self._form
        pieces = tuple(
            Piece(name=self._names[code], positions=(place,))
            for place, code in enumerate(row)
            if code < form.films
        )
        return Layout(
            length=len(row),
            pieces=pieces,
            special=frozenset([row.index(form.ask)]),
            padding=frozenset(place for place, code in enumerate(row) if code == form.nothing),
            values={"watched": len(pieces), **values},
        )
