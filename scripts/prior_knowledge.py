"""Does what people know help a model to learn, and does a factor that must not matter not matter?

    python scripts/prior_knowledge.py              measure, then write the page
    python scripts/prior_knowledge.py hierarchy    measure this part again
    python scripts/prior_knowledge.py --page       write the page from the last measurement

Three questions, each on at least ten seeds, against no rule, deletion and wrong knowledge. All
variants of a seed see the same rows, so that what is compared is paired. The diagnoses need
diabetes130.zip (ZHUYI_DATA, the cache, or the official address); without it that part is left out.
"""

import json
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import pandas as pd
import torch
from prior_knowledge_page import PAGE, page
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

import zhuyi
from zhuyi.errors import DataUnavailable
from zhuyi.learn import AttentionClassifier
from zhuyi.learn.prior import Monotone, Prior
from zhuyi.learn.sources import with_cells
from zhuyi.recipes import diabetes130
from zhuyi.steer import Column, Rules
from zhuyi.steer.penalty import Mass, attended

RESULTS: Final = Path(__file__).with_name("prior_knowledge_results.json")
Table: TypeAlias = pd.DataFrame
Measured: TypeAlias = dict[str, dict[str, list[float]]]
"""Variant -> what was measured -> one number a seed."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One way of learning.

    Args:
        rules: what the estimator is told.
        columns: which columns it sees; None for all.
        kinds: of columns whose type says the wrong thing.
        plain: a logistic regression instead.
    """

    rules: Rules | Prior | None = None
    columns: tuple[str, ...] | None = None
    kinds: Mapping[str, str] | None = None
    plain: bool = False


# --- 1. knowledge, right and wrong, with few rows ------------------------------------------------

FACTORS: Final = tuple(f"x{n}" for n in range(12))
TRUE: Final = {"x0": 1.6, "x1": 1.1, "x2": -1.1}
OTHERS: Final = tuple(name for name in FACTORS if name not in TRUE)
WRONG: Final = ("x3", "x4", "x5")


def columns(names: tuple[str, ...]) -> list[Any]:
    return [Column(name) for name in names]


def directions(sign: float) -> tuple[Monotone, ...]:
    return tuple(Monotone(column=name, falls=w * sign < 0) for name, w in TRUE.items())


KNOWLEDGE: Final[dict[str, Variant]] = {
    "no rule": Variant(),
    "boost the right three by 8 (rule)": Variant(rules=Rules().boost(columns(tuple(TRUE)), 8)),
    "share of 0.9 for the right three (rule)": Variant(
        rules=Rules().share(columns(tuple(TRUE)), 0.9, beyond=True)
    ),
    "share of 0.9 for the right three (wish)": Variant(
        rules=Prior(wishes=Rules().share(columns(tuple(TRUE)), 0.9))
    ),
    "attention is on the right three (logic)": Variant(
        rules=Prior(
            wishes=Rules().boost(columns(tuple(TRUE)), 1, id="right"), logic=(Mass("right"),)
        )
    ),
    "directions (wish)": Variant(rules=Prior(monotone=directions(1.0), strength=3.0)),
    "the nine do not matter (wish)": Variant(rules=Prior(unused=OTHERS, strength=1.0)),
    "veto the nine (rule)": Variant(rules=Rules().veto(columns(OTHERS))),
    "delete the nine": Variant(columns=tuple(TRUE)),
    "veto the nine, and directions": Variant(
        rules=Prior(rules=Rules().veto(columns(OTHERS)), monotone=directions(1.0), strength=3.0)
    ),
    "wrong: boost three others by 8 (rule)": Variant(rules=Rules().boost(columns(WRONG), 8)),
    "wrong: veto x1 (rule)": Variant(rules=Rules().veto(Column("x1"))),
    "wrong: reversed directions (wish)": Variant(
        rules=Prior(monotone=directions(-1.0), strength=3.0)
    ),
    "logistic regression": Variant(plain=True),
    "logistic regression, the nine deleted": Variant(plain=True, columns=tuple(TRUE)),
}


def planted(rows: int, seed: int) -> tuple[Table, np.ndarray]:
    """Twelve factors, of which three decide by known directions."""
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(draw.normal(size=(rows, len(FACTORS))), columns=list(FACTORS))
    odds = sum(weight * np.tanh(table[name]) for name, weight in TRUE.items())
    return table, draw.random(rows) < 1 / (1 + np.exp(-2 * np.asarray(odds)))


def knowledge(seeds: int) -> Measured:
    found: Measured = {}
    test, truth = planted(4000, 10_000)
    for seed in range(seeds):
        table, y = planted(80, seed)
        for name, variant in KNOWLEDGE.items():
            model = fitted(variant, table, y, seed, epochs=60)
            note(found, name, {"AUC": auc(model, variant, test, truth)})
    return found


