"""The file system of the power-cut tests is itself right: what was synced is kept, and nothing else."""

import contextlib
import errno
import mmap
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import lossyfs as support
from tests.support.lossyfs import ROOT, LossyFilesystem, is_mounted, require_fuse

lossyfs_fixture = support.lossyfs_fixture  # pytest finds fixtures among a module's names
fuse = pytest.mark.fuse

Tree = dict[str, bytes | None]


def sync(path: Path, how: Callable[[int], None] = os.fsync) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        how(descriptor)
    finally:
        os.close(descriptor)


def write_synced(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    sync(path)


def tree(folder: Path) -> Tree:
    return {
        str(path.relative_to(folder)): None if path.is_dir() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
    }


def after_cut(filesystem: LossyFilesystem) -> Tree:
    """What is left, seen through the mount after the next boot; the backing folder must say the same."""
    filesystem.cut_power()
    backing = tree(filesystem.backing)
    filesystem.power_on()
    assert tree(filesystem.mountpoint) == backing
    return backing


@fuse
def test_unsynced_is_lost_and_synced_is_kept(lossyfs: LossyFilesystem) -> None:
    at = lossyfs.mountpoint
    write_synced(at / "synced", b"kept")
    (at / "数据").write_bytes("数据".encode())
    sync(at / "数据", os.fdatasync)
    (at / "unsynced").write_bytes(b"lost")
    (at / "folder").mkdir()
    assert tree(at) == {"folder": None, "synced": b"kept", "unsynced": b"lost", "数据": "数据".encode()}
    assert after_cut(lossyfs) == {"synced": b"kept", "数据": "数据".encode()}


@fuse
def test_overwriting_and_appending_are_lost_back_to_the_last_sync(lossyfs: LossyFilesystem) -> None:
    path = lossyfs.mountpoint / "log"
    write_synced(path, b"a" * 10_000)
    with path.open("r+b", buffering=0) as file:
        file.seek(5_000)
        file.write(b"b" * 10)
        os.fsync(file.fileno())
        file.write(b"c" * 10)
        file.seek(0, os.SEEK_END)
        file.write(b"d" * 10)
    assert after_cut(lossyfs) == {"log": b"a" * 5_000 + b"b" * 10 + b"a" * 4_990}


@fuse
def test_truncating_is_lost_until_synced_and_never_brings_old_bytes_back(lossyfs: LossyFilesystem) -> None:
    path = lossyfs.mountpoint / "file"
    write_synced(path, b"x" * 9_000)
    os.truncate(path, 10)
    assert after_cut(lossyfs) == {"file": b"x" * 9_000}
    os.truncate(path, 10)
    os.truncate(path, 20)
    sync(path)
    assert after_cut(lossyfs) == {"file": b"x" * 10 + bytes(10)}
    path.open("wb").close()
    sync(path)
    assert after_cut(lossyfs) == {"file": b""}


@fuse
def test_renaming_and_removing_need_a_sync_of_the_folder(lossyfs: LossyFilesystem) -> None:
    at = lossyfs.mountpoint
    for name in ("old", "removed", "target"):
        write_synced(at / name, name.encode())
    (at / "old").rename(at / "new")
    (at / "removed").unlink()
    assert after_cut(lossyfs) == {"old": b"old", "removed": b"removed", "target": b"target"}
    (at / "old").rename(at / "target")
    (at / "removed").unlink()
    sync(at)
    assert after_cut(lossyfs) == {"target": b"old"}


@fuse
def test_replacing_a_file_whose_new_bytes_were_not_synced_leaves_it_empty(lossyfs: LossyFilesystem) -> None:
    at = lossyfs.mountpoint
    write_synced(at / "settings", b"old")
    (at / "temporary").write_bytes(b"new")
    (at / "temporary").rename(at / "settings")
    sync(at)
    assert after_cut(lossyfs) == {"settings": b""}
    (at / "temporary").write_bytes(b"new")
    (at / "temporary").rename(at / "settings")
    sync(at / "settings")  # a new file takes its name along
    assert after_cut(lossyfs) == {"settings": b"new"}


@fuse
def test_folders(lossyfs: LossyFilesystem) -> None:
    at = lossyfs.mountpoint
    (at / "a" / "b").mkdir(parents=True)
    write_synced(at / "a" / "b" / "file", b"1")  # its new folders come along
    (at / "c").mkdir()
    assert after_cut(lossyfs) == {"a": None, "a/b": None, "a/b/file": b"1"}
    (at / "a" / "b" / "file").rename(at / "file")
    (at / "a" / "b").rmdir()
    sync(at / "a")  # a rename is durable at both ends or at none
    assert after_cut(lossyfs) == {"a": None, "file": b"1"}


@fuse
def test_names_exchanged_through_a_third(lossyfs: LossyFilesystem) -> None:
    at = lossyfs.mountpoint
    for name in ("a", "b"):
        write_synced(at / name, name.encode())
    (at / "a").rename(at / "t")
    (at / "b").rename(at / "a")
    (at / "t").rename(at / "b")
    sync(at)
    assert after_cut(lossyfs) == {"a": b"b", "b": b"a"}


@fuse
def test_mapped_pages_are_lost_without_msync_even_when_written_back(lossyfs: LossyFilesystem) -> None:
    path = lossyfs.mountpoint / "mapped"
    write_synced(path, bytes(8192))
    with path.open("r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
        mapped[:4] = b"kept"
        mapped.flush()
        mapped[4096:4100] = b"lost"
    assert path.read_bytes()[4096:4100] == b"lost"
    assert after_cut(lossyfs) == {"mapped": b"kept" + bytes(8188)}


@fuse
@pytest.mark.parametrize("flag", [os.O_SYNC, os.O_DSYNC])
def test_synchronous_writes_are_durable_at_once(lossyfs: LossyFilesystem, flag: int) -> None:
    descriptor = os.open(lossyfs.mountpoint / "file", os.O_CREAT | os.O_WRONLY | flag)
    os.write(descriptor, b"1")
    os.close(descriptor)
    assert after_cut(lossyfs) == {"file": b"1"}


@fuse
def test_a_removed_file_lives_as_long_as_it_is_open(lossyfs: LossyFilesystem) -> None:
    path = lossyfs.mountpoint / "file"
    with path.open("w+b") as file:
        path.unlink()
        file.write(b"still here")
        file.flush()
        os.fsync(file.fileno())
        file.seek(0)
        assert file.read() == b"still here"
    assert after_cut(lossyfs) == {}


@fuse
def test_what_is_not_modelled_is_refused(lossyfs: LossyFilesystem) -> None:
    at = lossyfs.mountpoint
    (at / "file").touch()
    with pytest.raises(PermissionError):
        (at / "link").symlink_to("file")
    with pytest.raises(PermissionError):
        (at / "link").hardlink_to(at / "file")
    with pytest.raises(FileExistsError):
        (at / "file").mkdir()


@fuse
def test_the_cut_fails_whoever_works_on_the_mount_and_takes_no_one_along(lossyfs: LossyFilesystem) -> None:
    descriptor = os.open(lossyfs.mountpoint / "file", os.O_CREAT | os.O_WRONLY)
    os.write(descriptor, b"1")
    lossyfs.cut_power()
    with pytest.raises(OSError, match=f"Errno {errno.ENOTCONN}"):
        os.write(descriptor, b"2")
    lossyfs.power_on()  # although the old mount is still open
    assert tree(lossyfs.mountpoint) == {}
    with pytest.raises(OSError, match=f"Errno {errno.ENOTCONN}"):
        os.close(descriptor)


@fuse
@pytest.mark.parametrize("seed", range(4))
def test_random_work_equals_an_ordinary_folder_and_once_synced_survives(
    lossyfs: LossyFilesystem, tmp_path: Path, seed: int
) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.mkdir()
    for at in (ordinary, lossyfs.mountpoint):
        work(at, random.Random(seed))
    expected = tree(ordinary)
    assert tree(lossyfs.mountpoint) == expected
    for path in (lossyfs.mountpoint, *lossyfs.mountpoint.rglob("*")):
        sync(path)
    assert after_cut(lossyfs) == expected


def work(at: Path, chance: random.Random) -> None:
    for step in range(400):
        folders = [at, at / "d0", at / "d1", at / "d0" / "d2"]
        path, other = (
            chance.choice(folders) / chance.choice(("f0", "f1", "d0", "d1", "d2")) for _ in range(2)
        )
        action = chance.choice(
            ("write", "patch", "truncate", "mkdir", "rename", "rename", "unlink", "rmdir", "sync")
        )
        size, data = chance.randrange(20_000), bytes([step % 256]) * chance.randrange(9_000)
        with contextlib.suppress(OSError):  # the same ones on both
            if action == "write" and path.name.startswith("f"):
                path.write_bytes(data)
            elif action == "patch":
                with path.open("r+b") as file:
                    file.seek(size)
                    file.write(data)
            elif action in {"mkdir", "unlink", "rmdir"}:
                getattr(path, action)()
            elif action == "rename":
                path.rename(other)
            elif action == "truncate":
                os.truncate(path, size)
            elif action == "sync":
                sync(path)


@fuse
def test_nothing_stays_mounted_when_the_tests_are_killed(tmp_path: Path) -> None:
    require_fuse()
    code = (
        "import sys, signal, pathlib; from tests.support.lossyfs import LossyFilesystem\n"
        "folder = pathlib.Path(sys.argv[1]); mounted = LossyFilesystem(folder / 'backing', folder / 'mount')\n"
        "print('mounted', flush=True); signal.pause()"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"mounted\n"
    assert is_mounted(tmp_path / "mount")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    deadline = time.monotonic() + 10
    while is_mounted(tmp_path / "mount"):
        assert time.monotonic() < deadline, "still mounted"
        time.sleep(0.02)


@fuse
def test_faults_of_the_file_system_itself_are_reported(tmp_path: Path) -> None:
    require_fuse()
    (tmp_path / "backing").mkdir()
    (tmp_path / "backing" / "link").symlink_to("elsewhere")
    with pytest.raises(RuntimeError, match="files and folders only"):
        LossyFilesystem(tmp_path / "backing", tmp_path / "mount")


def test_without_fuse_a_developer_skips_and_ci_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="FUSE is absent: run scripts/install-test-tools"):
        require_fuse()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="FUSE is absent: run scripts/install-test-tools"):
        require_fuse()
