"""What a trial found, for programs and for whoever shows it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

from vitrine_export.evaluate.report import Table, machine
from vitrine_export.trial.examples import Example
from vitrine_export.trial.latency import Latency
from vitrine_export.trial.overlap import Overlap, Says


@dataclass(slots=True)
class Trial:
    """One trial of one plugin.

    Attributes:
        plugin: Its name.
        version: Its version.
        distribution: The package that it comes from.
        data: Name of the data set.
        scene: The scene that it was tried in.
        start: First moment of the test window, Unix seconds.
        end: First moment after it.
        seed: Decides who is drawn, halves of baskets, equal scores and resamples.
        bundle: Version of the models with it.
        config: Fingerprint of the configuration.
        weights: Its weight by scene.
        given: Whether the configuration or the caller gave that of the scene.
        decided: Who gave the order in both pipelines.
        can_retrain: Whether a reranker could have been trained with it.
        retrained: Whether one was.
        columns: Whether it learned from feature columns of the plugin.
        tables: The groups of queries.
        overlap: The plugin beside each other ranker.
        says: What it says of the candidates; ``None`` for one that does not rank.
        changed: Share of the places of the first group's windows that hold another item with it.
        fresh: Share of them that hold an item that was not in the window without it.
        latency: Time of one call.
        examples: Lists before and after.
        notes: What else is to be known.
        seconds: How long each step took.
    """

    plugin: str
    version: str
    distribution: str
    data: str
    scene: str
    start: float
    end: float
    seed: int
    bundle: str = ""
    config: str = ""
    weights: dict[str, float] = field(default_factory=dict)
    given: bool = False
    decided: str = ""
    can_retrain: bool = False
    retrained: bool = False
    columns: bool = False
    tables: list[Table] = field(default_factory=list)
    overlap: list[Overlap] = field(default_factory=list)
    says: Says | None = None
    changed: float = 0.0
    fresh: float = 0.0
    latency: list[Latency] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def headline(self) -> str:
        """What was tried, on what."""
        days = [datetime.fromtimestamp(moment, UTC) for moment in (self.start, self.end)]
        return (
            f"{self.plugin} {self.version} ({self.distribution}) in scene '{self.scene}' of {self.data}: "
            f"{days[0]:%Y-%m-%d} to {days[1]:%Y-%m-%d}, models of what came before"
        )

    @property
    def footer(self) -> str:
        """With what, how long, and where."""
        times = ", ".join(f"{step} {seconds:.1f} s" for step, seconds in self.seconds.items())
        return f"Bundle {self.bundle}, configuration {self.config}, seed {self.seed}. {times}. {machine()}."

    @property
    def verdicts(self) -> list[str]:
        """A sentence for each group: whether the window is better with the plugin."""
        return [_verdict(self.plugin, table) for table in self.tables]

    @property
    def moved(self) -> str:
        """What it does to the windows, in a sentence."""
        said = (
            f"With it, {self.changed:.0%} of the places of a window show another item; {self.fresh:.0%} show one that "
            "was not in the window."
        )
        if self.says is not None and self.says.covered < 1:
            said += f" It says something about {self.says.covered:.0%} of the candidates."
        if self.says is not None and self.says.silent > 0:
            said += f" For {self.says.silent:.0%} of the shoppers it tells no candidate from another."
        return said

    @property
    def slow(self) -> list[Latency]:
        """Where it takes longer than its budget."""
        return [row for row in self.latency if not row.within]

    @property
    def lines(self) -> str:
        """What to write into the configuration to have it served as it was tried."""
        features = [f'features = ["{self.plugin}"]  # above all tables'] if self.columns else []
        tables = [
            f"[scenes.{scene}.weights]\n{self.plugin} = {weight:g}" for scene, weight in self.weights.items()
        ]
        return "\n\n".join([*features, *tables])


def _verdict(plugin: str, table: Table) -> str:
    """By NDCG, which sees the order, too."""
    gap = next(c for c in table.comparisons if c.measure.startswith("ndcg"))
    found = gap.difference
    if found.low > 0:
        said = f"better with {plugin}"
    elif found.high < 0:
        said = f"worse with {plugin}"
    else:
        said = "no difference that chance does not explain"
    size = f"{gap.measure.upper()} {found.mean:+.4f}, 95 % interval {found.low:+.4f} to {found.high:+.4f}"
    return f"{table.title}: {said} ({size})"
