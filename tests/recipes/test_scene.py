"""Scenes: parts by name, in order, skipped where their data is missing; and how one is found."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from zhuyi.core.record import Said
from zhuyi.errors import DataUnavailable, InputError, OptionError
from zhuyi.recipes import running
from zhuyi.recipes.finite import finite
from zhuyi.recipes.intervals import Interval
from zhuyi.recipes.records import Comparison, Options, Part, Score
from zhuyi.recipes.scene import PartOf, Scene


def said(text: str) -> Said:
    return Said(en=text, zh=text)


def answering(name: str, ran: list[str]) -> Callable[[Options], Part]:
    def run(options: Options) -> Part:
        ran.append(name)
        if name == "absent":
            raise DataUnavailable("absent.csv cannot be had")
        if name == "broken":
            raise InputError("a fault is a fault")
        return Part(name="", title=said(name), answer=said("yes"), data=said("none"))

    return run


def scene(ran: list[str], *names: str) -> Scene:
    parts = {
        name: PartOf(question=said("?"), data=f"{name}.csv", run=answering(name, ran))
        for name in names
    }
    return Scene(name="kitchen", title=said("Kitchen"), by_name=parts, forbidden=(said("eating"),))


def test_parts_run_in_the_scenes_order_and_get_their_names() -> None:
    ran: list[str] = []
    report = scene(ran, "one", "two", "three").run(Options(parts=("three", "one"), seed=4))
    assert ran == ["one", "three"]
    assert [part.name for part in report.parts] == ["one", "three"]
    assert all(part.seconds > 0 for part in report.parts)
    assert (report.name, report.seed, report.quick) == ("kitchen", 4, False)
    assert report.forbidden == (said("eating"),)
    assert report.version


def test_without_names_all_parts_run_and_missing_data_is_told() -> None:
    report = scene([], "one", "absent").run(Options(quick=True))
    assert [part.name for part in report.parts] == ["one"]
    assert report.skipped == (("absent", "absent.csv cannot be had"),)
    assert report.quick


def test_no_part_at_all_is_an_error_that_says_why() -> None:
    with pytest.raises(DataUnavailable, match=r"absent: absent\.csv cannot be had"):
        scene([], "absent").run(Options())


def test_a_fault_is_not_taken_for_missing_data() -> None:
    with pytest.raises(InputError, match="a fault is a fault"):
        scene([], "one", "broken").run(Options())


def test_an_unknown_part_is_refused_before_anything_runs() -> None:
    ran: list[str] = []
    with pytest.raises(OptionError, match="parts of kitchen are one, two, got 'three'"):
        scene(ran, "one", "two").run(Options(parts=("one", "three")))
    assert ran == []


def test_a_score_that_is_no_number_is_left_out_and_said() -> None:
    def one(model: str, value: float, end: float | None) -> Score:
        interval = Interval(value=value, lower=end, upper=end, how="")
        return Score(model=model, role="simple", value=interval)

    scores = (one("a", 0.5, 0.4), one("b", math.nan, None), one("c", 0.6, math.inf))
    comparison = Comparison(
        title=said("t"), metric="AUROC", better="higher", scores=scores, note=said("n")
    )
    part = Part(
        name="x", title=said("x"), answer=said("x"), data=said("x"), comparisons=(comparison,)
    )
    found = finite(part)
    assert [score.model for score in found.comparisons[0].scores] == ["a", "c"]
    assert [score.value.lower for score in found.comparisons[0].scores] == [0.4, None]
    assert "AUROC of b could not be computed" in found.limits[0].en
    only = replace(part, comparisons=(replace(comparison, scores=scores[1:2]),))
    assert finite(only).comparisons == ()
    assert finite(replace(part, comparisons=())) == replace(part, comparisons=())


@pytest.mark.parametrize("name", running.NAMES)
def test_every_scene_says_what_it_asks_what_it_needs_and_what_it_is_not_for(name: str) -> None:
    found = running.scene(name)
    assert found.name == name
    assert found.parts
    assert len(found.forbidden) >= 3
    for part in found.by_name.values():
        assert part.data
        for text in (part.question, found.title, *found.forbidden):
            assert text.en != text.zh
            assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh)


def test_an_unknown_scene_is_refused() -> None:
    with pytest.raises(OptionError, match="the scenes are medicine, finance, manufacturing"):
        running.run("kitchen")


def test_an_observer_sees_the_fits_of_every_part_and_nothing_after() -> None:
    from zhuyi.learn import AttentionClassifier

    table = np.random.default_rng(0).normal(size=(100, 3))
    heard: list[tuple[int, bool]] = []

    def fit() -> None:
        AttentionClassifier(max_epochs=1, random_state=0).fit(table, table[:, 0] > 0)

    def run(options: Options) -> Part:
        fit()
        return Part(name="", title=said("part"), answer=said("yes"), data=said("none"))

    part = PartOf(question=said("?"), data="none", run=run)
    kitchen = Scene(
        name="kitchen", title=said("Kitchen"), by_name={"a": part, "b": part}, forbidden=()
    )
    kitchen.run(Options())
    assert heard == []
    kitchen.run(Options(observer=lambda now: heard.append((now.progress.epoch, now.fitted))))
    fit()
    assert heard == [(1, False), (1, True)] * 2
