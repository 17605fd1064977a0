"""The machine, the versions and the commit that figures belong to. Nothing that tells whose machine it is."""

import os
import platform
import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil  # type: ignore[import-untyped]

import vitrine
from tests.load.ghz import VERSION

PACKAGES = (
    "grpcio",
    "protobuf",
    "numpy",
    "polars",
    "onnxruntime",
    "onnxruntime-gpu",
    "lightgbm",
    "apsw",
    "uvloop",
)


def machine() -> dict[str, str]:
    """The hardware and the operating system."""
    return {
        "CPU": f"{cpu_model()}, {len(cores())} of {os.cpu_count()} cores used{'; a virtual machine' * _virtual()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "system": f"{platform.system()} {platform.machine()}",
    }


def cpu_model() -> str:
    """The CPU as the kernel names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or "unknown"
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _virtual() -> bool:
    try:
        return "hypervisor" in Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    except OSError:
        return False


def cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def versions() -> dict[str, str]:
    """What took part."""
    found = {"vitrine": vitrine.__version__, "Python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    # Not where networks alone are measured.
    with suppress(ModuleNotFoundError):
        import apsw

        found["SQLite"] = apsw.sqlite_lib_version()
    if VERSION.exists():
        found["ghz"] = VERSION.read_text(encoding="utf-8").strip().removeprefix("v")
    return found


def commit() -> str:
    """The commit of the working tree, and whether the tree differs from it."""

    def git(*args: str) -> str:
        done = subprocess.run(["git", *args], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""

    head = git("rev-parse", "--short=12", "HEAD")
    if not head:
        return "none"
    # What the bench writes does not count.
    wrote = (":!docs/performance*", ":!README.md")
    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".", *wrote)
    return f"{head} with changes" if changed else head
