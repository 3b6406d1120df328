"""A FHIR Bundle as checked plain data: one adult patient, and the resources that are about them."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final, Protocol, runtime_checkable

from zhuyi.errors import BackendUnavailable, InputError

Resource = Mapping[str, Any]

_TYPES: Final = ("collection", "document", "searchset", "message", "transaction", "batch")
_NEED_A_SUBJECT: Final = ("Condition", "MedicationStatement")
_SHOWN: Final = 3  # problems named in an error


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What a bundle says of its one patient.

    Args:
        patient: the resource.
        resources: all others in order, each about this patient or about nobody.
        stamped: the day the bundle was put together, if it says.
        version: "R5" or "R4B", the version of FHIR that it is valid in.
        addresses: resources by the fullUrl of their entry, by which others may refer to them.
    """

    patient: Resource
    resources: tuple[Resource, ...]
    stamped: date | None
    version: str
    addresses: Mapping[str, Resource] = field(default_factory=dict)

    def of(self, kind: str) -> Iterator[Resource]:
        """The resources of a type."""
        return (one for one in self.resources if one["resourceType"] == kind)


def open_bundle(source: str | Path | Mapping[str, Any]) -> Bundle:
    """Read, validate and check a bundle.

    Args:
        source: path of a JSON file, or what it holds.

    Raises: InputError: if it is no valid Bundle of FHIR R5 or R4B, has no or several patients, or
        has a condition, measurement or drug of somebody else. BackendUnavailable: without
        `fhir.resources`.
    Not:    a report of values: messages never quote what the resources say of a person.
    """
    data = _without_nulls(_loaded(source))
    kind = data.get("resourceType")
    if kind != "Bundle":
        raise InputError(
            f"a FHIR Bundle is needed, got resourceType {kind!r}: put the patient and what is "
            "known of them into one Bundle of type collection"
        )
    if data.get("type") not in _TYPES:
        raise InputError(
            f"a Bundle of type {data.get('type')!r} cannot be read; it must be one of "
            f"{', '.join(_TYPES)}"
        )
    version = _version(data)
    entries = [entry for entry in data.get("entry", []) if "resource" in entry]
    patients = [entry for entry in entries if entry["resource"]["resourceType"] == "Patient"]
    if len(patients) != 1:
        raise InputError(
            f"a Bundle must be about one patient, got {len(patients)} Patient resources: split it"
        )
    names = _names(patients[0])
    others = tuple(one["resource"] for one in entries if one is not patients[0])
    for resource in others:
        _check_subject(resource, names)
    stamp = data.get("timestamp")
    return Bundle(
        patient=patients[0]["resource"],
        resources=others,
        stamped=None if stamp is None else day(stamp),
        version=version,
        addresses={str(one["fullUrl"]): one["resource"] for one in entries if "fullUrl" in one},
    )


def day(text: str) -> date:
    """The day of a FHIR date or time; of a year its middle, of a month its fifteenth.

    Example:
        >>> day("1950"), day("2021-03-04T10:00:00Z")
        (datetime.date(1950, 7, 1), datetime.date(2021, 3, 4))
    """
    year, *rest = (int(part) for part in text.partition("T")[0].split("-"))
    month = rest[0] if rest else 7
    return date(year, month, rest[1] if len(rest) > 1 else 15 if rest else 1)


def moment(text: str) -> datetime:
    """The same with the time where there is one, without zones: good enough for an order."""
    if "T" not in text:
        found = day(text)
        return datetime(found.year, found.month, found.day)
    return datetime.fromisoformat(text).replace(tzinfo=None)


def called(resource: Resource) -> str:
    """What messages call a resource."""
    return f"{resource['resourceType']}/{resource.get('id', '(no id)')}"


def codings(concept: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """(system, code) of a CodeableConcept."""
    for coding in (concept or {}).get("coding", ()):
        if "code" in coding:
            yield str(coding.get("system", "")), str(coding["code"])


def _loaded(source: str | Path | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(source, Mapping):
        return source
    path = Path(source)
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise InputError(f"{path} is not JSON in UTF-8: export the Bundle as JSON") from None
    if not isinstance(data, dict):
        raise InputError(f"{path} must hold one JSON object, a Bundle")
    return data


def _without_nulls(value: Any) -> Any:
    """The same without entries that are null, which FHIR has no meaning for."""
    if isinstance(value, Mapping):
        return {key: _without_nulls(one) for key, one in value.items() if one is not None}
    if isinstance(value, list | tuple):
        return [_without_nulls(one) for one in value if one is not None]
    return value


def _version(data: Mapping[str, Any]) -> str:
    """The version of FHIR that the bundle is valid in."""
    try:
        from fhir.resources.bundle import Bundle as R5
        from fhir.resources.R4B.bundle import Bundle as R4B
    except ModuleNotFoundError:
        raise BackendUnavailable(
            "reading FHIR needs fhir.resources: pip install 'zhuyi[recipes]'"
        ) from None
    found: list[tuple[int, str]] = []
    for version, model in (("R5", R5), ("R4B", R4B)):
        try:
            model.model_validate(data)
        except KeyError as error:  # how fhir.resources says that it knows no such resource
            name = str(error).strip("'").removesuffix("Type")
            raise InputError(f"the Bundle has a resource of unknown type {name!r}") from None
        except ValueError as error:
            problems = _problems(error)
            found.append((len(problems), f"as {version}: {'; '.join(problems[:_SHOWN])}"))
        else:
            return version
    raise InputError(f"the Bundle is not valid FHIR, {min(found)[1]}")


@runtime_checkable
class _Detailed(Protocol):
    """An error of validation, as pydantic raises it."""

    def errors(
        self, *, include_url: bool, include_context: bool, include_input: bool
    ) -> list[dict[str, Any]]: ...


def _problems(error: ValueError) -> list[str]:
    """Where and what, without the values, which are a person's."""
    if not isinstance(error, _Detailed):
        return ["a value of a wrong type"]
    told = error.errors(include_url=False, include_context=False, include_input=False)
    return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in told]


def _names(entry: Mapping[str, Any]) -> set[str]:
    """What other resources may call the patient."""
    patient = entry["resource"]
    names = {entry["fullUrl"]} if "fullUrl" in entry else set()
    return names | ({f"Patient/{patient['id']}"} if "id" in patient else set())


def _check_subject(resource: Resource, names: set[str]) -> None:
    told = resource.get("subject", resource.get("patient"))
    if not isinstance(told, Mapping) or "reference" not in told:
        if resource["resourceType"] in _NEED_A_SUBJECT:
            raise InputError(f"{called(resource)} must refer to the patient it is about")
        return
    reference = str(told["reference"]).partition("/_history/")[0]
    if reference in names or any(reference.endswith(f"/{name}") for name in names):
        return
    raise InputError(
        f"{called(resource)} is about somebody else than the Bundle's patient: a Bundle must be "
        "about one"
    )


def subject_named(resource: Resource) -> bool:
    """Whether a resource says whom it is about."""
    return isinstance(resource.get("subject"), Mapping)


def latest(found: Sequence[tuple[datetime | None, float]]) -> float:
    """The mean of the values of the latest day; values without a date count only among such."""
    dated = [(when, value) for when, value in found if when is not None]
    if dated:
        last = max(when for when, _ in dated).date()
        values = [value for when, value in dated if when.date() == last]
    else:
        values = [value for _, value in found]
    return sum(values) / len(values)
