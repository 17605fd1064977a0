"""A file system for tests that forgets, when the power is cut, everything that was not synced.

A process of its own (`python -m tests.lossyfs BACKING MOUNTPOINT`) speaks the kernel's FUSE protocol. Everything
done on the mount lives in that process's memory; only a sync writes it to the backing folder. So the backing
folder is at every moment what a disk would hold, and cutting the power is SIGKILL to the process: nothing gets
the chance to be kept. Mounting the backing folder again is the boot after the cut.

What makes a change durable (strict POSIX, with ext4's promise for new files):

* fsync, fdatasync, msync(MS_SYNC) or O_SYNC/O_DSYNC writes: the file's bytes and size and, if no name of it is
  durable yet, its present name and those of the folders above it that are not durable either.
* fsync of a folder: its names, hence creations, removals and renames in it. A rename between folders is durable
  whole with either of them. A new file whose own bytes were never synced is then empty.
* A rename or removal alone is not: after a cut the old name is back. Replacing a durable name is atomic.

Never durable: what mmap wrote and no sync covered (also when the kernel wrote the pages back), sync(2) (the kernel
does not pass it on) and times. Nothing unsynced survives by luck either, so a loss shows at every run. Hard links,
symbolic links and RENAME_EXCHANGE are refused. File contents are kept in memory.

`tests.support.lossyfs` has the context manager and the pytest fixture.
"""