# --- 2. a factor that must not matter ------------------------------------------------------------

SHORT: Final = Column("shortcut")
MUST_NOT: Final[dict[str, Variant]] = {
    "no rule": Variant(),
    "attention on it is penalized (wish of a veto)": Variant(
        rules=Prior(wishes=Rules().veto(SHORT), strength=1.0)
    ),
    "the same, ten times as strong": Variant(
        rules=Prior(wishes=Rules().veto(SHORT), strength=10.0)
    ),
    "penalized in the last layer alone": Variant(
        rules=Prior(wishes=Rules().veto(SHORT, layers="1"), strength=10.0)
    ),
    "its effect is penalized (unused)": Variant(rules=Prior(unused=("shortcut",), strength=10.0)),
    "veto (rule)": Variant(rules=Rules().veto(SHORT)),
    "delete it": Variant(columns=("a", "b", "c", "d", "proxy")),
}


def with_shortcut(rows: int, seed: int) -> tuple[Table, np.ndarray]:
    """Four weak causes, a column that goes with the class in 19 of 20 rows, and its faint copy."""
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(draw.normal(size=(rows, 4)), columns=list("abcd"))
    y = draw.random(rows) < 1 / (1 + np.exp(-table.sum(axis=1).to_numpy()))
    table["shortcut"] = np.where(draw.random(rows) < 0.95, y, ~y) + 0.1 * draw.normal(size=rows)
    table["proxy"] = table["shortcut"] + 1.5 * draw.normal(size=rows)
    return table, y


def must_not(seeds: int, layers: int) -> Measured:
    found: Measured = {}
    test, truth = with_shortcut(3000, 10_000)
    shuffled = test.assign(
        shortcut=np.random.default_rng(1).permutation(test["shortcut"]),
        proxy=np.random.default_rng(2).permutation(test["proxy"]),
    )
    for seed in range(seeds):
        table, y = with_shortcut(300, seed)
        for name, variant in MUST_NOT.items():
            if "last layer" in name and not layers:
                continue
            model = fitted(variant, table, y, seed, epochs=30, layers=layers)
            note(
                found,
                name,
                {
                    "AUC": auc(model, variant, test, truth),
                    "AUC shuffled": auc(model, variant, shuffled, truth),
                    "attention": attention(model, variant, test[:500]),
                    "effect": effect(model, variant, test[:500]),
                },
            )
    return found


@torch.no_grad()
def attention(model: Any, variant: Variant, table: Table) -> float:
    """Mean share of attention on the shortcut, over layers, heads and rows; 0 where it is gone."""
    if variant.columns is not None:
        return 0.0
    codes, names = model.subject().read(table), model.schema_.names
    with zhuyi.watch(model.module_) as tape:
        model.module_(codes)
    found = attended(Rules().boost(SHORT, 1, id="it").rules, tape, list(names))
    return float(found["it"].mean())


@torch.no_grad()
def effect(model: Any, variant: Variant, table: Table) -> float:
    """Mean |change of the log-odds| when the shortcut is another row's."""
    if variant.columns is not None:
        return 0.0
    codes, place = model.subject().read(table), model.schema_.names.index("shortcut")
    other = with_cells(codes, place, codes.flip(0)[:, place])
    return float((model.module_(codes) - model.module_(other)).abs().mean())


# --- 3. codes and their hierarchy ----------------------------------------------------------------

DIAGNOSES: Final = ("diag_1", "diag_2", "diag_3")
LEAVES: Final = DIAGNOSES
GROUPS: Final = tuple(f"{name} group" for name in DIAGNOSES)
CHAPTERS: Final = tuple(f"{name} chapter" for name in DIAGNOSES)
MEANS: Final = tuple(f"{name} all" for name in DIAGNOSES)
BESIDE: Final = ("age",)
HIERARCHY: Final[dict[str, Variant]] = {
    "codes alone (no rule)": Variant(columns=(*BESIDE, *LEAVES)),
    "codes, groups and chapters: attention learns (no rule)": Variant(
        columns=(*BESIDE, *LEAVES, *GROUPS, *CHAPTERS)
    ),
    "the same, groups and chapters boosted by 4 (rule)": Variant(
        columns=(*BESIDE, *LEAVES, *GROUPS, *CHAPTERS),
        rules=Rules().boost(columns((*GROUPS, *CHAPTERS)), 4),
    ),
    "the same, a share of 0.6 for them (wish)": Variant(
        columns=(*BESIDE, *LEAVES, *GROUPS, *CHAPTERS),
        rules=Prior(wishes=Rules().share(columns((*GROUPS, *CHAPTERS)), 0.6)),
    ),
    "the same, codes vetoed (rule)": Variant(
        columns=(*BESIDE, *LEAVES, *GROUPS, *CHAPTERS), rules=Rules().veto(columns(LEAVES))
    ),
    "uniform over code, group and chapter (no attention)": Variant(
        columns=(*BESIDE, *MEANS), kinds=dict.fromkeys(MEANS, "text")
    ),
    "codes deleted: groups and chapters": Variant(columns=(*BESIDE, *GROUPS, *CHAPTERS)),
    "chapters alone": Variant(columns=(*BESIDE, *CHAPTERS)),
}


