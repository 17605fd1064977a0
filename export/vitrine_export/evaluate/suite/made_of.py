"""What a run was made of, so that its result is not kept when that is no longer so."""

import hashlib
from collections.abc import Iterable, Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from vitrine.plugin import ENTRY_POINT_GROUP

_SOURCES = frozenset({".py", ".toml"})

# Size in bytes, and when it was written, in nanoseconds.
Stamp = tuple[int, int]


def code() -> str:
    """Sixteen hexadecimal digits that change with any source of Vitrine and of the rankers that are installed."""
    rankers = {entry.module.partition(".")[0] for entry in entry_points(group=ENTRY_POINT_GROUP)}
    total = hashlib.sha256()
    for package in sorted({"vitrine", "vitrine_export"} | rankers):
        for name, path in _sources(package):
            total.update(f"{package}\0{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()[:16]


def stamps(folder: Path, files: Iterable[str]) -> dict[str, Stamp]:
    """Size and time of the files that are there."""
    return {file: _stamp(folder / file) for file in files if (folder / file).exists()}


def _stamp(path: Path) -> Stamp:
    told = path.stat()
    return told.st_size, told.st_mtime_ns


def _sources(package: str) -> Iterator[tuple[str, Path]]:
    """The sources of a package, by their place in it; nothing is imported."""
    spec = find_spec(package)
    if spec is None:
        return
    if spec.submodule_search_locations is None:
        if spec.origin is not None:
            yield "", Path(spec.origin)
        return
    for folder in map(Path, spec.submodule_search_locations):
        for path in sorted(folder.rglob("*")):
            if path.suffix in _SOURCES and path.is_file():
                yield path.relative_to(folder).as_posix(), path
