"""One measurement in a process of its own: ``python -m vitrine_export.cost.child WHAT …``; prints it as JSON."""

import sys
import tempfile
from pathlib import Path

import msgspec

from vitrine_export.cost.meter import Meter, StageCost
from vitrine_export.cost.sizes import SHARE, gowalla, simulated


class Measured(msgspec.Struct):
    """What a piece of work took, and on what.

    Attributes:
        events: Events learned from.
        items: Items.
        subjects: Shoppers.
        stages: Cost by stage.
    """

    events: int
    items: int
    subjects: int
    stages: dict[str, StageCost]

    @property
    def seconds(self) -> float:
        """All of them."""
        return sum(stage.seconds for stage in self.stages.values())

    @property
    def cpu(self) -> float:
        """Of all stages and threads."""
        return sum(stage.cpu for stage in self.stages.values())

    @property
    def peak_mb(self) -> float:
        """The most of all stages."""
        return max((stage.peak_mb for stage in self.stages.values()), default=0.0)


def main(arguments: list[str]) -> None:
    """``make SERIES SIZE SOURCE DATA``: a data set; ``train KIND DATA``: a training on it."""
    match arguments:
        case ["make", series, size, source, data]:
            meter = Meter()
            make = gowalla if series == SHARE else simulated
            dataset = make(float(size), Path(source), Path(data), meter)
            meter.finish()
            told = Measured(dataset.manifest.events, dataset.manifest.items, 0, meter.stages)
        case ["train", kind, data]:
            told = _trained(kind, Path(data))
        case _:
            raise SystemExit(main.__doc__)
    sys.stdout.write(msgspec.json.encode(told).decode())


def _trained(kind: str, data: Path) -> Measured:
    """A training with the settings of a kind, without networks: their epochs are bounded by minutes, not by data."""
    from dataclasses import replace

    from vitrine.dataset import Dataset
    from vitrine_export.kinds import Kind
    from vitrine_export.train import train

    meter, chosen = Meter(), Kind.load(kind)
    with tempfile.TemporaryDirectory(prefix="vitrine-cost-") as folder:
        report = train(
            Dataset.open(data),
            Path(folder) / "bundle",
            parameters=replace(chosen.parameters, neural=False),
            config=chosen.config(),
            progress=meter,
        )
    meter.finish()
    window = report.manifest.window
    return Measured(window.events, report.manifest.items, window.subjects, meter.stages)


if __name__ == "__main__":
    main(sys.argv[1:])
