"""Kinds of data: one committed configuration each, of training and of serving."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from vitrine.app.check import wrong_names
from vitrine.config import Config, overlaid
from vitrine.dataset import Has
from vitrine.errors import ConfigError
from vitrine_export.kinds.check import check
from vitrine_export.kinds.fitted import lacking, without
from vitrine_export.train.parameters import Parameters, RerankerSettings

KINDS = ("invoices", "sequences", "sessions", "check-ins")
# How a file begins that says what a bundle is served with.
_WRITTEN = "# The scenes that "


@dataclass(frozen=True, slots=True)
class Kind:
    """How data of a kind is learned from and served.

    Attributes:
        name: Of the kind, or the file.
        parameters: Settings of training.
        serving: What it changes in the configuration of a server, as in a TOML file.
        given: The settings of training that its file has: others are defaults.
    """

    name: str
    parameters: Parameters
    serving: Mapping[str, Any]
    given: frozenset[str] = frozenset()

    def config(self, path: Path | None = None) -> Config:
        """The defaults, over them this kind, over that a file.

        Raises:
            ConfigError: Something in them is not allowed; says what.
        """
        return overlaid(self.serving, path, f"the configuration of {self.name}")

    def lacking(self, off: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """What its scenes ask for and a bundle has no part for, by scene: ``ranker:NAME``, ``source:NAME`` -> why.

        Args:
            off: Part that is missing -> why, as the bundle's manifest has it.
        """
        scenes = self.config().scenes
        own = {name: lacking(scenes[name], off) for name in self.serving.get("scenes", {})}
        return {name: gone for name, gone in own.items() if gone}

    def write_serving(self, bundle: Path, off: Mapping[str, str] | None = None) -> Path:
        """Writes what this kind changes in a server's configuration beside a bundle; answers the file.

        A file of that name that was not written here stays: somebody's configuration may be called like the bundle.

        Args:
            bundle: The bundle.
            off: What it has no part for, as for `lacking`: scenes are written without it.

        Raises:
            ConfigError: It cannot be written.
        """
        from vitrine_export.tuning.toml import merged, written

        left_out = {scene: without(gone) for scene, gone in self.lacking(off or {}).items()}
        serving = merged(self.serving, {"scenes": left_out} if left_out else {})
        file = bundle.parent / f"{bundle.name}.toml"
        try:
            if file.exists() and not file.read_bytes().startswith(_WRITTEN.encode()):
                file = file.with_name(f"{bundle.name}-scenes.toml")
            file.write_text(f"{_WRITTEN}{bundle.name} was trained for.\n{written(serving)}", "utf-8")
        except OSError as error:
            raise ConfigError(f"cannot write {file}: {error.strerror or error}") from None
        return file

    @classmethod
    def load(cls, name: str) -> "Kind":
        """One of `KINDS`, or a TOML file in the same format, as `vitrine tune` writes it.

        Raises:
            ConfigError: There is no such kind or file, or it has a key or value that is not allowed.
        """
        try:
            if name in KINDS:
                text = (resources.files("vitrine_export.kinds") / f"{name}.toml").read_text("utf-8")
            else:
                text = Path(name).read_text("utf-8")
            table = tomllib.loads(text)
        except OSError as error:
            raise ConfigError(
                f"'{name}' is neither a kind of data ({', '.join(KINDS)}) nor a file that can be read ({error.strerror})"
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ConfigError(f"{name}: not a valid TOML file: {error}") from None
        unknown = sorted(set(table) - {"training", "serving"})
        if unknown:
            raise ConfigError(f"{name}: unknown table [{unknown[0]}]; there are [training] and [serving]")
        serving = table.get("serving", {})
        if not isinstance(serving, Mapping):
            raise ConfigError(f"{name}: [serving] is not a table")
        training = table.get("training", {})
        kind = cls(name, _parameters(training, name), serving, frozenset(training))
        if wrong := wrong_names(kind.config()):
            raise ConfigError(f"{name}: [serving]: {'; '.join(wrong)}")
        return kind


def kind_for(has: Has) -> str:
    """The kind that data is taken for unless told, by what it has."""
    return "invoices" if has.times else "sequences" if has.order else "check-ins"


def _parameters(given: Any, source: str) -> Parameters:
    """The table ``[training]`` of a file."""
    check(given, Parameters, f"{source}: [training]")
    inner = given.get("reranker", {})
    check(inner, RerankerSettings, f"{source}: [training.reranker]")
    return replace(Parameters(), **{**given, "reranker": RerankerSettings(**inner)})
