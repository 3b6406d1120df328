"""What both table estimators share: reading, fitting, explaining, saving."""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from zhuyi.errors import OptionError
from zhuyi.learn import explaining, plotting, saving
from zhuyi.learn.fitting import Examples, Fitted, fit_glass_box
from zhuyi.learn.glass_box import GlassBox, Read, Shape
from zhuyi.learn.objectives import Objective
from zhuyi.learn.problems import check_rows, find_problems, report
from zhuyi.learn.reading import Cells, is_frame, is_mappings, read_table
from zhuyi.learn.schema import Schema, learn_schema
from zhuyi.learn.table_subject import TableSubject
from zhuyi.learn.training import Plan, Progress
from zhuyi.learn.warnings_of_data import UnseenWarning

if TYPE_CHECKING:
    import pandas as pd

ROWS_AT_A_TIME = 8192


class TableEstimator(BaseEstimator, ABC):  # type: ignore[misc]
    """Base of `AttentionClassifier` and `AttentionRegressor`; see there."""

    columns: Mapping[str, str] | None
    mixing_layers: int
    width: int
    max_epochs: int
    patience: int
    batch_size: int | None
    learning_rate: float
    weight_decay: float
    dropout: float
    bins: int
    validation_fraction: float
    strict: bool
    progress: Callable[[Progress], None] | None
    checkpoint: str | Path | None
    random_state: int | np.random.RandomState | np.random.Generator | None

    own_state: ClassVar[tuple[str, ...]] = ()
    """What a fitted estimator of this class has to remember beside what all do."""

    schema_: Schema
    module_: GlassBox
    n_features_in_: int
    n_epochs_: int
    temperature_: float
    validation_rows_: NDArray[np.int64]
    history_: list[tuple[float, float | None]]

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

    def explain(
        self, X: object, *, labels: Sequence[object] | None = None, verify: bool = False
    ) -> "pd.DataFrame":
        """Every factor's part in each decision, as a data frame of one line a factor.

            contribution = weight * effect;   sum over factors = logit - constant of the label

        Without mixing layers this is how the decision is computed (`explanation_` says
        "computation"); with them a factor's part holds what it learned of other columns too, and
        `explanation_` says "evidence": then look at the verdict.

        Args:
            X: rows to explain.
            labels: which labels to tell of. None: of two classes the second (its logit is the
                decision), of several classes the predicted one, of many labels all, of a
                regressor the target.
            verify: whether each row's explanation is tested by removing columns
                (`zhuyi.verify.Deletion`); else the verdict is "not verified".
        Returns: columns row, label, factor, value (as it came), score (before the softmax), weight,
            contribution (in logits; of a regressor in the target's unit), verdict.
        Raises:  InputError: rows of other columns. OptionError: no such label.
        Cost:    a forward pass; with `verify` up to 2^N decisions a row for N <= 8 columns, about
            500 for more.
        Not:     a cause in the world: it says what this model goes by.
        """
        check_is_fitted(self)
        cells = self._cells(X)
        read, codes = self._read(cells)
        shift, factor = self._unit()
        asked = self._asked(read, labels)
        return explaining.tabulate(self.subject(), cells, codes, read, asked, factor, verify=verify)

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

    def subject(self) -> TableSubject:
        """The fitted model as a Subject, for `zhuyi.audit`, `zhuyi.verify` and `zhuyi.explain`."""
        check_is_fitted(self)
        return TableSubject(self.module_, self.schema_, self.labels_, self._objective())

    def unseen(self, X: object) -> dict[str, dict[str, int]]:
        """Per column, the categories in X that training never saw, with how often they come."""
        check_is_fitted(self)
        return self.schema_.encode(self._cells(X))[1]

    def plot(self, X: object, row: int = 0) -> Any:
        """A matplotlib figure of one row: each factor's contribution, the largest first.

        Args:
            X: rows.
            row: which of them.
        """
        frame = self.explain(X, verify=False)
        return plotting.contributions(frame[frame["row"] == row], self.constants_)

    def save(self, folder: str | Path) -> None:
        """Write the fitted model: weights.safetensors and model.json, nothing that is unpickled.

        What is no plain value (a progress function, a generator, a checkpoint's folder) is left
        out; typical values of each column are kept, by themselves, but no row of the data.
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

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        # columns of strings are read too; the tag "string" would promise that cells may be
        # anything at all (scikit-learn puts a dict into one), and those are refused
        tags.input_tags.categorical = True
        return tags

    def _table(self, X: object) -> tuple[Cells, ...]:
        """Training rows; remembers names and number of the columns, as scikit-learn asks."""
        cells = read_table(X)
        known = X if is_frame(X) else np.empty((len(cells[0]), len(cells)))
        validate_data(self, known, reset=True, skip_check_array=True)
        check_rows(len(cells[0]))
        return cells

    def _cells(self, X: object) -> tuple[Cells, ...]:
        """Rows to decide on, whose columns are those of training."""
        if is_frame(X):
            validate_data(self, X, reset=False, skip_check_array=True)
            return read_table(X)
        cells = read_table(X, self.schema_.names)
        if not is_mappings(X):  # those name their cells
            known = np.empty((len(cells[0]), len(cells)))
            validate_data(self, known, reset=False, skip_check_array=True)
        return cells

    def _read(self, cells: tuple[Cells, ...]) -> tuple[Read, torch.Tensor]:
        codes = self._codes(cells)
        with torch.no_grad():
            return self.module_.read(self.module_.factors(codes)), codes

    def _codes(self, cells: tuple[Cells, ...]) -> torch.Tensor:
        codes, unseen = self.schema_.encode(cells)
        for name, found in unseen.items():
            some = ", ".join(repr(one) for one in list(found)[:3])
            warnings.warn(
                f"column {name!r} has {sum(found.values())} cell(s) of categories unseen in "
                f"training ({some}): they are read as an average category; see unseen(X)",
                UnseenWarning,
                stacklevel=4,
            )
        return torch.from_numpy(codes)

    def _logits(self, X: object) -> NDArray[np.float64]:
        check_is_fitted(self)
        logits: NDArray[np.float64] = self._decided(self._codes(self._cells(X))).numpy()
        return logits

    def _decided(self, codes: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return torch.cat([self.module_(part) for part in torch.split(codes, ROWS_AT_A_TIME)])

    def _shares(self, X: object) -> NDArray[np.float64]:
        check_is_fitted(self)
        return self._shares_of(self._codes(self._cells(X)))

    def _shares_of(self, codes: torch.Tensor) -> NDArray[np.float64]:
        shares: NDArray[np.float64] = self._objective().shares(self._decided(codes)).numpy()
        return shares

    def _asked(self, read: Read, labels: Sequence[object] | None) -> list[list[int]]:
        """Per row, the columns of `labels_` to tell of."""
        if labels is None:
            return self._explained(read.logits.numpy())
        names = self.labels_
        wrong = [label for label in labels if str(label) not in names]
        if wrong:
            raise OptionError(f"labels must be some of {list(names)}, got {wrong}")
        return [[names.index(str(label)) for label in labels]] * len(read.logits)

    def _learn(
        self,
        cells: tuple[Cells, ...],
        target: NDArray[np.generic],
        weights: NDArray[np.float64],
        groups: NDArray[np.int64] | None,
        outputs: int,
    ) -> Fitted:
        """Train a box of so many logits, and take over what came of it."""
        self._check_options()
        schema = learn_schema(cells, self.columns, bins=self.bins)
        codes, _ = schema.encode(cells)
        report(find_problems(schema, codes, target), strict=self.strict)
        shape = Shape(
            outputs=outputs,
            width=self.width,
            mixing_layers=self.mixing_layers,
            dropout=self.dropout,
        )
        fitted = fit_glass_box(
            Examples(codes=codes, target=target, weights=weights, groups=groups),
            schema,
            shape,
            self._objective(),
            self._plan(),
            seed=_seed(self.random_state),
            validation_fraction=self.validation_fraction,
            calibrated=self._calibrated(),
        )
        self.schema_, self.module_ = schema, fitted.module
        self.temperature_, self.validation_rows_ = fitted.temperature, fitted.judged
        self.n_epochs_, self.history_ = fitted.trained.epochs, fitted.trained.history
        return fitted

    def _calibrated(self) -> bool:
        return False

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
        for name, least in (("max_epochs", 1), ("patience", 1), ("width", 4), ("mixing_layers", 0)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise OptionError(f"{name} must be an integer >= {least}, got {value!r}")
        if self.width % 4:
            raise OptionError(f"width must be divisible by 4, got {self.width}")
        if self.batch_size is not None and self.batch_size < 1:
            raise OptionError(f"batch_size must be None or >= 1, got {self.batch_size!r}")
        if not 0.0 <= self.validation_fraction < 1.0 or not 0.0 <= self.dropout < 1.0:
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
