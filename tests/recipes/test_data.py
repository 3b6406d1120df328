"""fetch: where it looks, what it refuses, and what it says then. No network, no real data."""

import gzip
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from zhuyi.errors import DataUnavailable, InputError, OptionError
from zhuyi.recipes import data
from zhuyi.recipes.checksums import record, recorded
from zhuyi.recipes.data import cache_folder, fetch, fetch_file, sha256_of
from zhuyi.recipes.datasets import DATASETS, FILES, DataFile, Official
from zhuyi.recipes.download import Refused

CONTENT = b"a,b\n1,2\n"
PACKED = gzip.compress(CONTENT, mtime=0)


def some_file(*, sha256: str | None = None, official_sha: str | None = None) -> DataFile:
    official = Official(
        file="tiny.zip", address="https://example.org/tiny.zip", limit=1000, sha256=official_sha
    )
    return DataFile(name="tiny", file="tiny.csv.gz", sha256=sha256, rows=1, official=official)


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], list[str]]:
    """Answer every download with these bytes; the list collects what was asked."""

    def serve(content: bytes) -> list[str]:
        asked: list[str] = []

        def download(
            official: Official,
            folder: Path,
            *,
            sha256: str | None,
            progress: Callable[[int, int], None] | None = None,
        ) -> Path:
            asked.append(official.address)
            if sha256 is not None and sha256 != sha(content):
                raise Refused("another checksum")
            folder.mkdir(parents=True, exist_ok=True)
            (folder / official.file).write_bytes(content)
            return folder / official.file

        monkeypatch.setattr(data, "download_file", download)
        return asked

    return serve


def test_the_named_folder_comes_first(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = tmp_path / "mine"
    for folder in (mine, bare):
        folder.mkdir()
        (folder / "tiny.csv.gz").write_bytes(PACKED)
    monkeypatch.setenv("ZHUYI_DATA", str(mine))
    assert fetch_file(some_file(sha256=sha(PACKED))) == mine / "tiny.csv.gz"
    monkeypatch.delenv("ZHUYI_DATA")
    assert fetch_file(some_file(sha256=sha(PACKED))) == bare / "tiny.csv.gz"


def test_a_file_of_another_checksum_is_refused_not_passed_over(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: Callable[..., list[str]]
) -> None:
    asked = served(CONTENT)
    (tmp_path / "tiny.csv.gz").write_bytes(PACKED + b"x")
    monkeypatch.setenv("ZHUYI_DATA", str(tmp_path))
    with pytest.raises(InputError, match=f"must have sha256 {sha(PACKED)}, got"):
        fetch_file(some_file(sha256=sha(PACKED)))
    assert asked == []


def test_a_folder_that_is_not_there_is_an_error(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ZHUYI_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="must name a folder"):
        fetch_file(some_file())


def test_the_first_download_is_recorded_and_held_to(
    bare: Path, served: Callable[..., list[str]]
) -> None:
    asked = served(CONTENT)
    path = fetch_file(some_file())
    assert path == bare / "tiny.zip"
    assert recorded(bare, "tiny.zip") == sha(CONTENT) == sha256_of(path)
    assert fetch_file(some_file()) == path
    assert asked == ["https://example.org/tiny.zip"], "the second call needs no download"
    path.write_bytes(b"changed on disk")
    with pytest.raises(InputError, match="must have sha256"):
        fetch_file(some_file())
    path.unlink()
    served(b"changed at the publisher")
    with pytest.raises(DataUnavailable, match="another checksum"):
        fetch_file(some_file())
    assert recorded(bare, "tiny.zip") == sha(CONTENT)


def test_a_recorded_checksum_is_never_overwritten(tmp_path: Path) -> None:
    record(tmp_path, "x", sha256="1", address="https://a")
    record(tmp_path, "x", sha256="2", address="https://a")
    record(tmp_path, "y", sha256="3", address="https://b")
    assert (recorded(tmp_path, "x"), recorded(tmp_path, "y")) == ("1", "3")
    assert [p.name for p in tmp_path.iterdir()] == ["checksums.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"x": 1}', '{"x": {"sha256": 5}}'])
def test_a_damaged_list_of_checksums_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "checksums.json").write_text(text)
    with pytest.raises(InputError, match="not a list of checksums: delete it"):
        recorded(tmp_path, "x")


def test_what_cannot_be_had_says_how_to_get_it_by_hand(bare: Path) -> None:
    with pytest.raises(DataUnavailable) as caught:
        fetch("ai4i2020", download=False)
    text = str(caught.value)
    assert "a download was not allowed" in text
    assert "https://archive.ics.uci.edu/static/public/601/" in text
    assert "CC BY 4.0" in text
    assert "save it as ai4i2020.csv.gz or ai4i2020.zip, and set ZHUYI_DATA" in text
    assert not bare.exists(), "nothing is written for a refusal"


def test_what_nobody_hands_out_says_so(bare: Path) -> None:
    with pytest.raises(DataUnavailable, match="nobody hands out this form.*GPL-3"):
        fetch("nhanes_1999_2020")


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(OptionError, match="no data set has a file 'iris'; there are RUL_FD001"):
        fetch("iris")


def test_the_cache_follows_the_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ZHUYI_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    pytest.importorskip("pooch")
    folder = cache_folder()
    assert folder is not None
    assert folder.name == "zhuyi"
    monkeypatch.setenv("ZHUYI_CACHE", str(tmp_path / "own"))
    assert cache_folder() == tmp_path / "own"


def test_the_table_is_whole() -> None:
    names = [file.name for dataset in DATASETS for file in dataset.files]
    assert len(names) == len(set(names)) == len(FILES) == 19
    for dataset in DATASETS:
        assert dataset.license
        assert dataset.citation
        assert dataset.home.startswith("https://")
        for file in dataset.files:
            assert file.sha256 is not None
            assert len(bytes.fromhex(file.sha256)) == 32
            if file.official is not None:
                assert file.official.address.startswith("https://")
                assert "/" not in file.official.file


def test_the_checksums_are_those_of_the_real_files(real_data: Path) -> None:
    for name, file in FILES.items():
        assert fetch(name, download=False) == real_data / file.file
    listing = (real_data / "README.md").read_text(encoding="utf-8")
    for file in FILES.values():
        assert f"{file.sha256}  {file.file}" in listing


def test_the_list_of_checksums_is_json_for_people(tmp_path: Path) -> None:
    record(tmp_path, "x.zip", sha256="ab", address="https://a")
    entry = json.loads((tmp_path / "checksums.json").read_text())["x.zip"]
    assert (entry["sha256"], entry["address"]) == ("ab", "https://a")
