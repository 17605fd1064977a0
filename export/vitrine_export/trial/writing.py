"""Writes what a trial found: JSON for programs, a page for people."""

from dataclasses import asdict
from pathlib import Path

import msgspec

from vitrine.errors import InvalidInput
from vitrine_export.evaluate.report import machine
from vitrine_export.trial.page import page
from vitrine_export.trial.report import Trial


def write(trial: Trial, folder: Path) -> None:
    """Writes ``trial.json`` and ``index.html``, a page that needs nothing else.

    Raises:
        InvalidInput: The folder cannot be written.
    """
    whole = {**asdict(trial), "verdicts": trial.verdicts, "machine": machine()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "trial.json").write_bytes(msgspec.json.format(msgspec.json.encode(whole), indent=2))
        (folder / "index.html").write_text(page(trial), "utf-8")
    except OSError as error:
        raise InvalidInput("out", f"cannot write {folder}: {error.strerror or error}") from error
