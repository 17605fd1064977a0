"""`make bench`, small: every committed ghz file runs against a real server without an error."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.load.ghz import METHODS

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.skipif(
    not (ROOT / ".bench/bin/ghz").exists() and "CI" not in os.environ,
    reason="ghz is absent: run scripts/install-ghz",
)
def test_quick_bench_writes_a_report(tmp_path: Path) -> None:
    out = tmp_path / "report.md"
    command = ["scripts/bench", "--quick", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    text = out.read_text(encoding="utf-8")
    for method in METHODS.values():
        assert text.count(f"| {method} |") == 4  # what was asked, one caller, closed loop, open loop
    assert "rpc error" not in text
