"""`vitrine train` on the terminal."""

import builtins
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from vitrine.bundle import load_bundle
from vitrine.cli.train import train_command
from vitrine.dataset import Dataset
from vitrine.errors import ConfigError, InvalidInput

app = typer.Typer()
app.command()(train_command)


def test_it_says_what_was_trained_and_what_comes_next(dataset: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    result = CliRunner().invoke(app, [str(dataset.path), "--out", str(out), "--until", "2024-02-01"])
    assert result.exit_code == 0, result.output
    text = " ".join(result.output.split())
    bundle = load_bundle(out)
    for part in (
        bundle.version,
        "144 items",
        "linear",
        "co_visitation",
        "64 numbers",
        "vitrine serve --bundle",
    ):
        assert part in text
    assert f"{bundle.manifest.metrics['recall@20_linear']:.4f}" in text


def test_a_missing_extra_names_the_fix(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".", maxsplit=1)[0] == "sklearn":
            raise ModuleNotFoundError(name)
        return real(name, *args, **kwargs)

    monkeypatch.delitem(sys.modules, "sklearn", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ConfigError, match=r"pip install 'vitrine-recommender\[train\]'"):
        train_command(dataset.path)


def test_no_data_set(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is not a data set"):
        train_command(tmp_path)
