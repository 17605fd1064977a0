"""A plugin as an installed distribution, without installing: a module and its metadata in a folder of `sys.path`."""

from pathlib import Path
from textwrap import dedent


def write_plugin(folder: Path, name: str, source: str, version: str = "1.0") -> None:
    """Writes module ``name`` with an entry point of the same name; found once ``folder`` is on `sys.path`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.py").write_text(dedent(source), "utf-8")
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", "utf-8")
    (info / "entry_points.txt").write_text(f"[vitrine.rankers]\n{name} = {name}\n", "utf-8")
