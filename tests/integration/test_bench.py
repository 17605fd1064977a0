"""`scripts/bench`, small: the ghz suite runs against a real server without an error, and the page is written."""

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
def test_the_quick_bench_writes_a_page_with_pictures(tmp_path: Path) -> None:
    command = ["scripts/bench", "--quick", "--only", "latency", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    text = (tmp_path / "performance.md").read_text(encoding="utf-8")
    for method in METHODS.values():
        assert text.count(f"| `{method}` |") == 1
    assert "rpc error" not in text
    assert (tmp_path / "performance/latency.svg").exists()
    assert (tmp_path / "performance/stages.svg").exists()
