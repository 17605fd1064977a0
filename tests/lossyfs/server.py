"""The loop between the kernel and the operations: one request at a time."""

import errno
import os
import traceback
from struct import iter_unpack

from tests.lossyfs import protocol as p
from tests.lossyfs.operations import Operations
from tests.lossyfs.protocol import Op


def serve(device: int, operations: Operations) -> None:
    """Answers the requests of an open, mounted /dev/fuse until it is unmounted."""
    buffer = memoryview(bytearray(p.REQUEST_BUFFER))
    while True:
        try:
            size = os.readv(device, [buffer])
        except OSError as error:
            if error.errno == errno.ENODEV:
                return
            if error.errno in {errno.ENOENT, errno.EINTR}:  # the caller was interrupted meanwhile
                continue
            raise
        _, opcode, unique, inode, *_ = p.IN_HEADER.unpack_from(buffer)
        body = buffer[p.IN_HEADER.size : size]
        if opcode == Op.FORGET:
            operations.forget([inode])
        elif opcode == Op.BATCH_FORGET:
            operations.forget(node for node, _ in iter_unpack("=QQ", body[8:]))
        elif opcode != Op.INTERRUPT:
            code, answer = _answer(operations, opcode, inode, body)
            _reply(device, p.OUT_HEADER.pack(p.OUT_HEADER.size + len(answer), -code, unique), answer)


def _answer(operations: Operations, opcode: int, inode: int, body: memoryview) -> tuple[int, bytes]:
    try:
        return 0, operations.answer(opcode, inode, body)
    except OSError as error:
        if error.filename is not None:  # the backing folder's trouble, not the caller's
            traceback.print_exc()
        return error.errno or errno.EIO, b""
    except Exception:  # noqa: BLE001 - the caller gets EIO, the test that mounted it the trace
        traceback.print_exc()
        return errno.EIO, b""


def _reply(device: int, header: bytes, answer: bytes) -> None:
    try:
        os.writev(device, [header, answer])
    except OSError as error:
        if error.errno != errno.ENOENT:  # the caller was interrupted and waits no more
            raise
