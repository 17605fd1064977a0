"""What each request of the kernel does: all of it in memory, syncs alone touch the image."""

import errno
import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import count

from tests.lossyfs import protocol as p
from tests.lossyfs.image import PARKING, Image
from tests.lossyfs.protocol import Op, Set
from tests.lossyfs.tree import Directory, File, Node, failure, new_directory, new_file

RENAME_NOREPLACE = 1


@dataclass(frozen=True)
class Request:
    """One request: the node it is about and what follows the header."""

    node: Node
    body: memoryview

    @property
    def directory(self) -> Directory:
        if not isinstance(self.node, Directory):
            raise failure(errno.ENOTDIR)
        return self.node

    @property
    def file(self) -> File:
        if not isinstance(self.node, File):
            raise failure(errno.EISDIR)
        return self.node

    def names(self, skip: int = 0) -> list[str]:
        """The names that follow the first `skip` bytes."""
        raw = bytes(self.body[skip:]).split(b"\0")[:-1]
        return [name.decode(errors="surrogateescape") for name in raw]


class Operations:
    """The file system over one durable image."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._nodes: dict[int, Node] = {}
        self._synchronous: set[int] = set()  # handles opened with O_SYNC or O_DSYNC
        self._handles = count(1)
        self._register(image.root)
        self._operations: dict[int, Callable[[Request], bytes | None]] = {
            Op.INIT: self._init,
            Op.LOOKUP: lambda r: p.entry_out(r.directory.get(r.names()[0])),
            Op.GETATTR: lambda r: p.attributes_out(r.node),
            Op.SETATTR: self._setattr,
            Op.MKNOD: lambda r: p.entry_out(self._make(r, new_file(p.MKNOD_IN.unpack_from(r.body)[0]), 16)),
            Op.MKDIR: lambda r: p.entry_out(
                self._make(r, new_directory(p.MAKE_IN.unpack_from(r.body)[0]), 8)
            ),
            Op.UNLINK: lambda r: r.directory.remove(r.names()[0], folder=False),
            Op.RMDIR: lambda r: r.directory.remove(r.names()[0], folder=True),
            Op.RENAME: lambda r: self._rename(r, p.RENAME_IN.size, 0),
            Op.RENAME2: lambda r: self._rename(r, p.RENAME2_IN.size, p.RENAME2_IN.unpack_from(r.body)[1]),
            Op.SYMLINK: self._refuse,
            Op.LINK: self._refuse,
            Op.OPEN: lambda r: self._open(p.OPEN_IN.unpack_from(r.body)[0]),
            Op.CREATE: self._create,
            Op.READ: self._read,
            Op.WRITE: self._write,
            Op.RELEASE: self._release,
            Op.FSYNC: lambda r: self._image.sync_file(r.file),
            Op.OPENDIR: lambda _: p.OPEN_OUT.pack(0, 0, 0),
            Op.READDIR: self._readdir,
            Op.RELEASEDIR: lambda _: b"",
            Op.FSYNCDIR: lambda r: self._image.sync_directory(r.directory),
            Op.STATFS: lambda _: p.STATFS_OUT.pack(
                1 << 30, 1 << 29, 1 << 29, 1 << 20, 1 << 19, 4096, 255, 4096, 0
            ),
            Op.DESTROY: lambda _: b"",
        }

    def _register(self, node: Node) -> None:
        self._nodes[node.ino] = node
        if isinstance(node, Directory):
            for child in node.entries.values():
                self._register(child)

    def answer(self, opcode: int, inode: int, body: memoryview) -> bytes:
        """What to answer to a request; an OSError carries the errno for the caller."""
        operation = self._operations.get(opcode)
        if operation is None:
            raise failure(errno.ENOSYS)
        return operation(Request(self._nodes[inode or 1], body)) or b""  # INIT and DESTROY are about no node

    def forget(self, inodes: Iterable[int]) -> None:
        """The kernel dropped these nodes: what was also removed is gone for good."""
        for inode in inodes:
            if (node := self._nodes.get(inode)) and node.parent is None:
                del self._nodes[inode]

    def _init(self, request: Request) -> bytes:
        _, minor, readahead, _ = p.INIT_IN.unpack_from(request.body)
        if minor < p.MINOR:
            raise RuntimeError(
                f"the kernel speaks FUSE 7.{minor}, tests/lossyfs needs 7.{p.MINOR} (Linux 5.2)"
            )
        return p.INIT_OUT.pack(p.MAJOR, p.MINOR, readahead, p.BIG_WRITES, 16, 12, p.MAX_WRITE, 1, 0, 0, 0)

    def _refuse(self, request: Request) -> bytes:
        raise failure(errno.EPERM)

    def _setattr(self, request: Request) -> bytes:
        values = p.SETATTR_IN.unpack_from(request.body)
        node, valid = request.node, Set(values[0] & 0x1FF)
        if Set.SIZE in valid:
            request.file.truncate(values[3])
        if Set.MODE in valid:
            node.mode = values[11]
        node.uid = values[13] if Set.UID in valid else node.uid
        node.gid = values[14] if Set.GID in valid else node.gid
        if Set.ATIME in valid:
            node.accessed_ns = time.time_ns() if Set.ATIME_NOW in valid else values[5] * 10**9 + values[8]
        if Set.MTIME in valid:
            node.changed_ns = time.time_ns() if Set.MTIME_NOW in valid else values[6] * 10**9 + values[9]
        return p.attributes_out(node)

    def _make(self, request: Request, node: Node, skip: int) -> Node:
        name = request.names(skip)[0]
        if name in request.directory.entries:
            raise failure(errno.EEXIST)
        if name == PARKING and request.node is self._image.root:
            raise failure(errno.EPERM)
        request.directory.add(name, node)
        self._nodes[node.ino] = node
        return node

    def _rename(self, request: Request, skip: int, flags: int) -> bytes:
        target = self._nodes[p.RENAME_IN.unpack_from(request.body)[0]]
        old, new = request.names(skip)
        assert isinstance(target, Directory)
        if flags & ~RENAME_NOREPLACE:
            raise failure(errno.EINVAL)
        if flags and new in target.entries:
            raise failure(errno.EEXIST)
        request.directory.rename(old, target, new)
        return b""

    def _open(self, flags: int) -> bytes:
        handle = next(self._handles)
        if flags & os.O_DSYNC:  # O_SYNC contains its bit
            self._synchronous.add(handle)
        return p.OPEN_OUT.pack(handle, p.KEEP_CACHE, 0)

    def _create(self, request: Request) -> bytes:
        flags, mode, *_ = p.CREATE_IN.unpack_from(request.body)
        node = self._make(request, new_file(mode), p.CREATE_IN.size)
        return p.entry_out(node) + self._open(flags)

    def _read(self, request: Request) -> bytes:
        _, offset, size, *_ = p.READ_IN.unpack_from(request.body)
        return bytes(memoryview(request.file.data)[offset : offset + size])

    def _write(self, request: Request) -> bytes:
        handle, offset, size, *_ = p.WRITE_IN.unpack_from(request.body)
        request.file.write(offset, request.body[p.WRITE_IN.size : p.WRITE_IN.size + size])
        if handle in self._synchronous:
            self._image.sync_file(request.file)
        return p.WRITE_OUT.pack(size, 0)

    def _release(self, request: Request) -> bytes:
        self._synchronous.discard(p.OPEN_OUT.unpack_from(request.body)[0])
        return b""

    def _readdir(self, request: Request) -> bytes:
        _, offset, size, *_ = p.READ_IN.unpack_from(request.body)
        return p.listing(request.directory, offset, size)
