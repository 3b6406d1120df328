"""Records of CSV, JSON Lines and Parquet files, one by one; a broken one says why.

A record is a mapping from column to value. What is wrong with one record is a `Broken` in its
place, so that the reader of a table can count it, name it and go on.
"""

import codecs
import csv
import gzip
import io
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from zhuyi.core.record import Said
from zhuyi.errors import InputError

_DELIMITERS = (",", ";", "\t")
_CSV_FIELD = 2**27  # characters of one field; the csv module's own limit is 131,072
_SAMPLE = 2**16
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


@dataclass(frozen=True)
class Broken:
    """Stands where a record should be.

    Args:
        reason: what is wrong with it.
    """

    reason: Said


Record = Mapping[str, Any]
Records = Iterator[Record | Broken]
Opened = tuple[tuple[str, ...], Records]


def open_records(path: Path, wanted: Sequence[str]) -> AbstractContextManager[Opened]:
    """The columns of a file and its records, while the context is open.

    Args:
        path: a .csv, .tsv, .jsonl or .parquet file; all but the last also as .gz.
        wanted: the columns that will be asked for.

    Returns: a context with the columns (for JSON Lines those of its first objects) and the
        records in order.

    Raises: InputError: if the file cannot be read at all, its kind is unknown, it is empty, or a
        wanted column stands twice in its header.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = bool(suffixes) and suffixes[-1] == ".gz"
    kind = suffixes[-2] if packed and len(suffixes) > 1 else suffixes[-1] if suffixes else ""
    if kind == ".parquet" and not packed:
        return _parquet(path, wanted)
    reader = {".csv": _csv, ".tsv": _csv, ".jsonl": _jsonl, ".ndjson": _jsonl}.get(kind)
    if reader is None:
        raise InputError(
            f"{path.name} must end in .csv, .tsv, .jsonl, .ndjson (each also with .gz) or "
            ".parquet, so that its format is known"
        )
    return reader(path, packed, wanted)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """What the system says of a file, as our error."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path.name} is not a whole gzip file") from None
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from None


@contextmanager
def _open(path: Path, packed: bool) -> Iterator[IO[bytes]]:
    with _naming(path):
        opened = gzip.open(path, "rb") if packed else path.open("rb")  # noqa: SIM115 - see below
    with opened:
        stream = cast("IO[bytes]", opened)
        with _naming(path):
            start = stream.read(_SAMPLE)
            stream.seek(0)
        if start.startswith(_UTF16):
            raise InputError(f"{path.name} is UTF-16 text: save it as UTF-8")
        if not start.removeprefix(codecs.BOM_UTF8).strip():
            raise InputError(f"{path.name} is empty: it must hold a header and at least one row")
        yield stream


# --- CSV --------------------------------------------------------------------------------------


@contextmanager
def _csv(path: Path, packed: bool, wanted: Sequence[str]) -> Iterator[Opened]:
    with _open(path, packed) as stream:
        # Bytes that are not UTF-8 become lone surrogates, which name their row later.
        text = io.TextIOWrapper(stream, "utf-8-sig", errors="surrogateescape", newline="")
        with text, _naming(path):
            sample = text.read(_SAMPLE)
            text.seek(0)
            delimiter, header = _header(path, sample, wanted)
            _no_twins(path, header, wanted)
            reader = csv.reader(text, delimiter=delimiter, strict=True)
            with _large_fields():
                next(reader)
            yield header, _csv_records(reader, header)


