"""Read a file out of .gz and .zip without unpacking anything to disk, up to a stated size."""

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from zhuyi.errors import InputError
from zhuyi.recipes.datasets import MEGABYTE

LIMIT = 200 * MEGABYTE
"""Bytes of one file, unpacked, that are still read; the largest known one has 26 million."""

_DAMAGE = (EOFError, OSError, zlib.error, zipfile.BadZipFile, NotImplementedError, RuntimeError)


def read_file(path: Path, member: str, *, limit: int = LIMIT) -> bytes:
    """The bytes of one file: plain, or out of a .gz or a .zip.

    A .zip may hold the member in any folder, or within one inner .zip (as NASA packs C-MAPSS).
    Nothing is written, so a name with "../" in it could do no harm; it is refused all the same.

    Args:
        path: the file.
        member: the name within a .zip, without folders.
        limit: bytes at which to stop; holds for what is unpacked, whatever the archive declares.

    Raises: InputError: a damaged or cut off archive, none or several members of that name, more
        than `limit` bytes, encryption.

    Example:
        >>> path = Path("day.csv.gz")
        >>> _ = path.write_bytes(gzip.compress(b"a,b"))
        >>> read_file(path, "day.csv")
        b'a,b'
    """
    with _damage_named(path):
        if path.suffix == ".gz":
            with gzip.open(path) as stream:
                return _bounded(stream, limit, path.name)
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                return _member(archive, member, limit, path.name)
        with path.open("rb") as stream:
            return _bounded(stream, limit, path.name)


def read_folder(
    path: Path, folder: tuple[str, ...], *, limit: int = LIMIT
) -> Iterator[tuple[str, bytes]]:
    """The files below a folder of a .zip, as (path below that folder, bytes), in order of names.

    Args:
        path: a .zip.
        folder: the folder's own path, as it ends: ("price", "raw") also finds a/b/price/raw/.
        limit: bytes of all of them together, unpacked.

    Raises: InputError: as `read_file`.
    """
    left = limit
    with _damage_named(path), zipfile.ZipFile(path) as archive:
        for info in sorted(_files(archive, path.name), key=lambda info: info.filename):
            parts = PurePosixPath(info.filename).parts
            at = _after(parts, folder)
            if at is None:
                continue
            with archive.open(info) as stream:
                data = _bounded(stream, left, info.filename)
            left -= len(data)
            yield "/".join(parts[at:]), data


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Turn the many errors of a bad archive into one that says what to do."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"there is no file {path}") from None
    except _DAMAGE as error:
        kind = type(error).__name__
        raise InputError(
            f"{path} cannot be read ({kind}: {error}): it is cut off or damaged; get it again"
        ) from None


def _bounded(stream: IO[bytes] | gzip.GzipFile, limit: int, name: str) -> bytes:
    data = stream.read(limit + 1)
    if len(data) > limit:
        raise InputError(f"{name} unpacks to more than {limit:,} bytes, and was given up")
    return data


def _files(archive: zipfile.ZipFile, name: str) -> list[zipfile.ZipInfo]:
    """The archive's files, without what macOS adds; an archive with a hostile name is refused."""
    found = []
    for info in archive.infolist():
        pure = PurePosixPath(info.filename.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or ":" in info.filename[:2]:
            raise InputError(f"{name} names a file outside of itself ({info.filename!r}): refused")
        if info.is_dir() or "__MACOSX" in pure.parts:
            continue
        found.append(info)
    return found


def _member(archive: zipfile.ZipFile, member: str, limit: int, name: str) -> bytes:
    files = _files(archive, name)
    chosen = [info for info in files if PurePosixPath(info.filename).name == member]
    if not chosen:
        inner = [info for info in files if info.filename.endswith(".zip")]
        if len(inner) == 1:
            with archive.open(inner[0]) as stream:
                packed = _bounded(stream, limit, inner[0].filename)
            with zipfile.ZipFile(io.BytesIO(packed)) as within:
                # Only one step inwards: an archive of archives without end is not followed.
                chosen = [
                    info
                    for info in _files(within, name)
                    if PurePosixPath(info.filename).name == member
                ]
                return _only(within, chosen, member, limit, name)
    return _only(archive, chosen, member, limit, name)


def _only(
    archive: zipfile.ZipFile,
    chosen: list[zipfile.ZipInfo],
    member: str,
    limit: int,
    name: str,
) -> bytes:
    if len(chosen) != 1:
        raise InputError(f"{name} must hold one file {member}, got {len(chosen)}")
    with archive.open(chosen[0]) as stream:
        return _bounded(stream, limit, member)


def _after(parts: tuple[str, ...], folder: tuple[str, ...]) -> int | None:
    """Where the path goes on after a folder, or None."""
    width = len(folder)
    for start in range(len(parts) - width):
        if parts[start : start + width] == folder:
            return start + width
    return None
