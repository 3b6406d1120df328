"""A verdict beside a picture is that of what is shown, or says that it is not."""

import pytest

from tests.ui.notebook.things import verdict_of
from zhuyi.core.record import Label
from zhuyi.errors import OptionError
from zhuyi.ui.as_json import verdict_as_json
from zhuyi.ui.notebook.believing import checked_of


@pytest.mark.parametrize(("row", "label"), [(0, "trusted"), (1, "refuted"), (2, "doubtful")])
def test_a_batch_is_narrowed_to_the_input_that_is_shown(row: int, label: Label) -> None:
    checked = checked_of(verdict_of("trusted", "refuted", "doubtful"), row, shown="Occlusion()")
    assert checked.verdict.label == label
    values = verdict_as_json(checked)
    first = values["findings"][0]  # type: ignore[index]
    outcome = {"trusted": "supports", "refuted": "refutes", "doubtful": "cautions"}[label]
    assert (first["outcome"], first["details"]) == (outcome, {"p": 0.25 * row})
    assert f"input {row + 1} of 3" in checked.notes[0].en
    assert "together are trusted" in checked.notes[0].en


def test_a_verdict_on_one_input_stays_as_it_is() -> None:
    verdict = verdict_of("doubtful")
    checked = checked_of(verdict, 0, shown="Occlusion()")
    assert checked.verdict is verdict
    assert checked.notes == ()
    assert "doubt" in checked.headline.en


def test_a_batch_alone_is_counted() -> None:
    verdict = verdict_of("trusted", "refuted", "refuted")
    (note,) = checked_of(verdict, None, shown="Occlusion()").notes
    assert note.en == "On 3 inputs, taken one by one: 1 trusted, 0 doubtful, 2 refuted."


def test_a_verdict_on_something_else_says_so() -> None:
    (note,) = checked_of(verdict_of("trusted"), 0, shown="Rollout()").notes
    assert "on Occlusion(); the values shown are those of Rollout()" in note.en
    (note,) = checked_of(verdict_of("trusted"), 0, shown="").notes
    assert "not on what single heads look at" in note.en


def test_an_input_that_was_not_tested_is_an_error() -> None:
    with pytest.raises(OptionError, match="on 2 inputs, so none is number 2"):
        checked_of(verdict_of("trusted", "trusted"), 2, shown="")
