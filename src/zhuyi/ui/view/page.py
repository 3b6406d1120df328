"""One offline HTML file: the view, and all that it shows, inside.

The file may run exactly one script and one style sheet, named by their hashes in its content
policy, and may load nothing: it cannot send anything anywhere. Text from the input reaches the
reader as JSON inside a data block and is inserted as text only.
"""

import base64
import hashlib
import html
import os
import tempfile
from importlib.resources import files
from pathlib import Path

from zhuyi.errors import InputError
from zhuyi.ui.looked import Looked
from zhuyi.ui.view.archive import DetailOf, MemoryArchive, archive_of
from zhuyi.ui.view.pack import to_json
from zhuyi.ui.view.words import CHINESE, words_pack

#: How large a page may become, in bytes; details are left out above it.
BUDGET = 4_500_000


def build_page(looked: Looked, detail_of: DetailOf, *, budget: int = BUDGET) -> str:
    """The page of one look, as text.

    Args:
        looked: what was found.
        detail_of: gives one head's details, or None where it has none; called best heads first
            until the budget is used up.
        budget: bytes the page may have.
    """
    fixed = len(page_of(archive_of(looked, detail_of, budget=0)).encode())
    # Base64 takes four bytes for three, and a block has some 120 of its own.
    room = int(max(0, budget - fixed) * 3 / 4) - 160 * len(looked.heads)
    return page_of(archive_of(looked, detail_of, budget=max(0, room)))


def page_of(archive: MemoryArchive, *, quiet: str = "") -> str:
    """An archive as one page.

    Args:
        archive: what is shown.
        quiet: text that stands there where no script may run, and goes when the view starts.
    """
    script = bundle()
    style = _read("page.css")
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "img-src data: blob:; base-uri 'none'; form-action 'none'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    blocks = "\n".join(
        f'<script type="application/octet-stream" data-zhuyi="{html.escape(name)}">'
        f"{base64.b64encode(data).decode('ascii')}</script>"
        for name, data in ({CHINESE: words_pack()} | archive.packs).items()
    )
    values = {
        "POLICY": policy,
        "TITLE": html.escape(f"zhuyi · {archive.title}"),
        "STYLE": style,
        "QUIET": html.escape(quiet),
        "INDEX": to_json(archive.index()),
        "CHUNKS": blocks,
        "SCRIPT": script,
    }
    # One pass over the template: a mark inside the text of a person is never filled in.
    pieces = _read("page.html").split("%%")
    return "".join(values[part] if i % 2 else part for i, part in enumerate(pieces))


def bundle() -> str:
    """The view's script: one ES module, built from `frontend/` and kept beside this file."""
    return _read("zhuyi.js")


def save_page(page: str, path: Path) -> None:
    """Write the page in one step: the file is either whole or was never touched.

    Raises:
        InputError: if the folder does not exist or cannot be written.
    """
    folder = path.parent
    if path.is_dir() or not folder.is_dir():
        what = "is a folder" if path.is_dir() else "is in a folder that does not exist"
        raise InputError(f"cannot write the page: {path} {what}")
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".zhuyi-", suffix=".part")
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
            stream.write(page)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp gives 0600, a page is meant to be shared
        os.replace(temporary, path)
    except OSError as error:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
        raise InputError(f"cannot write the page {path}: {error.strerror}") from None


def _read(name: str) -> str:
    text = files("zhuyi.ui.view").joinpath("bundle", name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n")  # the parser does so before it checks the hash


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
