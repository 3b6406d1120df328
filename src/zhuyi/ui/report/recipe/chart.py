"""Models side by side: a dot and its interval for each, on one scale.

Roles are told apart by the shape of the dot and by a word, never by color alone. Places are
percentages of the picture's width, so that it fits any screen and its marks keep their shape.
"""

from zhuyi.recipes.records import Comparison, Role, Score
from zhuyi.ui.report.recipe import words
from zhuyi.ui.report.recipe.markup import Html, both, element, joined
from zhuyi.ui.report.recipe.numbers import ends, shown, ticks

_EDGE = 3.0  # percent left free on both sides, for half a mark
_HEIGHT = "30"
_MARKS: dict[Role, str] = {
    "trivial": "M-4.5-4.5L4.5 4.5M-4.5 4.5L4.5-4.5",
    "simple": "M-5-5H5V5H-5Z",
    "ours": "M0-6.5A6.5 6.5 0 1 1 0 6.5A6.5 6.5 0 1 1 0-6.5Z",
    "published": "M0-7L7 0L0 7L-7 0Z",
}


def best(scores: tuple[Score, ...], role: Role, *, higher: bool) -> Score | None:
    """The best score of a role, the first where two are alike."""
    found = [one for one in scores if one.role == role]
    sign = 1.0 if higher else -1.0
    return max(found, key=lambda one: sign * one.value.value, default=None)


def chart(one: Comparison) -> Html:
    """A comparison as a table whose middle column is a picture."""
    higher = one.better == "higher"
    rival, ours = (best(one.scores, role, higher=higher) for role in ("simple", "ours"))
    scale, way = _Scale(one.scores), words.HIGHER if higher else words.LOWER
    timed = any(score.seconds is not None for score in one.scores)
    head = element(
        "tr",
        element("th", both(words.MODEL), scope="col"),
        element(
            "th",
            element("span", both(way), class_=f"way {one.better}"),
            scale.axis(),
            scope="col",
            class_="scale",
        ),
        element("th", one.metric, scope="col", class_="figure"),
        element("th", both(words.SECONDS), scope="col", class_="time") if timed else None,
    )
    rows = [_row(score, scale, rival, score is ours, timed) for score in one.scores]
    return element(
        "div",
        element("h4", both(one.title)),
        element(
            "table",
            element("thead", head),
            element("tbody", *rows),
            class_="chart",
        ),
        element("p", _legend(rival), both(one.note), class_="note"),
        class_="comparison",
    )


class _Scale:
    """From values to places in percent of the picture's width."""

    def __init__(self, scores: tuple[Score, ...]) -> None:
        found = [
            value
            for one in scores
            for value in (one.value.value, one.value.lower, one.value.upper)
            if value is not None
        ]
        self.ticks = ticks(found)

    def place(self, value: float) -> str:
        low, high = self.ticks[0], self.ticks[-1]
        share = (value - low) / (high - low)
        return f"{_EDGE + (100.0 - 2.0 * _EDGE) * share:.2f}%"

    def axis(self) -> Html:
        """The scale's numbers."""
        digits = max(len(f"{tick:g}".partition(".")[2]) for tick in self.ticks)
        return element(
            "svg",
            *(
                element(
                    "text",
                    f"{tick:,.{digits}f}".replace("-", "−"),
                    x=self.place(tick),
                    y="13",
                    text_anchor="middle",
                )
                for tick in self.ticks
            ),
            height="17",
            class_="axis-line",
            aria_hidden="true",
        )

    def lines(self) -> list[Html]:
        """A thin line at every number."""
        return [_upright(self.place(tick), "tick") for tick in self.ticks]


def _row(score: Score, scale: _Scale, rival: Score | None, is_best: bool, timed: bool) -> Html:
    value, role = score.value, score.role
    beside = ends(value)
    name = element(
        "th",
        element("b", score.model),
        " ",
        element("span", mark(role), both(words.ROLES[role]), class_="role"),
        element("span", both(words.OUR_BEST), class_="tag") if is_best else None,
        element("small", score.source) if score.source else None,
        scope="row",
    )
    figure = element(
        "td",
        element("b", shown(value.value)),
        element("small", beside or both(words.NO_INTERVAL)),
        class_="figure",
    )
    seconds = "–" if score.seconds is None else f"{score.seconds:,.0f}"
    if score.seconds is not None and score.seconds < 10:
        seconds = f"{score.seconds:.1f}"
    return element(
        "tr",
        name,
        element("td", _picture(score, scale, rival), class_="scale"),
        figure,
        element("td", seconds, class_="time") if timed else None,
        class_=f"{role} best" if is_best else role,
    )


def _picture(score: Score, scale: _Scale, rival: Score | None) -> Html:
    value, middle = score.value, "15"
    interval = None
    if value.lower is not None and value.upper is not None:
        interval = element(
            "line",
            x1=scale.place(value.lower),
            x2=scale.place(value.upper),
            y1=middle,
            y2=middle,
            class_="range",
        )
    return element(
        "svg",
        *scale.lines(),
        _upright(scale.place(rival.value.value), "rival") if rival is not None else None,
        interval,
        element(
            "svg",
            element("path", d=_MARKS[score.role], class_="mark"),
            x=scale.place(value.value),
            y=middle,
            class_="at",
        ),
        height=_HEIGHT,
        class_=f"track {score.role}",
        role="img",
        aria_label=f"{score.model}: {shown(value.value)} {ends(value)}".strip(),
    )


def mark(role: Role) -> Html:
    """A role's mark by itself."""
    return element(
        "svg",
        element("path", d=_MARKS[role], class_="mark"),
        viewBox="-8 -8 16 16",
        class_=f"sign-of {role}",
        aria_hidden="true",
    )


def _legend(rival: Score | None) -> Html | None:
    if rival is None:
        return None
    dashes = element(
        "svg",
        element("line", x1="4", x2="4", y1="0", y2="14", class_="rival"),
        viewBox="0 0 8 14",
        class_="dashes",
        aria_hidden="true",
    )
    said = both(words.TO_BEAT)
    return joined(dashes, said, f": {rival.model}, {shown(rival.value.value)}. ")


def _upright(place: str, kind: str) -> Html:
    return element("line", x1=place, x2=place, y1="0", y2=_HEIGHT, class_=kind)
