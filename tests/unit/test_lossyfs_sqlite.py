"""SQLite on the forgetful file system: a real sync keeps every acknowledged commit, and a missing one is caught."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import apsw
import pytest

from tests.support import lossyfs as support
from tests.support.lossyfs import ROOT, LossyFilesystem

pytestmark = pytest.mark.fuse
lossyfs_fixture = support.lossyfs_fixture  # pytest finds fixtures among a module's names


@contextmanager
def writer(database: Path, *options: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that commits and prints the number of each commit; killed with SIGKILL at the end."""
    command = [sys.executable, "-m", "tests.support.sqlite_writer", str(database), *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def read_numbers(process: subprocess.Popen[bytes], count: int | None = None) -> set[int]:
    """That many acknowledgements, or all that are left in the pipe of a dead process."""
    assert process.stdout is not None
    lines = process.stdout.readlines() if count is None else [process.stdout.readline() for _ in range(count)]
    return {int(line) for line in lines if line.endswith(b"\n")}


def found(database: Path) -> set[tuple[int, int]]:
    with closing(apsw.Connection(str(database))) as connection:
        assert connection.pragma("integrity_check") == "ok"
        return set(connection.execute("select writer, number from acknowledged"))


def lost_after(filesystem: LossyFilesystem, commits: int, *options: str) -> set[int]:
    """The acknowledged commits that are gone when the power goes right after the last of them."""
    database = filesystem.mountpoint / "events.db"
    with writer(database, "--commits", str(commits), *options) as process:
        acknowledged = read_numbers(process, commits)
        assert len(acknowledged) == commits
        filesystem.cut_power()
        process.kill()
    filesystem.power_on()
    return acknowledged - {number for _, number in found(database)}


def test_wal_with_full_sync_keeps_every_acknowledged_commit_of_two_writers(lossyfs: LossyFilesystem) -> None:
    database = lossyfs.mountpoint / "events.db"
    acknowledged: set[tuple[int, int]] = set()
    for boot in range(3):
        with ExitStack() as stack:
            writers: dict[int, subprocess.Popen[bytes]] = {}
            for number in (
                2 * boot,
                2 * boot + 1,
            ):  # checkpoints run all the time; the cut falls where it falls
                options = ("--writer", str(number), "--autocheckpoint", "20")
                writers[number] = stack.enter_context(writer(database, *options))
                # One after the other: a change of the journal mode waits for no lock.
                acknowledged |= {(number, commit) for commit in read_numbers(writers[number], 100)}
            lossyfs.cut_power()
            for number, process in writers.items():
                process.kill()
                acknowledged |= {(number, commit) for commit in read_numbers(process)}
        lossyfs.power_on()
        assert len(acknowledged) >= 200 * (boot + 1)
        assert acknowledged <= found(database)


@pytest.mark.parametrize("synchronous", ["normal", "off"])
def test_wal_without_a_sync_per_commit_loses_acknowledged_commits(
    lossyfs: LossyFilesystem, synchronous: str
) -> None:
    assert len(lost_after(lossyfs, 50, "--synchronous", synchronous)) == 50


def test_the_same_harness_with_full_sync_loses_none(lossyfs: LossyFilesystem) -> None:
    assert lost_after(lossyfs, 50, "--synchronous", "full") == set()


def test_rollback_journal_needs_the_folder_synced_too(lossyfs: LossyFilesystem) -> None:
    # With FULL the removal of the journal is not synced: it is back after the cut and undoes the last commit
    # (sqlite.org/pragma.html#pragma_synchronous on EXTRA).
    assert lost_after(lossyfs, 20, "--journal", "delete", "--synchronous", "full") == {19}


def test_rollback_journal_with_extra_sync_loses_none(lossyfs: LossyFilesystem) -> None:
    assert lost_after(lossyfs, 20, "--journal", "delete", "--synchronous", "extra") == set()
