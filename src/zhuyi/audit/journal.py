"""What an audit has finished, kept on disk so that a run that dies can go on.

One line of JSON a part, written through to the disk before the next part begins. A line that was
cut short by the end of the process counts for nothing.
"""

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from zhuyi.errors import InputError
from zhuyi.trace.subject import Batch, ModelSubject, Subject

NAME = "audit.journal.jsonl"
"""The journal's file name in the audit's folder."""


class Journal:
    """Finished parts of one audit by name.

    Args:
        folder: where the journal lies; None keeps parts in memory only.
        fingerprint: of all that the results depend on; a journal of another is refused.
        fresh: forget what lies there.

    Raises: InputError: the folder holds the journal of another audit, or cannot be written.
    """

    def __init__(self, folder: Path | None, fingerprint: str, *, fresh: bool = False) -> None:
        self.path = None if folder is None else folder / NAME
        self.resumed = 0
        self._parts: dict[str, Any] = {}
        if self.path is None:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if fresh:
                self.path.unlink(missing_ok=True)
            if self.path.exists():
                self._read(fingerprint)
            if not self.path.exists():
                self._append({"fingerprint": fingerprint})
        except OSError as error:
            raise InputError(f"cannot write the audit's journal {self.path}: {error}") from None
        self.resumed = len(self._parts)

    def part(self, name: str, work: Callable[[], Any]) -> Any:
        """The part's result: read where it is finished, else made by `work` and written down.

        `work` returns plain JSON values, which is also what comes back: the same either way.
        """
        if name not in self._parts:
            found = json.loads(json.dumps(work(), allow_nan=False))
            if self.path is not None:
                self._append({"part": name, "result": found})
            self._parts[name] = found
        return self._parts[name]

    def has(self, name: str) -> bool:
        """Whether a part is finished."""
        return name in self._parts

    def _read(self, fingerprint: str) -> None:
        assert self.path is not None
        whole = self.path.read_bytes()
        lines = whole.split(b"\n")
        end = len(whole) - len(lines[-1])  # behind the last newline: cut short, or empty
        entries = [json.loads(line) for line in lines[:-1]]
        if not entries:
            self.path.unlink()
            return
        if entries[0].get("fingerprint") != fingerprint:
            raise InputError(
                f"{self.path} belongs to an audit of another model, data or settings: choose "
                "another folder, or start afresh (fresh=True, --fresh)"
            )
        self._parts = {entry["part"]: entry["result"] for entry in entries[1:]}
        if end < len(whole):
            with self.path.open("r+b") as file:
                file.truncate(end)

    def _append(self, entry: dict[str, Any]) -> None:
        assert self.path is not None
        line = json.dumps(entry, ensure_ascii=True, allow_nan=False) + "\n"
        with self.path.open("ab") as file:
            file.write(line.encode("ascii"))
            file.flush()
            os.fsync(file.fileno())


def fingerprint(subject: Subject, settings: Sequence[str]) -> str:
    """A number for the model's parameters and everything else that decides the results."""
    digest = hashlib.sha256()
    for text in settings:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    digest.update(model_fingerprint(subject).encode())
    return digest.hexdigest()


def data_fingerprint(batch: Batch) -> str:
    """A number for the inputs' contents: of tensors their bytes, of texts and pairs themselves.

    Of other kinds (images) only how many there are; their units stand in the settings.
    """
    digest = hashlib.sha256(str(len(batch)).encode())
    if isinstance(batch, Tensor):
        flat = batch.detach().cpu().contiguous().reshape(-1)
        digest.update(f"{tuple(batch.shape)} {batch.dtype}".encode())
        digest.update(flat.view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()
    for item in batch:
        if isinstance(item, str | tuple | list):
            digest.update(repr(item).encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


def model_fingerprint(subject: Subject) -> str:
    """SHA-256 over names, shapes and values of the model's parameters and buffers.

    Of a tensor of more than 4,194,304 numbers that many, evenly spaced, are read.
    """
    digest = hashlib.sha256(type(subject).__name__.encode())
    if isinstance(subject, ModelSubject):
        for name, tensor in subject.model.state_dict().items():
            digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
            flat = tensor.detach().reshape(-1)
            taken = flat[:: max(1, flat.numel() // 4_194_304)].cpu().contiguous()
            digest.update(taken.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]
