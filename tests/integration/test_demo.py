"""`vitrine demo` on what an earlier run left: it trains nothing, and shows the models at work."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.world import World
from vitrine.bundle.manifest import MANIFEST
from vitrine.cli import demo


@pytest.mark.slow
def test_a_second_run_trains_nothing_and_shows_everything(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    for name in ("data", "bundle", "store"):
        shutil.copytree(getattr(world, name), folder / name)
    (folder / "store" / "loaded").touch()
    manifest = (folder / "bundle" / MANIFEST).read_bytes()
    done = subprocess.run(
        [sys.executable, "-m", "vitrine", "demo", "--dir", str(folder)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout
    assert said.count("there from an earlier run") == 3
    assert (folder / "bundle" / MANIFEST).read_bytes() == manifest
    # What was trained and how good, what runs it, the window before and after, and why.
    for part in ("co_visitation", "interest", "lightgbm", "Recall@20", "NDCG@20"):
        assert part in said
    for model in ("interest (onnx, c", "deep (onnx, c", "lightgbm (lightgbm, cpu)"):
        assert model in said
    assert "home · before" in said
    assert "home · after" in said
    assert "degraded" not in said
    assert "events acknowledged, all on disk" in said
    assert "vitrine explain --user" in said
    explained = said.partition("vitrine explain --user")[2]
    assert "Rank " in explained
    assert "Traceback" not in said + done.stderr


def test_what_another_version_trained_is_trained_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert demo._trained(tmp_path) is None
    (tmp_path / MANIFEST).write_text('{"schema_version": 1}')
    assert demo._trained(tmp_path) is None
    assert "another version of Vitrine" in " ".join(capsys.readouterr().out.split())
