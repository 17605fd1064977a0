"""Pictures of what ghz measured: latency by rate, CPU per request by stage."""

from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from tests.load.ghz import METHODS
from tests.load.loading import Run
from tests.load.suite import Suite

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LATENCY, STAGES = "latency.svg", "stages.svg"
TITLES = {LATENCY: "Latency by rate", STAGES: "CPU per request by stage"}
_COLORS = (
    "#4c72b0",
    "#dd8452",
    "#55a868",
    "#c44e52",
    "#8172b3",
    "#937860",
    "#da8bc3",
    "#64b5cd",
    "#ccb974",
    "#8c8c8c",
)
# Parts of the bar, in the order of a request, and the stages that each takes: by their names, or beginnings of them.
_PARTS = {
    "decode, profile, encode": ("decode", "profile", "encode"),
    "sources and filters": ("retrieval", "source:", "merge"),
    "features": ("batch", "features"),
    "ranker interest": ("interest", "ranker:interest"),
    "ranker deep": ("ranker:deep",),
    "ranker lightgbm": ("ranker:lightgbm",),
    "other rankers": ("ranker:",),
    "rules": ("rules", "ranking"),
    "reasons": ("reasons",),
}
_REST = "gRPC, events, the rest"


def draw(suite: Suite, folder: Path) -> dict[str, Path]:
    """Writes the pictures that there are figures for, and returns them by title."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {LATENCY: latency(suite)}
    if suite.methods["recommend"].half.stages:
        made[STAGES] = stages(suite)
    for name, picture in made.items():
        (folder / name).write_bytes(picture)
    return {TITLES[name]: folder / name for name in made}


def latency(suite: Suite) -> bytes:
    """An SVG: p50, p95 and p99 by rate, a panel a method; dotted, half of the peak."""
    from matplotlib.ticker import LogLocator, NullFormatter

    figure = _figure(len(suite.methods))
    for place, (name, measured) in enumerate(suite.methods.items(), 1):
        axes = figure.add_subplot(1, len(suite.methods), place)
        runs = [run for run in measured.runs if run.p99 is not None]
        for color, percentile in zip(_COLORS, ("p50", "p95", "p99"), strict=False):
            rates = [run.rate for run in runs]
            axes.plot(rates, [getattr(r, percentile) for r in runs], "o-", color=color, label=percentile)
        axes.axvline(measured.half.rate, color="grey", linestyle=":")
        axes.set_title(f"{METHODS[name]}, peak {measured.peak}/s", fontsize="medium")
        axes.set_xlabel("calls a second")
        axes.set_ylabel("ms")
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.legend(fontsize="small")
    return _svg(figure)


def stages(suite: Suite) -> bytes:
    """An SVG: what a `Recommend` costs by one caller and at half of the peak, a bar each, a colour a part."""
    measured = suite.methods["recommend"]
    bars = {"one caller": parts(measured.single), "half of the peak": parts(measured.half)}
    figure = _figure(2)
    axes = figure.add_subplot(1, 1, 1)
    left = [0.0] * len(bars)
    for color, name in zip(_COLORS, (*_PARTS, _REST), strict=True):
        widths = [bar[name] for bar in bars.values()]
        axes.barh(list(bars), widths, left=left, color=color, label=f"{name} {widths[-1]:.2f}")
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axes.set_xlabel("CPU ms per Recommend, new events included")
    axes.legend(
        title="at half of the peak",
        fontsize="small",
        title_fontsize="small",
        loc="center left",
        bbox_to_anchor=(1, 0.5),
    )
    return _svg(figure)


def parts(run: Run) -> dict[str, float]:
    """CPU milliseconds of a call by part; what the process used beside its stages is the last."""
    spent = dict.fromkeys(_PARTS, 0.0)
    for stage, milliseconds in run.stages.items():
        # The first that knows it: a ranker of its own colour comes before the others.
        for part, names in _PARTS.items():
            if any(stage == name or stage.startswith(name) for name in names):
                spent[part] += milliseconds
                break
    return {**spent, _REST: max(0.0, run.cpu - sum(spent.values()))}


def _figure(panels: int) -> "Figure":
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5 * panels, 3.8), layout="constrained")
    FigureCanvasSVG(figure)
    return figure


def _svg(figure: "Figure") -> bytes:
    from matplotlib import rc_context

    # Fixed names of parts and no date: the same picture for the same numbers.
    with rc_context({"svg.hashsalt": "load", "svg.fonttype": "none"}):
        out = BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()
