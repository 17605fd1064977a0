"""Ranking data of each label window: base models that end before it, a shop as of its start, lists and labels."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from vitrine.app.offline import OfflineShop
from vitrine.bundle import load_bundle
from vitrine.config import Config, SceneConfig
from vitrine.dataset import Has
from vitrine.domain.columns import available, component_columns
from vitrine.hosting import Plugin
from vitrine.progress import Progress, part_of
from vitrine_export.exams import Exam
from vitrine_export.exams.held_out import CART, HOME
from vitrine_export.train.base import BaseModels
from vitrine_export.train.contributed import Contributions
from vitrine_export.train.ranking_data import RankingData, ranking_data

# Rankers that are fitted on ranking data themselves: their columns come later.
FITTED_ON_LISTS = ("deep",)
# Candidates of all lists together: with 75 columns 2.4 GB, and as much again while they are joined. Lists stay whole,
# as the place and the share of a score are those among all candidates, also of the deep ranker, which comes later.
_MOST_CANDIDATES = 8_000_000


def feature_names(config: Config, has: Has) -> tuple[str, ...]:
    """The columns that rerankers learn from: what such data has, and the rankers and sources of the learned scenes."""
    scenes = learned_scenes(config)
    rankers = dict.fromkeys(name for s in scenes for name in s.rankers if name not in FITTED_ON_LISTS)
    sources = dict.fromkeys(name for s in scenes for name in s.active_sources)
    return available(has_times=has.times, has_order=has.ordered) + component_columns(
        [*(f"ranker:{r}" for r in rankers), *(f"source:{s}" for s in sources)]
    )


def learned_scenes(config: Config) -> list[SceneConfig]:
    """The scenes of the configuration that rerankers learn for."""
    return [config.scenes[name] for name in (HOME, CART) if name in config.scenes]


def most_lists(wanted: int, exams: int, config: Config, *, cart: bool = True) -> int:
    """How many lists of a scene and an exam there may be: fewer than wanted where all would take gigabytes.

    Args:
        wanted: How many are wanted.
        exams: How many exams there are.
        config: The server's configuration.
        cart: Whether exams ask in the scene of the basket, too.
    """
    asked = [config.scenes[name] for name in ((HOME, CART) if cart else (HOME,)) if name in config.scenes]
    most = max((scene.candidates for scene in asked), default=1)
    return min(wanted, max(_MOST_CANDIDATES // (most * max(len(asked) * exams, 1)), 1))


def window_data(
    exams: Iterable[Exam],
    count: int,
    config: Config,
    fit: Callable[[Exam, int, Progress], BaseModels],
    folder: Path,
    *,
    progress: Progress,
    plugins: Sequence[Plugin] | None = None,
    contributions: Contributions | None = None,
) -> RankingData | None:
    """Lists of all exams.

    Args:
        exams: The oldest first.
        count: How many these are.
        config: The server's configuration.
        fit: Fits base models to what an exam lets them know; given its number, too.
        folder: Where the base models go; those that are there are used again.
        progress: Told how far it is.
        plugins: The plugins that were found; looked for unless told.
        contributions: Told which plugins contribute columns, and which of those that the configuration names do not.

    Returns:
        The lists; nothing where nobody of any exam is known.
    """
    parts: list[RankingData] = []
    told = Contributions(config.features) if contributions is None else contributions
    for number, exam in enumerate(exams):
        report = part_of(progress, number / count, (number + 1) / count)
        if not exam.queries:
            continue
        bundle = folder / f"window-{number}"
        if not (bundle / "manifest.json").exists():
            fit(exam, number, part_of(report, 0.0, 0.7)).write(bundle)
        with closing(
            OfflineShop.open(
                exam.shop,
                config,
                load_bundle(bundle, config.inference),
                until=exam.until,
                subjects={query.subject for query in exam.queries},
                popular=exam.learn,
                progress=part_of(report, 0.7, 0.8),
                plugins=plugins,
            )
        ) as shop:
            told.enter(*shop.contributed(told.plugins))
            names = feature_names(config, exam.learn.has)
            report = part_of(report, 0.8, 1.0)
            parts.append(ranking_data(shop, exam.queries, names, report, told.columns, told.saw))
    if not parts:
        return None
    data = RankingData.joined([told.kept(part) for part in parts])
    return replace(data, weights=dict(config.scenes[HOME].weights) if HOME in config.scenes else {})
