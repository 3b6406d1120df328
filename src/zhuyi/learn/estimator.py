"""What both table estimators share: reading columns, explaining rows by them."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils import Tags
from sklearn.utils.validation import check_is_fitted, validate_data

from zhuyi.errors import InputError
from zhuyi.learn import explaining, plotting
from zhuyi.learn.gauge import settle_constants
from zhuyi.learn.glass_box import GlassBox, Shape
from zhuyi.learn.problems import check_rows, find_problems, report
from zhuyi.learn.reading import Cells, is_frame, is_mappings, read_table
from zhuyi.learn.ruled import RuledEstimator
from zhuyi.learn.schema import Schema, learn_schema
from zhuyi.learn.table_reader import TableRows
from zhuyi.learn.table_subject import DRAWS, TableSubject
from zhuyi.learn.training import Plan
from zhuyi.learn.warnings_of_data import UnseenWarning

if TYPE_CHECKING:
    import pandas as pd

_CENTERING: Final = 0.3
_SETTLED_ON: Final = 512  # rows, at least, on which constants are settled


class TableEstimator(RuledEstimator):
    """Base of `AttentionClassifier` and `AttentionRegressor`; see there."""

    own_state: ClassVar[tuple[str, ...]] = ("n_features_in_",)

    columns: Mapping[str, str] | None
    bins: int
    strict: bool
    inputs_: Schema
    n_features_in_: int

    @property
    def schema_(self) -> Schema:
        """The columns as the model reads them."""
        return self.inputs_

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
            contribution (in logits; of a regressor in the target's unit), verdict; of a model with
            rules also rules, those that mean the factor in this row, "" for none.
        Raises:  InputError: rows of other columns. OptionError: no such label.
        Cost:    a forward pass; with `verify` up to 2^N decisions a row for N <= 8 columns, about
            500 for more.
        Not:     a cause in the world: it says what this model goes by.
        """
        check_is_fitted(self)
        cells = self._cells(X)
        codes = self._encode(cells)
        with torch.no_grad():
            read = self.module_.read(codes)
        _, factor = self._unit()
        asked = self._asked(read.logits, labels)
        values = explaining.cell_values(cells)
        names = self.schema_.names
        frame = explaining.tabulate(
            self.subject(), names, values, codes, read, asked, factor, verify=verify
        )
        ruling = self.module_.ruling
        if ruling is not None:
            frame["rules"] = explaining.told_rules(ruling.by_factor(codes), asked)
        return frame

    def subject(self) -> TableSubject:
        """The fitted model as a Subject, for `zhuyi.audit`, `zhuyi.verify` and `zhuyi.explain`."""
        check_is_fitted(self)
        return self._subject_of(self.module_, self.inputs_)

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

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        # columns of strings are read too; the tag "string" would promise that cells may be
        # anything at all (scikit-learn puts a dict into one), and those are refused
        tags.input_tags.categorical = True
        return tags

    def _material(self, X: object) -> tuple[Cells, ...]:
        cells = read_table(X)
        known = X if is_frame(X) else np.empty((len(cells[0]), len(cells)))
        validate_data(self, known, reset=True, skip_check_array=True)
        check_rows(len(cells[0]))
        return cells

    def _count(self, material: tuple[Cells, ...]) -> int:
        return len(material[0])

    def _inputs_of(self, material: tuple[Cells, ...]) -> Schema:
        return learn_schema(material, self.columns, bins=self.bins)

    def _encoded(self, inputs: Schema, material: tuple[Cells, ...]) -> NDArray[np.float64]:
        return inputs.encode(material)[0]

    def _plan(self) -> Plan:
        # without mixing layers contributions are what is told: more of the freedom between columns
        # is taken away (docs/decisions/0008 tells what less of it did)
        plan = super()._plan()
        return plan if self.mixing_layers else replace(plan, centering=_CENTERING)

    def _source(self, inputs: Schema) -> TableRows:
        return TableRows(inputs)

    def _strictly(self) -> bool:
        return self.strict

    def _subject_of(self, module: GlassBox, inputs: Schema) -> TableSubject:
        return TableSubject(module, inputs, self.labels_, self._objective())

    def _settle(self, module: GlassBox, inputs: Schema, codes: torch.Tensor) -> None:
        if self.mixing_layers:  # nothing says what a factor by itself is worth
            return
        some = codes[:: max(1, len(codes) // _SETTLED_ON)]
        settle_constants(module, some, torch.from_numpy(inputs.spread(DRAWS)))

    def _examined(
        self, inputs: Schema, codes: NDArray[np.float64], target: NDArray[np.generic]
    ) -> None:
        report(find_problems(inputs, codes, target), strict=self.strict)

    @classmethod
    def _inputs_from(cls, data: object) -> Schema:
        return Schema.from_json(data)

    def _fits(self, shape: Shape) -> bool:
        return super()._fits(shape) and self.n_features_in_ == len(self.schema_.columns)

    def _cells(self, X: object) -> tuple[Cells, ...]:
        """Rows to decide on, whose columns are those of training."""
        if is_frame(X):
            validate_data(self, X, reset=False, skip_check_array=True)
            cells = read_table(X)
            names = tuple(one.name for one in cells)
            if names != self.schema_.names and sorted(names) == sorted(self.schema_.names):
                raise InputError(
                    f"columns must be in the order of training, {list(self.schema_.names)}, got "
                    f"{list(names)}"
                )
            return cells
        cells = read_table(X, self.schema_.names)
        if not is_mappings(X):  # those name their cells
            known = np.empty((len(cells[0]), len(cells)))
            validate_data(self, known, reset=False, skip_check_array=True)
        return cells

    def _codes(self, X: object) -> torch.Tensor:
        return self._encode(self._cells(X))

    def _encode(self, cells: tuple[Cells, ...]) -> torch.Tensor:
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
