"""What all glass-box estimators share, whatever they read: fitting, deciding, saving."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from zhuyi.errors import InputError, OptionError
from zhuyi.learn import saving
from zhuyi.learn.embedding import Inputs
from zhuyi.learn.fitting import Examples, fit_glass_box
from zhuyi.learn.glass_box import GlassBox, Shape
from zhuyi.learn.objectives import Objective
from zhuyi.learn.observing import Task, Telling, Training, observer
from zhuyi.learn.portions import decided
from zhuyi.learn.subject import GlassBoxSubject
from zhuyi.learn.training import Plan, Progress
from zhuyi.trace.subject import Batch

_LEAST = {"max_epochs": 1, "patience": 1, "width": 4, "mixing_layers": 0}


class GlassBoxEstimator(BaseEstimator, ABC):  # type: ignore[misc]
    """A kind of input adds how it is read, a kind of target what is decided; see the estimators.

    Fitting goes: X to material (read and checked), material to inputs (what is known of them) and
    codes (numbers for the embedding), then training.
    """

    mixing_layers: int
    width: int | None
    max_epochs: int
    patience: int
    batch_size: int | None
    learning_rate: float
    weight_decay: float
    dropout: float | None
    validation_fraction: float
    progress: Callable[[Progress], None] | None
    checkpoint: str | Path | None
    random_state: int | np.random.RandomState | np.random.Generator | None

    own_state: ClassVar[tuple[str, ...]] = ("n_epochs_", "temperature_", "history_")
    """What a class adds to what a fitted estimator has to remember, by name, for saving."""

    inputs_: Any  # of the kind of `Inputs` that _inputs_of gives
    module_: GlassBox
    n_epochs_: int
    temperature_: float
    validation_rows_: NDArray[np.int64]
    history_: list[tuple[float, float | None]]

    # --- what a kind of input says ----------------------------------------------------------

    @abstractmethod
    def _material(self, X: object) -> Any:
        """Training inputs, read and checked; remembers what scikit-learn asks (names, number)."""

    @abstractmethod
    def _count(self, material: Any) -> int:
        """How many inputs there are."""

    @abstractmethod
    def _inputs_of(self, material: Any) -> Inputs:
        """What there is to know of them."""

    @abstractmethod
    def _encoded(self, inputs: Any, material: Any) -> NDArray[Any]:
        """Codes of the training inputs, for the embedding."""

    @abstractmethod
    def _codes(self, X: object) -> torch.Tensor:
        """Codes of inputs to decide on; checks that they are like those of training."""

    @abstractmethod
    def _subject_of(self, module: GlassBox, inputs: Any) -> GlassBoxSubject:
        """The subject of a box that is ready, or would be if training ended now."""

    def _batch(self, material: Any, codes: NDArray[Any], rows: Sequence[int]) -> Batch:
        """Training inputs of these indices, as the subject takes them."""
        return torch.from_numpy(codes[np.asarray(rows)])

    @classmethod
    @abstractmethod
    def _inputs_from(cls, data: object) -> Inputs:
        """What `Inputs.as_json` wrote, checked.

        Raises: InputError: when it is not.
        """

    def _examined(self, inputs: Any, codes: NDArray[Any], target: NDArray[np.generic]) -> None:
        """Warn of what makes the training useless or misleading."""

    def _planned(self, inputs: Any, material: Any, codes: NDArray[Any]) -> Plan:
        """How to train, once it is known what the inputs are."""
        return self._plan()

    def _announce(self, inputs: Any, material: Any, rows: NDArray[np.int64] | None) -> None:
        """Called before training inputs of these indices are read as codes; None: all of them."""

    def _checked(self, codes: torch.Tensor) -> None:
        """Look at what the fit came to, on its training rows."""

    def _more_facts(self) -> Any:
        """What a fitted estimator has to remember beside parameters and state, as plain JSON."""
        return None

    def _take_facts(self, data: Any) -> None:
        """Take over what `_more_facts` gave; `module_` is there.

        Raises: InputError: when it is not that.
        """
        if data is not None:
            raise InputError(f"model.json has facts that {type(self).__name__} does not know")

    def _settle(self, module: GlassBox, inputs: Any, codes: torch.Tensor) -> None:
        """What is done to a trained box beside training; its decisions stay."""

    def _fits(self, shape: Shape) -> bool:
        """Whether a restored estimator fits itself."""
        labels = len(self.labels_)
        return shape.outputs == labels or (shape.outputs == 1 and labels == 2)

    # --- what a kind of target says ---------------------------------------------------------

    @property
    @abstractmethod
    def labels_(self) -> tuple[str, ...]:
        """Names of the decisions, as an explanation gives them."""

    @abstractmethod
    def _objective(self) -> Objective:
        """What was, or will be, minimized."""

    @abstractmethod
    def _unit(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Shift and factor "C" from logits to what is explained."""

    @abstractmethod
    def _explained(self, logits: NDArray[np.float64]) -> list[list[int]]:
        """Per row, the logits that `explain` tells of by default."""

    @abstractmethod
    def _task(self) -> Task:
        """What is decided."""

    def _calibrated(self) -> bool:
        return False

    def _refit(self) -> bool:
        """Whether all rows are learned from once the validation rows have said how long."""
        return False

    # --- what all do ------------------------------------------------------------------------

    @property
    def explanation_(self) -> str:
        """Of the decision: "computation" without mixing layers, else "evidence" to be verified."""
        return "evidence" if self.module_.shape.mixing_layers else "computation"

    @property
    def constants_(self) -> dict[str, float]:
        """What each decision starts from before any factor contributes, by label."""
        shift, factor = self._unit()
        found = self.module_.constant.detach().numpy() * factor + shift
        names = self.labels_[-len(found) :]  # of two classes the logit speaks for the second
        return dict(zip(names, found.tolist(), strict=True))

    @classmethod
    def remembered(cls) -> tuple[str, ...]:
        """Names of all that a fitted estimator of this class has to remember."""
        return tuple(name for kind in cls.__mro__ for name in vars(kind).get("own_state", ()))

    def save(self, folder: str | Path) -> None:
        """Write the fitted model: weights.safetensors and model.json, nothing that is unpickled.

        What is no plain value (a progress function, a generator, a checkpoint's folder) is left
        out. No input of the training is kept whole; what the model knows of them by themselves
        (typical values of a column, frequent pieces of text) is.
        """
        check_is_fitted(self)
        saving.save(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """The model that `save` wrote.

        Raises: InputError: files that are no such model, or of another class.
        """
        found = saving.load(Path(folder), {cls.__name__: cls})
        assert isinstance(found, cls)
        return found

    def _logits(self, X: object) -> NDArray[np.float64]:
        check_is_fitted(self)
        logits: NDArray[np.float64] = self._decided(self._codes(X)).numpy()
        return logits

    def _decided(self, codes: torch.Tensor) -> torch.Tensor:
        return decided(self.module_, codes)

    def _shares(self, X: object) -> NDArray[np.float64]:
        check_is_fitted(self)
        return self._shares_of(self._codes(X))

    def _shares_of(self, codes: torch.Tensor) -> NDArray[np.float64]:
        shares: NDArray[np.float64] = self._objective().shares(self._decided(codes)).numpy()
        return shares

    def _asked(self, logits: torch.Tensor, labels: Sequence[object] | None) -> list[list[int]]:
        """Per row, the columns of `labels_` to tell of."""
        if labels is None:
            return self._explained(logits.numpy())
        names = self.labels_
        wrong = [label for label in labels if str(label) not in names]
        if wrong:
            raise OptionError(f"labels must be some of {list(names)}, got {wrong}")
        return [[names.index(str(label)) for label in labels]] * len(logits)

    def _learn(
        self,
        material: Any,
        target: NDArray[np.generic],
        weights: NDArray[np.float64],
        groups: NDArray[np.int64] | None,
        outputs: int,
        together: NDArray[np.int64] | None = None,
    ) -> torch.Tensor:
        """Train a box of so many logits, take over what came of it, give the training codes."""
        self._check_options()
        inputs = self._inputs_of(material)
        codes = self._encoded(inputs, material)
        self._examined(inputs, codes, target)
        shape = self._shape(outputs)
        telling = self._telling(material, inputs, codes, target)
        examples = Examples(
            codes=codes,
            target=target,
            weights=weights,
            groups=groups,
            together=together,
            announce=lambda rows: self._announce(inputs, material, rows),
        )
        fitted = fit_glass_box(
            examples,
            inputs,
            shape,
            self._objective(),
            self._planned(inputs, material, codes),
            seed=_seed(self.random_state),
            validation_fraction=self.validation_fraction,
            calibrated=self._calibrated(),
            refit=self._refit(),
            observe=None if telling is None else telling.epoch,
        )
        self.inputs_, self.module_ = inputs, fitted.module
        self.temperature_, self.validation_rows_ = fitted.temperature, fitted.judged
        self.n_epochs_, self.history_ = fitted.trained.epochs, fitted.trained.history
        self._settle(fitted.module, inputs, torch.from_numpy(codes))
        self._checked(torch.from_numpy(codes))
        if telling is not None:
            telling.fitted(fitted, self.max_epochs)
        # a classifier may look for its threshold in these
        self._announce(inputs, material, fitted.judged)
        return torch.from_numpy(codes)

    def _telling(
        self, material: Any, inputs: Any, codes: NDArray[Any], target: NDArray[np.generic]
    ) -> Telling | None:
        """Who is to be told of this fit; see `observing`."""
        told = observer()
        if told is None:
            return None

        shift, factor = self._unit()

        def training(judged: NDArray[np.int64]) -> Training:
            return Training(
                estimator=type(self).__name__,
                explanation="evidence" if self.mixing_layers else "computation",
                labels=self.labels_,
                target=target,
                held_back=judged,
                batch=lambda rows: self._batch(material, codes, rows),
                refit=self._refit() and judged.size > 0,
                task=self._task(),
                shift=shift,
                factor=factor,
            )

        def subject(module: GlassBox) -> GlassBoxSubject:
            if module is not vars(self).get("module_"):  # a copy, not settled yet
                self._settle(module, inputs, torch.from_numpy(codes))
            return self._subject_of(module, inputs)

        return Telling(told, training, subject)

    def _shape(self, outputs: int) -> Shape:
        # a kind of input that lets them be None says what they are then
        assert self.width is not None
        assert self.dropout is not None
        return Shape(
            outputs=outputs,
            width=self.width,
            mixing_layers=self.mixing_layers,
            dropout=self.dropout,
        )

    def _plan(self) -> Plan:
        return Plan(
            epochs=self.max_epochs,
            patience=self.patience,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            progress=self.progress,
            checkpoint=None if self.checkpoint is None else Path(self.checkpoint),
        )

    def _check_options(self) -> None:
        shape = self._shape(1)
        width = shape.width
        for name, least in _LEAST.items():
            value = width if name == "width" else getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise OptionError(f"{name} must be an integer >= {least}, got {value!r}")
        if width % 4:
            raise OptionError(f"width must be divisible by 4, got {width}")
        if self.batch_size is not None and self.batch_size < 1:
            raise OptionError(f"batch_size must be None or >= 1, got {self.batch_size!r}")
        if not 0.0 <= self.validation_fraction < 1.0 or not 0.0 <= shape.dropout < 1.0:
            raise OptionError("validation_fraction and dropout must be within [0, 1)")
        if not self.learning_rate > 0.0 or not self.weight_decay >= 0.0:
            raise OptionError("learning_rate must be above 0, weight_decay not below")


def _seed(random_state: int | np.random.RandomState | np.random.Generator | None) -> int:
    """A seed; None takes fresh entropy, and no global generator is drawn from."""
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    return int(random_state)
