"""Targets, splits, leaks and other problems: all that is said before a model is trained."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from zhuyi.errors import InputError, OptionError
from zhuyi.ui.estimators.cells import typed
from zhuyi.ui.estimators.near_leaks import gives_away, tells
from zhuyi.ui.estimators.preparing import Wish, prepare
from zhuyi.ui.estimators.ranks import auroc, ranked
from zhuyi.ui.estimators.sheet import Cell, Sheet
from zhuyi.ui.estimators.splitting import copies, split_rows
from zhuyi.ui.estimators.target import read_target


def sheet(**columns: list[Cell]) -> Sheet:
    count = len(next(iter(columns.values())))
    return Sheet("t.csv", {n: tuple(c) for n, c in columns.items()}, tuple(range(1, count + 1)))


@pytest.fixture
def draw() -> np.random.Generator:
    return np.random.default_rng(0)


# --- the target -------------------------------------------------------------------------------


def test_the_task_is_told_from_the_cells() -> None:
    def task(cells: list[Cell], asked: str = "auto") -> str:
        return read_target(sheet(y=cells), ["y"], asked).task

    assert task(["a", "b", "a"]) == "classes"
    assert task(["0", "1", "1"]) == "classes"
    assert task(["1", "2", "3"]) == "classes"
    assert task(["1.5", "2", "3"]) == "number"
    assert task(["1.5", "2.5"]) == "classes"
    assert task([str(n) for n in range(11)]) == "number"
    assert task(["1", "2", "3"], "regress") == "number"
    assert task([str(n) for n in range(11)], "classify") == "classes"


def test_whole_numbers_are_classes_as_such_and_rows_without_one_are_left_out() -> None:
    found = read_target(sheet(y=["0", None, "1.0", "1"]), ["y"], "auto")
    assert found.values.tolist() == [0, 1, 1]
    assert found.places == (0, 2, 3)
    assert found.counts == {"0": 1, "1": 2}


def test_several_targets_are_labels() -> None:
    found = read_target(sheet(a=["yes", "no", None], b=["0", "1", "1"]), ["a", "b"], "auto")
    assert (found.task, found.values.tolist(), found.places) == (
        "labels", [[1, 0], [0, 1]], (0, 1),
    )  # fmt: skip
    assert found.counts == {"a": 1, "b": 1}


@pytest.mark.parametrize(
    ("columns", "names", "asked", "error", "said"),
    [
        ({"Failure": ["a", "b"]}, ["failure"], "auto", InputError, "did you mean 'Failure'"),
        ({"y": ["a", "a"]}, ["y"], "auto", InputError, "has one class only, a"),
        ({"y": ["2.5", "2.5"]}, ["y"], "regress", InputError, "is 2.5 in every row"),
        ({"y": [None, None]}, ["y"], "auto", InputError, "no row of t.csv has a target"),
        ({"y": ["1", "x"]}, ["y"], "regress", InputError, "must be numeric, got 'x' in row 2"),
        ({"y": ["a", "b"]}, ["y"], "cluster", OptionError, "--task must be one of auto"),
        ({"y": ["a", "b"]}, ["y", "y"], "auto", OptionError, "each --target COLUMN once"),
        ({"y": ["1", "0"], "z": ["1", "2"]}, ["y", "z"], "auto", InputError, "'2' in row 2"),
        ({"y": ["1", "0"], "z": ["1", "1"]}, ["y", "z"], "auto", InputError, r"\['z'\] are the"),
        ({"y": ["1", "0"], "z": ["1", "0"]}, ["y", "z"], "regress", OptionError, "are labels"),
    ],
)
def test_targets_that_cannot_be_learned(
    columns: dict[str, list[Cell]], names: list[str], asked: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        read_target(sheet(**columns), names, asked)


# --- the split --------------------------------------------------------------------------------


def test_every_class_is_held_out_alike() -> None:
    classes = np.array(["a"] * 80 + ["b"] * 20 + ["c"])
    split = split_rows(101, 0.2, 0, classes=classes)
    held = classes[split.test].tolist()
    assert (held.count("a"), held.count("b"), held.count("c")) == (16, 4, 0)
    assert sorted([*split.train, *split.test]) == list(range(101))
    assert split.test.tolist() == split_rows(101, 0.2, 0, classes=classes).test.tolist()
    assert split.test.tolist() != split_rows(101, 0.2, 1, classes=classes).test.tolist()


@pytest.mark.parametrize("seed", range(5))
def test_groups_stay_together(seed: int, draw: np.random.Generator) -> None:
    groups = draw.integers(0, 30, 600).tolist()
    split = split_rows(600, 0.25, seed, groups=groups)
    assert not {groups[p] for p in split.test} & {groups[p] for p in split.train}
    assert abs(split.test.size - 150) <= 20
    two = split_rows(4, 0.9, seed, groups=["a", "a", "b", "b"])
    assert (two.train.size, two.test.size) == (2, 2), "never all of them"


def test_splits_that_cannot_be() -> None:
    assert split_rows(5, 0.0, 0).test.size == 0
    with pytest.raises(OptionError, match=r"within \[0, 1\)"):
        split_rows(5, 1.0, 0)
    with pytest.raises(InputError, match="two groups or more"):
        split_rows(2, 0.5, 0, groups=["a", "a"])
    with pytest.raises(InputError, match="too few to hold out 20%"):
        split_rows(2, 0.2, 0)


def test_copies_are_found_cell_by_cell() -> None:
    split = split_rows(4, 0.5, 0, groups=["a", "a", "b", "b"])
    first = [1.0, 2.0, 1.0, 3.0]
    second = ["x", "y", "x", "y"]
    found = copies([first, second], split)
    assert found.tolist() == [0 if 0 in split.test else 2]
    assert copies([first, ["x", "y", "z", "y"]], split).size == 0


# --- columns that know too much ---------------------------------------------------------------


def test_auroc_by_ranks_is_that_of_scikit_learn(draw: np.random.Generator) -> None:
    flags = draw.integers(0, 2, 200).astype(float)
    said = np.round(draw.normal(size=200) + flags, 1)  # with ties
    assert auroc(flags, said) == pytest.approx(roc_auc_score(flags, said), abs=1e-12)
    assert ranked(np.array([5.0, 1.0, 5.0])).tolist() == [2.5, 1.0, 2.5]


def test_a_column_that_tells_a_class(draw: np.random.Generator) -> None:
    answers = draw.integers(0, 2, 1000)
    noise = draw.normal(size=1000)
    near = np.where(draw.random(1000) < 0.998, answers, 1 - answers) * 8.0 + noise
    assert tells("numeric", near.tolist(), answers, numbers=False) > 0.995
    assert tells("numeric", (-near).tolist(), answers, numbers=False) > 0.995
    # neither rising nor falling, yet known: only its place tells
    between = np.where(answers == 1, draw.uniform(4, 6, 1000), draw.choice([0.0, 9.0], 1000))
    assert tells("numeric", between.tolist(), answers, numbers=False) > 0.995
    good = answers * 2.0 + noise
    assert 0.85 < tells("numeric", good.tolist(), answers, numbers=False) < 0.97
    assert tells("numeric", noise.tolist(), answers, numbers=False) < 0.6


def test_rare_categories_do_not_look_as_if_they_knew(draw: np.random.Generator) -> None:
    answers = draw.integers(0, 2, 400)
    each = [f"id{n}" for n in range(400)]
    assert tells("categorical", each, answers, numbers=False) == 0.5
    town = [f"town {n}" for n in draw.integers(0, 200, 400)]
    assert tells("categorical", town, answers, numbers=False) < 0.65
    code = [f"{'F' if one else 'ok'}{n % 3}" for n, one in enumerate(answers)]
    assert tells("categorical", code, answers, numbers=False) == 1.0


def test_a_column_that_tells_a_number(draw: np.random.Generator) -> None:
    answers = draw.normal(size=500)
    line = (3 * answers + 1 + draw.normal(size=500) * 0.02).tolist()
    assert tells("numeric", line, answers, numbers=True) > 0.999
    assert tells("numeric", np.exp(3 * answers).tolist(), answers, numbers=True) > 0.999
    assert tells("numeric", (answers + draw.normal(size=500)).tolist(), answers, numbers=True) < 0.7
    assert tells("numeric", line[:19], answers[:19], numbers=True) == 0.0, "too few rows to say"


def test_a_part_of_the_answer_gives_it_away(draw: np.random.Generator) -> None:
    heat, wear = draw.random(2000) < 0.015, draw.random(2000) < 0.02
    answers = (heat | wear).astype(np.int64)
    flag = heat.astype(float).tolist()
    assert tells("numeric", flag, answers, numbers=False) < 0.995, "by itself it knows too little"
    found = gives_away("numeric", flag, answers)
    assert found is not None
    assert found == ("1", int(heat.sum()), 1, pytest.approx(answers.mean()))
    kinds = draw.choice(["L", "M", "H"], 2000).tolist()
    assert gives_away("categorical", kinds, answers) is None
    assert gives_away("numeric", draw.normal(size=2000).tolist(), answers) is None
    usual = ["x" if one else "y" for one in answers == 0]
    assert gives_away("categorical", ["y"] * 1990 + ["x"] * 10, answers) is None, "too few rows"
    assert gives_away("categorical", usual, 1 - answers) is not None


def test_many_labels_are_looked_at_one_by_one(draw: np.random.Generator) -> None:
    flags = draw.integers(0, 2, (300, 2))
    told = tells("numeric", flags[:, 1].astype(float).tolist(), flags, numbers=False)
    assert told == 1.0
    assert tells("boolean", [None] * 300, flags, numbers=False) == 0.5


# --- all of it --------------------------------------------------------------------------------


def table(draw: np.random.Generator, rows: int = 200) -> dict[str, list[Cell]]:
    answers = draw.integers(0, 2, rows)
    return {
        "x": [f"{n:.6f}" for n in draw.normal(size=rows) + answers],
        "kind": [str(k) for k in draw.choice(["L", "M", "H"], rows)],
        "y": [str(n) for n in answers],
    }


def problems(cells: dict[str, list[Cell]], /, **wish: object) -> list[tuple[str, str]]:
    options = {"targets": ("y",), **wish}
    found = prepare(sheet(**cells), Wish(**options))  # type: ignore[arg-type]
    return [(one.name, one.column) for one in found.problems]


def test_an_honest_table_has_no_problem(draw: np.random.Generator) -> None:
    assert problems(table(draw)) == []


def test_problems_are_found_before_training(draw: np.random.Generator) -> None:
    columns = table(draw)
    y = columns["y"]
    columns |= {
        "same": ["1"] * 200,
        "gone": [None] * 200,
        "serial": [f"M{n}" for n in range(200)],
        "row": [str(n) for n in range(5, 205)],
        "verdict": ["bad" if one == "1" else "good" for one in y],
        "log": [str(int(str(one)) * 10 + draw.random()) for one in y],
    }
    assert problems(columns) == [
        ("leak", "verdict"), ("near leak", "log"), ("identifier", "serial"),
        ("identifier", "row"), ("constant", "same"), ("constant", "gone"),
    ]  # fmt: skip
    left = ("same", "gone", "serial", "row", "verdict", "log")
    assert problems(columns, drop=left) == []


def test_rows_that_stand_on_both_sides(draw: np.random.Generator) -> None:
    columns = table(draw)
    twice = {name: cells + cells[:40] for name, cells in columns.items()}
    assert problems(twice) == [("copies", "")]
    twice["id"] = [f"{n % 200}" for n in range(240)]
    assert problems(twice, group="id") == []
    few = {name: (cells if name != "x" else ["1", "2"] * 100) for name, cells in columns.items()}
    assert problems(few) == [], "in a table of few categories rows are alike by chance"


def test_few_rows_and_rare_classes(draw: np.random.Generator) -> None:
    columns = table(draw, 15)
    columns["y"] = ["0"] * 10 + ["1"] * 5
    assert {name for name, _ in problems(columns)} >= {"few rows", "rare class"}


def test_what_the_estimator_gets(draw: np.random.Generator) -> None:
    columns = table(draw)
    columns["plant"] = [str(n % 7) for n in range(200)]
    columns["y"][3] = None
    found = prepare(
        sheet(**columns), Wish(targets=("y",), group="plant", columns=("kind=ordinal:L<M<H",))
    )
    assert list(found.inputs) == ["x", "kind"]
    assert found.columns == {"x": "numeric", "kind": "ordinal"}
    assert (len(found.sheet), found.offered) == (199, 200)
    assert found.groups is not None
    held = {found.groups[place] for place in found.split.test}
    assert not held & {found.groups[place] for place in found.split.train}
    assert typed(found.sheet.only(["x"]), {})["x"][0] == "numeric"


@pytest.mark.parametrize(
    ("wish", "error", "said"),
    [
        ({"drop": ("nope",)}, InputError, r"no column 'nope' \(--drop\)"),
        ({"drop": ("x", "kind")}, InputError, "no column left to learn from"),
        ({"group": "nope"}, InputError, r"\(--group\)"),
        ({"columns": ("x=boolean",)}, InputError, "column 'x' must be boolean"),
        ({"text": "nope"}, InputError, r"\(--text\)"),
        ({"text": "kind", "drop": ("x",)}, OptionError, "--column and --drop are for tables"),
        ({"text": "kind", "targets": ("x",)}, OptionError, "--text learns classes"),
        ({"threshold": 0.3, "targets": ("kind",)}, OptionError, "--threshold is for a target of"),
    ],
)
def test_wishes_that_do_not_fit(
    wish: dict[str, object], error: type[Exception], said: str, draw: np.random.Generator
) -> None:
    with pytest.raises(error, match=said):
        problems(table(draw), **wish)


def test_a_class_that_only_held_out_groups_have() -> None:
    columns: dict[str, list[Cell]] = {
        "x": [str(n) for n in range(9)],
        "g": list("aaabbbccc"),
        "y": list("011011222"),
    }
    seeds = range(20)
    said = []
    for seed in seeds:
        try:
            problems(columns, group="g", seed=seed, test_share=0.34)
        except InputError as error:
            said.append(str(error))
    assert said
    assert all("the class 2 stands in held-out groups only" in one for one in said)
