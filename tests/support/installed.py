"""The wheel of this working tree, and environments as other people have them."""

import os
import re
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONSTRAINTS = ROOT / "constraints.txt"
# What pip says where no index can be reached.
OFFLINE = re.compile(
    r"No matching distribution|Could not find a version|connection|Network is unreachable", re.IGNORECASE
)


def pip(*arguments: str | Path, python: Path | str = sys.executable, timeout: float = 240) -> None:
    """Runs pip; where no index can be reached, the test is skipped, but in CI it fails."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode:
        if OFFLINE.search(done.stderr) and not os.environ.get("CI"):
            pytest.skip(f"pip cannot download: {done.stderr.strip().splitlines()[-1]}")
        pytest.fail(done.stderr)


def build_wheel(folder: Path) -> Path:
    """The wheel of this working tree."""
    isolation = ["--no-build-isolation"] if find_spec("hatchling") else []
    pip("wheel", "--no-deps", *isolation, "--wheel-dir", folder, ROOT)
    (built,) = folder.glob("*.whl")
    return built


def fresh_environment(folder: Path, requirement: str, timeout: float = 240) -> Path:
    """The scripts of a new environment with one requirement and what that requires."""
    venv.create(folder, with_pip=True)
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    pip("install", "-c", CONSTRAINTS, requirement, python=scripts / "python", timeout=timeout)
    return scripts


def run(
    scripts: Path, program: str, *arguments: str, timeout: float = 60
) -> subprocess.CompletedProcess[str]:
    """Runs a program of such an environment, which sees nothing of this working tree."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    return subprocess.run(
        [str(scripts / program), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd=scripts,
        env=clean,
    )
