"""A folder that a long work returns to after it was cut off, whatever cut it off."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import msgspec

from vitrine.errors import InvalidInput
from vitrine_export.alone import alone


class Work(NamedTuple):
    """What is done in such folders.

    Attributes:
        name: In words, such as "training".
        goes_on: What a folder is for, in words, where it is neither empty nor one of these.
        depends_on: What makes it another work, in words.
        command: What works there, for people.
    """

    name: str
    goes_on: str
    depends_on: str
    command: str

    @property
    def mark(self) -> str:
        """The file that says what the folder is about."""
        return f"{self.name}.json"

    @property
    def lock(self) -> str:
        """The file that whoever works there holds."""
        return f".{self.name}.lock"


@contextmanager
def claimed(folder: Path, work: Work, about: object) -> Iterator[None]:
    """Works in a folder alone: a new or empty one, or one that the same work was begun in.

    Args:
        folder: Made when it is missing.
        work: What is done there.
        about: What its results depend on.

    Raises:
        InvalidInput: The folder belongs to another work or to something else, or another process works in it.
    """
    told = msgspec.json.encode({"key": key_of(about)})
    mark = folder / work.mark
    if not mark.is_file() and folder.exists() and not _begun(folder, work):
        raise InvalidInput("resume", f"{folder} is neither empty nor a {work.goes_on}; give another folder")
    folder.mkdir(parents=True, exist_ok=True)
    with alone(folder / work.lock, "resume", work.command):
        if not mark.is_file():
            write_whole(mark, told)
        elif mark.read_bytes() != told:
            raise InvalidInput(
                "resume",
                f"{folder} belongs to a {work.name} with other {work.depends_on}; run that one again, or give "
                "another folder",
            )
        yield


def key_of(what: object) -> str:
    """Sixteen hexadecimal digits that change with anything in it."""
    return hashlib.sha256(msgspec.json.encode(what, order="sorted")).hexdigest()[:16]


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file: whole or not at all."""
    beside = path.with_name(f".{path.name}")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _begun(folder: Path, work: Work) -> bool:
    """Whether a work was cut off here before it wrote what it is about."""
    return all(path.name in {work.lock, f".{work.mark}"} for path in folder.iterdir())
