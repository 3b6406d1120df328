"""One decision as bars that add up: what spoke for it, what against, and whether to believe it."""

from zhuyi.recipes.records import Decision, Factor
from zhuyi.ui.report.recipe import words
from zhuyi.ui.report.recipe.markup import Html, both, element, joined
from zhuyi.ui.report.recipe.numbers import signed

MOST = 8
"""Factors shown by themselves; the others are one line."""

_MARKED = 12  # factors that a text is marked with
_STRONG = (0.66, 0.33)  # of the largest contribution: where a mark becomes strong, and middling

# As on the audit's page: told apart by shape.
SHAPES = {
    "trusted": "M12 1a11 11 0 1 0 0 22a11 11 0 1 0 0-22z",
    "doubtful": "M12 1.2 23.6 22.2 0.4 22.2z",
    "refuted": "M7.4 1h9.2L23 7.4v9.2L16.6 23H7.4L1 16.6V7.4z",
}
SIGNS = {
    "trusted": "M7 12.4l3.4 3.4L17 9",
    "doubtful": "M9.9 11.4q0-2.3 2.1-2.3t2.1 2q0 1.6-2.1 2.6v1.2M12 18.4v.1",
    "refuted": "M8.2 8.2l7.6 7.6M15.8 8.2l-7.6 7.6",
}


def icon(verdict: str) -> Html | None:
    """A verdict's sign, None for a verdict without one ("not verified")."""
    if verdict not in SHAPES:
        return None
    return element(
        "svg",
        element("path", d=SHAPES[verdict], class_="shape"),
        element("path", d=SIGNS[verdict], class_="sign"),
        viewBox="0 0 24 24",
        class_=f"icon {verdict}",
        aria_hidden="true",
    )


def chip(verdict: str) -> Html:
    """A verdict in sign, word and color."""
    said = words.VERDICTS.get(verdict)
    name = verdict if said is None else both(said)
    kind = verdict if verdict in SHAPES else "unknown"
    return element("span", icon(verdict), name, class_=f"chip {kind}")


def decision(one: Decision) -> Html:
    """A decision with its factors as signed bars."""
    happened = joined(
        element("span", both(words.HAPPENED), ": ", class_="key"), element("b", one.truth)
    )
    head = element(
        "div",
        element("b", one.title, class_="whose"),
        element(
            "span",
            element("span", both(words.DECIDED), ": ", class_="key"),
            element("b", decided(one)),
        ),
        element("span", happened) if one.truth else None,
        chip(one.verdict),
        class_="line-1",
    )
    text = element("blockquote", marked(one)) if one.text else None
    return element("li", head, text, _bars(one), class_=f"decision-card {one.verdict}".strip())


def decided(one: Decision) -> str:
    """What was decided, with its probability or number."""
    return " · ".join(text for text in (one.label, one.said) if text)


def _bars(one: Decision) -> Html:
    shown, rest = one.factors[:MOST], one.factors[MOST:]
    total = one.constant + sum(factor.contribution for factor in one.factors)
    others = sum(factor.contribution for factor in rest)
    widest = max(
        (abs(value) for value in (*(f.contribution for f in shown), others, one.constant, total)),
        default=0.0,
    )
    rows = [_line(both(words.START), "", None, one.constant, widest, "start")]
    rows += [
        _line(joined(factor.name), _beside(factor), factor.weight, factor.contribution, widest, "")
        for factor in shown
    ]
    if rest:
        name = both(words.filled(words.OTHERS, n=len(rest)))
        weight = sum(factor.weight for factor in rest)
        rows.append(_line(name, "", weight, others, widest, "others"))
    rows.append(_line(both(words.SUM), "", None, total, widest, "sum"))
    head = element(
        "tr",
        element("th", both(words.FACTOR), scope="col"),
        element("th", both(words.VALUE), scope="col"),
        element("th", both(words.CONTRIBUTION), scope="col", class_="bar"),
        element("th", scope="col", class_="figure"),
        element("th", both(words.WEIGHT), scope="col", class_="figure"),
    )
    return element("table", element("thead", head), element("tbody", *rows), class_="bars")


def _beside(factor: Factor) -> str:
    """The value, where it is not the name once more (of words it is)."""
    return "" if factor.value == factor.name else factor.value


def _line(
    name: Html, value: str, weight: float | None, amount: float, widest: float, kind: str
) -> Html:
    share = 50.0 * abs(amount) / widest if widest else 0.0
    left = 50.0 if amount >= 0 else 50.0 - share
    picture = element(
        "svg",
        element("line", x1="50%", x2="50%", y1="0", y2="20", class_="zero"),
        element(
            "rect",
            x=f"{left:.2f}%",
            width=f"{share:.2f}%",
            y="4",
            height="12",
            class_="for" if amount >= 0 else "against",
        ),
        height="20",
        class_="bar-line",
        aria_hidden="true",
    )
    return element(
        "tr",
        element("th", name, scope="row"),
        element("td", value, class_="value"),
        element("td", picture, class_="bar"),
        element("td", signed(amount), class_="figure"),
        element("td", "" if weight is None else f"{weight:.0%}", class_="figure weight"),
        class_=kind or None,
    )


def marked(one: Decision) -> Html:
    """The text with the words of its strongest factors marked, each where it is found first.

    A factor that occurs twice marks its next place; one that is no part of the text marks none.
    """
    places: list[tuple[int, int, Factor]] = []
    for factor in one.factors[:_MARKED]:
        start = _free(one.text, factor.name, places)
        if start >= 0:
            places.append((start, start + len(factor.name), factor))
    widest = max((abs(factor.contribution) for factor in one.factors), default=0.0) or 1.0
    pieces: list[str | Html] = []
    end = 0
    for start, stop, factor in sorted(places, key=lambda place: place[0]):
        pieces += [one.text[end:start], _mark(one.text[start:stop], factor, widest)]
        end = stop
    return joined(*pieces, one.text[end:])


def _free(text: str, name: str, taken: list[tuple[int, int, Factor]]) -> int:
    """Where a name stands first outside of what is marked, -1 where it does not."""
    start = text.find(name) if name else -1
    while start >= 0 and any(
        start < other and begun < start + len(name) for begun, other, _ in taken
    ):
        start = text.find(name, start + 1)
    return start


def _mark(text: str, factor: Factor, widest: float) -> Html:
    share = abs(factor.contribution) / widest
    strength = 3 - sum(share < least for least in _STRONG)
    side = "for" if factor.contribution >= 0 else "against"
    return element("mark", text, class_=f"{side} s{strength}", title=signed(factor.contribution))
