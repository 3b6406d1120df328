"""Observations of a bundle as numbers in the model's units."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from zhuyi.errors import InputError
from zhuyi.recipes.medicine.fhir_bundle import (
    Bundle,
    Resource,
    called,
    codings,
    latest,
    moment,
    subject_named,
)
from zhuyi.recipes.medicine.fhir_codes import (
    LOINC,
    MEASUREMENTS,
    PREGNANCY,
    PREGNANT,
    SMOKERS,
    SMOKING,
    Measurement,
)

_COUNTED: Final = ("final", "amended", "corrected")


def measured(bundle: Bundle, ignored: list[str]) -> dict[str, float]:
    """The latest value of every quantity of `MEASUREMENTS`, in the unit of its column.

    Args:
        bundle: checked.
        ignored: gets a line for each observation that is known and does not count.
    Raises: InputError: a unit that is not known for the quantity, or a value beyond living people.
    """
    found: dict[str, list[tuple[datetime | None, float]]] = {}
    for observation, reason in _observations(bundle):
        for part in (observation, *observation.get("component", ())):
            name = _quantity(part)
            if name is None:
                continue
            why = reason or _unusable(part)
            if why:
                ignored.append(f"{called(observation)}: {MEASUREMENTS[name].name}, {why}")
                continue
            value = _converted(MEASUREMENTS[name], part["valueQuantity"], called(observation))
            found.setdefault(name, []).append((_when(observation), value))
    return {name: latest(values) for name, values in found.items()}


def answered(bundle: Bundle) -> dict[str, str]:
    """Smoking and pregnancy, as the latest observation says."""
    found: dict[str, tuple[datetime, str]] = {}
    for observation, reason in _observations(bundle):
        codes = {code for system, code in codings(observation.get("code")) if system == LOINC}
        for column, asked, answers in (
            ("cc_smoke", SMOKING, SMOKERS),
            ("demo_pregnant", PREGNANCY, PREGNANT),
        ):
            if reason or asked not in codes:
                continue
            when = _when(observation) or datetime.min
            for _, code in codings(observation.get("valueCodeableConcept")):
                if code in answers and when >= found.get(column, (datetime.min, ""))[0]:
                    found[column] = (when, answers[code])
    return {column: answer for column, (_, answer) in found.items()}


def filtration(creatinine: float, age: float, woman: bool) -> float:
    """eGFR in mL/min/1.73 m2 from creatinine in serum, mg/dL.

        142 min(c / k, 1)^a max(c / k, 1)^-1.2 0.9938^age (1.012 if a woman)

    with k = 0.7, a = -0.241 for women, 0.9 and -0.302 for men.

    Ref: Inker et al. 2021, doi:10.1056/NEJMoa2102953 (CKD-EPI 2021, without race).

    Example:
        >>> round(filtration(1.0, 60.0, woman=False))
        86
    """
    k, a = (0.7, -0.241) if woman else (0.9, -0.302)
    ratio = creatinine / k
    found: float = 142.0 * min(ratio, 1.0) ** a * max(ratio, 1.0) ** -1.2 * 0.9938**age
    return found * 1.012 if woman else found


def mass_index(found: Mapping[str, float]) -> float | None:
    """Body mass index as measured, or from weight and height; None without them."""
    if "bmi" in found:
        return found["bmi"]
    if "weight" in found and "height" in found:
        return found["weight"] / (found["height"] / 100.0) ** 2
    return None


def _observations(bundle: Bundle) -> Iterator[tuple[Resource, str]]:
    """Observations with the reason why they do not count, "" where they do."""
    for observation in bundle.of("Observation"):
        status = observation["status"]
        if status not in _COUNTED:
            yield observation, f"its status is {status}"
        elif "focus" in observation or not subject_named(observation):
            yield observation, "it does not say that it is about the patient"
        else:
            yield observation, ""


def _quantity(part: Mapping[str, Any]) -> str | None:
    codes = {code for system, code in codings(part.get("code")) if system == LOINC}
    return next((name for name, one in MEASUREMENTS.items() if codes & set(one.codes)), None)


def _unusable(part: Mapping[str, Any]) -> str:
    """Why there is no plain number; "" where there is."""
    quantity = part.get("valueQuantity")
    if not isinstance(quantity, Mapping) or "value" not in quantity:
        return "no number"
    if "comparator" in quantity:
        return "no number but a bound"
    return ""


def _converted(what: Measurement, quantity: Mapping[str, Any], where: str) -> float:
    known = what.units
    given = [str(quantity[key]) for key in ("code", "unit") if key in quantity]
    unit = next((one for one in given if one in known), None)
    if unit is None:
        raise InputError(
            f"{where}: {what.name} in {given[0] if given else 'no unit'!r} cannot be read; use one "
            f"of {', '.join(known)}"
        )
    factor, shift = known[unit]
    value = factor * float(quantity["value"]) + shift
    if not math.isfinite(value) or not what.least <= value <= what.most:
        raise InputError(
            f"{where}: {what.name} must be within {what.least:g} and {what.most:g} in the model's "
            f"unit, and in {unit!r} it is not: check value and unit"
        )
    return value


def _when(observation: Resource) -> datetime | None:
    period = observation.get("effectivePeriod", {})
    for text in (
        observation.get("effectiveDateTime"),
        observation.get("effectiveInstant"),
        period.get("end", period.get("start")),
        observation.get("issued"),
    ):
        if text is not None:
            return moment(str(text))
    return None
