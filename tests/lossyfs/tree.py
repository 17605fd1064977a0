"""The folders and files as processes see them, each knowing where it is in the durable image, if anywhere."""

import errno
import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

BLOCK = 4096
_inodes = count(2)


def failure(code: int) -> OSError:
    """An error that the caller on the mount gets as its errno."""
    return OSError(code, os.strerror(code))


@dataclass(eq=False, kw_only=True)
class Node:
    """A file or folder. `parent` is None once it was removed; `home` is its place in the durable image."""

    mode: int
    uid: int = field(default_factory=os.getuid)
    gid: int = field(default_factory=os.getgid)
    name: str = ""
    parent: "Directory | None" = None
    home: "tuple[Directory, str] | None" = None
    ino: int = field(default_factory=lambda: next(_inodes))
    changed_ns: int = field(default_factory=time.time_ns)
    accessed_ns: int = field(default_factory=time.time_ns)

    @property
    def size(self) -> int:
        return 0


@dataclass(eq=False, kw_only=True)
class File(Node):
    """A file: its bytes now, and which of them the durable image lacks."""

    data: bytearray = field(default_factory=bytearray)
    dirty: set[int] = field(default_factory=set)  # blocks written since the last sync
    low: int = 0  # the smallest size since the last sync: durable bytes past it are stale

    @property
    def size(self) -> int:
        return len(self.data)

    def write(self, offset: int, data: memoryview) -> None:
        """Writes at a byte offset; a gap before it reads as zeros."""
        if offset > len(self.data):
            self.data.extend(bytes(offset - len(self.data)))
        stop = offset + len(data)
        self.data[offset:stop] = data
        self.dirty.update(range(offset // BLOCK, -(-stop // BLOCK)))
        self.changed_ns = time.time_ns()

    def truncate(self, size: int) -> None:
        """Cuts or extends with zeros."""
        del self.data[size:]
        self.low = min(self.low, size)
        self.data.extend(bytes(size - len(self.data)))
        self.changed_ns = time.time_ns()

    def unsynced(self) -> Iterator[tuple[int, memoryview]]:
        """Offset and bytes of every block to write, in order of the file."""
        view = memoryview(self.data)
        for block in sorted(self.dirty):
            if block * BLOCK < len(view):
                yield block * BLOCK, view[block * BLOCK : (block + 1) * BLOCK]

    def synced(self) -> None:
        """The durable image has it all."""
        self.dirty.clear()
        self.low = len(self.data)


@dataclass(eq=False, kw_only=True)
class Directory(Node):
    """A folder: its names now and the names in the durable image."""

    entries: dict[str, Node] = field(default_factory=dict)
    durable: dict[str, Node] = field(default_factory=dict)

    def get(self, name: str) -> Node:
        """The node of that name, or ENOENT."""
        try:
            return self.entries[name]
        except KeyError:
            raise failure(errno.ENOENT) from None

    def add(self, name: str, node: Node) -> None:
        """Gives a node its (only) name."""
        self.entries[name] = node
        node.parent, node.name = self, name
        self.changed_ns = time.time_ns()

    def remove(self, name: str, *, folder: bool) -> None:
        """Unlinks a file or removes an empty folder."""
        node = self.get(name)
        if isinstance(node, Directory) != folder:
            raise failure(errno.ENOTDIR if folder else errno.EISDIR)
        if isinstance(node, Directory) and node.entries:
            raise failure(errno.ENOTEMPTY)
        del self.entries[name]
        node.parent = None
        self.changed_ns = time.time_ns()

    def rename(self, name: str, target: "Directory", new: str) -> None:
        """Moves a name, replacing what is there as rename(2) does."""
        node = self.get(name)
        if target.entries.get(new) is node:
            return
        if new in target.entries:
            target.remove(new, folder=isinstance(node, Directory))
        del self.entries[name]
        self.changed_ns = time.time_ns()
        target.add(new, node)


def new_file(mode: int) -> File:
    """A regular file with the permission bits of `mode`."""
    return File(mode=stat.S_IFREG | stat.S_IMODE(mode))


def new_directory(mode: int) -> Directory:
    """A folder with the permission bits of `mode`."""
    return Directory(mode=stat.S_IFDIR | stat.S_IMODE(mode))
