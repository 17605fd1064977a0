"""Tries one plugin: models, lists with and without it, and everything that is shown of it."""

from contextlib import ExitStack

from vitrine.app.offline import OfflineShop
from vitrine.bundle import Bundle
from vitrine.config import Config
from vitrine.dataset import Dataset
from vitrine.errors import InvalidInput
from vitrine.hosting import discover
from vitrine.progress import Progress, quiet
from vitrine.ranking import RankingEngine
from vitrine_export.evaluate.groups import CART, HOME
from vitrine_export.evaluate.serving import window_queries
from vitrine_export.evaluate.temporal import TemporalSplit, split_by_time
from vitrine_export.trial.examples import changed_places, examples
from vitrine_export.trial.faults import Watch, watched
from vitrine_export.trial.first import first_calls, found, made
from vitrine_export.trial.latency import latencies
from vitrine_export.trial.measure import K, compare, groups
from vitrine_export.trial.models import Models
from vitrine_export.trial.overlap import overlap, shared
from vitrine_export.trial.pipelines import Pipelines, pipelines
from vitrine_export.trial.report import Trial
from vitrine_export.trial.settings import Settings, window
from vitrine_export.trial.steps import Steps

# Whose candidates time the calls.
_TIMED = 60


def try_plugin(
    name: str, dataset: Dataset, config: Config, settings: Settings, progress: Progress = quiet
) -> Trial:
    """Tries an installed plugin on a data set.

    Args:
        name: Name of its entry point.
        dataset: With times.
        config: The server's configuration.
        settings: What else there is to choose.
        progress: Told how far it is.

    Raises:
        PluginFault: It is not installed, cannot be made, or fails on real candidates; says what to do.
        InvalidInput: The data, the scene, the window or the bundle cannot be used.
    """
    with watched() as watch, ExitStack() as closing:
        return _try(
            name, dataset, config, settings, Steps(progress, training=settings.retrain), watch, closing
        )


def _try(
    name: str,
    dataset: Dataset,
    served: Config,
    settings: Settings,
    steps: Steps,
    watch: Watch,
    closing: ExitStack,
) -> Trial:
    config = _here(served, name, settings)
    plugins, scene = discover(), settings.scene
    plugin = found(name, plugins, config, watch)
    _check_scene(config, scene)
    with steps.timed("data"):
        steps.progress("reading events", 0.0)
        whole = split_by_time(dataset, *window(dataset, settings.start, settings.end), settings.seed)
        split = whole.sample(settings.shoppers, settings.seed)
        scenes = _scenes(config, scene, split)
    models = Models(plugin, dataset, split.start, settings, steps)
    with steps.timed("models"):
        base = models.base(config)
    with steps.timed("filling the shop"):
        shop = OfflineShop.open(
            dataset,
            config,
            base,
            until=split.start,
            subjects={*split.known.users, *split.new.users},
            progress=steps.part("shop"),
            plugins=plugins,
        )
        closing.callback(shop.close)
    parts = made(name, plugin, plugins, shop.bundle, config, scenes, retrain=settings.retrain, watch=watch)
    pair = pipelines(
        config,
        name,
        scenes,
        weight=settings.weight,
        readers=parts.readers,
        retrained=settings.retrain,
        ranker=parts.ranker,
        columns=parts.columns,
    )
    with steps.timed("rerankers"):
        mine, theirs, pair = models.shops(shop, pair, plugins, closing)
    both = groups(split, whole, pair, scenes)
    group = both[0][0]
    asked = window_queries(group.queries, split.codes, group.scene, K)
    with steps.timed("first calls"):
        first_calls(name, mine.variant(group.config), asked, watch, steps.progress)
    with steps.timed("lists"):
        now, part = _served_now(config, scene, base, pair), steps.part("lists")
        compared = compare(name, both, mine, theirs, split.codes, settings.seed, watch, part, now)
    first = compared[0]
    with steps.timed("overlap"):
        rows, says = overlap(mine.variant(group.config), asked, name, first.alone, steps.part("overlap"))
    with steps.timed("latency"):
        # With the plugin where a server has it: its time depends on that.
        there = {**config.plugins, name: served.plugin(name)}
        with_it = pair.with_plugin.model_copy(update={"plugins": there})
        engine = RankingEngine(mine.memory.store.catalog, mine.bundle, with_it, plugins)
        closing.callback(engine.close)
        timed = latencies(engine, mine, with_it, name, asked[:_TIMED], steps.part("latency"))
    steps.progress("examples", 0.99)
    shown = examples(mine, group.queries, split.codes, first.before, first.after, settings.examples)
    steps.progress("done", 1.0)
    return Trial(
        plugin=name,
        version=parts.version,
        distribution=plugin.distribution,
        data=dataset.manifest.name,
        scene=scene,
        start=split.start,
        end=split.end,
        seed=settings.seed,
        bundle="" if mine.bundle is None else mine.bundle.version,
        config=pair.with_plugin.fingerprint,
        weights=pair.weights,
        given=settings.weight is not None or bool(config.scenes[scene].weights.get(name)),
        decided=pair.decided,
        can_retrain=pair.by_weights,
        retrained=pair.retrained,
        columns=pair.retrained and parts.columns,
        tables=[one.table for one in compared],
        overlap=rows,
        says=says,
        changed=float(changed_places(first.before, first.after).mean()),
        fresh=1 - shared(first.after, first.before),
        latency=timed,
        examples=shown,
        notes=list(parts.notes),
        seconds=steps.seconds,
    )


def _here(config: Config, name: str, settings: Settings) -> Config:
    """The configuration with all plugins in this process: each of a dozen pipelines would start processes of its own."""
    named = {other: config.plugin(other) for other in (*config.plugins, name)}
    here = {other: plugin.model_copy(update={"isolation": "thread"}) for other, plugin in named.items()}
    return config.model_copy(update={"seed": settings.seed, "plugins": here})


def _check_scene(config: Config, scene: str) -> None:
    if scene not in config.scenes:
        raise InvalidInput("scene", f"'{scene}' is not configured; configured are {', '.join(config.scenes)}")
    if set(config.scenes[scene].active_sources) <= {"search"}:
        raise InvalidInput(
            "scene",
            f"'{scene}' answers what somebody typed, and a log does not tell that; try it in another scene",
        )


def _scenes(config: Config, scene: str, split: TemporalSplit) -> list[str]:
    """The scenes that are asked for: with the front page, as in the temporal protocol, that of the basket."""
    baskets = [CART] if scene == HOME and CART in config.scenes and len(split.new) else []
    return [scene, *baskets]


def _served_now(config: Config, scene: str, base: Bundle, pair: Pipelines) -> str:
    """The reranker that a server has today, where weights decide in the comparison."""
    reranker = config.scenes[scene].reranker
    return reranker if pair.by_weights and reranker in base.manifest.models else ""
