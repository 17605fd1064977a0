"""Mounts the file system: `python -m tests.lossyfs BACKING MOUNTPOINT`.

Says "ready" on standard output once mounted, and unmounts when standard input ends, so that nothing stays mounted
when the process that started it dies. SIGKILL is the power cut.
"""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from tests.lossyfs.image import Image
from tests.lossyfs.operations import Operations
from tests.lossyfs.server import serve

OPTIONS = "fsname=lossyfs,subtype=lossyfs,default_permissions"


def mount(mountpoint: Path) -> int:
    """Mounts through fusermount3 (setuid, so it needs no root) and returns the open /dev/fuse it hands over."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        subprocess.run(
            ["fusermount3", "-o", OPTIONS, "--", str(mountpoint)],
            check=True,
            stdin=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
            env={**os.environ, "_FUSE_COMMFD": str(theirs.fileno())},
        )
        _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
    return descriptors[0]


def unmount_at_end_of_input(mountpoint: Path) -> None:
    """Waits for the end of standard input, then leaves nothing behind."""
    sys.stdin.buffer.read()
    subprocess.run(["fusermount3", "-u", "-z", "--", str(mountpoint)], check=False)
    os._exit(0)


def main() -> None:
    """Mounts and serves until unmounted or killed."""
    backing, mountpoint = (Path(argument) for argument in sys.argv[1:3])
    image = Image(backing)
    device = mount(mountpoint)
    threading.Thread(target=unmount_at_end_of_input, args=(mountpoint,), daemon=True).start()
    print("ready", flush=True)
    serve(device, Operations(image))


if __name__ == "__main__":
    main()
