"""One audit from end to end: what the report holds, budgets, and going on after a death."""

import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.audit.models import inputs, subject
from zhuyi.audit import About, AuditReport, Progress, audit
from zhuyi.audit.journal import NAME
from zhuyi.audit.serial import from_text, to_text
from zhuyi.errors import InputError, OptionError
from zhuyi.explain import Occlusion, Random, Rollout
from zhuyi.trace import ModuleSubject

QUICK = (Occlusion(), Rollout())


def lasting(report: AuditReport) -> str:
    """The report without what may differ from run to run."""
    return to_text(replace(report, run={}))


@pytest.fixture(scope="module")
def whole() -> AuditReport:
    decided = subject().decide(inputs()).argmax(1).tolist()
    truth = ["yes" if index else "no" for index in decided]
    truth[0] = "no" if truth[0] == "yes" else "yes"
    return audit(
        subject(),
        inputs(),
        truth=[*truth[:39], None],
        groups={"place": ["here", "there"] * 20},
        methods=QUICK,
        about=About(title="a small model", rows=range(101, 141)),
        seed=5,
    )


def test_the_report_says_what_was_found(whole: AuditReport) -> None:
    assert whole.title == "a small model"
    assert [one.row for one in whole.inputs] == list(range(101, 141))
    assert {row.name for row in whole.methods} == {*map(repr, QUICK), "Random(seed=5)"}
    assert sum(row.chosen for row in whole.methods) == 1
    assert whole.chosen == "Occlusion(batch_size=32)"
    assert whole.attention == repr(Rollout())
    assert whole.quality["accuracy"].value == pytest.approx(38 / 39)
    assert len(whole.heads) == 2
    assert whole.model["heads"] == 2
    assert whole.answer.en != whole.answer.zh
    assert whole.limits
    assert not whole.budget.exhausted


def test_a_models_own_explanation_is_not_chosen_by_its_skill(whole: AuditReport) -> None:
    report = audit(subject(), inputs(12), methods=(Occlusion(),), own=Rollout(), seed=5)
    assert whole.chosen != repr(Rollout()), "by skill it is another"
    assert report.chosen == repr(Rollout())
    assert {row.name for row in report.methods if row.chosen} == {repr(Rollout())}
    assert report.answer.en.startswith("The explanation that the model gives of itself (Attention")
    assert "not chosen by a test" in report.chosen_why.en
    assert report.settings["the model's own explanation"] == repr(Rollout())
    assert "the model's own explanation" not in whole.settings


def test_random_is_always_a_row_and_refuted(whole: AuditReport) -> None:
    (row,) = [row for row in whole.methods if row.name.startswith("Random")]
    assert row.label == "refuted"
    assert row.inputs > 20


def test_choice_and_verdict_rest_on_different_inputs(whole: AuditReport) -> None:
    splits = [one.split for one in whole.inputs]
    assert splits.count("choosing") == 10
    assert splits.count("testing") == 30


def test_every_input_has_values_for_its_pieces_and_a_reason(whole: AuditReport) -> None:
    for one in whole.inputs:
        assert len(one.values) == len(one.attention) == len(one.pieces) == 10
        assert one.reasons
        if one.split == "choosing" or whole.verdict != "refuted":
            assert one.numbers["skill"] is not None


def test_groups_are_compared(whole: AuditReport) -> None:
    assert [(row.group, row.count) for row in whole.subgroups] == [("here", 20), ("there", 20)]
    assert {one.metric for one in whole.differences} >= {"accuracy", "confidence", "skill"}
    assert whole.subgroups_said


def test_heads_are_what_the_matrices_say(whole: AuditReport) -> None:
    tested = [one.row - 101 for one in whole.inputs if one.split == "testing"]
    tape = subject().watch(inputs()[tested])
    matrix = tape[0].matrix
    assert matrix is not None
    for row in whole.heads:
        weights = matrix.weights()[:, row.head].double()
        entropy = -(weights * weights.log()).sum(-1).mean()
        assert row.numbers["entropy"] == pytest.approx(float(entropy), abs=1e-5)
        assert row.numbers["first"] == pytest.approx(float(weights[..., 0].mean()), abs=1e-6)
        assert row.numbers["peak"] == pytest.approx(float(weights.amax(-1).mean()), abs=1e-6)


