"""What a tuning found, for people and as a file to train with."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from vitrine_export.evaluate.bootstrap import Difference
from vitrine_export.kinds import Kind
from vitrine_export.tuning.space import Dimension, Values, starts, told
from vitrine_export.tuning.stage import Found, Stage, Tried
from vitrine_export.tuning.toml import merged, written

# Trials that the file names, the best first.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class StageReport:
    """What one search found.

    Attributes:
        title: What was searched.
        metric: What was measured.
        space: The settings that were searched.
        tried: The trials; the first is what was there before.
        gain: How far the best is ahead on shoppers that it was not chosen on; ``None`` where nothing beat the first.
        better: Whether that is more than noise.
        values: The settings to use.
        asked: What was asked for, in the plural.
        counts: How many of them trials were compared on, and how many the best was confirmed on.
        stopped: Whether it was stopped by hand.
        confirmed: Whether the best was compared with what was there before.
    """

    title: str
    metric: str
    space: tuple[Dimension, ...]
    tried: list[Tried]
    gain: Difference | None
    better: bool
    values: Values
    asked: str
    counts: tuple[int, int]
    stopped: bool = False
    confirmed: bool = True

    @classmethod
    def of(cls, stage: Stage, found: Found) -> "StageReport":
        """The report of a search."""
        return cls(
            stage.title,
            stage.metric,
            stage.space,
            found.tried,
            found.gain,
            found.better,
            found.values,
            stage.asked,
            (int(stage.choose.sum()), int(stage.confirm.sum())),
            found.stopped,
            found.confirmed,
        )

    @property
    def best(self) -> Tried:
        """The trial that reached most."""
        return max(self.tried, key=lambda tried: (tried.quality, -tried.number))

    @property
    def changed(self) -> Values:
        """The settings that are not what they were."""
        before = starts(self.space)
        return {name: value for name, value in self.values.items() if value != before[name]}

    @property
    def verdict(self) -> str:
        """What came of it, in a sentence."""
        if not self.confirmed:
            return "stopped before the best was compared with the defaults on others, so they stay"
        if self.gain is None:
            trials = len(self.tried)
            return f"nothing beat the defaults in {trials:,} trial{'s' * (trials > 1)}; they stay"
        by = (
            f"{self.gain.relative:+.1%} ({self.gain.mean:+.4f}, 95 % interval {self.gain.low:+.4f} to "
            f"{self.gain.high:+.4f}) for others than it was chosen on"
        )
        return f"better: {by}" if self.better else f"no more than noise, so the defaults stay: {by}"


@dataclass(slots=True)
class TuneReport:
    """What a tuning found.

    Attributes:
        stages: The searches, in their order.
        off: What was not searched -> why.
        found: Settings to change, as tables of a kind: ``training`` and ``serving``.
        tables: The kind that was begun with, if any.
        about: What the search was made with, for the head of the file.
        seconds: How long it took.
        stopped: Whether it was stopped by hand.
        lost: Bytes of a damaged journal that had to go.
    """

    stages: list[StageReport] = field(default_factory=list)
    off: dict[str, str] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    stopped: bool = False
    lost: int = 0

    @property
    def better(self) -> bool:
        """Whether anything is to change."""
        return any(stage.better for stage in self.stages)

    def kind(self, begun: Kind) -> Kind:
        """The kind that was begun with, and over it what was found: what `toml` writes."""
        training = dict(self.found.get("training", {}))
        reranker = replace(begun.parameters.reranker, **training.pop("reranker", {}))
        return replace(
            begun,
            name=f"{begun.name}, tuned",
            parameters=replace(begun.parameters, **training, reranker=reranker),
            serving=merged(begun.serving, self.found.get("serving", {})),
        )

    def toml(self) -> str:
        """A kind of its own: the one that was begun with, and over it what was found; comments say how it was found."""
        lines = ["Settings for `--kind`, found by `vitrine tune`.", ""]
        lines += [f"{name}: {value}" for name, value in self.about.items()]
        for stage in self.stages:
            lines += ["", *_of_stage(stage)]
        if self.off:
            lines.append("")
        lines += [f"{what}: not searched, as {why}." for what, why in self.off.items()]
        if self.stopped:
            lines.append("Stopped by hand; the same command with --resume goes on.")
        if not self.better:
            lines += ["", "Nothing is changed: no setting was surely better than what was there."]
        head = "".join(f"# {line}".rstrip() + "\n" for text in lines for line in text.splitlines() or [""])
        return f"{head}\n{written(merged(self.tables, self.found))}"


def _of_stage(stage: StageReport) -> Iterator[str]:
    yield f"{stage.title}: {stage.metric}, {len(stage.tried):,} trials"
    choose, confirm = stage.counts
    yield f"  compared on {choose:,} {stage.asked}, confirmed on {confirm:,} others"
    ranges = ", ".join(f"{d.name} {d.low:g} to {d.high:g}" for d in stage.space)
    yield f"  tried: {ranges}"
    yield f"  {stage.verdict}"
    ordered = sorted(stage.tried, key=lambda t: (-t.quality, t.number))
    for tried in ordered[:_NAMED] + [t for t in ordered[_NAMED:] if t.number == 0]:
        yield f"  {tried.quality:.4f}  {told(tried.values)}{'' if tried.number else '  (the default)'}"
