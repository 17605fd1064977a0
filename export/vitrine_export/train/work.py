"""The folder in which a training keeps what it finished, so that it can be resumed."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from vitrine.errors import InvalidInput
from vitrine_export.alone import alone

_ABOUT, _LOCK = "training.json", ".training.lock"


@contextmanager
def work_folder(resume: Path | None, about: dict[str, object]) -> Iterator[Path]:
    """A folder for the steps of a training; with ``resume`` it is that one, and stays when the training is cut off.

    Args:
        resume: The folder of the training to go on with or to begin; ``None`` for one that nobody returns to.
        about: What the steps depend on.

    Raises:
        InvalidInput: The folder belongs to another training or to something else, or another process works in it.
    """
    if resume is None:
        with tempfile.TemporaryDirectory(prefix="vitrine-train-") as folder:
            yield Path(folder)
        return
    key = hashlib.sha256(msgspec.json.encode(about, order="sorted")).hexdigest()
    mark = resume / _ABOUT
    if not mark.is_file() and resume.exists() and not _is_ours(resume):
        raise InvalidInput(
            "resume", f"{resume} is neither empty nor a training to resume; give another folder"
        )
    resume.mkdir(parents=True, exist_ok=True)
    with alone(resume / _LOCK, "resume", "`vitrine train`"):
        if not mark.is_file():
            write_whole(mark, _told(key))
        elif mark.read_bytes() != _told(key):
            raise InvalidInput(
                "resume",
                f"{resume} belongs to a training with other data or settings; run that one again, or give "
                "another folder",
            )
        yield resume
        # Only what was finished is cleared away: an error leaves the steps for the next attempt.
        shutil.rmtree(resume, ignore_errors=True)


def refuse_inside(out: Path, resume: Path | None) -> None:
    """Refuses a bundle inside the folder of the steps, which goes at the end, and the other way round.

    Raises:
        InvalidInput: One is in the other.
    """
    if resume is None:
        return
    bundle, steps = out.resolve(), resume.resolve()
    if bundle.is_relative_to(steps) or steps.is_relative_to(bundle):
        raise InvalidInput(
            "resume", f"{resume} and the bundle {out} lie in each other; give a folder that is for this alone"
        )


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file: whole or not at all."""
    beside = path.with_name(f".{path.name}")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _is_ours(folder: Path) -> bool:
    """Whether a training was cut off here before it wrote what it is about."""
    return all(path.name in {_LOCK, f".{_ABOUT}"} for path in folder.iterdir())


def _told(key: str) -> bytes:
    return msgspec.json.encode({"key": key})