def test_the_same_seed_gives_the_same_report_and_another_one_another() -> None:
    first = audit(subject(), inputs(24), methods=QUICK, seed=1)
    torch.rand(3)
    assert lasting(first) == lasting(audit(subject(), inputs(24), methods=QUICK, seed=1))
    other = audit(subject(), inputs(24), methods=QUICK, seed=2)
    assert [one.split for one in first.inputs] != [one.split for one in other.inputs]


def test_the_model_is_left_as_it_was() -> None:
    own = subject()
    before = {name: tensor.clone() for name, tensor in own.model.state_dict().items()}
    audit(own, inputs(12), methods=QUICK)
    assert all(torch.equal(tensor, before[name]) for name, tensor in own.model.state_dict().items())
    hooks = [module._forward_hooks or module._forward_pre_hooks for module in own.model.modules()]
    assert not any(hooks)


def test_a_budget_of_calls_is_kept_and_its_effect_is_said() -> None:
    full = audit(subject(), inputs(), methods=QUICK, seed=5)
    bound = full.budget.calls // 2
    ran = Counter(subject())
    with ran:
        part = audit(ran.subject, inputs(), methods=QUICK, seed=5, max_calls=bound)
    assert ran.count <= bound
    assert part.budget.exhausted
    assert part.budget.calls <= bound
    assert "budget ended" in part.budget.said.en
    assert len(part.inputs) < len(full.inputs)


def test_nothing_is_trusted_that_was_not_tried_on_a_shuffled_model() -> None:
    reached: list[int] = []
    full = audit(subject(), inputs(), methods=QUICK, seed=5).budget.calls
    for share in (0.3, 0.5, 0.9):
        bound = int(full * share)
        report = audit(subject(), inputs(), methods=QUICK, seed=5, max_calls=bound)
        tests = {one.test for row in report.methods if row.chosen for one in row.findings}
        reached.append(len(tests))
        if "Stability" not in tests:
            assert report.verdict != "trusted"
            assert "not reached" in report.budget.said.en
    assert min(reached) < max(reached), "some budgets end before the tests of the method"


class Counter:
    """Counts the inputs that really go through a subject's model."""

    def __init__(self, own: ModuleSubject) -> None:
        self.subject = own
        self.count = 0

    def __enter__(self) -> "Counter":
        def count(module: torch.nn.Module, args: tuple[torch.Tensor, ...]) -> None:
            self.count += len(args[0])

        self._handle = self.subject.model.register_forward_pre_hook(count)
        return self

    def __exit__(self, *_: object) -> None:
        self._handle.remove()


def test_all_calls_are_counted() -> None:
    with Counter(subject()) as ran:
        report = audit(ran.subject, inputs(20), methods=QUICK)
    # The readable check and the fingerprint run nothing; everything else is in the budget.
    assert report.budget.calls == ran.count


def test_a_budget_of_time_ends_the_audit() -> None:
    started = time.monotonic()
    with pytest.raises(OptionError, match="too small"):
        audit(subject(), inputs(), methods=QUICK, max_seconds=1e-6)
    assert time.monotonic() - started < 10


def test_a_budget_too_small_for_anything_says_so() -> None:
    with pytest.raises(OptionError, match="too small for the first group of 10 inputs"):
        audit(subject(), inputs(), methods=QUICK, max_calls=20)
    with pytest.raises(OptionError, match="max_calls must be positive"):
        audit(subject(), inputs(), methods=QUICK, max_calls=0)


def test_progress_counts_up_and_ends() -> None:
    steps: list[Progress] = []
    audit(subject(), inputs(20), methods=QUICK, progress=steps.append)
    assert [step.done for step in steps[:-1]] == list(range(len(steps) - 1))
    assert steps[0].seconds_left is None
    assert all(step.seconds_left is not None for step in steps[1:])
    assert steps[-1].done == steps[-1].total


def test_one_input_is_audited_with_its_limits_said() -> None:
    report = audit(subject(), inputs(1), methods=QUICK)
    assert len(report.inputs) == 1
    assert report.verdict != "trusted"
    assert "too few" in " ".join(one.en for one in report.limits)


def test_a_method_that_cannot_explain_this_model_is_left_out() -> None:
    class Plain(torch.nn.Module):
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return rows.flatten(1)[:, :2] * 3

    plain = ModuleSubject(Plain(), unit_names=[f"c{i}" for i in range(10)], labels=("no", "yes"))
    report = audit(plain, inputs(24), methods=QUICK)
    assert {row.name.partition("(")[0] for row in report.methods} == {"Occlusion", "Random"}
    assert report.attention == ""
    assert report.heads == ()
    with pytest.raises(OptionError, match="no method could explain"):
        audit(plain, inputs(24), methods=[Rollout()])


