"""What all estimators share that can be given rules: planned, kept, looked at, saved."""

from abc import abstractmethod
from dataclasses import replace
from typing import Any

import torch
from numpy.typing import NDArray

from zhuyi.errors import InputError, OptionError
from zhuyi.learn.base import GlassBoxEstimator
from zhuyi.learn.prior import Prior, prior_of
from zhuyi.learn.prior_checks import PriorCheck, checked, tell
from zhuyi.learn.ruling import Ruling
from zhuyi.learn.sources import Source
from zhuyi.learn.training import Plan
from zhuyi.learn.wishing import Wishes
from zhuyi.steer.rules import Rules


class RuledEstimator(GlassBoxEstimator):
    """A kind of input adds what its rows are made of; see the estimators."""

    rules: Rules | Prior | None
    prior_: Prior | None
    prior_checks_: tuple[PriorCheck, ...]

    @abstractmethod
    def _source(self, inputs: Any) -> Source:
        """What says what rows are made of."""

    def _strictly(self) -> bool:
        """Whether rules that mean nothing are errors."""
        return False

    def _planned(self, inputs: Any, material: Any, codes: NDArray[Any]) -> Plan:
        plan, prior = self._plan(), prior_of(self.rules)
        self.prior_, self.prior_checks_ = prior, ()
        if prior is None:
            return plan
        source = self._source(inputs)
        ruling = _ruling(prior, source, self.mixing_layers)
        wishes = self._wishes(prior, source) if prior.wishing else None
        self._announce(inputs, material, None)
        for asked in (ruling, wishes):
            if asked is not None:
                asked.check(torch.from_numpy(codes), strict=self._strictly())
        return replace(plan, ruling=ruling, wishes=wishes)

    def _wishes(self, prior: Prior, source: Source) -> Wishes:
        return Wishes(prior, source, self.labels_, self._objective())

    def _more_facts(self) -> Any:
        # of the fit: whoever has set other parameters since has not taken rules out of the model
        if self.prior_ is None:
            return None
        checks = [one.as_json() for one in self.prior_checks_]
        return {"prior": self.prior_.as_json(), "checks": checks}

    def _take_facts(self, data: Any) -> None:
        self.prior_, self.prior_checks_ = None, ()
        match data:
            case None:
                return
            case {"prior": prior, "checks": list(checks)}:
                self.prior_ = read = Prior.from_json(prior)
                self.prior_checks_ = tuple(PriorCheck.from_json(one) for one in checks)
            case _:
                raise InputError("model.json has a prior of other entries")
        self.rules = read if read.wishing else read.rules
        try:
            source, layers = self._source(self.inputs_), self.module_.shape.mixing_layers
            self.module_.ruling = _ruling(read, source, layers)
        except OptionError as wrong:
            raise InputError(f"model.json has rules that cannot be: {wrong}") from None

    def _checked(self, codes: torch.Tensor) -> None:
        if self.prior_ is not None:
            wishes = self._wishes(self.prior_, self._source(self.inputs_))
            self.prior_checks_ = checked(self.module_, wishes, codes)
            tell(self.prior_checks_)


def _ruling(prior: Prior, source: Source, mixing_layers: int) -> Ruling | None:
    return Ruling(prior.rules, source, mixing_layers + 1) if prior.rules else None