def admissions() -> tuple[Table, np.ndarray, np.ndarray]:
    """Diagnoses with their ancestors; whether the stay took five days or more; the patient."""
    read = diabetes130.load()
    table = pd.DataFrame({"age": read["age"]})
    for name in DIAGNOSES:
        code = read[name].fillna("none")
        group = code.str.split(".").str[0]
        above = code.map(lambda one: "none" if one == "none" else diabetes130.chapter(one))
        table[name], table[f"{name} group"], table[f"{name} chapter"] = code, group, above
        # one word a level, so that a text's pieces are exactly these three
        words = [part.map(word) for part in ("c" + code, "g" + group, "h" + above)]
        table[f"{name} all"] = words[0] + " " + words[1] + " " + words[2]
    stay = read["time_in_hospital"].astype(int).to_numpy() >= 5
    return table, stay, read["patient_nbr"].to_numpy()


def word(name: str) -> str:
    """A name as one word of letters alone."""
    spelled = str.maketrans("0123456789.", "abcdefghijk", " -_/")
    return name.lower().translate(spelled)


def hierarchy(seeds: int, rows: int = 1500) -> Measured:
    table, y, patients = admissions()
    _, first = np.unique(patients, return_index=True)  # one stay a patient
    found: Measured = {}
    for seed in range(seeds):
        drawn = np.random.default_rng(seed).permutation(first)[: rows + 6000]
        train, test = drawn[:rows], drawn[rows:]
        seen = table["diag_1"].iloc[train].value_counts()
        rare = (table["diag_1"].iloc[test].map(seen).fillna(0) < 3).to_numpy()
        for name, variant in HIERARCHY.items():
            model = fitted(variant, table.iloc[train], y[train], seed, epochs=20)
            shares = scores(model, variant, table.iloc[test])
            note(
                found,
                name,
                {
                    "AUC": float(roc_auc_score(y[test], shares)),
                    "AUC rare": float(roc_auc_score(y[test][rare], shares[rare])),
                    "rare": float(rare.mean()),
                },
            )
    return found


# --- what all share ------------------------------------------------------------------------------


def fitted(
    variant: Variant, table: Table, y: np.ndarray, seed: int, *, epochs: int, layers: int = 0
) -> Any:
    X = table if variant.columns is None else table[list(variant.columns)]
    if variant.plain:
        return (scaler := StandardScaler().fit(X)), LogisticRegression().fit(scaler.transform(X), y)
    model = AttentionClassifier(
        rules=variant.rules, columns=variant.kinds, mixing_layers=layers, max_epochs=epochs,
        patience=15, random_state=seed,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few rows, and wishes that are not met: measured here
        return model.fit(X, y)


def scores(model: Any, variant: Variant, table: Table) -> np.ndarray:
    X = table if variant.columns is None else table[list(variant.columns)]
    if variant.plain:
        return np.asarray(model[1].decision_function(model[0].transform(X)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # categories that few rows have not shown
        return np.asarray(model.decision_function(X))


def auc(model: Any, variant: Variant, table: Table, y: np.ndarray) -> float:
    return float(roc_auc_score(y, scores(model, variant, table)))


def note(found: Measured, name: str, numbers: Mapping[str, float]) -> None:
    for what, number in numbers.items():
        found.setdefault(name, {}).setdefault(what, []).append(round(number, 5))


PARTS: Final[dict[str, Callable[[], Measured]]] = {
    "knowledge": lambda: knowledge(14),
    "must not matter, glass box": lambda: must_not(10, 0),
    "must not matter, one mixing layer": lambda: must_not(10, 1),
    "hierarchy": lambda: hierarchy(10),
}


def measure(wanted: list[str]) -> None:
    """Parts, each written down with the seconds that it took; what was measured before stays."""
    found = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in wanted:
        start = time.process_time()
        try:
            variants = PARTS[name]()
        except DataUnavailable as missing:
            print(f"{name}: left out, {missing}", file=sys.stderr)
            continue
        found[name] = {"seconds": round(time.process_time() - start), "variants": variants}
        ordered = {one: found[one] for one in PARTS if one in found}
        RESULTS.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")
        print(f"{name}: {found[name]['seconds']} s", file=sys.stderr)


def main() -> None:
    torch.set_num_threads(1)
    given = sys.argv[1:]
    if given != ["--page"]:
        measure(given or list(PARTS))
    PAGE.write_text(page(json.loads(RESULTS.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    main()
