"""Reads a folder's files and hashes them, once; prints the seconds, of CPU and by the clock, and the bytes."""

import hashlib
import json
import sys
import time
from pathlib import Path


def main(folder: Path) -> None:
    """As ``sha256sum`` would: file by file, in one thread."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    began, used = time.perf_counter(), time.process_time()
    for path in files:
        with path.open("rb") as file:
            hashlib.file_digest(file, "sha256")
    told = {
        "cpu": time.process_time() - used,
        "seconds": time.perf_counter() - began,
        "bytes": sum(path.stat().st_size for path in files),
    }
    print(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
