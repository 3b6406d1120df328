"""All files of one audit, each written whole or not at all."""

from collections.abc import Callable
from pathlib import Path

from zhuyi.audit.report import AuditReport
from zhuyi.audit.serial import from_text, to_text
from zhuyi.errors import InputError, OptionError
from zhuyi.ui.report.audit.card import build_card
from zhuyi.ui.report.audit.junit import FailOn, build_junit
from zhuyi.ui.report.audit.page import build_audit_page
from zhuyi.ui.view.page import save_page

NAMES = ("report.json", "report.html", "card.md", "junit.xml")


def save_audit(report: AuditReport, folder: Path, *, fail_on: FailOn | None = None) -> None:
    """Write report.json, report.html, card.md and junit.xml into a folder, which may be new.

    Args:
        report: the audit.
        folder: where to.
        fail_on: see `build_junit`.

    Raises: InputError: if the folder cannot be made or written.
    """
    make_folder(folder)
    texts = (
        to_text(report),
        build_audit_page(report),
        build_card(report),
        build_junit(report, fail_on=fail_on),
    )
    for name, text in zip(NAMES, texts, strict=True):
        save_page(text, folder / name)


def save_report(report: AuditReport, path: Path) -> None:
    """Write one file, whose ending says which: .json, .html, .md or .xml (JUnit).

    Raises: OptionError: for another ending. InputError: if it cannot be written.
    """
    builders: dict[str, Callable[[AuditReport], str]] = {
        ".json": to_text,
        ".html": build_audit_page,
        ".md": build_card,
        ".xml": build_junit,
    }
    build = builders.get(path.suffix.lower())
    if build is None:
        raise OptionError(f"{path.name} must end in {', '.join(builders)}")
    save_page(build(report), path)


def make_folder(folder: Path) -> None:
    """The folder, made where it is missing.

    Raises: InputError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make the folder {folder}: {error.strerror}") from None


def load_report(path: Path) -> AuditReport:
    """The report in a JSON file.

    Raises: InputError: if it cannot be read or is no report of this version; the file is named.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text (byte {error.start})") from None
    try:
        return from_text(text)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
