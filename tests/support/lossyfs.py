"""Mounts `tests.lossyfs` (see there what survives) and cuts its power."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import pytest

from tests.lossyfs.image import PARKING

ROOT = Path(__file__).parents[2]


class LossyFilesystem:
    """A mounted file system that forgets, at a power cut, everything that was not synced.

    Args:
        backing: Folder with the durable image, what a disk would hold; its files are there at the start.
        mountpoint: Empty folder to work in.

    Raises:
        RuntimeError: It cannot be mounted, or failed while it was mounted; with what it printed.
    """

    def __init__(self, backing: Path, mountpoint: Path) -> None:
        for folder in (backing, mountpoint):
            folder.mkdir(parents=True, exist_ok=True)
        self.backing = backing.resolve()
        self.mountpoint = mountpoint.resolve()
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self.power_on()

    def power_on(self) -> None:
        """Mounts what the backing folder holds."""
        if self._process is not None:
            raise RuntimeError(f"{self.mountpoint} is mounted already: cut_power() comes first")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed at the cut
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.lossyfs", str(self.backing), str(self.mountpoint)],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.PIPE,  # its end tells the process that we died
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,  # Ctrl-C is for the tests, which then clean up
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline() != b"ready\n":
            self.cut_power()
            raise RuntimeError(f"{self.mountpoint} could not be mounted")

    def cut_power(self) -> None:
        """Drops everything unsynced; processes that still use the mount get errors. Harmless when off."""
        if self._process is None or self._errors is None:
            return
        process, self._process = self._process, None
        with self._errors as errors:
            process.kill()
            process.communicate()
            self._unmount()
            errors.seek(0)
            printed = errors.read().decode(errors="replace")
        shutil.rmtree(self.backing / PARKING, ignore_errors=True)
        if printed:
            raise RuntimeError(f"tests.lossyfs failed:\n{printed}")

    def _unmount(self) -> None:
        for options in (["-u"], ["-u", "-z"]):  # lazily where a process still has a file open
            if is_mounted(self.mountpoint):
                command = ["fusermount3", *options, "--", str(self.mountpoint)]
                subprocess.run(command, check=False, capture_output=True)
        if is_mounted(self.mountpoint):
            raise RuntimeError(f"{self.mountpoint} stays mounted: run fusermount3 -u -z on it")

    def close(self) -> None:
        """Ends like a power cut: what was not synced is gone."""
        self.cut_power()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def is_mounted(mountpoint: Path) -> bool:
    """Whether something is mounted there; unlike Path.is_mount() also right when its process is dead."""
    escaped = str(mountpoint).replace("\\", r"\134").replace(" ", r"\040")
    return any(line.split()[4] == escaped for line in Path("/proc/self/mountinfo").read_text().splitlines())


def fuse_missing() -> str | None:
    """What keeps the file system from being mounted here and what to do, or None."""
    if shutil.which("fusermount3") is None:
        return "FUSE is absent: run scripts/install-test-tools"
    if not Path("/dev/fuse").exists():
        return "FUSE is absent (no /dev/fuse): run scripts/install-test-tools"
    return None


def require_fuse() -> None:
    """Skips the running test where FUSE is absent; in CI (the environment variable CI is set) fails it."""
    if reason := fuse_missing():
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(name="lossyfs")
def lossyfs_fixture(tmp_path: Path) -> Iterator[LossyFilesystem]:
    """A mounted LossyFilesystem; without FUSE the test is skipped, in CI it fails."""
    require_fuse()
    with LossyFilesystem(tmp_path / "backing", tmp_path / "mount") as filesystem:
        yield filesystem
