"""The durable image: the backing folder, and what a sync writes to it."""

import os
import shutil
import stat
from pathlib import Path

from tests.lossyfs.tree import Directory, File, Node, new_directory, new_file

PARKING = ".lossyfs"  # in the backing folder, not on the mount: where a sync builds what it then renames


class Image:
    """The backing folder, read at the start and changed by syncs alone.

    A change of names is one rename(2) there, so that SIGKILL amid a sync leaves the old name or the new one (not
    so where names were exchanged).
    """

    def __init__(self, backing: Path) -> None:
        self._backing = backing
        self._parking = Directory(mode=0)
        shutil.rmtree(backing / PARKING, ignore_errors=True)
        self.root = new_directory(0o755)
        self.root.ino = 1
        self.root.parent = self.root
        self._load(self.root, backing)
        (backing / PARKING).mkdir()

    def _load(self, directory: Directory, path: Path) -> None:
        for entry in sorted(path.iterdir()):
            info = entry.lstat()
            node: Node
            if stat.S_ISDIR(info.st_mode):
                node = new_directory(info.st_mode)
                self._load(node, entry)
            elif stat.S_ISREG(info.st_mode):
                node = new_file(info.st_mode)
                node.data.extend(entry.read_bytes())
                node.synced()
            else:
                raise ValueError(f"{entry}: the backing folder may hold files and folders only")
            directory.add(entry.name, node)
            self._settled(node, directory, entry.name)

    def sync_file(self, file: File) -> None:
        """The file's bytes and size become durable, and its name if it has no durable one."""
        if file.home is None and file.parent is None:
            return  # removed before any of it was durable
        new = file.home is None
        if new:
            self._create(file)
        handle = os.open(self._path(file), os.O_WRONLY)
        try:
            os.ftruncate(handle, file.low)
            for offset, data in file.unsynced():
                os.pwrite(handle, data, offset)
            os.ftruncate(handle, file.size)
            os.fchmod(handle, stat.S_IMODE(file.mode))
        finally:
            os.close(handle)
        file.synced()
        if new:
            self._settle(file)

    def sync_directory(self, directory: Directory) -> None:
        """The folder's names become durable."""
        if directory.parent is not None and not self._is_durable(directory):
            self._settle(directory)
        for name, node in list(directory.durable.items()):
            if directory.entries.get(name) is node or directory.durable.get(name) is not node:
                continue
            if node.parent is not None:
                self._settle(node)
            elif name not in directory.entries:
                self._erase(node)
        for node in directory.entries.values():
            self._settle(node)

    def _settle(self, node: Node, moving: tuple[Node, ...] = ()) -> None:
        """Makes the node's present name durable, moving it in the image or creating it there."""
        parent = node.parent
        assert parent is not None
        if not self._is_durable(parent):
            self._settle(parent, (*moving, node))
        occupant = parent.durable.get(node.name)
        if occupant is node:
            return
        if isinstance(occupant, File) and occupant.parent is not None and occupant not in moving:
            # A chain of renames, as of rotated logs: the last one goes first.
            self._settle(occupant, (*moving, node))
            self._settle(node, moving)
            return
        displaced: list[Node] = []
        if occupant is not None and not (_is_gone_file(occupant) and isinstance(node, File)):
            displaced.append(occupant)  # it could not be replaced at once, or has another place to go to
        if self._inside(parent, node):  # a folder moved into one that was inside it
            displaced.append(parent)
        for other in displaced:
            self._move(other, self._parking, str(other.ino))
        if node.home is None:
            self._create(node)
        self._move(node, parent, node.name)
        for other in displaced:
            if other.parent is None:
                self._erase(other)
            else:
                self._settle(other)

    def _create(self, node: Node) -> None:
        """Puts an empty file or folder into the parking place."""
        path = self._backing / PARKING / str(node.ino)
        if isinstance(node, Directory):
            path.mkdir()
        else:
            path.touch()
        path.chmod(stat.S_IMODE(node.mode))
        self._settled(node, self._parking, str(node.ino))

    def _move(self, node: Node, parent: Directory, name: str) -> None:
        self._path(node).replace(self._path(parent) / name)
        if replaced := parent.durable.get(name):
            replaced.home = None
        self._settled(node, parent, name)

    def _settled(self, node: Node, parent: Directory, name: str) -> None:
        if node.home is not None:
            del node.home[0].durable[node.home[1]]
        node.home = (parent, name)
        parent.durable[name] = node

    def _erase(self, node: Node) -> None:
        assert node.home is not None
        if isinstance(node, Directory):
            self.sync_directory(node)  # lets what was moved out of it go first
            self._path(node).rmdir()
        else:
            self._path(node).unlink()
        del node.home[0].durable[node.home[1]]
        node.home = None

    def _is_durable(self, directory: Directory) -> bool:
        return directory is self.root or directory.home is not None

    def _inside(self, inner: Directory, outer: Node) -> bool:
        while inner is not outer and inner.home is not None:
            inner = inner.home[0]
        return inner is outer

    def _path(self, node: Node) -> Path:
        if node is self.root:
            return self._backing
        if node is self._parking:
            return self._backing / PARKING
        assert node.home is not None
        return self._path(node.home[0]) / node.home[1]


def _is_gone_file(node: Node) -> bool:
    return isinstance(node, File) and node.parent is None
