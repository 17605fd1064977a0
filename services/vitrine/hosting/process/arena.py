"""The memory that a plugin's process and the server share: a file without a name, where one frame lies at a time.

It is read and written by system calls, never mapped: a child that shrinks the file would kill a parent that reads a
mapping of it (SIGBUS), and what is read is a copy that nobody changes while it is looked at.
"""

import os
import sys
import tempfile

# What a large call took is given back after it.
_KEEP = 4 << 20
# Longer frames are refused; 100,000 candidates with 100 columns take 40 MiB.
LIMIT = 256 << 20


class Broken(Exception):
    """The other side is gone, or says what makes no sense."""


class Arena:
    """One frame of bytes in memory that two processes share.

    Attributes:
        fd: The file descriptor; the child gets it at its start.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self._large = False

    @classmethod
    def create(cls) -> "Arena":
        """A new one, empty, that no other process sees unless it gets the descriptor."""
        if sys.platform == "linux":
            return cls(os.memfd_create("vitrine-plugin", os.MFD_CLOEXEC))
        else:  # noqa: RET505 (type checkers skip what another system needs, if it stands here)
            with tempfile.TemporaryFile() as file:
                return cls(os.dup(file.fileno()))

    def write(self, frame: bytes) -> int:
        """Puts a frame in place of the one before; its length.

        Raises:
            OSError: There is no memory.
        """
        done, size = os.pwrite(self.fd, frame, 0), len(frame)
        while done < size:
            done += os.pwrite(self.fd, memoryview(frame)[done:], done)
        if size > _KEEP:
            self._large = True
        return size

    def read(self, length: int) -> bytes:
        """A copy of the frame.

        Raises:
            Broken: It is not as long as that.
        """
        if length > LIMIT:
            raise Broken(f"a frame of {length} bytes is longer than {LIMIT}")
        frame = os.pread(self.fd, length, 0)
        if len(frame) < length:
            raise Broken(f"a frame of {length} bytes is not there")
        if length > _KEEP:
            self._large = True
        return frame

    def trim(self) -> None:
        """Gives back what a large frame took. Only while the other side waits."""
        if self._large:
            self._large = False
            os.ftruncate(self.fd, 0)

    def close(self) -> None:
        """Lets go of it; idempotent."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
