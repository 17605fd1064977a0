"""What `vitrine train` says at its end: what was trained, how good it is, and what to run next."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vitrine.bundle import Manifest

if TYPE_CHECKING:  # what trains is not loaded for --help
    from vitrine_export.neural import Curve
    from vitrine_export.train import TrainReport

_WHAT = {
    "co_visitation": "items that go together",
    "linear": "items that predict each other",
    "content": "items with similar texts",
    "interest": "what follows on what a shopper did last",
    "deep": "a network over all features of a list",
    "lightgbm": "trees over all of these: the order",
}
# What NDCG@20 was measured on.
_ASKED = {
    "interest": "interest: all items, for the next visit",
    "deep": "deep and lightgbm: the candidates of serving, for shoppers of the last weeks who were held out",
}
# What is shown of the reranker's columns.
_COLUMNS = 5


def save_picture(report: "TrainReport") -> str:
    """Draws the learning curves beside the bundle; answers where they are, or why not, or nothing without curves."""
    from vitrine_export.train.picture import draw, panels, picture_path

    found, where = panels(report), picture_path(report.out)
    if not found:
        return ""
    try:
        where.write_bytes(draw(found, f"bundle {report.manifest.version}"))
    except ModuleNotFoundError as missing:
        return f"No picture of the learning curves: {missing.name} is not installed."
    except OSError as error:
        return f"No picture of the learning curves: {error}."
    here = Path.cwd()
    return f"Learning curves: {where.relative_to(here) if where.is_relative_to(here) else where}"


def render(report: "TrainReport", data: Path, picture: str = "") -> RenderableType:
    """The end of a training.

    Args:
        report: What was trained.
        data: The data set, for what to run next.
        picture: Where the learning curves are.
    """
    manifest = report.manifest
    size = sum(entry.bytes for entry in manifest.files.values())
    head = (
        f"Bundle {manifest.version} in {report.out}: {manifest.items:,} items, {manifest.window.events:,} events of "
        f"{manifest.window.subjects:,} shoppers, {size / 1e6:,.1f} MB, {report.seconds:,.1f} s"
    )
    follows = f"Next: vitrine load {data}, then vitrine serve --bundle {report.out}"
    return Group(Text(head), of_training(report, picture), Text(follows))


def of_training(report: "TrainReport", picture: str = "") -> RenderableType:
    """The table of the parts, how they were measured, what the reranker goes by, and where the picture is."""
    tuned = report.rankers.tuned
    lines = [
        *_measured(report.manifest, report.held_out),
        "" if tuned is None else tuned.sentence,
        *_important(report),
        picture,
    ]
    return Group(
        _table(report.manifest, _sizes(report), _training(report)), *(Text(line) for line in lines if line)
    )


def of_bundle(manifest: Manifest) -> RenderableType:
    """What can be said of a bundle that was trained earlier."""
    return Group(_table(manifest, {}, {}), *(Text(line) for line in _measured(manifest)))


def _table(manifest: Manifest, sizes: dict[str, str], training: dict[str, str]) -> Table:
    """What a bundle holds, how good each part was found to be, and what is off and why."""
    table = Table("part", "what it does", "held out", "size and training", box=SIMPLE_HEAD, pad_edge=False)
    for part, what in _WHAT.items():
        entry = manifest.models.get(part)
        if part in manifest.off:
            table.add_row(part, what, Text("off", "yellow"), Text(manifest.off[part]))
        elif entry is not None or part not in {"interest", "deep", "lightgbm"}:
            said = [sizes.get(part), training.get(part)]
            if entry is not None:
                said.insert(1, f"{manifest.files[entry.file].bytes / 1e3:,.0f} kB")
            table.add_row(part, what, _quality(manifest, part), Text(", ".join(filter(None, said))))
    for plugin, count in _contributed(manifest).items():
        part, what = f"features:{plugin}", f"columns of plugin '{plugin}', for the order"
        if part in manifest.off:
            table.add_row(part, what, Text("off", "yellow"), Text(manifest.off[part]))
        else:
            said = [f"{count:,} column" + "s" * (count > 1), training.get(part)]
            table.add_row(part, what, "", ", ".join(filter(None, said)))
    return table


def _contributed(manifest: Manifest) -> dict[str, int]:
    """How many columns the models learned from each plugin; 0 for one that was to contribute some."""
    from vitrine.features import plugins_in

    found = Counter(plugin for name in manifest.texts for plugin in plugins_in([name]))
    off = (part.partition(":") for part in manifest.off)
    return {**found, **{plugin: 0 for kind, _, plugin in off if kind == "features" and plugin}}


def _quality(manifest: Manifest, part: str) -> str:
    """What was measured of a part on held-out shoppers; empty when nothing was."""
    for name in ("recall@20", "ndcg@20"):
        if (measured := manifest.metrics.get(f"{name}_{part}")) is not None:
            return f"{name.replace('recall', 'Recall').replace('ndcg', 'NDCG')} {measured:.4f}"
    return ""


def _sizes(report: "TrainReport") -> dict[str, str]:
    sizes = {part: f"{count:,} neighbours" for part, count in report.neighbours.items()}
    if report.dimensions:
        sizes["content"] = f"{report.dimensions} numbers"
    interest = None if report.base is None else report.base.interest
    if interest is not None:
        sizes["interest"] = f"{interest.vectors.shape[1]} numbers"
    if (reranker := report.rankers.reranker) is not None:
        sizes["lightgbm"] = f"{reranker.rounds:,} trees"
    return sizes


def _training(report: "TrainReport") -> dict[str, str]:
    from vitrine.features import plugins_in
    from vitrine_export.train.picture import curves

    found = {name: _epochs(runs) for name, runs in curves(report).items()}
    if (reranker := report.rankers.reranker) is not None:
        found["lightgbm"] = f"{reranker.lists:,} lists"
        for plugin in plugins_in(reranker.importance):
            mine = (share for name, share in reranker.importance.items() if plugins_in([name]) == (plugin,))
            found[f"features:{plugin}"] = f"{sum(mine):.0%} of what lightgbm decides by"
    return found


def _epochs(runs: "list[Curve]") -> str:
    best = " and ".join(dict.fromkeys(str(curve.best) for curve in runs))
    took = max(len(curve.epochs) for curve in runs)
    end = ", time was up" if any(curve.stopped == "time" for curve in runs) else ""
    seconds = sum(curve.seconds for curve in runs)
    return f"best after {best} of {took} epochs{end}, {seconds:,.0f} s, {runs[0].device}"


def _measured(manifest: Manifest, held_out: str = "") -> list[str]:
    lines = []
    if (popular := manifest.metrics.get("recall@20_popular")) is not None:
        shoppers = int(manifest.metrics["validation_subjects"])
        lines.append(
            f"Recall@20 of what {shoppers:,} shoppers newly turned to in the {held_out or 'end of the data'}; what was "
            f"popular reaches {popular:.4f}."
        )
    told = [text for part, text in _ASKED.items() if f"ndcg@20_{part}" in manifest.metrics]
    if told:
        lines.append(f"NDCG@20 of {'; '.join(told)}.")
    if (alone := manifest.metrics.get("ndcg@20_cf")) is not None:
        lines.append(f"On the same lists cf alone, the linear model, reaches {alone:.4f}.")
    if lines:
        lines.append("Measured were models fitted to what came before; the bundle is fitted to all of it.")
    if "tuning" in manifest.off:
        lines.append(f"Nothing was tuned: {manifest.off['tuning']}.")
    if "validation" in manifest.off:
        lines.append(f"Nothing was measured: {manifest.off['validation']}.")
    return lines


def _important(report: "TrainReport") -> list[str]:
    from vitrine.features import column

    reranker, texts = report.rankers.reranker, report.manifest.texts
    if reranker is None:
        return []
    first = [(name, share) for name, share in reranker.importance.items() if share > 0][:_COLUMNS]
    if not first:
        return []
    return [
        "What lightgbm decides by, first of all:",
        *(f"  {share:4.0%}  {texts.get(name) or column(name).text}" for name, share in first),
    ]
