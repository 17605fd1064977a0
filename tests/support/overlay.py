"""An environment of its own on top of this one: it has all packages of this one, and what is installed into it."""

import os
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

from tests.support.installed import pip

# Scripts that this environment has and that are to run in the other: name -> what runs.
_SCRIPTS = {"pip": "pip._internal.cli.main:main", "pytest": "pytest:main", "vitrine": "vitrine.cli:main"}


@dataclass(frozen=True)
class Overlay:
    """Where it lies.

    Attributes:
        scripts: Its programs: python, pip, vitrine, pytest.
    """

    scripts: Path

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.scripts / "python"

    @property
    def environment(self) -> dict[str, str]:
        """Variables for programs that run in it: they find it first, and pip builds without downloading anything."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST", "PIP_"))}
        return {
            **clean,
            "PATH": f"{self.scripts}{os.pathsep}{clean.get('PATH', '')}",
            "VIRTUAL_ENV": str(self.scripts.parent),
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            # pip reads "no" as "build isolation: no".
            "PIP_NO_BUILD_ISOLATION": "no",
            "PIP_NO_INDEX": "1",
            "NO_COLOR": "1",
            "COLUMNS": "160",
        }

    def run(self, *command: str | Path, cwd: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Runs a program in it."""
        return subprocess.run(
            [*map(str, command)],
            cwd=cwd,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )


def make_overlay(folder: Path) -> Overlay:
    """Makes one, with hatchling to build packages with; skips the test where pip can reach no index."""
    # Its pip is this one's as well, which saves seconds; it installs where its interpreter is.
    venv.create(folder, with_pip=False)
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    ours = sysconfig.get_path("purelib")
    (theirs,) = (
        folder.glob("lib/python*/site-packages")
        if sys.platform != "win32"
        else folder.glob("Lib/site-packages")
    )
    # `addsitedir` reads the .pth files there as well: this working tree is installed by one.
    (theirs / "this_environment.pth").write_text(f"import site; site.addsitedir({ours!r})\n", "utf-8")
    for name, entry in _SCRIPTS.items():
        module, _, function = entry.partition(":")
        script = scripts / name
        script.write_text(
            f"#!{scripts / 'python'}\nimport sys\nfrom {module} import {function}\nsys.exit({function}())\n",
            "utf-8",
        )
        script.chmod(0o755)
    pip("install", "hatchling>=1.27", "editables", python=scripts / "python")
    return Overlay(scripts)
