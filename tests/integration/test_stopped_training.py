"""A training that is stopped by Ctrl-C as a real process, and goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vitrine.bundle.manifest import MANIFEST, Manifest, decode_manifest
from vitrine_export.simulate import simulate


def start(data: Path, out: Path, *arguments: str) -> subprocess.Popen[str]:
    """`vitrine train` in a process of its own."""
    command = [sys.executable, "-m", "vitrine", "train", str(data), "--out", str(out)]
    command += arguments
    # Wide enough that no path is broken into lines; one thread, so that sums are in one order.
    environment = {**os.environ, "COLUMNS": "400", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )


def finished(process: subprocess.Popen[str], out: Path) -> tuple[str, Manifest]:
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return said, decode_manifest((out / MANIFEST).read_bytes(), "manifest")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "step"),
    [
        (("--no-neural", "--label-windows", "2"), f"window-0/{MANIFEST}"),
        # Stopped in the midst of a network.
        (("--label-windows", "1", "--interest-epochs", "3"), "interest-0/checkpoint.npz"),
    ],
    ids=["without networks", "with networks"],
)
def test_a_stopped_training_says_how_to_go_on_and_ends_as_if_it_had_not_been(
    settings: tuple[str, ...], step: str, tmp_path: Path
) -> None:
    data, work = tmp_path / "data", tmp_path / "work"
    simulate(data, shoppers=200, items=150, days=60, seed=3)
    fitted, straight = finished(start(data, tmp_path / "straight", *settings), tmp_path / "straight")

    out = tmp_path / "bundle"
    process = start(data, out, "--resume", str(work), *settings)
    first = work / step
    for _ in range(6000):
        if first.exists() or process.poll() is not None:
            break
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 130, said + errors
    assert "Traceback" not in said + errors
    assert f"kept in {work}" in said
    assert f"--resume {work}" in said
    assert not out.exists()

    said, resumed = finished(start(data, out, "--resume", str(work), *settings), out)
    assert resumed.version == straight.version
    if "--no-neural" in settings:  # what was there was not fitted again
        assert said.count("co-visitation") < fitted.count("co-visitation")
    assert not work.exists()
