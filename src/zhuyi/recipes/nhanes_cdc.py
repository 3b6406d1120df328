"""NHANES from the CDC's own files: durations and family history, which the compilation lacks.

One transport file (XPT) a cycle and questionnaire. Names of variables are those of the CDC's code
books; which cycle has which is checked on reading. Never run on the CDC's files so far: the tests
write their own of the same form.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from zhuyi.errors import InputError, OptionError
from zhuyi.recipes.archive import read_file
from zhuyi.recipes.data import fetch_file
from zhuyi.recipes.datasets import MEGABYTE, DataFile, Official

if TYPE_CHECKING:
    import pandas as pd

CYCLES: Mapping[int, str] = MappingProxyType(
    {
        1999: "",
        2001: "_B",
        2003: "_C",
        2005: "_D",
        2007: "_E",
        2009: "_F",
        2011: "_G",
        2013: "_H",
        2015: "_I",
        2017: "_J",
    }
)
"""First year of a cycle -> what its file names end in."""


@dataclass(frozen=True, kw_only=True)
class Component:
    """A questionnaire or examination, and what is read of it.

    Args:
        name: as in the file's name, "BPQ".
        needed: variable -> what it says; in every cycle.
        offered: the same, for variables that some cycles do not have.
        many: whether a person has several rows.
        older: variable -> what earlier cycles call it; it is renamed.
    """

    name: str
    needed: Mapping[str, str]
    offered: Mapping[str, str] = field(default_factory=dict)
    many: bool = False
    older: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


DEMO = Component(
    name="DEMO",
    needed={"RIAGENDR": "1 man, 2 woman", "RIDAGEYR": "years of age", "RIDRETH1": "group"},
)
BPQ = Component(
    name="BPQ",
    needed={"BPQ020": "told to have high blood pressure"},
    offered={
        "BPD035": "age when told, years",
        "BPQ050A": "now takes a drug for it",
        "BPQ080": "told to have high cholesterol",
        "BPQ100D": "now takes a drug for it",
    },
)
DIQ = Component(
    name="DIQ",
    needed={"DIQ010": "told to have diabetes; 3 borderline", "DIQ050": "takes insulin"},
    offered={"DID040": "age when told, years", "DIQ070": "takes pills for it"},
    older={"DID040": ("DID040Q", "DIQ040Q")},
)
MCQ = Component(
    name="MCQ",
    needed={
        "MCQ160B": "told to have heart failure",
        "MCQ160C": "coronary heart disease",
        "MCQ160E": "heart attack",
        "MCQ160F": "stroke",
    },
    offered={"MCQ300A": "a near relative had a heart attack", "MCQ300C": "diabetes"},
)
RXQ = Component(
    name="RXQ_RX",
    needed={"RXDDRUG": "generic name of a drug"},
    offered={"RXDDRGID": "its code", "RXDDAYS": "days taken"},
    many=True,
    older={"RXDDRUG": ("RXD240B",), "RXDDAYS": ("RXD260",)},
)
COMPONENTS = (DEMO, BPQ, DIQ, MCQ, RXQ)

DURATIONS = (("hypertension_years", "BPD035"), ("diabetes_years", "DID040"))
"""(what to call it, age when told): how long, "高血压病史5年"."""

_YES_NO = (
    *("BPQ020", "BPQ050A", "BPQ080", "BPQ100D", "DIQ050", "DIQ070", "MCQ160B", "MCQ160C"),
    *("MCQ160E", "MCQ160F", "MCQ300A", "MCQ300C"),
)
_CARD = bytes(80)
"""Put after a file: pandas takes blanks within the last 80 bytes for padding, texts' own among
them, and would drop the last rows."""
_NO_ANSWER_AGE = (777.0, 999.0)  # refused, does not know; 666 is "less than one year old"


def file_of(component: Component, cycle: int) -> DataFile:
    """The CDC's file, with its address; its checksum is recorded at the first download.

    Raises: OptionError: for a year in which no cycle began.

    Example:
        >>> file_of(BPQ, 2017).file
        'BPQ_J.XPT'
    """
    if cycle not in CYCLES:
        raise OptionError(f"cycle must be one of {', '.join(map(str, CYCLES))}, got {cycle}")
    file = f"{component.name}{CYCLES[cycle]}.XPT"
    address = f"https://wwwn.cdc.gov/Nchs/Data/Nhanes/Public/{cycle}/DataFiles/{file}"
    official = Official(file=file, address=address, limit=200 * MEGABYTE)
    return DataFile(name=file, file=file, sha256=None, rows=None, official=official)


def read(component: Component, cycle: int, path: Path | None = None) -> "pd.DataFrame":
    """Read one file: SEQN (the person) and the component's variables that this cycle has.

    Yes and no become "Yes" and "No"; refused, unknown and blank become missing.

    Args:
        component: what to read.
        cycle: its first year.
        path: the file; None asks `fetch_file`.

    Raises: InputError: if it is no transport file, or lacks a variable that every cycle has.
    """
    import pandas as pd

    file = file_of(component, cycle)
    data = read_file(path or fetch_file(file), file.file)
    try:
        # The encoding is given because pandas 3.1 warns of a change of its default.
        frame = pd.read_sas(io.BytesIO(data + _CARD), format="xport", encoding="latin-1")
    except (ValueError, IndexError, KeyError, TypeError, OverflowError) as error:
        raise InputError(f"{file.file} is not a SAS transport file: {error}") from None
    for name, earlier in component.older.items():
        known = [other for other in earlier if other in frame.columns]
        if known and name not in frame.columns:
            frame = frame.rename(columns={known[0]: name})
    absent = [name for name in ("SEQN", *component.needed) if name not in frame.columns]
    if absent:
        raise InputError(f"{file.file} must have {', '.join(absent)}: it is another file")
    frame = frame[~(frame["SEQN"] < 1.0)]  # padding and _CARD read as next to 0; nobody is
    if not component.many and frame["SEQN"].duplicated().any():
        raise InputError(f"{file.file} must have one row a person, got several")
    kept = ["SEQN", *component.needed, *(n for n in component.offered if n in frame.columns)]
    return _answered(frame[kept].copy())


def _answered(frame: "pd.DataFrame") -> "pd.DataFrame":
    for name in _YES_NO:
        if name in frame:
            frame[name] = frame[name].map({1.0: "Yes", 2.0: "No"})
    if "DIQ010" in frame:
        frame["DIQ010"] = frame["DIQ010"].map({1.0: "Yes", 2.0: "No", 3.0: "Borderline"})
    frame["SEQN"] = frame["SEQN"].astype("int64")
    return frame


def joined(parts: Sequence["pd.DataFrame"]) -> "pd.DataFrame":
    """One row a person: the parts side by side, by SEQN, with the durations.

    Args:
        parts: frames of `read` with one row a person, DEMO first: it says who is in the survey.

    Returns: the frame, with the columns of `DURATIONS` (years, missing where it was never told).

    Raises: InputError: if there is no part, or a part has several rows a person.
    """
    if not parts:
        raise InputError("parts must hold one frame at least, DEMO first, got none")
    if any(part["SEQN"].duplicated().any() for part in parts):
        raise InputError("parts must have one row a person each: join the drugs by yourself")
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.merge(part, on="SEQN", how="left", validate="one_to_one")
    for name, told in DURATIONS:
        if told in whole and "RIDAGEYR" in whole:
            whole[name] = duration(whole["RIDAGEYR"], whole[told])
    return whole


def duration(age: "pd.Series", told: "pd.Series") -> "pd.Series":
    """Years since a person was told: age - age when told; never below 0."""
    known = told.mask(told.isin(_NO_ANSWER_AGE)).mask(told == 666.0, 0.0)
    return (age - known).clip(lower=0.0)
