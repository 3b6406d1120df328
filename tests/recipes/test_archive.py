"""Archives that are whole, cut off, bombs, or want out of their folder."""

import gzip
import io
import zipfile
from pathlib import Path

import pytest

from zhuyi.errors import InputError
from zhuyi.recipes.archive import read_file, read_folder


def zipped(members: dict[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return packed.getvalue()


def written(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def test_the_three_forms_say_the_same(tmp_path: Path) -> None:
    plain = written(tmp_path, "x.csv", b"a,b")
    packed = written(tmp_path, "x.csv.gz", gzip.compress(b"a,b"))
    archive = written(tmp_path, "x.zip", zipped({"f/": b"", "f/x.csv": b"a,b", "f/y.csv": b""}))
    nested = written(tmp_path, "n.zip", zipped({"6. Set/Data.zip": zipped({"x.csv": b"a,b"})}))
    for path in (plain, packed, archive, nested):
        assert read_file(path, "x.csv") == b"a,b"


def test_what_macos_adds_is_no_member(tmp_path: Path) -> None:
    members = {"d/x.csv": b"a", "__MACOSX/d/x.csv": b"junk", "__MACOSX/d/._x.csv": b"junk"}
    assert read_file(written(tmp_path, "x.zip", zipped(members)), "x.csv") == b"a"


@pytest.mark.parametrize("cut", [5, 12, -4])
def test_a_cut_off_gzip_is_named(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path, "x.csv.gz", gzip.compress(b"some text" * 50)[:cut])
    with pytest.raises(InputError, match="x.csv.gz cannot be read .* get it again"):
        read_file(path, "x.csv")


def test_a_damaged_gzip_is_named(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"some text" * 50))
    packed[-6] ^= 0xFF  # the checksum of what is inside
    with pytest.raises(InputError, match="cannot be read"):
        read_file(written(tmp_path, "x.csv.gz", bytes(packed)), "x.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_file(written(tmp_path, "y.csv.gz", b"plain text"), "y.csv")


@pytest.mark.parametrize("cut", [3, 40, -10])
def test_a_cut_off_zip_is_named(tmp_path: Path, cut: int) -> None:
    path = written(tmp_path, "x.zip", zipped({"x.csv": b"some text" * 50})[:cut])
    with pytest.raises(InputError, match="x.zip cannot be read"):
        read_file(path, "x.csv")


def test_bombs_are_given_up(tmp_path: Path) -> None:
    zeros = b"\0" * 2_000_000
    with pytest.raises(InputError, match="unpacks to more than 10,000 bytes"):
        read_file(written(tmp_path, "x.csv.gz", gzip.compress(zeros)), "x.csv", limit=10_000)
    bomb = written(tmp_path, "x.zip", zipped({"x.csv": zeros}))
    with pytest.raises(InputError, match="unpacks to more than 10,000 bytes"):
        read_file(bomb, "x.csv", limit=10_000)
    inner = written(tmp_path, "n.zip", zipped({"i.zip": zipped({"x.csv": zeros})}))
    with pytest.raises(InputError, match="unpacks to more than 10,000 bytes"):
        read_file(inner, "x.csv", limit=10_000)


def test_a_zip_that_lies_about_its_size_is_given_up(tmp_path: Path) -> None:
    packed = bytearray(zipped({"x.csv": b"\0" * 2_000_000}))
    entry = packed.rindex(b"PK\x01\x02")
    packed[entry + 24 : entry + 28] = (10).to_bytes(4, "little")  # declared size
    with pytest.raises(InputError):
        read_file(written(tmp_path, "x.zip", bytes(packed)), "x.csv", limit=10_000)


@pytest.mark.parametrize(
    "name", ["../x.csv", "a/../../x.csv", "/etc/x.csv", "C:/x.csv", "..\\x.csv"]
)
def test_names_that_want_out_are_refused(tmp_path: Path, name: str) -> None:
    path = written(tmp_path, "x.zip", zipped({name: b"a", "x.csv": b"b"}))
    with pytest.raises(InputError, match="outside of itself"):
        read_file(path, "x.csv")


def test_none_or_two_of_a_name_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "x.zip", zipped({"a/x.csv": b"1", "b/x.csv": b"2"}))
    with pytest.raises(InputError, match="must hold one file x.csv, got 2"):
        read_file(path, "x.csv")
    with pytest.raises(InputError, match="must hold one file y.csv, got 0"):
        read_file(path, "y.csv")


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no file"):
        read_file(tmp_path / "x.csv", "x.csv")


def test_a_folder_is_read_in_order_and_in_bounds(tmp_path: Path) -> None:
    members = {"r/p/raw/B.csv": b"22", "r/p/raw/A.csv": b"1", "r/p/other/C.csv": b"3"}
    path = written(tmp_path, "x.zip", zipped(members))
    assert list(read_folder(path, ("p", "raw"))) == [("A.csv", b"1"), ("B.csv", b"22")]
    with pytest.raises(InputError, match="more than 1 bytes"):
        list(read_folder(path, ("p", "raw"), limit=2))
