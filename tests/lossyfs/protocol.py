"""Structures of the kernel's FUSE protocol, minor version 31 (include/uapi/linux/fuse.h; man 4 fuse)."""

import stat
from enum import IntEnum, IntFlag
from struct import Struct

from tests.lossyfs.tree import BLOCK, Directory, Node

MAX_WRITE = 1 << 17
REQUEST_BUFFER = MAX_WRITE + BLOCK
MAJOR, MINOR = 7, 31
CACHE_SECONDS = 3600  # every change comes through the kernel, so what it caches stays right
KEEP_CACHE = 1 << 1  # in the answer to an open
BIG_WRITES = 1 << 5  # in the answer to INIT: more than a page per write

IN_HEADER = Struct("=IIQQIIIHH")  # length, opcode, unique, node, uid, gid, pid, extensions
OUT_HEADER = Struct("=IiQ")  # length, -errno, unique
INIT_IN = Struct("=IIII")  # major, minor, max_readahead, flags
INIT_OUT = Struct("=IIIIHHIIHHI28x")
ATTRIBUTES = Struct("=QQQQQQIIIIIIIIII")
ATTRIBUTES_OUT = Struct("=QII")
ENTRY_OUT = Struct("=QQQQII")
OPEN_IN = Struct("=II")  # flags
OPEN_OUT = Struct("=QII")
CREATE_IN = Struct("=IIII")  # flags, mode, umask (the kernel has applied it), open flags
MAKE_IN = Struct("=II")  # mkdir: mode, umask
MKNOD_IN = Struct("=IIII")  # mode, device, umask
RENAME_IN = Struct("=Q")  # target folder
RENAME2_IN = Struct("=QII")  # target folder, flags
READ_IN = Struct("=QQIIQII")  # handle, offset, size
WRITE_IN = Struct("=QQIIQII")  # handle, offset, size
WRITE_OUT = Struct("=II")
SETATTR_IN = Struct("=IIQQQQQQIIIIIIII")
STATFS_OUT = Struct("=QQQQQIIII24x")
DIRENT = Struct("=QQII")  # inode, offset of the next, length and type, then the name, padded to 8 bytes


class Op(IntEnum):
    """Requests that are answered with more than ENOSYS."""

    LOOKUP = 1
    FORGET = 2
    GETATTR = 3
    SETATTR = 4
    SYMLINK = 6
    MKNOD = 8
    MKDIR = 9
    UNLINK = 10
    RMDIR = 11
    RENAME = 12
    LINK = 13
    OPEN = 14
    READ = 15
    WRITE = 16
    STATFS = 17
    RELEASE = 18
    FSYNC = 20
    INIT = 26
    OPENDIR = 27
    READDIR = 28
    RELEASEDIR = 29
    FSYNCDIR = 30
    CREATE = 35
    INTERRUPT = 36
    DESTROY = 38
    BATCH_FORGET = 42
    RENAME2 = 45


class Set(IntFlag):
    """Which fields of a SETATTR count."""

    MODE = 1
    UID = 2
    GID = 4
    SIZE = 8
    ATIME = 16
    MTIME = 32
    ATIME_NOW = 128
    MTIME_NOW = 256


def attributes(node: Node) -> bytes:
    """A node as struct fuse_attr."""
    accessed, changed = divmod(node.accessed_ns, 10**9), divmod(node.changed_ns, 10**9)
    links = 0 if node.parent is None else 1
    return ATTRIBUTES.pack(
        *(node.ino, node.size, -(-node.size // 512)),
        *(accessed[0], changed[0], changed[0], accessed[1], changed[1], changed[1]),
        *(node.mode, links, node.uid, node.gid, 0, BLOCK, 0),
    )


def attributes_out(node: Node) -> bytes:
    """The answer to GETATTR and SETATTR."""
    return ATTRIBUTES_OUT.pack(CACHE_SECONDS, 0, 0) + attributes(node)


def entry_out(node: Node) -> bytes:
    """The answer to LOOKUP and to what creates a node."""
    return ENTRY_OUT.pack(node.ino, 0, CACHE_SECONDS, CACHE_SECONDS, 0, 0) + attributes(node)


def listing(directory: Directory, offset: int, size: int) -> bytes:
    """As many entries from the offset on as fit into `size` bytes."""
    answer = bytearray()
    nodes = [(".", directory), ("..", directory.parent or directory), *directory.entries.items()]
    for position, (name, node) in enumerate(nodes[offset:], start=offset + 1):
        encoded = name.encode(errors="surrogateescape")
        entry = DIRENT.pack(node.ino, position, len(encoded), stat.S_IFMT(node.mode) >> 12) + encoded
        if len(answer) + len(entry) + 7 > size:
            break
        answer += entry.ljust(-(-len(entry) // 8) * 8, b"\0")
    return bytes(answer)
