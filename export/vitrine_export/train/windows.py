"""Ranking data of each label window: base models that end before it, a shop as of its start, lists and labels."""

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from vitrine.app.offline import OfflineShop
from vitrine.bundle import load_bundle
from vitrine.config import Config, SceneConfig
from vitrine.dataset import Dataset
from vitrine.features import ALWAYS, component_columns
from vitrine.hosting import Plugin
from vitrine.progress import Progress, part_of
from vitrine_export.train.base import BaseModels
from vitrine_export.train.contributed import Contributions
from vitrine_export.train.labels import Window, label_queries
from vitrine_export.train.ranking_data import RankingData, ranking_data

# The scenes that rerankers learn for: the front page, and the page of the basket.
HOME, CART = "home", "cart"
# Rankers that are fitted on ranking data themselves: their columns come later.
FITTED_ON_LISTS = ("deep",)
# Candidates of all lists together: with 60 columns 1.2 GB, and as much again while they are joined. Lists stay whole,
# as the place and the share of a score are those among all candidates, also of the deep ranker, which comes later.
_MOST_CANDIDATES = 5_000_000


def feature_names(config: Config) -> tuple[str, ...]:
    """The columns that rerankers learn from: what any data has, and the rankers and sources of the learned scenes."""
    scenes = learned_scenes(config)
    rankers = dict.fromkeys(name for s in scenes for name in s.rankers if name not in FITTED_ON_LISTS)
    sources = dict.fromkeys(name for s in scenes for name in s.active_sources)
    return ALWAYS + component_columns([*(f"ranker:{r}" for r in rankers), *(f"source:{s}" for s in sources)])


def learned_scenes(config: Config) -> list[SceneConfig]:
    """The scenes of the configuration that rerankers learn for."""
    return [config.scenes[name] for name in (HOME, CART) if name in config.scenes]


def window_data(
    dataset: Dataset,
    windows: list[Window],
    config: Config,
    fit: Callable[[datetime, int, Progress], BaseModels],
    folder: Path,
    *,
    lists: int,
    seed: int,
    progress: Progress,
    plugins: Sequence[Plugin] | None = None,
    contributions: Contributions | None = None,
) -> RankingData | None:
    """Lists of all windows.

    Args:
        dataset: The events.
        windows: The oldest first.
        config: The server's configuration.
        fit: Fits base models to what came before a moment; told the number of the window.
        folder: Where the base models of the windows go; those that are there are used again.
        lists: At most so many lists of a scene and a window; fewer where scenes have so many candidates that all lists
            would take gigabytes.
        seed: Decides what is drawn.
        progress: Told how far it is.
        plugins: The plugins that were found; looked for unless told.
        contributions: Told which plugins contribute columns, and which of those that the configuration names do not.

    Returns:
        The lists; nothing where nobody of any window is known.
    """
    names, parts = feature_names(config), []
    told = Contributions(config.features) if contributions is None else contributions
    most = max((scene.candidates for scene in learned_scenes(config)), default=1)
    lists = min(lists, max(_MOST_CANDIDATES // (most * max(2 * len(windows), 1)), 1))
    for number, window in enumerate(windows):
        report = part_of(progress, number / len(windows), (number + 1) / len(windows))
        queries = label_queries(dataset, window, home=HOME, cart=CART, limit=lists, seed=seed)
        queries = [query for query in queries if query.scene in config.scenes]
        if not queries:
            continue
        bundle = folder / f"window-{number}"
        if not (bundle / "manifest.json").exists():
            fit(datetime.fromtimestamp(window.start, UTC), number, part_of(report, 0.0, 0.7)).write(bundle)
        with closing(
            OfflineShop.open(
                dataset,
                config,
                load_bundle(bundle, config.inference),
                until=window.start,
                subjects={query.subject for query in queries},
                progress=part_of(report, 0.7, 0.8),
                plugins=plugins,
            )
        ) as shop:
            told.enter(*shop.contributed(told.plugins))
            report = part_of(report, 0.8, 1.0)
            parts.append(ranking_data(shop, queries, names, report, told.columns, told.saw))
    return RankingData.joined([told.kept(part) for part in parts]) if parts else None
