"""What both series estimators share: reading series, explaining them by channel and time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from zhuyi.errors import OptionError
from zhuyi.learn import explaining, plotting
from zhuyi.learn.columns import KNOWN
from zhuyi.learn.glass_box import GlassBox, Shape
from zhuyi.learn.problems import check_rows, report
from zhuyi.learn.reading import is_frame
from zhuyi.learn.ruled import RuledEstimator
from zhuyi.learn.series.knowledge import SeriesInputs, learn_inputs
from zhuyi.learn.series.problems import find_problems
from zhuyi.learn.series.reading import Series, channel_names, fitted_to, read_series
from zhuyi.learn.series.source import SeriesRows
from zhuyi.learn.series.stretches import Stretches, chosen_count
from zhuyi.learn.series.subject import SeriesSubject

if TYPE_CHECKING:
    import pandas as pd


class SeriesEstimator(RuledEstimator):
    """Base of `SeriesAttentionClassifier` and `SeriesAttentionRegressor`; see there."""

    own_state: ClassVar[tuple[str, ...]] = ("n_features_in_", "flat_")

    channels: Sequence[str] | None
    stretches: int | None
    steps: int | None
    bins: int
    strict: bool
    inputs_: SeriesInputs
    n_features_in_: int
    flat_: bool

    @property
    def factors_(self) -> tuple[str, ...]:
        """Names of the factors: each channel's stretches, the newest first."""
        return self.inputs_.names

    def explain(
        self, X: object, *, labels: Sequence[object] | None = None, verify: bool = False
    ) -> "pd.DataFrame":
        """Every stretch's part in each decision, as a data frame of one line a factor.

            contribution = weight * effect;   sum over factors = logit - constant of the label

        Without mixing layers this is how the decision is computed (`explanation_` says
        "computation"); with them a factor's part holds what it learned of other stretches too, and
        `explanation_` says "evidence": then look at the verdict.

        Args:
            X: series to explain.
            labels: which labels to tell of. None: of two classes the second (its logit is the
                decision), of several classes the predicted one, of many labels all, of a
                regressor the target.
            verify: whether each explanation is tested by removing stretches
                (`zhuyi.verify.Deletion`); else the verdict is "not verified".
        Returns: columns row, label, factor, value (mean of the stretch's known values, None where
            all are missing), score (before the softmax), weight, contribution (in logits; of a
            regressor in the target's unit), verdict; of a model with rules also rules, those that
            mean the stretch, "" for none. Stretches before a series began have no line.
        Raises:  InputError: series of other channels. OptionError: no such label.
        Cost:    a forward pass; with `verify` some hundred decisions a series.
        Not:     a cause in the world: it says what this model goes by.
        """
        check_is_fitted(self)
        codes = self._codes(X)
        with torch.no_grad():
            read = self.module_.read(codes)
        found = self.module_.factors.present(codes)
        present = None if found is None else found.numpy()
        asked = self._asked(read.logits, labels)
        frame = explaining.tabulate(
            self.subject(),
            self.factors_,
            _means(codes.numpy()),
            codes,
            read,
            asked,
            self._unit()[1],
            verify=verify,
            present=present,
        )
        ruling = self.module_.ruling
        if ruling is not None:
            frame["rules"] = explaining.told_rules(ruling.by_factor(codes), asked, present)
        return frame

    def subject(self) -> SeriesSubject:
        """The fitted model as a Subject, for `zhuyi.audit`, `zhuyi.verify` and `zhuyi.explain`."""
        check_is_fitted(self)
        return self._subject_of(self.module_, self.inputs_)

    def plot(self, X: object, row: int = 0) -> Any:
        """A matplotlib figure of one series: each stretch's contribution, the largest first.

        Args:
            X: series.
            row: which of them.
        """
        frame = self.explain(X, verify=False)
        return plotting.contributions(frame[frame["row"] == row], self.constants_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.three_d_array = True
        return tags

    def _material(self, X: object) -> Series:
        series = read_series(X)
        self._check_steps()
        known = X if is_frame(X) else _outline(series)
        validate_data(self, known, reset=True, skip_check_array=True)
        check_rows(len(series))
        self.flat_ = series.flat
        steps = series.values.shape[1] if self.steps is None else self.steps
        return Series(fitted_to(series.values, steps), series.flat)

    def _count(self, material: Series) -> int:
        return len(material)

    def _inputs_of(self, material: Series) -> SeriesInputs:
        _, steps, count = material.values.shape
        cut = Stretches(steps, chosen_count(steps, self.stretches))
        return learn_inputs(material, channel_names(self.channels, count), cut, bins=self.bins)

    def _encoded(self, inputs: SeriesInputs, material: Series) -> NDArray[np.float64]:
        return inputs.encode(material)

    def _examined(
        self, inputs: SeriesInputs, codes: NDArray[np.float64], target: NDArray[np.generic]
    ) -> None:
        report(find_problems(inputs, codes), strict=self.strict)

    def _source(self, inputs: SeriesInputs) -> SeriesRows:
        return SeriesRows(inputs)

    def _strictly(self) -> bool:
        return self.strict

    def _subject_of(self, module: GlassBox, inputs: SeriesInputs) -> SeriesSubject:
        return SeriesSubject(module, inputs, self.labels_, self._objective())

    @classmethod
    def _inputs_from(cls, data: object) -> SeriesInputs:
        return SeriesInputs.from_json(data)

    def _fits(self, shape: Shape) -> bool:
        cut = self.inputs_.stretches
        return super()._fits(shape) and (
            self.n_features_in_ == (cut.steps if self.flat_ else len(self.inputs_.channels))
            or self.steps is not None
        )

    def _codes(self, X: object) -> torch.Tensor:
        series = read_series(X)
        if self.flat_ and series.flat:  # a table: its columns must be those of training
            known = X if is_frame(X) else _outline(series)
            validate_data(self, known, reset=False, skip_check_array=True)
        return torch.from_numpy(self.inputs_.encode(series))

    def _check_steps(self) -> None:
        for name in ("stretches", "steps", "bins"):
            value, least = getattr(self, name), 2 if name == "bins" else 1
            if value is None and name != "bins":
                continue
            if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
                raise OptionError(f"{name} must be an integer >= {least}, got {value!r}")


def _outline(series: Series) -> NDArray[np.float64]:
    """An array of as many columns as scikit-learn shall remember: steps of a table, else channels.

    Its numbers mean nothing.
    """
    rows, steps, channels = series.values.shape
    return np.empty((rows, steps if series.flat else channels))


def _means(codes: NDArray[np.float64]) -> NDArray[np.object_]:
    """Mean "B N" of each stretch's known values, None without any."""
    known = codes[..., 1] == KNOWN
    count = known.sum(-1)
    means = np.where(known, codes[..., 0], 0.0).sum(-1) / np.maximum(count, 1)
    found: NDArray[np.object_] = means.astype(object)
    found[count == 0] = None
    return found
