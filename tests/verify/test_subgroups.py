"""Subgroups against fairlearn's own bootstrap and a direct NumPy computation."""

import sys

import numpy as np
import pytest
from numpy.typing import NDArray

from zhuyi.errors import InputError, OptionError, ShapeError
from zhuyi.verify.subgroups import Subgrouped, Subgroups

fairlearn = pytest.importorskip("fairlearn.metrics", reason="fairlearn is not installed")

RESAMPLES = 100


def made(seed: int = 0) -> tuple[list[str], dict[str, list[float | None]]]:
    """Three groups of 60, 25 and 40, and one of 4; "correct" is worse in "b", "skill" is equal."""
    generator = np.random.default_rng(seed)
    groups = ["a"] * 60 + ["b"] * 25 + ["c"] * 40 + ["few"] * 4
    chance = {"a": 0.95, "b": 0.4, "c": 0.9, "few": 0.0}
    correct: list[float | None] = [float(generator.random() < chance[one]) for one in groups]
    skill: list[float | None] = [
        None if n % 5 == 0 else float(generator.normal()) for n in range(len(groups))
    ]
    order = generator.permutation(len(groups))
    return [groups[n] for n in order], {
        "correct": [correct[n] for n in order],
        "skill": [skill[n] for n in order],
    }


def mean(truth: NDArray[np.float64], decided: NDArray[np.float64], numbers: list[float]) -> float:
    return float(np.nanmean(numbers))


@pytest.fixture(scope="module")
def found() -> Subgrouped:
    groups, metrics = made()
    return Subgroups(resamples=RESAMPLES, seed=3)(groups, metrics, column="region")


@pytest.mark.parametrize("metric", ["correct", "skill"])
def test_numbers_and_intervals_are_those_of_fairlearn(found: Subgrouped, metric: str) -> None:
    groups, metrics = made()
    rows = [n for n, group in enumerate(groups) if group != "few"]
    numbers = np.array([metrics[metric][n] for n in rows], dtype=np.float64)
    frame = fairlearn.MetricFrame(
        metrics={metric: mean},
        y_true=np.zeros(len(rows)),
        y_pred=np.zeros(len(rows)),
        sensitive_features=[groups[n] for n in rows],
        sample_params={metric: {"numbers": numbers}},
        n_boot=RESAMPLES,
        ci_quantiles=[0.025, 0.975],
        random_state=3,
    )
    lower, upper = frame.by_group_ci
    for group in found.groups[:3]:
        estimate = group.numbers[metric]
        assert estimate.value == pytest.approx(frame.by_group.loc[group.group, metric], abs=1e-12)
        assert estimate.lower == pytest.approx(lower.loc[group.group, metric], abs=1e-12)
        assert estimate.upper == pytest.approx(upper.loc[group.group, metric], abs=1e-12)
    difference = next(one for one in found.differences if one.metric == metric)
    assert difference.value == pytest.approx(frame.difference()[metric], abs=1e-12)
    # Why our interval is not its: an absolute difference is above 0 in every draw.
    assert frame.difference_ci()[0][metric] > 0.0


def test_numbers_are_those_of_numpy(found: Subgrouped) -> None:
    groups, metrics = made()
    known = [
        (group, value) for group, value in zip(groups, metrics["skill"], strict=True)
        if value is not None
    ]  # fmt: skip
    means = {
        name: np.mean([value for group, value in known if group == name])
        for name in ("a", "b", "c")
    }
    for group in found.groups[:3]:
        assert group.numbers["skill"].value == pytest.approx(means[group.group], abs=1e-12)
        assert group.count == groups.count(group.group)
    skill = next(one for one in found.differences if one.metric == "skill")
    assert skill.value == pytest.approx(max(means.values()) - min(means.values()), abs=1e-12)
    assert means[skill.largest] == max(means.values())
    assert means[skill.smallest] == min(means.values())


def test_only_what_differs_is_beyond_noise(found: Subgrouped) -> None:
    correct, skill = found.differences
    assert (correct.metric, correct.smallest, correct.beyond_noise) == ("correct", "b", True)
    assert correct.lower > 0.0
    assert correct.p == pytest.approx(1 / (1 + RESAMPLES), abs=1e-12)
    assert correct.adjusted == pytest.approx(2 / (1 + RESAMPLES), abs=1e-12)  # of two metrics
    assert not skill.beyond_noise
    assert found.said[0].en.startswith("region: correct is 0.")
    assert '"b" (25 inputs)' in found.said[0].en
    assert "“b”组（25 个输入）" in found.said[0].zh
    assert all("skill" not in said.en for said in found.said)


