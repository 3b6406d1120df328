"""HTML as trees of elements, in which a text can only ever be text."""

import html
import re

from zhuyi.core.record import Said

# What an HTML document cannot hold, and marks that would turn the direction of what follows.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_EMPTY = frozenset({"meta", "link", "br", "line", "circle", "path", "rect"})


class Html(str):
    """Markup that `element` made; every other text is escaped before it stands on a page."""

    __slots__ = ()


Child = str | Html | None


def element(tag: str, *children: Child, **attributes: str | None) -> Html:
    """One element.

    Args:
        tag: its name.
        children: texts, which are escaped, and elements, which are not; None is left out.
        attributes: `class_` is class and `data_name` data-name; None is left out.

    Example:
        >>> element("p", "a < b", element("b", "!"), class_="note")
        '<p class="note">a &lt; b<b>!</b></p>'
    """
    written = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for name, value in attributes.items()
        if value is not None
    )
    if tag in _EMPTY:
        return Html(f"<{tag}{written}>" if tag in ("meta", "link", "br") else f"<{tag}{written}/>")
    return Html(f"<{tag}{written}>{joined(*children)}</{tag}>")


def joined(*children: Child) -> Html:
    """Elements and texts one after the other."""
    return Html(
        "".join(
            child if isinstance(child, Html) else escaped(child)
            for child in children
            if child is not None
        )
    )


def escaped(text: str) -> str:
    """A text as it may stand in an element or an attribute's quotes."""
    return html.escape(_UNSEEN.sub("�", text), quote=True)


def both(said: Said) -> Html:
    """A sentence in both languages; the page's style shows the one that was chosen."""
    if said.en == said.zh:
        return joined(said.en)
    return joined(
        element("span", said.en, lang="en", class_="t"),
        element("span", said.zh, lang="zh-Hans", class_="t"),
    )