def _header(path: Path, sample: str, wanted: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The delimiter under which the header names most of what is wanted, then most columns."""
    best: tuple[int, int, str, tuple[str, ...]] = (-1, 0, ",", ())
    for delimiter in _DELIMITERS:
        try:
            sampled = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=True)
            with _large_fields():
                fields = next(sampled, [])
        except csv.Error:
            continue
        names = tuple(name.strip() for name in fields)
        known = sum(name in names for name in wanted)
        if (known, len(names)) > best[:2]:
            best = (known, len(names), delimiter, names)
    if best[0] < 0:
        raise InputError(f"the first line of {path.name} is not a header of columns")
    return best[2], best[3]


def _csv_records(reader: Iterator[list[str]], header: tuple[str, ...]) -> Records:
    while True:
        try:
            with _large_fields():
                fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Broken(_quotes(str(error)))
            continue
        except (EOFError, zlib.error, OSError):
            yield Broken(ENDS)
            return
        if not fields:
            continue  # an empty line is no record
        if len(fields) != len(header):
            yield Broken(_count(len(fields), len(header)))
        else:
            yield dict(zip(header, fields))


@contextmanager
def _large_fields() -> Iterator[None]:
    """The csv module has one limit for the whole process; it is put back."""
    before = csv.field_size_limit(_CSV_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)


# --- JSON Lines -------------------------------------------------------------------------------


@contextmanager
def _jsonl(path: Path, packed: bool, wanted: Sequence[str]) -> Iterator[Opened]:
    with _open(path, packed) as stream:
        sample = stream.read(_SAMPLE)
        stream.seek(0)
        if sample.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
            raise InputError(f"{path.name} is a JSON array: write one object a line")
        lines = sample.splitlines()
        if len(sample) == _SAMPLE:
            lines.pop()  # cut
        parsed = [_parse(line) for line in lines if line.strip()]
        names = [name for one in parsed if not isinstance(one, Broken) for name in one]
        yield tuple(dict.fromkeys(names)), _jsonl_records(stream)


def _jsonl_records(stream: IO[bytes]) -> Records:
    while True:
        try:
            line = stream.readline()
        except (EOFError, zlib.error, OSError):
            yield Broken(ENDS)
            return
        if not line:
            return
        if line.removeprefix(codecs.BOM_UTF8).strip():
            yield _parse(line)


def _parse(line: bytes) -> Record | Broken:
    try:
        found = json.loads(line.decode("utf-8-sig"), object_pairs_hook=_once)
    except UnicodeDecodeError:
        return Broken(NOT_UTF8)
    except RecursionError:
        return Broken(Said(en="its JSON is nested too deeply", zh="JSON 嵌套过深"))
    except ValueError as error:
        return Broken(Said(en=f"it is not JSON: {error}", zh=f"不是 JSON：{error}"))
    if not isinstance(found, dict):
        return Broken(Said(en="it is not a JSON object", zh="不是 JSON 对象"))
    return found


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


# --- Parquet ----------------------------------------------------------------------------------


@contextmanager
def _parquet(path: Path, wanted: Sequence[str]) -> Iterator[Opened]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError:
        raise InputError("reading Parquet needs pyarrow: pip install 'zhuyi[parquet]'") from None
    with _naming(path):
        if path.stat().st_size == 0:
            raise InputError(f"{path.name} is empty: it must hold at least one row")
        try:
            opened = parquet.ParquetFile(path)
        except pyarrow.ArrowException as error:
            raise InputError(f"{path.name} is not a Parquet file: {error}") from None
    with opened:
        header = tuple(opened.schema_arrow.names)
        _no_twins(path, header, wanted)
        yield header, _parquet_records(opened, [name for name in wanted if name in header])


def _parquet_records(opened: Any, names: Sequence[str]) -> Records:
    import pyarrow

    batches: Iterator[Any] = opened.iter_batches(batch_size=1024, columns=list(names))
    while True:
        try:
            batch = next(batches, None)
        except (pyarrow.ArrowException, OSError):
            yield Broken(ENDS)
            return
        if batch is None:
            return
        for row in range(batch.num_rows):
            yield _parquet_record(batch, names, row)


def _parquet_record(batch: Any, names: Sequence[str], row: int) -> Record | Broken:
    try:
        return {name: batch.column(name)[row].as_py() for name in names}
    except UnicodeDecodeError:
        return Broken(NOT_UTF8)


# --- what is wrong, in words --------------------------------------------------------------------

NOT_UTF8 = Said(en="it holds bytes that are not UTF-8", zh="含有不是 UTF-8 编码的字节")
ENDS = Said(en="the file breaks off here", zh="文件在此处中断")


def _count(got: int, expected: int) -> Said:
    return Said(
        en=f"it has {got} fields, the header has {expected}",
        zh=f"有 {got} 个字段，而表头有 {expected} 个",
    )


def _quotes(error: str) -> Said:
    if "field larger" in error:
        return Said(en="a field is longer than 134 million characters", zh="有一个字段过长")
    return Said(en=f"its quotation marks do not match ({error})", zh=f"引号不匹配（{error}）")


def _no_twins(path: Path, header: Sequence[str], wanted: Sequence[str]) -> None:
    for name in wanted:
        if header.count(name) > 1:
            raise InputError(
                f"column {name!r} stands {header.count(name)} times in the header of {path.name}: "
                "rename all but one"
            )
