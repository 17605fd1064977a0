"""Makes the ranker and the columns of one plugin inside of its process."""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, cast

import msgspec

from vitrine.bundle import AttachedBundle, Bundle, load_bundle
from vitrine.config import InferenceConfig
from vitrine.domain.answer import ReasonCode
from vitrine.errors import BundleError, PluginFailed
from vitrine.hosting.discovery import Plugin, discover
from vitrine.hosting.process.told import Made, Start
from vitrine.plugin import Attributor, Explainer, FeatureBlock, LoadContext, MissingData, Ranker

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a plugin made.

    Attributes:
        ranker: Its ranker.
        block: Its columns.
        made: What the server is told of both.
    """

    ranker: Ranker | None
    block: FeatureBlock | None
    made: Made


class IsolatedBundle:
    """The files of a bundle, read when a plugin first asks: what a plugin in a process of its own has of one.

    It stands for `vitrine.bundle.AttachedBundle`, of which it has what does not follow the live catalogue.
    """

    def __init__(self, path: Path, version: str, inference: InferenceConfig) -> None:
        self.version = version
        self._path = path
        self._inference = inference
        self._lock = threading.Lock()
        self._bundle: Bundle | None = None

    @property
    def bundle(self) -> Bundle:
        """The bundle.

        Raises:
            MissingData: It cannot be read, or is no longer that which the server has.
        """
        with self._lock:
            if self._bundle is None:
                try:
                    bundle = load_bundle(self._path, self._inference)
                except BundleError as error:
                    log.warning("%s", error)
                    raise MissingData("its process cannot read the bundle; the log says why") from None
                if bundle.version != self.version:
                    raise MissingData(
                        f"the folder of the bundle holds version {bundle.version} and the server has {self.version}; "
                        "reload the bundle"
                    )
                self._bundle = bundle
            return self._bundle

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("_") or (not hasattr(AttachedBundle, name) and name != "catalog"):
            raise AttributeError(name)
        raise MissingData(
            f"'{name}' of the bundle follows the live catalogue, which a process of its own does not have; "
            "say isolation = 'thread'"
        )


def load(start: Start) -> Parts:
    """Finds the plugin and makes its parts.

    Raises:
        MissingData: The bundle lacks what the plugin needs.
        PluginFailed: It cannot be found or loaded, or made what is neither ranker nor columns.
    """
    plugin = next(iter(discover(lambda name: name == start.name)), None)
    if plugin is None:
        raise PluginFailed("its process does not find the plugin; restart the server after installing one")
    if plugin.host is None:
        raise PluginFailed(plugin.public_error)
    bundle = None
    if start.bundle_path is not None:
        inference = InferenceConfig.model_validate(start.inference)
        bundle = IsolatedBundle(Path(start.bundle_path), start.bundle_version, inference)
    context = LoadContext(cast("AttachedBundle | None", bundle), _settings(plugin, start.settings))
    ranker = plugin.host.hook.vitrine_make_ranker(load=context)
    block = plugin.host.hook.vitrine_make_features(load=context)
    if ranker is not None and not isinstance(ranker, Ranker):
        raise PluginFailed("vitrine_make_ranker returned no Ranker; see vitrine.plugin.Ranker")
    if block is not None and not isinstance(block, FeatureBlock):
        raise PluginFailed("vitrine_make_features returned no FeatureBlock; see vitrine.plugin.FeatureBlock")
    try:
        told = {"ranker": ranker and _tell_ranker(ranker), "block": block and _tell_block(block)}
        return Parts(ranker, block, msgspec.convert(told, Made))
    except msgspec.ValidationError as error:
        raise PluginFailed(f"an attribute is not what vitrine.plugin says: {error}") from None


def _settings(plugin: Plugin, given: Mapping[str, Any]) -> Any:
    model = plugin.settings_model()
    return given if model is None else model.model_validate(given)


def _tell_ranker(ranker: Ranker) -> dict[str, Any]:
    reason = ranker.reason
    return {
        "name": ranker.name,
        "version": ranker.version,
        "reason": int(reason) if isinstance(reason, ReasonCode) else reason,
        "budget_ms": ranker.budget_ms,
        "partial": bool(getattr(ranker, "partial", False)),
        "after": getattr(ranker, "after", ()),
        "explains": isinstance(ranker, Explainer),
        "groups": ranker.groups if isinstance(ranker, Attributor) else None,
    }


def _tell_block(block: FeatureBlock) -> dict[str, Any]:
    columns = [{"name": c.name, "text": c.text, "version": c.version} for c in block.columns]
    return {"columns": columns, "budget_ms": block.budget_ms}
