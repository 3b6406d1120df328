"""The CDC's own form of NHANES, on transport files written here."""

from pathlib import Path

import pandas as pd
import pytest

from tests.recipes.xport import xport
from zhuyi.errors import InputError, OptionError
from zhuyi.recipes import nhanes_cdc as cdc


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_answers_ages_and_durations(tmp_path: Path) -> None:
    demo = xport(
        {
            "SEQN": [1.0, 2.0, 3.0, 4.0],
            "RIAGENDR": [1.0, 2.0, 1.0, 2.0],
            "RIDAGEYR": [60.0, 41.0, 70.0, 33.0],
            "RIDRETH1": [3.0, 3.0, 4.0, 1.0],
            "UNUSED": [0.5, -2.0, 1e6, None],
        }
    )
    bpq = xport(
        {
            "SEQN": [1.0, 2.0, 3.0],
            "BPQ020": [1.0, 2.0, 9.0],
            "BPD035": [55.0, None, 999.0],
            "BPQ050A": [1.0, None, 7.0],
        }
    )
    diq = xport(
        {
            "SEQN": [1.0, 2.0, 4.0],
            "DIQ010": [1.0, 3.0, 2.0],
            "DIQ050": [2.0, 2.0, 2.0],
            "DID040": [58.0, 666.0, None],
        }
    )
    parts = [
        cdc.read(cdc.DEMO, 2017, written(tmp_path, "DEMO_J.XPT", demo)),
        cdc.read(cdc.BPQ, 2017, written(tmp_path, "BPQ_J.XPT", bpq)),
        cdc.read(cdc.DIQ, 2017, written(tmp_path, "DIQ_J.XPT", diq)),
    ]
    assert "UNUSED" not in parts[0]
    whole = cdc.joined(parts)
    assert whole["SEQN"].tolist() == [1, 2, 3, 4]
    assert whole["RIDAGEYR"].tolist() == [60.0, 41.0, 70.0, 33.0]
    assert whole["BPQ020"].fillna("-").tolist() == ["Yes", "No", "-", "-"]
    assert whole["DIQ010"].tolist()[:2] == ["Yes", "Borderline"]
    years = whole["hypertension_years"]
    assert years[0] == 5.0
    assert years[1:].isna().all(), "refused, unknown and blank are no duration"
    assert whole["diabetes_years"][:2].tolist() == [2.0, 41.0]


def test_earlier_names_of_a_variable_are_known(tmp_path: Path) -> None:
    content = xport({"SEQN": [1.0], "DIQ010": [1.0], "DIQ050": [1.0], "DIQ040Q": [40.0]})
    frame = cdc.read(cdc.DIQ, 1999, written(tmp_path, "DIQ.XPT", content))
    assert frame["DID040"].tolist() == [40.0]


def test_drugs_have_several_rows_a_person(tmp_path: Path) -> None:
    drugs = ["LISINOPRIL", "METFORMIN"]
    content = xport({"SEQN": [1.0, 1.0], "RXDDRUG": drugs})
    frame = cdc.read(cdc.RXQ, 2017, written(tmp_path, "RXQ_RX_J.XPT", content))
    assert frame["RXDDRUG"].tolist() == drugs
    with pytest.raises(InputError, match="one row a person"):
        cdc.joined([frame])


@pytest.mark.parametrize("days", [False, True])
def test_no_row_is_lost_or_made_up_at_the_end(tmp_path: Path, days: bool) -> None:
    """The last rows hold blanks, and so does what fills the file up to 80 bytes."""
    for count in range(1, 41):
        people = [float(number) for number in range(1, count + 1)]
        columns: dict[str, list[float] | list[str]] = {"SEQN": people, "RXDDRUG": ["A"] * count}
        content = xport(columns | ({"RXDDAYS": people} if days else {}))
        frame = cdc.read(cdc.RXQ, 2017, written(tmp_path, "RXQ_RX_J.XPT", content))
        assert frame["SEQN"].tolist() == people
        assert frame["RXDDRUG"].tolist() == ["A"] * count


@pytest.mark.parametrize("content", [b"", b"not a transport file" * 20, b"HEADER RECORD"])
def test_another_form_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(InputError, match=r"BPQ_J\.XPT is not a SAS transport file"):
        cdc.read(cdc.BPQ, 2017, written(tmp_path, "BPQ_J.XPT", content))


def test_a_missing_variable_and_doubled_people_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "BPQ_J.XPT", xport({"SEQN": [1.0]}))
    with pytest.raises(InputError, match="must have BPQ020"):
        cdc.read(cdc.BPQ, 2017, path)
    path = written(tmp_path, "BPQ_J.XPT", xport({"SEQN": [1.0, 1.0], "BPQ020": [1.0, 2.0]}))
    with pytest.raises(InputError, match="one row a person"):
        cdc.read(cdc.BPQ, 2017, path)


def test_addresses_follow_the_cycles() -> None:
    official = cdc.file_of(cdc.RXQ, 1999).official
    assert official is not None
    assert official.address == (
        "https://wwwn.cdc.gov/Nchs/Data/Nhanes/Public/1999/DataFiles/RXQ_RX.XPT"
    )
    assert cdc.file_of(cdc.MCQ, 2003).file == "MCQ_C.XPT"
    with pytest.raises(OptionError, match="cycle must be one of 1999"):
        cdc.file_of(cdc.MCQ, 2018)


def test_a_duration_is_never_negative() -> None:
    found = cdc.duration(pd.Series([30.0, 50.0]), pd.Series([31.0, 777.0]))
    assert found[0] == 0.0
    assert pd.isna(found[1])
