"""What a trial can be told, and which part of the data it tests on."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vitrine.dataset import Dataset
from vitrine.domain.profile import DAY
from vitrine.errors import InvalidInput

# The test window, where none is named: so long, and at most this share of all time.
_WINDOW_DAYS, _WINDOW_SHARE = 28, 1 / 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a trial can be told.

    Attributes:
        scene: The scene that known customers are asked for.
        weight: The plugin's weight; that of the configuration unless told, or a tenth of the say.
        start: First moment of the test window, Unix seconds; 28 days before its end unless told.
        end: First moment after it; the end of the last day of the data unless told.
        bundle: Models to use, which must not have seen the window; trained here unless told.
        work: Folder in which models are kept; ``.try`` in the data set's unless told.
        retrain: Whether to train the reranker with and without the plugin.
        shoppers: At most so many known and so many new customers are asked.
        examples: How many lists to show.
        seed: Decides everything random.
    """

    scene: str = "home"
    weight: float | None = None
    start: float | None = None
    end: float | None = None
    bundle: Path | None = None
    work: Path | None = None
    retrain: bool = False
    shoppers: int = 500
    examples: int = 10
    seed: int = 0


def window(dataset: Dataset, start: float | None, end: float | None) -> tuple[float, float]:
    """The test window: whole days at the end of the data, unless told otherwise.

    Raises:
        InvalidInput: The data set has no times, or none in that window.
    """
    first, last = dataset.manifest.first_time, dataset.manifest.last_time
    if first is None or last is None:
        raise InvalidInput(
            "data",
            "its events have no times, and what is tested must come after what is learned from; import them with a "
            "column of times",
        )
    until = (last.timestamp() // DAY + 1) * DAY if end is None else end
    days = max(min(_WINDOW_DAYS, int((until - first.timestamp()) / DAY * _WINDOW_SHARE)), 1)
    begin = until - days * DAY if start is None else start
    if not first.timestamp() < begin < min(until, last.timestamp()):
        raise InvalidInput(
            "from",
            f"the test window, {_day(begin)} to {_day(until)}, must begin within the data, {_day(first.timestamp())} to "
            f"{_day(last.timestamp())}, and before --to",
        )
    return begin, until


def _day(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"
