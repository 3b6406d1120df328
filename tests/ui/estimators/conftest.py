"""Models that several files ask: fitted once, by the command itself."""

from pathlib import Path

import pytest

from tests.ui.estimators.tables import write_machines
from zhuyi.ui.cli import main


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The table of machines."""
    return write_machines(tmp_path_factory.mktemp("data") / "machines.csv")


@pytest.fixture(scope="session")
def classifier(machines: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Whether a machine fails."""
    folder = tmp_path_factory.mktemp("models") / "fails"
    main(["fit", str(machines), "--target", "failure", "--drop", "serial", "--group", "plant",
          "--epochs", "12", "--quiet", "-o", str(folder)])  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def regressor(machines: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """How worn its tool is."""
    folder = tmp_path_factory.mktemp("models") / "wear"
    main(["fit", str(machines), "--target", "wear min", "--drop", "serial", "--drop", "plant",
          "--epochs", "6", "--quiet", "-o", str(folder)])  # fmt: skip
    return folder


@pytest.fixture(scope="session")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of texts, beside them the table it was fitted on."""
    home = tmp_path_factory.mktemp("models")
    lines = [f"{'房间干净' if n % 2 else '早餐难吃'}{'，不错' * (n % 3)},{'好' if n % 2 else '差'}"
             for n in range(60)]  # fmt: skip
    table = home / "reviews.csv"
    table.write_text("\n".join(["review,says", *lines]) + "\n", encoding="utf-8")
    main(["fit", str(table), "--target", "says", "--text", "review", "--epochs", "6", "--quiet",
          "-o", str(home / "reader")])  # fmt: skip
    return home / "reader"
