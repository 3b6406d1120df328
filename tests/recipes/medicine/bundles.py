"""Bundles made by hand: invented people, the codes of real ones."""

from collections.abc import Mapping
from typing import Any

Resource = dict[str, Any]
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"


def patient(**more: Any) -> Resource:
    return {
        "resourceType": "Patient",
        "id": "p",
        "gender": "female",
        "birthDate": "1950-05-01",
        **more,
    }


def concept(system: str, code: str) -> Resource:
    return {"coding": [{"system": system, "code": code}]}


def condition(
    code: str,
    *,
    system: str = ICD,
    clinical: str = "active",
    certainty: str | None = "confirmed",
    **more: Any,
) -> Resource:
    kind = "http://terminology.hl7.org/CodeSystem/condition-"
    found = {
        "resourceType": "Condition",
        "id": f"c-{code}".replace(".", "-"),
        "subject": {"reference": "Patient/p"},
        "clinicalStatus": concept(f"{kind}clinical", clinical),
        "code": concept(system, code),
        **more,
    }
    if certainty is not None:
        found["verificationStatus"] = concept(f"{kind}ver-status", certainty)
    return found


def observation(
    code: str, value: float, unit: str, *, on: str = "2020-01-01", **more: Any
) -> Resource:
    return {
        "resourceType": "Observation",
        "id": f"o-{code}",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": on,
        "code": concept(LOINC, code),
        "valueQuantity": {"value": value, "unit": unit, "code": unit,
                          "system": "http://unitsofmeasure.org"},
        **more,
    }  # fmt: skip


def statement(text: str, *, r5: bool = True, status: str | None = None, **more: Any) -> Resource:
    drug = (
        {"medication": {"concept": {"text": text}}}
        if r5
        else {"medicationCodeableConcept": {"text": text}}
    )
    return {
        "resourceType": "MedicationStatement",
        "id": "m",
        "status": status or ("recorded" if r5 else "active"),
        "subject": {"reference": "Patient/p"},
        **drug,
        **more,
    }


def bundle(*resources: Mapping[str, Any], **more: Any) -> Resource:
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": "2020-06-01T00:00:00Z",
        "entry": [{"resource": dict(one)} for one in resources],
        **more,
    }
