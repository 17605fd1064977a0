"""Models to try a plugin with: trained quickly on what came before the cut, once, and kept."""

import hashlib
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from vitrine import __version__
from vitrine.bundle import Bundle, load_bundle
from vitrine.config import Config
from vitrine.dataset import Dataset
from vitrine.errors import BundleError, InvalidInput
from vitrine.progress import Progress
from vitrine_export.train import Parameters, train
from vitrine_export.train.run import fingerprint

# What candidates and features are made with; in seconds, without torch.
BASE = Parameters(neural=False, rerank=False, validate=False)
# The reranker on top; in minutes.
RERANKED = Parameters(neural=False, rerank=True, validate=False)
FOLDER = ".try"


class Kept:
    """The folder of models of one data set and one cut.

    Args:
        folder: Where they are kept.
        dataset: What they learn from.
        start: Nothing from this moment on, Unix seconds.
        seed: Decides everything random.
    """

    def __init__(self, folder: Path, dataset: Dataset, start: float, seed: int) -> None:
        self._folder = folder
        self._dataset = dataset
        self._until = datetime.fromtimestamp(start, UTC)
        self._seed = seed
        self._data = fingerprint(dataset)

    def base(self, config: Config, progress: Progress) -> Bundle:
        """Models without a reranker. No plugin and no scene changes them."""
        return self._bundle("base", BASE, config, "", progress)

    def reranked(self, label: str, config: Config, about: str, progress: Progress) -> Bundle:
        """The same with a reranker for the scenes of a configuration.

        Args:
            label: For the name of the folder.
            config: The configuration.
            about: Changes with whatever else the lists depend on: the code of the plugin.
            progress: Told how far it is.
        """
        return self._bundle(label, RERANKED, config, f"{config.fingerprint} {about}", progress)

    def _bundle(
        self, label: str, parameters: Parameters, config: Config, about: str, progress: Progress
    ) -> Bundle:
        key = msgspec.json.encode(
            [self._data, self._until, asdict(parameters), self._seed, __version__, about]
        )
        path = self._folder / f"{label}-{hashlib.sha256(key).hexdigest()[:12]}"
        if path.exists():
            try:
                return load_bundle(path, config.inference)
            except BundleError:
                pass  # damaged, or of another version: made again
        self._writable()
        train(
            self._dataset,
            path,
            until=self._until,
            parameters=parameters,
            seed=self._seed,
            config=config,
            progress=progress,
        )
        return load_bundle(path, config.inference)

    def _writable(self) -> None:
        """Finds out before minutes of training whether what comes of them can be kept."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe = self._folder / ".probe"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise InvalidInput(
                "work",
                f"{self._folder} cannot be written ({error.strerror or error}), and models are kept there; "
                "name another folder with --work",
            ) from None


def code_of(module_file: str | None) -> str:
    """Changes with the code of a plugin: a hash of its module, or of all modules of its package."""
    if not module_file:
        return ""
    file = Path(module_file)
    files = sorted(file.parent.rglob("*.py")) if file.name == "__init__.py" else [file]
    total = hashlib.sha256()
    for each in files:
        total.update(each.read_bytes())
    return total.hexdigest()[:12]