def test_wrong_lists_are_named() -> None:
    with pytest.raises(OptionError, match="truth must have one entry an input"):
        audit(subject(), inputs(4), truth=["yes"])
    with pytest.raises(OptionError, match=r"groups\['place'\]"):
        audit(subject(), inputs(4), groups={"place": ["here"]})
    with pytest.raises(InputError, match="nothing to audit"):
        audit(subject(), inputs(0))


# --- going on after a death --------------------------------------------------------------------


def test_a_finished_journal_gives_the_same_report_without_the_model(tmp_path: Path) -> None:
    first = audit(subject(), inputs(20), methods=QUICK, folder=tmp_path)
    with Counter(subject()) as ran:
        again = audit(ran.subject, inputs(20), methods=QUICK, folder=tmp_path)
    assert ran.count == 0
    assert lasting(first) == lasting(again)
    assert again.run["parts taken over"] > 0


def test_every_cut_of_the_journal_goes_on_to_the_same_report(tmp_path: Path) -> None:
    """As if the process had died at any byte: within a line, between two, at the very start."""
    unbroken = lasting(audit(subject(), inputs(16), methods=QUICK, folder=tmp_path))
    journal = tmp_path / NAME
    full = journal.read_bytes()
    drawn = random.Random(0)
    for end in [0, 1, full.index(b"\n") + 1, *sorted(drawn.sample(range(len(full)), 6))]:
        journal.write_bytes(full[:end])
        assert lasting(audit(subject(), inputs(16), methods=QUICK, folder=tmp_path)) == unbroken
        assert journal.read_bytes() == full


def test_a_journal_of_another_audit_is_refused_unless_told_to_forget(tmp_path: Path) -> None:
    audit(subject(), inputs(12), methods=QUICK, folder=tmp_path)
    for change in ({"seed": 9}, {"methods": [Occlusion(), Random()]}):
        with pytest.raises(InputError, match="belongs to an audit of another"):
            audit(subject(), inputs(12), **{"methods": QUICK, "folder": tmp_path, **change})
    with pytest.raises(InputError, match="belongs to an audit of another"):
        audit(subject(), inputs(12) + 1e-3, methods=QUICK, folder=tmp_path)
    other = subject()
    with torch.no_grad():
        other.model.head.bias += 1e-3
    with pytest.raises(InputError, match="belongs to an audit of another"):
        audit(other, inputs(12), methods=QUICK, folder=tmp_path)
    audit(other, inputs(12), methods=QUICK, folder=tmp_path, fresh=True)


def test_a_larger_budget_goes_on_where_the_smaller_ended(tmp_path: Path) -> None:
    full = audit(subject(), inputs(24), methods=QUICK)
    part = audit(
        subject(), inputs(24), methods=QUICK, folder=tmp_path, max_calls=full.budget.calls // 2
    )
    assert part.budget.exhausted
    rest = audit(subject(), inputs(24), methods=QUICK, folder=tmp_path)
    assert rest.run["parts taken over"] > 0
    assert lasting(rest) == lasting(full)


@pytest.mark.long
def test_killed_ten_times_at_random_moments_it_ends_with_the_same_report(tmp_path: Path) -> None:
    def start(folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-m", "tests.audit.run_one", str(folder)])

    unbroken, broken = tmp_path / "unbroken", tmp_path / "broken"
    began = time.monotonic()
    assert start(unbroken).wait() == 0
    took = time.monotonic() - began
    drawn = random.Random(1)
    kills = taken_over = 0
    while kills < 10:
        process = start(broken)
        time.sleep(drawn.uniform(0.2, 0.9) * took)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.wait()
        if (broken / "report.json").exists():  # it was faster than the kill: begin anew
            (broken / "report.json").unlink()
            (broken / NAME).unlink()
        elif (broken / NAME).exists():
            taken_over = max(taken_over, len((broken / NAME).read_bytes().splitlines()))
    assert taken_over > 1, "every kill came before the first finished part"
    assert start(broken).wait() == 0
    one, other = (from_text((folder / "report.json").read_text("utf-8")) for folder in
                  (unbroken, broken))  # fmt: skip
    assert lasting(one) == lasting(other)
    assert json.loads(to_text(one))["run"] != json.loads(to_text(other))["run"]
