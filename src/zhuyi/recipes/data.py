"""Find a file of a known data set: ZHUYI_DATA, then the cache, then its official address."""

import hashlib
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path

from zhuyi.errors import DataUnavailable, InputError
from zhuyi.recipes.checksums import record, recorded
from zhuyi.recipes.datasets import DataFile, Official, dataset_of, file_named
from zhuyi.recipes.download import Refused, download_file

Progress = Callable[[int, int], None]
"""Called with the bytes that have come and the bytes announced (0: not announced)."""

_INSTALL = "pip install 'zhuyi[recipes]'"


def fetch(name: str, *, download: bool = True, progress: Progress | None = None) -> Path:
    """The path of a file of a known data set.

    Looked for in the folder that the environment variable ZHUYI_DATA names, then in the cache
    (ZHUYI_CACHE, else the platform's folder for caches), then downloaded from its official address
    into the cache. The checksum is checked wherever it is known; where a publisher's own form has
    none, the one of the first download is recorded in the cache and held to afterwards. Nothing is
    unpacked or unpickled; the loaders read the file where it lies.

    Args:
        name: as in `zhuyi.recipes.datasets.FILES`.
        download: whether the network may be used.
        progress: called as bytes come in.

    Returns: the path; its form is told by its ending (.gz, .zip or plain).
    Raises:  OptionError: if no data set has a file of this name.
        InputError: if a file was found whose checksum is another, or ZHUYI_DATA is no folder.
        DataUnavailable: if it is not there and cannot be downloaded.
    Cost:    one pass over the file for its checksum.
    Not:     a permission: read the license in `zhuyi.recipes.datasets` first.

    Example:
        >>> fetch("ai4i2021")
        Traceback (most recent call last):
            ...
        zhuyi.errors.OptionError: no data set has a file 'ai4i2021'; there are ...
    """
    return fetch_file(file_named(name), download=download, progress=progress)


def fetch_file(
    wanted: DataFile, *, download: bool = True, progress: Progress | None = None
) -> Path:
    """The same for a record of a file, which need not be in the table."""
    folder = data_folder()
    if folder is not None and (found := _in_folder(wanted, folder)) is not None:
        return found
    cache = cache_folder()
    if cache is not None and (found := _in_folder(wanted, cache)) is not None:
        return found
    official = wanted.official
    if official is None:
        raise _unavailable(wanted, "nobody hands out this form of it")
    if not download:
        raise _unavailable(wanted, "it is not on this machine and a download was not allowed")
    if cache is None:
        raise _unavailable(wanted, f"a download needs pooch: {_INSTALL}")
    return _downloaded(wanted, official, cache, progress)


def data_folder() -> Path | None:
    """The folder that ZHUYI_DATA names, or None.

    Raises: InputError: if it names something that is no folder.
    """
    named = os.environ.get("ZHUYI_DATA")
    if not named:
        return None
    folder = Path(named).expanduser()
    if not folder.is_dir():
        raise InputError(f"ZHUYI_DATA must name a folder, got {named!r}: make it, or unset it")
    return folder


def cache_folder() -> Path | None:
    """Where downloads are kept: ZHUYI_CACHE, else the platform's folder for caches.

    None where neither the variable is set nor pooch is installed, which knows the platforms.
    """
    if named := os.environ.get("ZHUYI_CACHE"):
        return Path(named).expanduser()
    if importlib.util.find_spec("pooch") is None:
        return None
    import pooch

    return Path(pooch.os_cache("zhuyi"))


def sha256_of(path: Path) -> str:
    """The checksum of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _in_folder(wanted: DataFile, folder: Path) -> Path | None:
    """The file in a folder, as kept in ZHUYI_DATA or as the publisher names it; checked."""
    known = [(wanted.file, wanted.sha256)]
    if wanted.official is not None and wanted.official.file != wanted.file:
        known.append((wanted.official.file, wanted.official.sha256))
    for file, sha256 in known:
        path = folder / file
        if path.is_file():
            _check(path, sha256 or _recorded(file))
            return path
    return None


def _check(path: Path, expected: str | None) -> None:
    if expected is None:
        return
    got = sha256_of(path)
    if got != expected:
        raise InputError(
            f"{path} must have sha256 {expected}, got {got}: it is damaged or another version; "
            "delete it and get it again"
        )


def _recorded(file: str) -> str | None:
    cache = cache_folder()
    return None if cache is None else recorded(cache, file)


def _downloaded(
    wanted: DataFile, official: Official, cache: Path, progress: Progress | None
) -> Path:
    expected = official.sha256 or recorded(cache, official.file)
    try:
        path = download_file(official, cache, sha256=expected, progress=progress)
    except Refused as error:
        raise _unavailable(wanted, str(error)) from None
    if expected is None:
        record(cache, official.file, sha256=sha256_of(path), address=official.address)
    return path


def _unavailable(wanted: DataFile, why: str) -> DataUnavailable:
    """Why a file cannot be had, and how to get it by hand."""
    official, dataset = wanted.official, dataset_of(wanted)
    names = wanted.file
    if official is not None and official.file != wanted.file:
        names += f" or {official.file}"
    origin = official.address if official is not None else dataset.home if dataset else "its home"
    terms = f" (license: {dataset.license})" if dataset is not None else ""
    return DataUnavailable(
        f"{wanted.name} cannot be had: {why}. By hand: get it from {origin}{terms}, save it as "
        f"{names}, and set ZHUYI_DATA to the folder it is in"
    )
