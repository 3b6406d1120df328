"""docs/learn.md: its commands run, in the order it shows them (its Python runs in `make docs`)."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.check_docs import Document, commands
from zhuyi.ui.cli import main

PAGE = Path(__file__).resolve().parents[3] / "docs" / "learn.md"


@pytest.mark.long
def test_the_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = Document("docs/learn.md", PAGE.read_text(encoding="utf-8"))
    monkeypatch.chdir(tmp_path)
    # only the block that writes the table; the others are not needed for the commands
    subprocess.run([sys.executable, "-c", page.blocks("python")[0]], check=True, timeout=60)
    shown = commands(page)
    assert [shlex.split(line)[1] for line in shown] == ["fit", "predict", "predict", "audit"]
    for line in shown:
        main([*shlex.split(line)[1:], "--quiet"])
    told = capsys.readouterr().out
    assert "On 240 held-out rows" in told
    assert Path("predicted.csv").read_text("utf-8").startswith("row,prediction,p(0),p(1)\n1,")
    assert Path("audit/report.html").is_file()
