"""`TextAttentionClassifier`: classes of texts by a glass box, in any language."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted

from zhuyi.errors import OptionError
from zhuyi.learn.classifying import BEST_F1, GlassBoxClassifier
from zhuyi.learn.glass_box import GlassBox, Shape
from zhuyi.learn.prior import Prior
from zhuyi.learn.problems import check_rows
from zhuyi.learn.ruled import RuledEstimator
from zhuyi.learn.text import explaining, plotting
from zhuyi.learn.text.pieces import Units, read_units
from zhuyi.learn.text.reader import announce
from zhuyi.learn.text.reading import read_texts
from zhuyi.learn.text.source import TextRows
from zhuyi.learn.text.subject import TextSubject
from zhuyi.learn.text.vocabulary import (
    MOST_PIECES,
    RANGES,
    Factors,
    Vocabulary,
    learn_vocabulary,
    padded,
)
from zhuyi.learn.training import Plan, Progress
from zhuyi.learn.warnings_of_data import DataWarning, UnseenWarning
from zhuyi.steer.rules import Rules
from zhuyi.trace.subject import Batch

if TYPE_CHECKING:
    import pandas as pd

_TEXTS: Final = 4096  # read at a time
_MIXING_DROPOUT: Final = 0.1  # of what mixing layers add
_RANGES: Final = {"vocabulary": (1, MOST_PIECES), "min_count": (1, 2**31), **RANGES}


class _Material(NamedTuple):
    """Training texts, as they came, as their units, and with rules as their factors."""

    texts: Sequence[str]
    units: list[Units]
    factors: list[Factors]


class TextAttentionClassifier(GlassBoxClassifier, RuledEstimator):
    """Classes of texts, decided by an attention that a person can follow.

    A text is read as pieces: characters and short runs of them where a script has no spaces, words,
    pairs of words and parts of words elsewhere. No segmenter is needed. Each piece is embedded by
    itself, one attention per class reads the pieces, and the decision is exactly a sum over pieces
    plus a constant:

        z_c = b_c + sum_n w_cn e_cn,   w_cn = exp(s_cn) / (exp(r) + sum_m exp(s_cm))

    with r the score of "the rest", which says nothing; a piece that comes twice is two factors.
    With `mixing_layers` factors are single characters and words, read in their context, so that a
    negation can reach what it negates.

    X is a sequence of strings: a list, an array, a series, or a frame of one column; a missing text
    is an empty one. Give y "B C" of 0 and 1 for many labels.

    Args:
        rules: what holds from the training on, as `zhuyi.Rules` (the pieces of a vetoed phrase or
            pattern are neither learned from nor decided by, where they stand in it), or a `Prior`
            with wishes and logic beside. With mixing layers a unit's place also holds the pieces
            that end with it: a veto then takes neighbors too, is not exact, and a warning says so.
            `load` refuses patterns (whoever wrote them): use `Text` in a model to be saved.
        vocabulary: most pieces that are learned, the most frequent ones.
        min_count: training texts in which a piece must stand.
        characters: most characters of a piece in scripts without spaces; None: 4 without mixing
            layers, else 3.
        words: most units of any other piece.
        letters: most letters of a part of a word (of "…happi…" 6: its ends count), from 4 on; 0 for
            none. With mixing layers there are none.
        max_length: units (characters, words, marks) of a text that are read; of a longer one the
            end is left out, with a warning.
        mixing_layers: transformer layers among units before they are read; explanations are then
            evidence and need a verdict.
        width: d of keys and values, divisible by 4; None: 8 without mixing layers (or as many as
            there are labels, up to 32), else 64.
        max_epochs: most passes over the texts.
        patience: epochs without a better validation loss after which training stops.
        batch_size: texts a step, of similar length; None: 64 without mixing layers, else 32.
        learning_rate: its peak; it warms up and falls along a cosine.
        weight_decay: of AdamW.
        dropout: share of pieces that are hidden while training (with mixing layers: of units that
            are read as unknown), in [0, 1); None: 0 without mixing layers, else 0.1.
        validation_fraction: share of texts, of each class, kept back to stop early, calibrate and
            choose the threshold; without 10 such texts all epochs are run.
        refit: whether, once the validation texts have told how many epochs and which temperature
            are best, all texts are learned from with these; it takes as long again. Not with the
            threshold "f1", which needs texts that were not learned from. None: without mixing
            layers only.
        class_weight: None, "balanced", or weights by class (binary and multiclass).
        threshold: of binary decisions: None: the likelier class; a number in (0, 1); or "f1": the
            one with the best F1 of the second class on the validation texts.
        progress: called with a `Progress` after each epoch.
        checkpoint: folder for the state of the training; `fit` goes on from it to the same result.
        random_state: a seed, a generator, or None for fresh entropy. Global generators are neither
            read nor changed.

    Attributes: classes_, vocabulary_, module_, temperature_, threshold_, n_epochs_, history_,
        validation_rows_, constants_, explanation_, prior_, prior_checks_ (of a text none).
    Raises:  InputError: from `fit`, for data that nothing can be learned from; OptionError.
    Cost:    O(epochs B N d) time for N pieces a text, about 3 a character; O(V d) memory for V
        pieces. With mixing layers O(epochs B L N (N + d) d). Rules are matched anew whenever a text
        is read, about a millisecond each.
    Not:     a reader of meaning: a glass box adds up pieces, and "not" reaches no further than the
        longest piece. A saved model holds the frequent pieces of its training texts, names of
        people among them where those are frequent.
    Ref:     Joulin et al. 2017, arXiv:1607.01759 (bags of word pairs); Xiao et al. 2024,
        arXiv:2309.17453 (a place for weight that is meant for nothing); Guo et al. 2017,
        arXiv:1706.04599 (temperature).

    Example:
        >>> texts = ["房间干净，服务很好", "房间很脏，服务不好"] * 20
        >>> model = TextAttentionClassifier(random_state=0).fit(texts, ["praise", "blame"] * 20)
        >>> model.predict(["很脏", "干净"]).tolist()
        ['blame', 'praise']
        >>> told = model.explain(["干净"])
        >>> told[["factor", "start", "end"]].values.tolist()
        [['干', 0, 1], ['干净', 0, 2], ['净', 1, 2]]
        >>> total = told["contribution"].sum() + model.constants_["praise"]
        >>> bool(abs(total - model.decision_function(["干净"])[0]) < 1e-5)
        True
    """

    inputs_: Vocabulary

    def __init__(
        self,
        *,
        rules: Rules | Prior | None = None,
        vocabulary: int = 300_000,
        min_count: int = 2,
        characters: int | None = None,
        words: int = 2,
        letters: int = 6,
        max_length: int = 2000,
        mixing_layers: int = 0,
        width: int | None = None,
        max_epochs: int = 8,
        patience: int = 8,
        batch_size: int | None = None,
        learning_rate: float = 3e-3,
        weight_decay: float = 0.1,
        dropout: float | None = None,
        validation_fraction: float = 0.1,
        refit: bool | None = None,
        class_weight: str | Mapping[Any, float] | None = None,
        threshold: float | str | None = None,
        progress: Callable[[Progress], None] | None = None,
        checkpoint: str | Path | None = None,
        random_state: int | np.random.RandomState | np.random.Generator | None = None,
    ) -> None:
        self.rules = rules
        self.vocabulary = vocabulary
        self.min_count = min_count
        self.characters = characters
        self.words = words
        self.letters = letters
        self.max_length = max_length
        self.mixing_layers = mixing_layers
        self.width = width
        self.max_epochs = max_epochs
        self.patience = patience
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.validation_fraction = validation_fraction
        self.refit = refit
        self.class_weight = class_weight
        self.threshold = threshold
        self.progress = progress
        self.checkpoint = checkpoint
        self.random_state = random_state

    @property
    def vocabulary_(self) -> Vocabulary:
        """The pieces that the model knows."""
        return self.inputs_

    def explain(
        self,
        X: object,
        *,
        labels: Sequence[object] | None = None,
        verify: bool = False,
        units: bool = False,
    ) -> "pd.DataFrame":
        """Every piece's part in each decision, as a data frame of one line a piece.

            contribution = weight * effect;   sum over pieces = logit - constant of the label

        Without mixing layers this is how the decision is computed (`explanation_` says
        "computation"); with them a unit's part holds what it learned of others too, and
        `explanation_` says "evidence": then look at the verdict.

        Args:
            X: texts to explain.
            labels: which labels to tell of. None: of two classes the second (its logit is the
                decision), of several classes the predicted one, of many labels all.
            verify: whether each text's explanation is tested by leaving units out
                (`zhuyi.verify.Deletion`); else the verdict is "not verified".
            units: one line a character or word instead: what a piece contributes, and its weight,
                are shared evenly among its units (they have no score of their own).
        Returns: columns row, label, factor (as compared), value (as it stands in the text), score
            (before the softmax), weight, contribution (in logits), verdict, start, end (characters
            of the text); of a model with rules also rules, those that mean the piece in this text,
            "" for none. A text without a known piece has no line: the constant decides.
        Raises:  InputError: what is no text. OptionError: no such label.
        Cost:    a forward pass; with `verify` about 500 decisions a text.
        Not:     a cause in the world: it says what this model goes by. Weights of a text sum to
            less than 1, the remainder is the rest's.
        """
        check_is_fitted(self)
        texts = read_texts(X)
        found = self._read(texts)
        logits = self._decided(torch.from_numpy(padded(found)))
        asked = self._asked(logits, labels)
        return explaining.tabulate(
            self.subject(), texts, found, asked, verify=verify, by_unit=units
        )

    def subject(self) -> TextSubject:
        """The fitted model as a Subject, for `zhuyi.audit`, `zhuyi.verify` and `zhuyi.explain`."""
        check_is_fitted(self)
        return self._subject_of(self.module_, self.inputs_)

    def plot(self, X: object, row: int = 0, *, labels: Sequence[object] | None = None) -> Any:
        """A matplotlib figure of one text, each character or word colored by its contribution.

        Args:
            X: texts.
            row: which of them.
            labels: which labels to tell of, one picture each; None: as `explain`.
        """
        text = read_texts(X)[row]
        frame = self.explain([text], labels=labels, units=True)
        return plotting.colored(text, frame, self.constants_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.one_d_array = True
        return tags

    def _material(self, X: object) -> _Material:
        texts = read_texts(X)
        check_rows(len(texts))
        self._check_ranges()
        return _Material(texts, [read_units(text, self.max_length) for text in texts], [])

    def _count(self, material: _Material) -> int:
        return len(material.texts)

    def _inputs_of(self, material: _Material) -> Vocabulary:
        settings = {
            "characters": int(self._characters()),
            "words": int(self.words),
            "letters": int(self.letters),
            "max_length": int(self.max_length),
            "context": self.mixing_layers > 0,
            "dropout": self._dropout(),
        }
        return learn_vocabulary(material.units, self.vocabulary, self.min_count, settings)

    def _encoded(self, inputs: Vocabulary, material: _Material) -> NDArray[np.int32]:
        found = [inputs.factors(units) for units in material.units]
        if self.rules is not None:  # their texts have to be known whenever codes are read
            material.factors.extend(found)
        _warn_of_long(found)
        return padded(found)

    def _announce(
        self, inputs: Vocabulary, material: _Material, rows: NDArray[np.int64] | None
    ) -> None:
        if material.factors:
            some = range(len(material.texts)) if rows is None else rows.tolist()
            texts, factors = material.texts, material.factors
            announce(inputs, [texts[row] for row in some], [factors[row] for row in some])

    def _source(self, inputs: Vocabulary) -> TextRows:
        return TextRows(inputs)

    def _checked(self, codes: torch.Tensor) -> None:
        """Nothing: what is vetoed in all texts has no place that could be looked at."""

    def _subject_of(self, module: GlassBox, inputs: Vocabulary) -> TextSubject:
        return TextSubject(module, inputs, self.labels_, self._objective())

    def _batch(self, material: _Material, codes: NDArray[Any], rows: Sequence[int]) -> Batch:
        return [material.texts[row] for row in rows]

    def _codes(self, X: object) -> torch.Tensor:
        return torch.from_numpy(padded(self._read(read_texts(X))))

    def _logits(self, X: object) -> NDArray[np.float64]:
        check_is_fitted(self)
        found = self._read(read_texts(X))
        parts = [
            self._decided(torch.from_numpy(padded(found[start : start + _TEXTS])))
            for start in range(0, max(len(found), 1), _TEXTS)
        ]
        logits: NDArray[np.float64] = torch.cat(parts).numpy()
        return logits

    def _shares(self, X: object) -> NDArray[np.float64]:
        logits = torch.from_numpy(self._logits(X))
        shares: NDArray[np.float64] = self._objective().shares(logits).numpy()
        return shares

    def _read(self, texts: Sequence[str]) -> list[Factors]:
        """Texts to decide on as factors, with a warning of those that say nothing."""
        found = [self.vocabulary_.read(text) for text in texts]
        announce(self.vocabulary_, texts, found)
        _warn_of_long(found)
        nothing = [row for row, one in enumerate(found) if not one.known]
        if nothing:
            warnings.warn(
                f"{len(nothing)} text(s) have no piece that training saw (the first is row "
                f"{nothing[0]}): they are decided by the constant alone",
                UnseenWarning,
                stacklevel=4,
            )
        return found

    @classmethod
    def _inputs_from(cls, data: object) -> Vocabulary:
        return Vocabulary.from_json(data)

    def _fits(self, shape: Shape) -> bool:
        return super()._fits(shape) and self.vocabulary_.context == (shape.mixing_layers > 0)

    def _shape(self, outputs: int) -> Shape:
        width = self.width
        if width is None:
            width = 64 if self.mixing_layers else min(32, max(8, 4 * -(-outputs // 4)))
        return Shape(
            outputs=outputs,
            width=width,
            mixing_layers=self.mixing_layers,
            dropout=_MIXING_DROPOUT,
        )

    def _characters(self) -> int:
        return (3 if self.mixing_layers else 4) if self.characters is None else self.characters

    def _dropout(self) -> float:
        if self.dropout is None:
            return 0.1 if self.mixing_layers else 0.0
        return float(self.dropout)

    def _plan(self) -> Plan:
        # a place in a text is no factor of its own: there is no mean over texts to center
        size = self.batch_size or (32 if self.mixing_layers else 64)
        return replace(super()._plan(), centering=0.0, calibrated=True, batch_size=size)

    def _refit(self) -> bool:
        wanted = not self.mixing_layers if self.refit is None else self.refit
        return wanted and self.threshold != BEST_F1

    def _check_options(self) -> None:
        self._check_ranges()
        if not 0.0 <= self._dropout() < 1.0:
            raise OptionError(f"dropout must be within [0, 1), got {self.dropout!r}")
        super()._check_options()

    def _check_ranges(self) -> None:
        for name, (least, most) in _RANGES.items():
            value = self._characters() if name == "characters" else getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer):
                raise OptionError(f"{name} must be an integer, got {value!r}")
            if not least <= value <= most:
                raise OptionError(f"{name} must be within [{least}, {most}], got {value!r}")


def _warn_of_long(found: Sequence[Factors]) -> None:
    cut = [row for row, one in enumerate(found) if not one.units.whole]
    if cut:
        warnings.warn(
            f"{len(cut)} text(s) are longer than max_length (the first is row {cut[0]}): their "
            "ends are not read",
            DataWarning,
            stacklevel=5,
        )
