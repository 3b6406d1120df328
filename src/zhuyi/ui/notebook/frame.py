"""A page inside a notebook's cell: a frame that may run its own script and reach nothing else.

The frame has no origin of its own, so its script sees neither the notebook nor its storage, and
the page's content policy lets it load nothing. Where a host forbids every script, the page shows
its text; where a host removes frames (as sites do that only display notebooks), the line and the
text below the frame stay.
"""

import html
from collections.abc import Sequence

from zhuyi.core.record import Said

_FRAME = (
    "display:block;width:100%;height:{height}px;border:1px solid rgba(128,128,128,.35);"
    "border-radius:8px;resize:vertical;box-sizing:border-box"
)
_LINE = "margin:4px 2px 8px;font:13px/1.4 system-ui,sans-serif;opacity:.8"
_TEXT = "margin:6px 0;font:12px/1.35 ui-monospace,monospace;white-space:pre-wrap"


def framed(page: str, *, title: str, lines: Sequence[Said], text: str, height: int) -> str:
    """HTML for a cell.

    Args:
        page: a whole page.
        title: what a screen reader calls the frame.
        lines: sentences below it; they stay where the frame cannot be shown.
        text: the same in words, folded below the lines.
        height: of the frame, in pixels; a reader can drag its lower edge.
    """
    english = " ".join(one.en for one in lines)
    chinese = "".join(one.zh for one in lines)
    return (
        f'<div class="zhuyi-cell"><iframe title="{_quoted(title)}" '
        'sandbox="allow-scripts allow-downloads" referrerpolicy="no-referrer" '
        f'style="{_FRAME.format(height=height)}" srcdoc="{_quoted(page)}"></iframe>'
        f'<div style="{_LINE}">{_quoted(english)}'
        f' <span lang="zh-Hans">{_quoted(chinese)}</span>'
        f'<details><summary>As text</summary><pre style="{_TEXT}">{_quoted(text)}</pre></details>'
        "</div></div>"
    )


def growth(page: str) -> int:
    """Bytes that a page gains by standing inside an attribute."""
    return len(_quoted(page).encode()) - len(page.encode())


def _quoted(text: str) -> str:
    """The text as an attribute's value; "'" may stay, since the quotes around it are double."""
    return html.escape(text, quote=False).replace('"', "&quot;")
