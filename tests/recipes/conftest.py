"""Real data where ZHUYI_DATA names them; and a world in which neither they nor a cache exist."""

import os
from pathlib import Path

import pytest


@pytest.fixture
def real_data() -> Path:
    """The folder with the real data sets. Skips where there is none."""
    named = os.environ.get("ZHUYI_DATA")
    if not named:
        pytest.skip("ZHUYI_DATA is not set: no real data")
    return Path(named)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No ZHUYI_DATA, and an empty cache in the returned folder."""
    cache = tmp_path / "cache"
    monkeypatch.delenv("ZHUYI_DATA", raising=False)
    monkeypatch.setenv("ZHUYI_CACHE", str(cache))
    return cache
