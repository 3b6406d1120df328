"""One server for all tests here, and a folder of runs that it shows."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ui.server.runs import VIEW, logdir_at
from tests.ui.server.standing import Standing, standing
from zhuyi.ui.server.limits import Limits
from zhuyi.ui.server.logdir import RunsArchive
from zhuyi.ui.server.site import make_site


@pytest.fixture(scope="session")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs with three looks each."""
    return logdir_at(tmp_path_factory.mktemp("logdir"), "a", "b/c")


@pytest.fixture(scope="session")
def server(logdir: Path) -> Iterator[Standing]:
    """The server of `logdir`, with times so short that a test may wait for them."""
    archive = RunsArchive(logdir)
    limits = Limits(head_seconds=0.8, body_seconds=0.8, leave_seconds=0.8, connections=40)
    with standing(make_site(archive, title="zhuyi", script=VIEW), limits) as up:
        yield up
