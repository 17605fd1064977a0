"""The table and the plot of what was measured."""

from collections.abc import Mapping, Sequence
from io import BytesIO

from vitrine_export.cost.child import Measured
from vitrine_export.cost.growth import exponent, last_step

# Runs of each series, by size.
Series = Mapping[str, Sequence[Measured]]
# Stages that took at least this share of a training have a line of their own.
_SHOWN = 0.03
_WHAT = (
    "Each line is one `vitrine train` in a process of its own. Gowalla is shares of the users of a public "
    "data set, trained as the kind `check-ins`; the simulated shop has 20,000 items, 90 days and ever more shoppers, and is "
    "trained as the kind `invoices`. All models are trained but the networks (`interest`, `deep`): they go over the data a "
    "number of times that is set (`--interest-epochs`, `--interest-minutes`), so their time follows from the settings, and "
    "without a GPU it would hide that of everything else. Lists to learn from are at most so many, however much data there "
    "is, so that what is made of them stops growing."
)
_HOW = (
    "*Growth* is the slope of a straight line through the logarithms of events and cost: 1 means that ten times the events "
    "cost ten times as much, less than 1 that they cost less than that. It is given over all sizes and, in brackets, between "
    "the two largest, where what every training costs weighs least. *Time* is by the clock, of a machine that may do other "
    "things besides; *CPU time* is that of all threads together; *peak memory* is the most that the process held in RAM."
)
_AXES = (("CPU time, s", "cpu"), ("peak memory, MB", "peak_mb"))
_COLORS = ("#4c72b0", "#dd8452")


def render(series: Series, made: Series, *, machine: str, commands: Sequence[str], plot: str) -> str:
    """Markdown: how fast costs grow, what each training took, and its largest stages."""
    lines = ["# What training costs by the size of the data", "", f"![Time and memory by events]({plot})", ""]
    lines += [
        _WHAT,
        "",
        _HOW,
        "",
        "| growth of | time | CPU time | peak memory |",
        "|---|---:|---:|---:|",
    ]
    for name, runs in series.items():
        events = [run.events for run in runs]
        growth = [
            f"{exponent(events, costs):.2f} ({last_step(events, costs):.2f})"
            for costs in ([r.seconds for r in runs], [r.cpu for r in runs], [r.peak_mb for r in runs])
        ]
        lines.append(f"| {name} | {' | '.join(growth)} |")
    lines += ["", *(_told(name, runs) for name, runs in series.items() if len(runs) > 1)]
    lines += [
        "",
        "| data | events | shoppers | items | time | CPU time | peak memory |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, runs in series.items():
        lines += [
            f"| {name} | {r.events:,} | {r.subjects:,} | {r.items:,} | {r.seconds:,.1f} s | {r.cpu:,.1f} s "
            f"| {r.peak_mb:,.0f} MB |"
            for r in runs
        ]
    for name, runs in series.items():
        lines += ["", *_stages(f"{name}: training by stage", runs)]
    for name, runs in made.items():
        lines += ["", *_stages(f"{name}: making the data", runs)]
    lines += ["", f"Machine: {machine}. Commands:", "", "```bash", *commands, "```", ""]
    return "\n".join(lines)


def draw(series: Series) -> bytes:
    """An SVG with time and peak memory by events, both axes by factors; the dotted line grows linearly."""
    from matplotlib import rc_context
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # Fixed names of parts and no date: the same picture for the same numbers.
    with rc_context({"svg.hashsalt": "cost", "svg.fonttype": "none"}):
        figure = Figure(figsize=(10, 4), layout="constrained")
        FigureCanvasSVG(figure)
        for place, (title, attribute) in enumerate(_AXES, 1):
            axes = figure.add_subplot(1, 2, place)
            for color, (name, runs) in zip(_COLORS, series.items(), strict=False):
                sizes = [float(run.events) for run in runs]
                costs = [float(getattr(run, attribute)) for run in runs]
                axes.loglog(sizes, costs, "o-", color=color, label=f"{name}: {exponent(sizes, costs):.2f}")
                linear = [costs[0] * size / sizes[0] for size in sizes]
                axes.loglog(sizes, linear, ":", color=color, alpha=0.6)
            axes.set_title(title, fontsize="medium")
            axes.set_xlabel("events")
            axes.legend(title="growth (dotted: linear)", fontsize="small", title_fontsize="small")
        out = BytesIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return out.getvalue()


def _told(name: str, runs: Sequence[Measured]) -> str:
    """Growth in words."""
    first, last = runs[0], runs[-1]
    return (
        f"- {name}: {last.events / first.events:.1f} times the events took {last.cpu / first.cpu:.1f} times the CPU time "
        f"and {last.peak_mb / first.peak_mb:.1f} times the memory."
    )


def _stages(title: str, runs: Sequence[Measured]) -> list[str]:
    """Seconds and peak memory of the stages that take long, one column a size."""
    names = dict.fromkeys(name for run in runs for name in run.stages)
    large = [
        name
        for name in names
        if any(name in r.stages and r.stages[name].seconds >= _SHOWN * r.seconds for r in runs)
    ]
    head = " | ".join(f"{run.events:,} events" for run in runs)
    lines = [f"| {title} | {head} |", f"|---|{'---:|' * len(runs)}"]
    for name in large:
        cells = [run.stages.get(name) for run in runs]
        told = ["" if c is None else f"{c.seconds:,.1f} s, {c.peak_mb:,.0f} MB" for c in cells]
        lines.append(f"| {name} | {' | '.join(told)} |")
    return lines
