"""One download by pooch: https on every hop, never beyond a size, whole or not at all."""

import importlib.util
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from zhuyi.recipes.datasets import Official

_TIMEOUT = 30.0  # seconds without a byte


class Refused(Exception):
    """Why a download did not happen; `zhuyi.recipes.data` says it to the user."""


def download_file(
    official: Official,
    folder: Path,
    *,
    sha256: str | None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Download one file into a folder; it appears there whole, or not at all.

    Args:
        official: what to download.
        folder: where to; made if it is not there.
        sha256: its checksum, or None where nobody knows it.
        progress: called with the bytes that have come and the bytes announced (0: unknown).

    Raises: Refused: with the reason; nothing is left behind.
    """
    if urlsplit(official.address).scheme != "https":
        raise Refused(f"its address is not https: {official.address}")
    if importlib.util.find_spec("pooch") is None:
        raise Refused("a download needs pooch: pip install 'zhuyi[recipes]'")
    import pooch
    import requests

    downloader = pooch.HTTPDownloader(
        progressbar=_Meter(official.limit, progress),
        timeout=_TIMEOUT,
        hooks={"response": _only_https},
    )
    logger = pooch.get_logger()  # pooch writes to stderr by itself; only `ui` may
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        found = pooch.retrieve(
            official.address,
            known_hash=None if sha256 is None else f"sha256:{sha256}",
            fname=official.file,
            path=folder,
            downloader=downloader,
        )
    except requests.HTTPError as error:
        status = "an error" if error.response is None else error.response.status_code
        raise Refused(f"{official.address} answered {status}") from None
    except (requests.ConnectionError, requests.Timeout) as error:
        raise Refused(f"no connection to {official.address} ({_short(error)})") from None
    except requests.RequestException as error:
        raise Refused(f"{official.address} broke off ({_short(error)})") from None
    except ValueError:
        # pooch's own complaint about a checksum; it has removed what came.
        raise Refused(f"what came from {official.address} has another checksum") from None
    except OSError as error:
        raise Refused(f"it cannot be written to {folder} ({_short(error)})") from None
    finally:
        logger.setLevel(level)
    return Path(found)


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:120]}"


def _only_https(response: Any, *_: Any, **__: Any) -> None:
    """A hook of requests, called at every hop, before the next one is followed."""
    target = response.headers.get("location", "") if response.is_redirect else ""
    for address in (response.url, target):
        if urlsplit(address).scheme not in ("https", ""):
            raise Refused(f"{response.url} leads away from https, to {address or response.url}")


class _Meter:
    """What pooch takes for a progress bar: counts bytes and stops above the limit."""

    def __init__(self, limit: int, progress: Callable[[int, int], None] | None) -> None:
        self.limit = limit
        self.progress = progress
        self.come = 0
        self._total = 0

    @property
    def total(self) -> int:
        return self._total

    @total.setter
    def total(self, announced: int) -> None:
        self._total = announced
        if announced > self.limit:
            raise Refused(f"it announces {announced:,} bytes, more than {self.limit:,}")

    def update(self, more: int) -> None:
        """Pooch counts whole chunks, so up to one chunk too much at the end."""
        self.come += more
        if self.come > self.limit + more:
            raise Refused(f"more than {self.limit:,} bytes came; it was given up")
        if self.progress is not None and self.come:
            self.progress(min(self.come, self._total or self.come), self._total)

    def reset(self) -> None:
        self.come = 0

    def close(self) -> None:
        """Nothing to close."""
