"""From a FHIR Bundle to a row of the treatment model, and apart from it what is taken now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhuyi.errors import InputError
from zhuyi.recipes.medicine.drugs import classes_of_atc, classes_of_name
from zhuyi.recipes.medicine.fhir_bundle import Bundle, Resource, called, codings, day, open_bundle
from zhuyi.recipes.medicine.fhir_codes import (
    ATC,
    HISPANIC,
    ICD_10,
    ILLNESSES,
    RACES,
    SNOMED,
    US_ETHNICITY,
    US_RACE,
    Illness,
)
from zhuyi.recipes.medicine.fhir_measured import answered, filtration, mass_index, measured
from zhuyi.recipes.nhanes import HISTORY, INPUTS, MEASURED

if TYPE_CHECKING:
    import pandas as pd

_YOUNGEST, _OLDEST = 18, 80  # NHANES writes 80 for everybody above
_NOW: Final = ("active", "recurrence", "relapse")
_OVER: Final = ("inactive", "remission", "resolved")
_DENIED: Final = ("refuted", "entered-in-error")
_TAKING: Final = ("active", "recorded")
_NOT_TAKING: Final = ("not-taking", "stopped", "on-hold", "stopped-on-hold", "unknown")


@dataclass(frozen=True, kw_only=True)
class Patient:
    """What a bundle says, read for the treatment model.

    Args:
        inputs: one row with the columns of `zhuyi.recipes.nhanes.INPUTS`, for `model.predict`.
        taken: columns of the drug classes taken now; what the model is asked about, so never an
            input.
        ignored: what was there and did not count, each with the reason.
        version: of FHIR.
    """

    inputs: "pd.DataFrame"
    taken: tuple[str, ...]
    ignored: tuple[str, ...]
    version: str


def read_bundle(
    source: str | Path | Mapping[str, Any], *, complete: bool = True, on: date | None = None
) -> "pd.DataFrame":
    """A bundle as one row for a model of `nhanes_treatment`.

    Args:
        source: path of a JSON file, or what it holds: a Bundle of FHIR R5 or R4B with one Patient
            and their Condition, Observation and MedicationStatement resources.
        complete: whether the conditions are the whole history: those that none of them says are
            then "No", else missing. If one is told in words only, they are missing anyway.
        on: the day for which the age is told; None: the bundle's timestamp, else today.

    Returns: one row with the columns of `zhuyi.recipes.nhanes.INPUTS`; missing where the bundle
        says nothing.
    Raises:  InputError: no valid Bundle; no or several patients, or one below 18 years; a unit that
        is not known, or a value that cannot be. BackendUnavailable: without `fhir.resources`.
    Not:     a reading of drugs taken now, of relatives (FamilyMemberHistory), of denied conditions
        or of texts; `read_patient` tells what was left aside. SNOMED CT counts by the codes listed
        in `fhir_codes`, without its hierarchy.

    Example:
        >>> bundle = {"resourceType": "Bundle", "type": "collection", "entry": [
        ...     {"resource": {"resourceType": "Patient", "id": "p", "gender": "female",
        ...                   "birthDate": "1950-05-01"}}]}
        >>> row = read_bundle(bundle, on=date(2020, 1, 1))
        >>> float(row["demo_age_years"][0]), row["demo_gender"][0], row["cc_cvd_hf"][0]
        (69.0, 'Women', 'No')
    """
    return read_patient(source, complete=complete, on=on).inputs


def read_patient(
    source: str | Path | Mapping[str, Any], *, complete: bool = True, on: date | None = None
) -> Patient:
    """The same with the drugs taken now, and with what did not count; see `read_bundle`."""
    import pandas as pd

    bundle = open_bundle(source)
    ignored: list[str] = []
    age = _age(bundle, on)
    values = measured(bundle, ignored)
    said: dict[str, str | None] = {
        "demo_gender": {"male": "Men", "female": "Women"}.get(bundle.patient.get("gender", "")),
        "demo_race": _race(bundle.patient),
        "cc_bmi": _graded(mass_index(values)),
    }
    if "cc_egfr" not in values and "creatinine" in values and said["demo_gender"]:
        woman = said["demo_gender"] == "Women"
        values["cc_egfr"] = filtration(values["creatinine"], age, woman)
    said |= _history(bundle, complete, ignored)
    said |= answered(bundle)
    said |= _defined(values, said)
    if said["demo_gender"] == "Men" or (age >= 60 and said.get("demo_pregnant") is None):
        said["demo_pregnant"] = "No"
    taken = _taken(bundle, ignored)
    ignored += [
        f"{called(one)}: relatives are not the patient" for one in bundle.of("FamilyMemberHistory")
    ]
    numbers = {**values, "demo_age_years": float(min(age, _OLDEST))}
    row = {name: [numbers.get(name, float("nan"))] for name in MEASURED}
    frame = pd.DataFrame(row).assign(
        **{name: pd.Series([said.get(name)], dtype="object") for name in HISTORY}
    )
    return Patient(
        inputs=frame[list(INPUTS)],
        taken=taken,
        ignored=tuple(ignored),
        version=bundle.version,
    )


def _age(bundle: Bundle, on: date | None) -> int:
    """Years of age, whole."""
    born = bundle.patient.get("birthDate")
    if born is None:
        raise InputError("the Patient has no birthDate: the models cannot do without the age")
    first, now = day(str(born)), on or bundle.stamped or date.today()
    age = now.year - first.year - ((now.month, now.day) < (first.month, first.day))
    if not _YOUNGEST <= age <= 130:
        raise InputError(
            f"the models are of adults, and on {now} this patient is not between {_YOUNGEST} and "
            "130 years old"
        )
    return age


def _race(patient: Resource) -> str | None:
    """As the survey groups it, from the extensions of US Core."""
    found = {
        extension["url"]: [
            str(part["valueCoding"].get("code"))
            for part in extension.get("extension", ())
            if part.get("url") == "ombCategory" and "valueCoding" in part
        ]
        for extension in patient.get("extension", ())
        if extension.get("url") in (US_RACE, US_ETHNICITY)
    }
    if HISPANIC in found.get(US_ETHNICITY, ()):
        return "Hispanic"
    groups = {RACES.get(code, "Other") for code in found.get(US_RACE, ())}
    if not groups:
        return None
    return groups.pop() if len(groups) == 1 else "Other"


def _graded(index: float | None) -> str | None:
    """Body mass index as the compilation grades it."""
    if index is None:
        return None
    for least, grade in ((35.0, "35+"), (30.0, "30 to <35"), (25.0, "25 to <30")):
        if index >= least:
            return grade
    return "<25"


def _history(bundle: Bundle, complete: bool, ignored: list[str]) -> dict[str, str | None]:
    """Yes, No or missing for every column of `ILLNESSES`."""
    found: dict[str, str | None] = {}
    denied: set[str] = set()
    readable = True
    for condition in bundle.of("Condition"):
        columns = [name for name, one in ILLNESSES.items() if _says(condition, one)]
        certainty = _status(condition, "verificationStatus") or "confirmed"
        course = _status(condition, "clinicalStatus") or "active"
        where = called(condition)
        if certainty in _DENIED:
            denied |= set(columns) if certainty == "refuted" else set()
            ignored.append(f"{where}: {certainty}")
        elif not _coded(condition):
            readable = False
            ignored.append(f"{where}: no code of ICD-10 or SNOMED CT")
        elif certainty != "confirmed":
            readable = readable and not columns
            ignored.append(f"{where}: not confirmed but {certainty}")
        elif not columns:
            ignored.append(f"{where}: an illness that the model does not ask for")
        elif course in _NOW:
            found |= dict.fromkeys(columns, "Yes")
        elif course in _OVER:
            over = [name for name in columns if not ILLNESSES[name].ever]
            found |= {name: "Yes" for name in columns if name not in over}
            denied |= set(over)
            ignored += [f"{where}: {course}, does not count for {name}" for name in over]
        else:
            ignored.append(f"{where}: its course is {course}")
    told = {name: "No" for name in denied if name not in found}
    rest = "No" if complete and readable else None
    asked = [name for name in ILLNESSES if name != "demo_pregnant"]
    return {**dict.fromkeys(asked, rest), **told, **found}


def _says(condition: Resource, illness: Illness) -> bool:
    return any(
        (system in ICD_10 and code.upper().startswith(illness.icd))
        or (system == SNOMED and code in illness.snomed)
        for system, code in codings(condition.get("code"))
    )


def _coded(condition: Resource) -> bool:
    systems = {system for system, _ in codings(condition.get("code"))}
    return bool(systems & {*ICD_10, SNOMED})


def _status(condition: Resource, field: str) -> str | None:
    return next((code for _, code in codings(condition.get(field))), None)


def _defined(values: Mapping[str, float], said: Mapping[str, str | None]) -> dict[str, str]:
    """Diabetes and kidney disease, which the survey defines by measurements too."""
    found = {}
    if values.get("cc_hba1c", 0.0) >= 6.5:
        found["cc_diabetes"] = "Yes"
    known = [name for name in ("cc_egfr", "cc_acr") if name in values]
    if values.get("cc_egfr", 100.0) < 60.0 or values.get("cc_acr", 0.0) >= 30.0:
        found["cc_ckd"] = "Yes"
    elif len(known) == 2 and said.get("cc_ckd") is None:
        found["cc_ckd"] = "No"
    return found


def _taken(bundle: Bundle, ignored: list[str]) -> tuple[str, ...]:
    """Classes of the drugs that the patient is said to take now."""
    medications = {called(one): one for one in bundle.of("Medication")}
    medications |= {
        address: one
        for address, one in bundle.addresses.items()
        if one["resourceType"] == "Medication"
    }
    found: set[str] = set()
    for statement in bundle.of("MedicationStatement"):
        adherence = next(
            (code for _, code in codings(statement.get("adherence", {}).get("code"))), ""
        )
        if statement["status"] not in _TAKING or adherence in _NOT_TAKING:
            ignored.append(f"{called(statement)}: not taken now")
            continue
        concept = _drug(statement, medications)
        if not concept:
            ignored.append(f"{called(statement)}: its Medication is not in the Bundle by that name")
        for system, code in codings(concept):
            found |= classes_of_atc(code) if system == ATC else set()
        texts = [
            concept.get("text", ""),
            *(c.get("display", "") for c in concept.get("coding", ())),
        ]
        for text in texts:
            found |= classes_of_name(str(text))
    return tuple(sorted(found))


def _drug(statement: Resource, medications: Mapping[str, Resource]) -> Mapping[str, Any]:
    """The concept of the drug, in R5's form or R4B's, directly or through a Medication."""
    told = statement.get("medication", {})
    concept = told.get("concept", statement.get("medicationCodeableConcept"))
    if concept is not None:
        return dict(concept)
    reference = told.get("reference", statement.get("medicationReference", {}))
    medication = medications.get(str(reference.get("reference", "")), {})
    return dict(medication.get("code", {}))
