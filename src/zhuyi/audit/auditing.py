"""`audit`: what decides, what it looks at, and whether that may be believed."""

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import torch

from zhuyi.audit.assembling import assemble
from zhuyi.audit.inputs import About, Inputs, readable
from zhuyi.audit.journal import Journal, data_fingerprint, fingerprint, model_fingerprint
from zhuyi.audit.meter import Meter
from zhuyi.audit.plan import make_plan
from zhuyi.audit.progress import Listener, Progress, silent
from zhuyi.audit.report import AuditReport
from zhuyi.audit.stages import Stages, Work
from zhuyi.core.record import Said
from zhuyi.errors import OptionError
from zhuyi.explain import (
    GradientAttention,
    InputGradient,
    IntegratedGradients,
    Occlusion,
    Random,
    Received,
    Rollout,
    ValueNorm,
)
from zhuyi.trace.subject import Batch, ModelSubject, Subject
from zhuyi.verify import Deletion, Method, Thresholds

ATTENTION = (Received, Rollout, ValueNorm)
"""Methods that read attention only: their picture is what people call where a model looks."""


def default_methods() -> tuple[Method, ...]:
    """The methods that an audit compares when none are named; random values always join them."""
    return (
        Occlusion(),
        IntegratedGradients(steps=16),
        InputGradient(),
        GradientAttention(),
        ValueNorm(),
        Rollout(),
        Received(),
    )


def audit(
    subject: Subject,
    batch: Batch,
    *,
    truth: Sequence[str | None] | None = None,
    groups: Mapping[str, Sequence[str]] | None = None,
    methods: Sequence[Method] | None = None,
    own: Method | None = None,
    about: About | None = None,
    thresholds: Thresholds | None = None,
    seed: int = 0,
    max_calls: int | None = None,
    max_seconds: float | None = None,
    folder: Path | str | None = None,
    fresh: bool = False,
    progress: Listener = silent,
) -> AuditReport:
    """Audit a model's decisions and their explanations on some inputs.

    Several methods explain every input. On inputs held back for it, the removal test chooses the
    best of them; on all others the choice is tested: by removal against random orders and against
    the best and worst order the model allows, by randomizing the model, by small changes, by
    looking for hidden units, for other attention with the same output, for other ways of removal.

    Args:
        subject: whatever decides.
        batch: the inputs; 50 or more make a verdict that can be sure.
        truth: per input, the name of the right decision, or None.
        groups: column -> per input, the group it belongs to.
        methods: what to compare; None for `default_methods`. Random values always join them.
        own: how the model explains itself, where it does: then the report is on that explanation,
            whichever of the methods does best.
        about: names for the report.
        thresholds: where a number becomes a verdict.
        seed: of the split and everything random; the same seed gives the same report but `run`.
        max_calls: most sequences to run through the model.
        max_seconds: most seconds; how far the audit gets then depends on the machine.
        folder: where finished parts are written down, so that an audit that dies goes on there.
        fresh: forget what `folder` holds.
        progress: called before every part.

    Returns: the report; `report.save(path)` writes it as .json, .html, .md or .xml (JUnit).
    Raises:  InputError: no input can be read, or `folder` holds another audit. OptionError: lists
        of other lengths, or a budget too small for the first group.
    Cost:    for 200 sentences of 20 words and a 6-layer encoder some 60,000 short forward passes,
        in batches; see docs/benchmarks.md.
    Not:     a proof, a license to use the model, or a claim of compliance with any law.
    """
    about = About() if about is None else about
    started = time.monotonic()
    inputs = readable(subject, batch, truth, groups, about)
    work = _work(subject, inputs, methods, own, thresholds, seed)
    settings = _settings(work)
    data = data_fingerprint(inputs.batch)
    texts = [*settings.values(), subject.removal, data, *inputs.units, *inputs.rows]
    journal = Journal(
        None if folder is None else Path(folder),
        fingerprint(subject, [str(text) for text in texts]),
        fresh=fresh,
    )
    results = Stages(work, journal, Meter(max_calls, max_seconds), progress).run()
    if not results.chosen:
        raise OptionError(
            f"the budget (max_calls={max_calls}, max_seconds={max_seconds}) is too small for the "
            f"first group of {len(work.plan.choosing_chunks[0])} inputs: allow more, or pass fewer "
            "methods"
            if results.exhausted
            else "no method could explain this model: pass methods= that can"
        )
    report = assemble(
        work,
        results,
        inputs=inputs,
        about=about,
        settings=settings,
        model=_model_facts(subject),
        bounds=(max_calls, max_seconds),
    )
    progress(Progress(stage=Said(en="done", zh="完成"), done=1, total=1, seconds_left=0.0))
    return replace(report, run=_run(time.monotonic() - started, journal.resumed))


def _work(
    subject: Subject,
    inputs: Inputs,
    methods: Sequence[Method] | None,
    own: Method | None,
    thresholds: Thresholds | None,
    seed: int,
) -> Work:
    random = Random(seed=seed)
    chosen = default_methods() if methods is None else tuple(methods)
    if own is not None and own not in chosen:
        chosen = (own, *chosen)
    compared = (*(one for one in chosen if not isinstance(one, Random)), random)
    return Work(
        subject=subject,
        batch=inputs.batch,
        plan=make_plan(inputs.units, seed=seed),
        methods=compared,
        attention=tuple(repr(one) for one in compared if isinstance(one, ATTENTION)),
        control=repr(random),
        own="" if own is None else repr(own),
        deletion=Deletion(steps=8, orders=4, width=1),
        thresholds=Thresholds() if thresholds is None else thresholds,
        seed=seed,
    )


def _settings(work: Work) -> dict[str, str | int | float]:
    return {
        "seed": work.seed,
        "methods": "; ".join(map(repr, work.methods)),
        **({"the model's own explanation": work.own} if work.own else {}),
        "deletion": repr(work.deletion),
        "thresholds": repr(work.thresholds),
        "inputs for the choice": len(work.plan.choosing),
        "inputs for the verdict": len(work.plan.testing),
        "zhuyi": version("zhuyi"),
        "torch": torch.__version__,
    }


def _model_facts(subject: Subject) -> dict[str, str | int]:
    facts: dict[str, str | int] = {"subject": type(subject).__name__}
    if isinstance(subject, ModelSubject):
        model = subject.model
        facts |= {
            "class": type(model).__name__,
            "parameters": sum(one.numel() for one in model.parameters()),
            "fingerprint": model_fingerprint(subject),
        }
    return facts


def _run(seconds: float, resumed: int) -> dict[str, str | int | float]:
    """What differs from run to run."""
    return {
        "date": time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime()),
        "seconds": round(seconds, 1),
        "parts taken over": resumed,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
    }
