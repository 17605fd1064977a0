"""Bad plugins, each with one vice, as installed distributions."""

from dataclasses import dataclass
from pathlib import Path

from tests.support.patience import PATIENCE
from tests.support.plugin_dist import write_plugin

BUDGET_MS = 50

_HEAD = """
import ctypes, os, time
import numpy as np
from vitrine.plugin import Batch, LoadContext, Scores, hookimpl

VITRINE_CONTRACT = 1
HELD = []
"""
_BODY = """
class Animal:
    name, version, reason, budget_ms = "{name}", "1.0", None, {budget_ms}

    def score(self, batch: Batch) -> Scores:
        n = len(batch.items.ids)
        good = np.arange(n, dtype=np.float32)
        {vice}
        return good

@hookimpl
def {hook}(load: LoadContext) -> Animal:
    return Animal()
"""


@dataclass(frozen=True)
class Animal:
    """A bad plugin.

    Attributes:
        vice: What it does, in words.
        code: What it does in `score`.
        isolation: Which tier is to stop it.
        expected: Codes of `degraded` that answers may say of it.
        budget_ms: Its time; what is never late has so much that it is not on a busy machine either.
        imports: What its module does when it is imported.
        hook: How it spells the hook.
    """

    vice: str
    code: str = "pass"
    isolation: str = "thread"
    expected: tuple[str, ...] = ("FAILED", "OFF")
    budget_ms: int = 2000
    imports: str = ""
    hook: str = "vitrine_make_ranker"


_LATE = ("TIMEOUT", "OFF")
_CRASHED = ("FAILED", "OFF")

ZOO = {
    "raises": Animal("raises", "raise ValueError('secret of the house')"),
    "exits": Animal("calls sys.exit", "raise SystemExit(3)"),
    "nan": Animal("answers NaN", "good[0] = np.nan"),
    "short": Animal("answers the wrong length", "good = good[1:]"),
    "foreign": Animal("answers ids that were not asked about", "good = {'nobody-asked': 1.0}"),
    "mutates": Animal("changes its input", "batch.items.rows[:] = 0"),
    "sleeps": Animal("sleeps for a second", "time.sleep(1)", expected=_LATE, budget_ms=BUDGET_MS),
    "needy": Animal(
        "imports what is not there", imports="import what_nobody_has_installed", expected=("OFF",)
    ),
    "misspelt": Animal("misspells its hook", hook="vitrine_make_rnaker", expected=("OFF",)),
    "spins": Animal("spins for ever", "while True: pass", "process", _LATE + _CRASHED, BUDGET_MS),
    "grabs": Animal(
        "holds the interpreter's lock", "ctypes.PyDLL(None).sleep(5)", "process", _LATE + _CRASHED, BUDGET_MS
    ),
    "leaks": Animal(
        "keeps 16 MiB of each call",
        "HELD.append(bytearray(os.urandom(16)) * 2**20)",
        "process",
        _LATE + _CRASHED,
        BUDGET_MS,
    ),
    "crashes": Animal("reads address 0", "ctypes.string_at(0)", "process", _CRASHED),
}


def install_zoo(folder: Path) -> Path:
    """Writes them; put the folder on the path of whoever shall find them. Answers a configuration.

    There is a scene ``zoo_NAME`` for each, beside ``control``, the same without any.
    """
    scene = """
[scenes.{scene}]
sources = {{ popular = 200, co_visitation = 100 }}
weights = {{ cf = 1.0, "source:popular" = 0.1{animal} }}
"""
    # Slow to trip and quick to try again: as many bad calls as can be.
    lines = [
        "[ranking]\nfailures = 20\nretry_seconds = 0.5\n",
        PATIENCE,
        scene.format(scene="control", animal=""),
    ]
    for name, animal in ZOO.items():
        source = (
            _HEAD
            + animal.imports
            + _BODY.format(name=name, vice=animal.code, hook=animal.hook, budget_ms=animal.budget_ms)
        )
        write_plugin(folder, name, source)
        lines.append(scene.format(scene=f"zoo_{name}", animal=f", {name} = 1.0"))
        if animal.isolation == "process":
            lines.append(f'[plugins.{name}]\nisolation = "process"\nmemory_mb = 512\n')
    config = folder / "zoo.toml"
    config.write_text("\n".join(lines), "utf-8")
    return config
