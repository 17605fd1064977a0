"""Before minutes are spent: is the plugin there, can it be made, does it answer?"""

import difflib
import threading
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vitrine.app.offline import OfflineShop
from vitrine.bundle import AttachedBundle
from vitrine.config import Config
from vitrine.domain.answer import Degradation
from vitrine.errors import ConfigError
from vitrine.hosting import Plugin, make_rankers
from vitrine.progress import Progress
from vitrine.recommendation.query import WindowQuery
from vitrine_export.trial.faults import PluginFault, Watch
from vitrine_export.trial.measure import refuse

# Longer than any ranker that could be served.
_PATIENCE_SECONDS = 30.0
_ASKED = 8


@dataclass(frozen=True, slots=True)
class Made:
    """What was made of the plugin.

    Attributes:
        version: Of its ranker, or of its distribution where it has none.
        ranker: Whether it ranks.
        columns: Whether it contributes feature columns.
        readers: Rerankers of the scenes that learned with it.
        notes: What is to be known.
    """

    version: str
    ranker: bool
    columns: bool
    readers: tuple[str, ...]
    notes: tuple[str, ...] = ()


def found(name: str, plugins: Sequence[Plugin], config: Config, watch: Watch) -> Plugin:
    """The plugin of a name.

    Raises:
        PluginFault: It is not installed or cannot be loaded.
        ConfigError: The configuration switches it off.
    """
    plugin = next((plugin for plugin in plugins if plugin.name == name), None)
    if plugin is None:
        raise PluginFault(_unknown(name, [plugin.name for plugin in plugins]))
    if plugin.host is None:
        # What was raised stands in the host's sentence already.
        _, _, where = watch.of(f"'{name}' cannot be loaded").partition("\n")
        raise PluginFault(f"'{name}' ({plugin.distribution}) {plugin.error}" + (where and f"\n{where}"))
    if not config.plugin(name).enabled:
        raise ConfigError(
            f"'{name}' is switched off in the configuration (plugins.{name}.enabled); switch it on"
        )
    return plugin


def made(
    name: str,
    plugin: Plugin,
    plugins: Sequence[Plugin],
    bundle: AttachedBundle | None,
    config: Config,
    scenes: Collection[str],
    *,
    retrain: bool,
    watch: Watch,
) -> Made:
    """Makes the plugin for the models once, to see whether it can be.

    Raises:
        PluginFault: It cannot, or there is nothing to try.
    """
    offers = plugin.offers
    rerankers = [r for r in dict.fromkeys(config.scenes[scene].reranker for scene in scenes) if r]
    rankers = [name] if "ranker" in offers else []
    blocks = [name] if "features" in offers else []
    parts = make_rankers(plugins, [*rankers, *rerankers], bundle, config, blocks=blocks)
    try:
        why = parts.off.get(name) if rankers else parts.blocks_off.get(name)
        if why:
            details = watch.of("failed to start")
            raise PluginFault(f"'{name}' is off: {why}" + (details and f"\n  {details}") + _for_missing(why))
        if not rankers and not blocks:
            raise PluginFault(
                f"'{name}' offers neither a ranker nor feature columns; there is nothing to try"
            )
        if not rankers and not retrain:
            raise PluginFault(
                f"'{name}' contributes feature columns and no ranker: a reranker has to learn from them first.\n"
                "  Add --retrain: it trains one with them and one without, and compares."
            )
        notes = []
        if blocks and (why := parts.blocks_off.get(name)):
            notes.append(f"Its feature columns are off: {why}")
        elif blocks and not retrain:
            notes.append(
                "Its feature columns are not part of this: --retrain lets a reranker learn from them."
            )
        ranker = parts.ready.get(name)
        return Made(
            plugin.distribution.rpartition(" ")[2] if ranker is None else ranker.version,
            ranker is not None,
            bool(parts.blocks),
            tuple(r for r in rerankers if name in parts.after(r)),
            tuple(notes),
        )
    finally:
        parts.close()


def first_calls(
    name: str, shop: OfflineShop, queries: Sequence[WindowQuery], watch: Watch, progress: Progress
) -> None:
    """Has the plugin score some real candidates, one shopper alone and several together.

    Raises:
        PluginFault: It failed, or did not come back; says what to do.
    """
    progress(f"first calls: {name}", 0.2)
    some = queries[:_ASKED]
    degraded: Counter[Degradation] = Counter()
    failed: list[BaseException] = []

    def call() -> None:
        try:
            for asked in filter(None, (some[:1], some[1:])):
                degraded.update(dict.fromkeys(shop.scored(asked).degraded, len(asked)))
        except BaseException as error:  # noqa: BLE001 - raised where somebody waits
            failed.append(error)

    # In a thread that can be left behind: nothing else ends a plugin that never comes back.
    thread = threading.Thread(target=call, daemon=True)
    thread.start()
    thread.join(_PATIENCE_SECONDS)
    if thread.is_alive():
        raise PluginFault(
            f"'{name}' did not answer within {_PATIENCE_SECONDS:.0f} s for {len(some)} shoppers.\n"
            "  A server would leave it out of every answer. Look for loops over items and for waiting: score whole "
            "columns at once."
        )
    if failed:
        raise failed[0]
    refuse(name, degraded, watch, len(some))


def _unknown(name: str, names: Sequence[str]) -> str:
    if name.startswith("source:"):
        return f"'{name}' is the score of a source, and no ranker; `vitrine plugins` lists {', '.join(names)}"
    close = difflib.get_close_matches(name, names, n=1)
    meant = f"did you mean '{close[0]}'? " if close else ""
    return (
        f"no installed package offers a ranker '{name}'; {meant}`vitrine plugins` lists {', '.join(names)}.\n"
        "  A package of your own is found once it is installed: `pip install -e FOLDER`; `vitrine plugin new` writes one."
    )


def _for_missing(why: str) -> str:
    if "bundle has no" not in why:
        return ""
    return (
        "\n  The models that were trained here have no networks. Train some with `vitrine train DATA --until FROM --out "
        "DIR`, and name them with --bundle DIR."
    )
