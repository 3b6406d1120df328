"""What a veto of films seen may claim, and whether reasons are tested as they should be."""

import pytest
import torch

from tests.recipes.feed.made_up import feed, saved
from zhuyi.core import Mask
from zhuyi.errors import OptionError
from zhuyi.recipes.feed.believing import certified, judged
from zhuyi.recipes.feed.feed import Feed
from zhuyi.recipes.feed.naming import of_genre
from zhuyi.recipes.feed.recommender import Recommender
from zhuyi.steer.rules import Rules

HISTORY = [0, 4, 9, 13, 20, 2]
NEVER = Rules().veto(of_genre("Comedy"), id="never")


def test_a_veto_is_exact() -> None:
    found = certified(feed(), NEVER.boost(of_genre("Horror"), 3), HISTORY)
    assert (found.level, found.kept) == ("exact", True)
    swaps = found["never"].item("swaps")
    assert swaps is not None
    assert swaps.numbers["equal"] == 5
    assert float(swaps.numbers["without the rule"] or 0) > 1e-3  # else a swap would show nothing


def test_a_veto_in_one_layer_is_not() -> None:
    partial = Rules().veto(of_genre("Comedy"), layers="0", id="never")
    assert certified(feed(), partial, HISTORY).level != "exact"


class Pooling(Recommender):
    """The broken twin: what is asked also reads the mean of all positions."""

    def read(self, vectors_BLW: torch.Tensor, mask: Mask) -> torch.Tensor:
        states = super().read(vectors_BLW, mask)
        return states + states.mean(1, keepdim=True)


def test_a_model_that_pools_is_found_out() -> None:
    honest = feed().subject.model
    broken = Pooling(honest.form, None)
    broken.load_state_dict(honest.state_dict())
    broken.eval().requires_grad_(False)
    twin = Feed(broken, feed().films, feed().watched)
    found = certified(twin, NEVER, HISTORY)
    assert found.level == "direct"
    swaps = found["never"].item("swaps")
    assert swaps is not None
    assert swaps.state == "failed"


def test_reasons_are_tested_beside_other_peoples() -> None:
    one = saved()
    beside = [history for history in one.people.values() if len(history) > 6][:5]
    found = judged(one.feed, Rules(), HISTORY, 5, beside, quick=True)
    assert len(found.inputs) == 6
    assert found.inputs[0] in ("trusted", "doubtful")
    assert {finding.test for finding in found.findings} == {"Deletion", "OtherRemoval"}
    with pytest.raises(OptionError, match="film 4 is in the history"):
        judged(one.feed, Rules(), HISTORY, 4, beside)


def test_a_test_can_be_ended_and_leaves_nothing_behind() -> None:
    one = saved()
    calls = 0

    class Enough(Exception):
        pass

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise Enough

    beside = list(one.people.values())
    before = one.feed.scores(HISTORY)
    with pytest.raises(Enough):
        judged(one.feed, NEVER, HISTORY, 5, beside, quick=True, check=check)
    assert calls == 4
    assert (one.feed.scores(HISTORY) == before).all()
    assert not one.feed.subject.model._forward_pre_hooks
