"""`vitrine plugin new`: a package that works, to start a ranker from."""

import importlib.util
import re
from importlib import resources
from importlib.metadata import entry_points
from pathlib import Path
from string import Template
from typing import Annotated

import typer

_LONGEST = 40
_NAME = re.compile(r"[a-z](_?[a-z0-9])*")
_RULE = f"a name has 1 to {_LONGEST} of a to z and 0 to 9, single _ between them, and begins with a letter"


def new_command(
    name: Annotated[
        str, typer.Argument(help="What the ranker is called in configurations, for example `cheap_first`.")
    ],
    folder: Annotated[
        Path | None,
        typer.Option("--folder", help="Where to write it; `vitrine-NAME` in the current folder unless told."),
    ] = None,
) -> None:
    """Writes a small package with a ranker that works: its entry point, settings, tests and a README.

    - `vitrine plugin new cheap_first`
    """
    from vitrine.errors import ConfigError

    wrong = _wrong_with(name)
    if wrong:
        raise ConfigError(wrong)
    package = f"vitrine-{name.replace('_', '-')}"
    target = Path(package) if folder is None else folder
    if target.exists() and not target.is_dir():
        raise ConfigError(f"{target} is a file; take another --folder")
    if target.exists() and any(target.iterdir()):
        raise ConfigError(f"{target} is there already and not empty; take another --folder, or remove it")
    try:
        written = write_package(target, name)
    except OSError as error:
        raise ConfigError(f"{target}: cannot be written: {error.strerror}") from None
    for path in written:
        typer.echo(f"  {path}")
    typer.echo(
        f"""
{target} has a ranker that works and its tests. Next:

  pip install -e {target}
  vitrine plugins                     # lists it
  pytest {target}
  vitrine plugin try {name} --data DATA --scene new_arrivals

Its idea is in {target / f"vitrine_{name}" / "__init__.py"}: put yours there. {target / "README.md"} has the rest."""
    )


def write_package(folder: Path, name: str) -> list[Path]:
    """Writes the files of a plugin of this name, and answers their paths.

    Raises:
        OSError: They cannot be written.
    """
    from vitrine import __version__
    from vitrine.plugin import CONTRACT

    module = f"vitrine_{name}"
    values = {
        "name": name,
        "module": module,
        "package": f"vitrine-{name.replace('_', '-')}",
        # With an ending, as `None` or `Settings` would be no names for it.
        "ranker": "".join(part.capitalize() for part in name.split("_")) + "Ranker",
        "version": __version__,
        "contract": str(CONTRACT),
    }
    templates = resources.files("vitrine.cli") / "template"
    files = {
        "pyproject.toml": "pyproject.toml.txt",
        f"{module}/__init__.py": "module.py.txt",
        f"{module}/py.typed": "",
        f"tests/test_{name}.py": "test.py.txt",
        "README.md": "README.md.txt",
        ".gitignore": "gitignore.txt",
    }
    written = []
    for path, template in files.items():
        text = (templates / template).read_text("utf-8") if template else ""
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(Template(text).substitute(values), "utf-8")
        written.append(target)
    return written


def _wrong_with(name: str) -> str:
    """Why a plugin cannot be called so; empty when it can."""
    from vitrine.plugin import ENTRY_POINT_GROUP

    if not _allowed(name):
        likely = re.sub(r"[^a-z0-9]+", "_", name.lower().removeprefix("vitrine-")).strip("_")
        hint = f"; try '{likely}'" if _allowed(likely) else ""
        return f"'{name}' cannot be the name of a plugin: {_RULE}{hint}"
    for entry in entry_points(group=ENTRY_POINT_GROUP):
        if entry.name == name:
            whose = entry.dist.name if entry.dist else entry.value
            return f"there is a plugin '{name}' already, of {whose}; take another name (`vitrine plugins` lists all)"
    if importlib.util.find_spec(f"vitrine_{name}") is not None:
        return f"there is a module 'vitrine_{name}' already, which is no plugin; take another name"
    return ""


def _allowed(name: str) -> bool:
    return len(name) <= _LONGEST and _NAME.fullmatch(name) is not None
