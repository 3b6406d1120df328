"""Codes of conditions and measurements that the treatment model's columns rest on.

ICD-10 (and ICD-10-CM) codes count with all that is below them; SNOMED CT's hierarchy is not known
here, so of it only the listed codes count. LOINC codes come with the units they can be read in.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

ICD_10: Final = ("http://hl7.org/fhir/sid/icd-10-cm", "http://hl7.org/fhir/sid/icd-10")
SNOMED: Final = "http://snomed.info/sct"
LOINC: Final = "http://loinc.org"
UCUM: Final = "http://unitsofmeasure.org"
ATC: Final = "http://www.whocc.no/atc"


@dataclass(frozen=True, kw_only=True)
class Illness:
    """A column of the history, and the codes that say it.

    Args:
        icd: prefixes of ICD-10 codes, with their points.
        snomed: codes of SNOMED CT.
        ever: whether having had it counts, as in "have you ever been told ...".
    """

    icd: tuple[str, ...]
    snomed: tuple[str, ...]
    ever: bool


ILLNESSES: Mapping[str, Illness] = MappingProxyType(
    {
        "cc_cvd_mi": Illness(
            icd=("I21", "I22", "I25.2"),
            snomed=(*("22298006", "57054005", "401303003", "401314000", "399211009", "1755008"),),
            ever=True,
        ),
        "cc_cvd_chd": Illness(
            icd=("I24", "I25"), snomed=("53741008", "414545008", "1755008"), ever=True
        ),
        "cc_cvd_stroke": Illness(
            icd=("I60", "I61", "I63", "I64", "I69.0", "I69.1", "I69.3", "I69.4", "Z86.73"),
            snomed=("230690007", "422504002", "432504007", "274100004", "275526006"),
            ever=True,
        ),
        "cc_cvd_hf": Illness(
            icd=("I50", "I11.0", "I13.0", "I13.2"),
            snomed=("84114007", "42343007", "85232009", "703272007", "446221000"),
            ever=True,
        ),
        "cc_diabetes": Illness(
            icd=("E08", "E09", "E10", "E11", "E13", "E14"),
            snomed=("73211009", "44054006", "46635009"),
            ever=False,
        ),
        "cc_ckd": Illness(
            icd=("N18", "I12", "I13"),
            snomed=(
                *("709044004", "431855005", "431856006", "433144002", "431857002", "433146000"),
                "46177005",
            ),
            ever=False,
        ),
        "demo_pregnant": Illness(icd=("Z33.1", "Z34", "O09"), snomed=("77386006",), ever=False),
    }
)
"""Column -> what says it."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A measured quantity.

    Args:
        name: what errors call it.
        codes: LOINC.
        units: unit -> (factor, shift): value in the column's unit = factor * value + shift.
        least, most: values of living people, in the column's unit; beyond is a wrong unit.
    """

    name: str
    codes: tuple[str, ...]
    units: Mapping[str, tuple[float, float]]
    least: float
    most: float


def _by(**factors: float) -> Mapping[str, tuple[float, float]]:
    return MappingProxyType({unit: (factor, 0.0) for unit, factor in factors.items()})


_PRESSURE = MappingProxyType({"mm[Hg]": (1.0, 0.0), "mmHg": (1.0, 0.0), "kPa": (7.50062, 0.0)})
_CHOLESTEROL = MappingProxyType({"mg/dL": (1.0, 0.0), "mmol/L": (38.67, 0.0), "g/L": (100.0, 0.0)})
_TRIGLYCERIDES = MappingProxyType(
    {"mg/dL": (1.0, 0.0), "mmol/L": (88.57, 0.0), "g/L": (100.0, 0.0)}
)
_FILTRATION = MappingProxyType(
    dict.fromkeys(
        ("mL/min/{1.73_m2}", "mL/min/1.73m2", "mL/min/1.73 m2", "mL/min/1.73m*2"), (1.0, 0.0)
    )
)

MEASUREMENTS: Mapping[str, Measurement] = MappingProxyType(
    {
        "bp_sys_mean": Measurement(
            name="systolic pressure", codes=("8480-6",), units=_PRESSURE, least=40, most=320
        ),
        "bp_dia_mean": Measurement(
            name="diastolic pressure", codes=("8462-4",), units=_PRESSURE, least=10, most=220
        ),
        "chol_total": Measurement(
            name="total cholesterol",
            codes=("2093-3", "14647-2"),
            units=_CHOLESTEROL,
            least=30,
            most=1500,
        ),
        "chol_hdl": Measurement(
            name="HDL cholesterol",
            codes=("2085-9", "14646-4"),
            units=_CHOLESTEROL,
            least=3,
            most=300,
        ),
        "chol_ldl": Measurement(
            name="LDL cholesterol",
            codes=("13457-7", "18262-6", "2089-1", "22748-8", "39469-2"),
            units=_CHOLESTEROL,
            least=5,
            most=1000,
        ),
        "chol_trig": Measurement(
            name="triglycerides",
            codes=("2571-8", "14927-8"),
            units=_TRIGLYCERIDES,
            least=10,
            most=10_000,
        ),
        "cc_hba1c": Measurement(
            name="HbA1c",
            codes=("4548-4", "17856-6", "59261-8", "4549-2"),
            # NGSP % of IFCC mmol/mol: the master equation of the two networks
            units=MappingProxyType({"%": (1.0, 0.0), "mmol/mol": (0.09148, 2.152)}),
            least=2,
            most=25,
        ),
        "cc_acr": Measurement(
            name="albumin to creatinine in urine",
            codes=("9318-7", "14959-1", "32294-1", "30000-4"),
            units=_by(**{"mg/g": 1.0, "ug/mg": 1.0, "mg/g{creat}": 1.0, "mg/mmol": 8.84}),
            least=0,
            most=100_000,
        ),
        "cc_egfr": Measurement(
            name="kidney filtration",
            codes=(
                *("98979-8", "98980-6", "62238-1", "33914-3", "48642-3", "48643-1", "50044-7"),
                *("69405-9", "88293-6", "88294-4"),
            ),
            units=_FILTRATION,
            least=1,
            most=300,
        ),
        "creatinine": Measurement(
            name="creatinine in serum",
            codes=("2160-0", "38483-4", "14682-9"),
            units=MappingProxyType(
                {"mg/dL": (1.0, 0.0), "umol/L": (1.0 / 88.42, 0.0), "mmol/L": (11.31, 0.0)}
            ),
            least=0.1,
            most=30,
        ),
        "bmi": Measurement(
            name="body mass index",
            codes=("39156-5",),
            units=_by(**{"kg/m2": 1.0}),
            least=8,
            most=120,
        ),
        "weight": Measurement(
            name="body weight",
            codes=("29463-7", "3141-9"),
            units=_by(**{"kg": 1.0, "g": 0.001, "[lb_av]": 0.45359237, "lb": 0.45359237}),
            least=20,
            most=400,
        ),
        "height": Measurement(
            name="body height",
            codes=("8302-2", "3137-7"),
            units=_by(**{"cm": 1.0, "m": 100.0, "[in_i]": 2.54, "in": 2.54}),
            least=80,
            most=260,
        ),
    }
)
"""Quantity -> how it is read; those that are no column serve to compute one."""

SMOKING: Final = "72166-2"
SMOKERS: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("266919005", "LA18978-9"), "Never"),
        **dict.fromkeys(("8517006", "LA15920-4"), "Former"),
        **dict.fromkeys(
            (
                *("449868002", "428041000124106", "77176002", "428071000124103"),
                *("428061000124105", "LA18976-3", "LA18977-1", "LA18979-7", "LA18981-3"),
                "LA18982-1",
            ),
            "Current",
        ),
    }
)
"""Answers to the question whether one smokes, of SNOMED CT and LOINC."""

PREGNANCY: Final = "82810-3"
PREGNANT: Mapping[str, str] = MappingProxyType(
    {"77386006": "Yes", "LA15173-0": "Yes", "60001007": "No", "LA26683-5": "No"}
)

US_RACE: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-race"
US_ETHNICITY: Final = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-ethnicity"
HISPANIC: Final = "2135-2"
RACES: Mapping[str, str] = MappingProxyType(
    {
        "2106-3": "Non-Hispanic White",
        "2054-5": "Non-Hispanic Black",
        "2028-9": "Non-Hispanic Asian",
        "1002-5": "Other",
        "2076-8": "Other",
        "2131-1": "Other",
    }
)
