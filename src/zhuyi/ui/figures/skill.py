"""An audit on paper: the skill of every method, its interval, its verdict in word and shape."""

from matplotlib.axes import Axes

from zhuyi.audit.naming import method_name
from zhuyi.audit.report import AuditReport, Interval, MethodRow
from zhuyi.core.record import Label
from zhuyi.ui.figures.paper import AGAINST, FOR, Paper, families, plain
from zhuyi.ui.notebook.believing import SIGNS

# Shape and word say what color says.
_MARKS: dict[Label, tuple[str, str]] = {
    "trusted": ("o", FOR),
    "doubtful": ("D", "#8a6d00"),
    "refuted": ("X", AGAINST),
}


def draw_skill(report: AuditReport, *, title: str) -> Paper:
    """Methods down, skill across; see `plotting.plot_report`."""
    methods = report.methods
    paper = Paper(7.6, 0.42 * len(methods) + 2.1)
    axes = paper.add_subplot()
    axes.axvline(0.0, color="#71717a", linewidth=0.9, linestyle="--")
    names = []
    for place, method in enumerate(methods):
        names.append(plain(_named(method)))
        _draw_method(axes, place, method)
    axes.set_yticks(range(len(methods)), names, fontsize=8, family=families())
    for text, method in zip(axes.get_yticklabels(), methods, strict=True):
        text.set_fontweight("bold" if method.chosen else "normal")
    axes.set_ylim(len(methods) - 0.4, -0.6)
    left, right = _range(methods)
    axes.set_xlim(left, right)
    axes.set_xticks([n / 4 for n in range(-4, 5) if left <= n / 4 <= right])
    axes.set_xlabel("skill: 1 as good as any order can be, 0 random, −1 reversed", fontsize=8)
    axes.tick_params(axis="x", labelsize=7)
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.grid(axis="x", color="#e4e4e7", linewidth=0.6)
    axes.set_axisbelow(True)
    paper.write(title or report.title, _caption(report))
    return paper


def _draw_method(axes: Axes, place: int, method: MethodRow) -> None:
    mark, color = _MARKS[method.label]
    skill = method.numbers.get("skill")
    said = f"{SIGNS[method.label]} {method.label}"
    if skill is None:
        axes.annotate(f"{said}, skill not tested", (0.0, place), xytext=(6, 0), fontsize=7.5,
                      textcoords="offset points", va="center", color=color)  # fmt: skip
        return
    left, right = _ends(skill)
    axes.plot([left, right], [place, place], color=color, linewidth=2.2, solid_capstyle="butt")
    axes.plot([skill.value], [place], mark, color=color, markersize=8, markeredgecolor="white")
    number = f"{skill.value:.2f}".replace("-", "−")
    axes.annotate(f"{said}  {number}", (right, place), xytext=(7, 0), fontsize=7.5,
                  textcoords="offset points", va="center", color=color)  # fmt: skip


def _named(method: MethodRow) -> str:
    name = method_name(method.name).en
    return f"{name} (used)" if method.chosen else name


def _ends(one: Interval) -> tuple[float, float]:
    left = one.value if one.lower is None else one.lower
    right = one.value if one.upper is None else one.upper
    return left, right


def _range(methods: tuple[MethodRow, ...]) -> tuple[float, float]:
    """Room for every interval, and for the words to the right of them."""
    ends = [_ends(one.numbers["skill"]) for one in methods if "skill" in one.numbers]
    return min([-0.1, *(left for left, _ in ends)]) - 0.05, max(
        1.0, *(right for _, right in ends), 0.0
    ) + 0.3


def _caption(report: AuditReport) -> list[str]:
    tested = max((method.inputs for method in report.methods), default=0)
    return [
        report.answer.en,
        f"{report.data.name}: {tested} inputs that no method was chosen on; bars are 95 % "
        f"intervals where they can be told. Pieces were removed by: {report.removal}.",
        "The tests can find an explanation wrong; they cannot prove it right.",
    ]
