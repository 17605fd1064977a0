"""The models of a trial: those that candidates are made with, and where asked for a reranker for each pipeline."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from vitrine.app.offline import OfflineShop
from vitrine.bundle import AttachedBundle, Bundle, load_bundle
from vitrine.config import Config
from vitrine.dataset import Dataset
from vitrine.hosting import Plugin
from vitrine_export.evaluate.run import refuse_leak
from vitrine_export.trial.bundles import FOLDER, Kept, code_of
from vitrine_export.trial.faults import PluginFault
from vitrine_export.trial.pipelines import Pipelines
from vitrine_export.trial.settings import Settings
from vitrine_export.trial.steps import Steps


class Models:
    """The models of one trial.

    Args:
        plugin: What is tried.
        dataset: What they learn from.
        start: Nothing from this moment on, Unix seconds.
        settings: Of the trial.
        steps: Told how far it is.
    """

    def __init__(
        self, plugin: Plugin, dataset: Dataset, start: float, settings: Settings, steps: Steps
    ) -> None:
        self._plugin = plugin
        self._start = start
        self._settings = settings
        self._steps = steps
        self._kept = Kept(settings.work or dataset.path / FOLDER, dataset, start, settings.seed)

    def base(self, config: Config) -> Bundle:
        """The models that candidates and columns are made with.

        Raises:
            InvalidInput: Those that were given have seen the test window.
        """
        given = self._settings.bundle
        if given is not None:
            bundle = load_bundle(given, config.inference)
            refuse_leak(bundle, self._start, given)
            return bundle
        report = self._steps.part("models")
        if config.scenes[self._settings.scene].reranker == self._plugin.name:
            return self._kept.reranked("reranked", config, code(self._plugin), report)
        return self._kept.base(config, report)

    def shops(
        self, shop: OfflineShop, pair: Pipelines, plugins: Sequence[Plugin], closing: ExitStack
    ) -> tuple[OfflineShop, OfflineShop, Pipelines]:
        """The shop of the pipeline with the plugin, that of the one without, and who decides after all.

        Args:
            shop: Filled, with the base models.
            pair: The pipelines.
            plugins: Those that were found.
            closing: Lets go of the models in the end.

        Raises:
            PluginFault: There is nothing to compare, as no reranker could learn from its columns.
        """
        if not pair.retrained:
            return shop.variant(pair.with_plugin), shop.variant(pair.without), pair
        name, why = self._plugin.name, ""
        shops = []
        for label, config, about in (
            (f"with-{name}", pair.with_plugin, code(self._plugin)),
            ("without", pair.without, ""),
        ):
            report = self._steps.part(f"training {label.partition('-')[0]}")
            bundle = self._kept.reranked(label, config, about, report)
            reranker = config.scenes[self._settings.scene].reranker
            if reranker and reranker not in bundle.manifest.models:
                unknown = f"`vitrine train` makes none that is called '{reranker}'"
                why = bundle.manifest.off.get(reranker, unknown)
            attached = AttachedBundle(bundle, shop.memory.store.catalog)
            closing.callback(attached.close)
            shops.append(OfflineShop(config, shop.memory, attached, plugins))
        if why and not pair.weights:
            raise PluginFault(f"'{name}' offers columns, and no reranker could be trained with them: {why}")
        if why:
            told = f"The weights decide in both lists, as no reranker could be trained: {why}."
            pair = replace(pair, decided=told, retrained=False)
        return shops[0], shops[1], pair


def code(plugin: Plugin) -> str:
    """Changes with the version and the code of a plugin."""
    module = None if plugin.host is None else plugin.host.get_plugin(plugin.name)
    return f"{plugin.distribution} {code_of(getattr(module, '__file__', None))}"
