"""AI4I: the rules by hand-computed machines and on the real table, and what is kept out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from zhuyi.errors import InputError
from zhuyi.recipes import ai4i

HEADER = (
    "UDI,Product ID,Type,Air temperature [K],Process temperature [K],Rotational speed [rpm],"
    "Torque [Nm],Tool wear [min],Machine failure,TWF,HDF,PWF,OSF,RNF"
)
MACHINES = {
    # heat: 308.5 - 300.0 = 8.5 K at 1379 rpm; then 8.6 K exactly, and 1380 rpm exactly
    "hot": ("L,300.0,308.5,1379,30.0,0", "HDF"),
    "just cool enough": ("L,300.0,308.6,1379,30.0,0", ""),
    "just fast enough": ("L,300.0,308.5,1380,30.0,0", ""),
    # power: 60 Nm x 1433 rpm x 2 pi / 60 = 9003.8 W; 1432 rpm: 8997.6 W
    "strong": ("L,300.0,310.0,1433,60.0,0", "PWF"),
    "just weak enough": ("L,300.0,310.0,1432,60.0,0", ""),
    # 12 Nm x 2785 rpm: 3499.7 W; 2786 rpm: 3501.0 W
    "weak": ("L,300.0,310.0,2785,12.0,0", "PWF"),
    "just strong enough": ("L,300.0,310.0,2786,12.0,0", ""),
    # overstrain: 220 min x 50 Nm = 11,000 is not above it for L; 50.1 Nm is; M and H bear it
    "at the limit": ("L,300.0,310.0,1500,50.0,220", ""),
    "strained": ("L,300.0,310.0,1500,50.1,220", "OSF"),
    "M bears it": ("M,300.0,310.0,1500,50.1,220", ""),
    "H strained": ("H,299.0,309.0,1400,60.0,217", "OSF"),
}


def table(folder: Path, header: str = HEADER) -> Path:
    lines = [header]
    for number, (cells, modes) in enumerate(MACHINES.values(), start=1):
        flags = ",".join(str(int(mode in modes)) for mode in ai4i.MODES)
        lines.append(f"{number},L{number},{cells},{int(bool(modes))},{flags}")
    path = folder / "ai4i2020.csv"
    path.write_text("﻿" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_the_rules_on_machines_computed_by_hand(tmp_path: Path) -> None:
    found = ai4i.load(table(tmp_path), rows=len(MACHINES))
    rules = {"HDF": ai4i.heat_dissipation, "PWF": ai4i.power, "OSF": ai4i.overstrain}
    for mode, rule in rules.items():
        assert rule(found.inputs).tolist() == found.modes[mode].tolist(), mode
    assert ai4i.by_rules(found.inputs).tolist() == found.failed.tolist()


def test_names_without_units_are_the_same_table(tmp_path: Path) -> None:
    with_units = ai4i.load(table(tmp_path), rows=None)
    bare = ",".join(name.partition(" [")[0] for name in HEADER.split(","))
    without = ai4i.load(table(tmp_path, bare), rows=None)
    pd.testing.assert_frame_equal(with_units.inputs, without.inputs)


def test_neither_identifiers_nor_modes_are_inputs(tmp_path: Path) -> None:
    inputs = ai4i.load(table(tmp_path), rows=None).inputs
    assert list(inputs) == list(ai4i.INPUTS)
    assert not set(inputs) & {"UDI", "Product ID", "Machine failure", *ai4i.MODES}


def test_causes_are_the_columns_that_the_rules_read() -> None:
    modes = pd.DataFrame(
        [[True, False, False, False, False], [False, True, True, False, False], [False] * 5],
        columns=list(ai4i.MODES),
    )
    found = ai4i.causes(modes)
    named = [set(found.columns[row]) for row in found.to_numpy()]
    assert named == [{ai4i.WEAR}, {ai4i.AIR, ai4i.PROCESS, ai4i.SPEED, ai4i.TORQUE}, set()]


@pytest.mark.parametrize("mode", ["HDF", "PWF", "OSF"])
def test_each_rule_changes_only_with_its_causes(tmp_path: Path, mode: str) -> None:
    rule = {"HDF": ai4i.heat_dissipation, "PWF": ai4i.power, "OSF": ai4i.overstrain}[mode]
    inputs = ai4i.load(table(tmp_path), rows=None).inputs
    before = rule(inputs)
    for column in ai4i.INPUTS:
        turned = inputs.assign(**{column: inputs[column].to_numpy()[::-1]})
        changed = bool((rule(turned) != before).any())
        assert changed == (column in ai4i.CAUSES[mode]), column


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda t: t.replace("TWF", "TFW"), "lacks TWF and has TFW besides"),
        (lambda t: t.replace(",RNF", ""), "lacks RNF|not the table"),
        (lambda t: t.replace("1379", "fast"), "another type"),
        (lambda t: "\n".join(t.split("\n")[:-3]), "must have 11 rows, got 9"),
    ],
)
def test_another_table_is_refused(tmp_path: Path, change: object, why: str) -> None:
    path = table(tmp_path)
    assert callable(change)
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(InputError, match=why):
        ai4i.load(path, rows=len(MACHINES))


def test_the_real_table_is_as_published(real_data: Path) -> None:
    found = ai4i.load()
    assert found.inputs.shape == (10_000, 6)
    assert int(found.failed.sum()) == 339
    counts = found.modes.sum().to_dict()
    assert counts == {"TWF": 46, "HDF": 115, "PWF": 95, "OSF": 98, "RNF": 19}
    said = ai4i.by_rules(found.inputs)
    true = int((said & found.failed).sum())
    assert (true, int((said & ~found.failed).sum()), int((~said & found.failed).sum())) == (
        287,
        0,
        52,
    )
    assert 2 * true / (2 * true + 52) == pytest.approx(0.9169, abs=1e-4)
    rules = {"HDF": ai4i.heat_dissipation, "PWF": ai4i.power, "OSF": ai4i.overstrain}
    for mode, rule in rules.items():
        assert np.array_equal(rule(found.inputs), found.modes[mode].to_numpy()), mode
    assert ai4i.worn(found.inputs)[found.modes["TWF"]].mean() > 0.9
    no_mode = found.failed & ~found.modes.any(axis=1).to_numpy()
    unflagged = found.modes["RNF"].to_numpy() & ~found.failed
    assert (int(no_mode.sum()), int(unflagged.sum())) == (9, 18)
    caused = ai4i.causes(found.modes).any(axis=1).to_numpy()
    assert int((caused & found.failed).sum()) == 330
