"""The cache's own list of checksums, for files whose publisher gives none."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from zhuyi.errors import InputError

_LIST = "checksums.json"


def recorded(cache: Path, file: str) -> str | None:
    """The checksum recorded when a file was first downloaded, or None."""
    entry = _entries(cache).get(file)
    return None if entry is None else entry["sha256"]


def record(cache: Path, file: str, *, sha256: str, address: str) -> None:
    """Write down the checksum of a first download; a recorded one is never overwritten."""
    entries = _entries(cache)
    if file in entries:
        return
    day = datetime.now(UTC).date().isoformat()
    entries[file] = {"sha256": sha256, "address": address, "day": day}
    fresh = cache / f"{_LIST}.{os.getpid()}"
    fresh.write_text(json.dumps(entries, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    fresh.replace(cache / _LIST)


def _entries(cache: Path) -> dict[str, dict[str, str]]:
    path = cache / _LIST
    if not path.is_file():
        return {}
    why = f"{path} is not a list of checksums: delete it, and downloads are recorded anew"
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise InputError(why) from None
    if not isinstance(entries, dict) or not all(
        isinstance(entry, dict) and isinstance(entry.get("sha256"), str)
        for entry in entries.values()
    ):
        raise InputError(why)
    return entries