def test_noise_alone_is_rarely_beyond_noise() -> None:
    """Eight equal groups: an uncorrected interval of the farthest two would cry wolf mostly."""
    beyond = alone = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        values = generator.normal(size=160).tolist()
        groups = [f"group {n % 8}" for n in range(160)]
        one = Subgroups(resamples=100, seed=seed)(groups, {"skill": values}).differences[0]
        beyond += one.beyond_noise
        alone += one.lower > 0.0
    assert beyond <= 3
    assert alone >= 10  # the broken twin: the bootstrap interval without the p-value


def test_small_groups_show_no_numbers(found: Subgrouped) -> None:
    few = found.groups[3]
    assert (few.group, few.count, few.suppressed, dict(few.numbers)) == ("few", 4, True, {})
    assert "fewer than 10 inputs are not shown (1 of 4)" in found.said[-1].en
    groups, metrics = made()
    shown = Subgroups(least=2, resamples=RESAMPLES)(groups, metrics)
    assert not shown.groups[3].suppressed
    assert shown.differences[0].smallest == "few"  # so it was suppression that kept it out


def test_a_metric_that_few_of_a_group_have_is_not_shown() -> None:
    groups = ["a"] * 20 + ["b"] * 20 + ["c"] * 20
    skill: list[float | None] = [float(n % 7) for n in range(60)]
    skill[25:40] = [None] * 15
    found = Subgroups(resamples=RESAMPLES)(groups, {"skill": skill, "none": [None] * 60})
    assert [set(group.numbers) for group in found.groups] == [{"skill"}, set(), {"skill"}]
    assert {found.differences[0].largest, found.differences[0].smallest} == {"a", "c"}
    assert len(found.differences) == 1


def test_equal_numbers_have_no_interval() -> None:
    groups = ["a"] * 12 + ["b"] * 12
    correct: list[float | None] = [1.0] * 12 + [0.0] * 6 + [1.0] * 6
    found = Subgroups(resamples=RESAMPLES)(groups, {"correct": correct})
    assert found.groups[0].numbers["correct"] == (1.0, None, None)
    assert found.groups[1].numbers["correct"].lower is not None


def test_one_group_is_compared_with_nothing() -> None:
    found = Subgroups(resamples=RESAMPLES)(["a"] * 12, {"correct": [0.0, 1.0] * 6})
    assert found.differences == ()
    assert found.groups[0].numbers["correct"].value == 0.5
    assert "fewer than two groups have 10 inputs" in found.said[0].en
    none = Subgroups(resamples=RESAMPLES)([], {"correct": []})
    assert (none.groups, none.differences) == ((), ())


def test_same_seed_same_numbers_and_the_global_generator_is_untouched(found: Subgrouped) -> None:
    groups, metrics = made()
    before = np.random.get_state()[1].copy()  # noqa: NPY002 - that nobody draws from it
    again = Subgroups(resamples=RESAMPLES, seed=3)(groups, metrics, column="region")
    assert again == found
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    other = Subgroups(resamples=RESAMPLES, seed=4)(groups, metrics, column="region")
    assert other != found


def test_what_cannot_be_compared_is_named() -> None:
    with pytest.raises(ShapeError, match=r"'skill' must have one number an input \(2\), got 1"):
        Subgroups()(["a", "b"], {"skill": [1.0]})
    with pytest.raises(InputError, match="'skill' must be finite"):
        Subgroups()(["a"], {"skill": [float("inf")]})
    for broken in ({"least": 1}, {"resamples": 10}, {"seed": -1}):
        with pytest.raises(OptionError, match="must be at least"):
            Subgroups(**broken)


def test_without_fairlearn_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fairlearn.metrics", None)
    with pytest.raises(InputError, match=r"pip install 'zhuyi\[fairness\]'"):
        Subgroups(least=2)(["a", "a", "b", "b"], {"correct": [1.0, 0.0, 1.0, 1.0]})
