"""The bench of networks on a GPU, run on the CPU: what it counts, what it writes, and what the page says of it."""

import subprocess
import threading
import time
from pathlib import Path

import msgspec
import numpy as np
import onnx
import onnxruntime
import pytest

from tests.load.gpu import __main__ as command
from tests.load.gpu import networks, sessions
from tests.load.gpu.calls import closed, open_loop
from tests.load.gpu.figures import Result, kept
from tests.load.gpu.sessions import opened
from tests.load.rows import gpu
from tests.unit.inference.conftest import affine
from vitrine.config import InferenceConfig
from vitrine.errors import InferenceBusy
from vitrine.inference import provider
from vitrine.inference.joining import buckets
from vitrine.inference.provider import open_session

ROOT = Path(__file__).parents[3]
CPU = InferenceConfig(provider="cpu")


def test_a_session_notes_what_callers_share_and_a_loop_runs_the_same() -> None:
    model, session = opened(affine(), CPU, batchable=True)
    for rows in (3, 5, 3):
        model.run(session.inputs(rows, seed=1))
    runs, session.runs = session.runs, []
    assert [run.rows for run in runs] == [3, 5, 3]
    assert all(run.seconds > 0 for run in runs)
    assert 0 < session.bare(runs) < 1
    # A loop that is timed notes nothing.
    assert session.runs == []


def test_an_open_loop_counts_from_when_a_call_was_due() -> None:
    """Two callers, 40 calls a second that take 100 ms each: half of them cannot begin in time."""
    times = open_loop(lambda _: time.sleep(0.1), rows=10, callers=2, rate=40, seconds=0.5)
    assert times.calls == 20
    assert times.p50 is not None
    assert times.p50 > 200
    assert times.rows_per_second == pytest.approx(200, rel=0.1)
    calm = open_loop(lambda _: time.sleep(0.01), rows=10, callers=2, rate=40, seconds=0.3)
    assert calm.p50 is not None
    assert 10 <= calm.p50 < times.p50 / 2


def test_a_closed_loop_has_so_many_calls_on_their_way_and_counts_those_that_are_refused() -> None:
    inside, most, lock = [0], [0], threading.Lock()

    def call(number: int) -> None:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        time.sleep(0.01)
        with lock:
            inside[0] -= 1
        if number % 2:
            raise InferenceBusy("too many wait")

    times = closed(call, rows=1, callers=3, seconds=0.2)
    assert most[0] == 3
    assert times.errors == pytest.approx(times.calls / 2, abs=2)
    assert times.p50 is not None
    assert times.p50 >= 10


def test_what_goes_wrong_in_a_caller_is_raised() -> None:
    def call(number: int) -> None:
        raise ValueError("no such input")

    with pytest.raises(ValueError, match="no such input"):
        closed(call, rows=1, callers=2, seconds=0.1)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Result:
    folder = tmp_path_factory.mktemp("networks")
    (folder / "affine.onnx").write_bytes(affine())
    out = folder / "gpu.json"
    told = [
        "--provider",
        "cpu",
        "--networks",
        str(folder),
        "--seconds",
        "0.05",
        "--rows",
        "7",
        "--callers",
        "4",
    ]
    assert command.main([*told, "--out", str(out), "--commit", "abc123"]) == 0
    found = kept(out)
    assert found is not None
    return found


def test_a_run_writes_its_figures(result: Result) -> None:
    assert (result.provider, result.rows, result.callers) == ("cpu", 7, 4)
    assert result.machine["commit"] == "abc123"
    network = result.networks["affine"]
    assert network.bytes == len(affine())
    for times in (network.one_row, network.one_request, network.apart, network.joined, network.high.times):
        assert times.errors == 0
        assert times.rows_per_second > 0
        assert times.p50 is not None
        assert times.p99 is not None
        assert 0 < times.p50 <= times.p99
    assert network.half.rate < network.high.rate
    for served in (network.half, network.high):
        assert all(rows % 7 == 0 for rows in served.sizes)
        assert len(served.ratios) == 3
        assert min(served.ratios) <= served.ratio <= max(served.ratios)
        assert served.bare > 0


def test_figures_of_the_cpu_are_none_of_a_gpu(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    world = None
    for found in (None, result):
        monkeypatch.setattr(gpu, "kept", lambda found=found: found)
        (row,) = gpu.rows(world)  # type: ignore[arg-type]
        assert row.value is None
        assert "run `scripts/bench-gpu`" in row.note


def test_the_page_has_a_row_for_each_network(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = {**result.machine, "GPU": "a fast one"}
    monkeypatch.setattr(
        gpu, "kept", lambda: msgspec.structs.replace(result, provider="cuda", machine=machine)
    )
    (row,) = gpu.rows(None)  # type: ignore[arg-type]
    assert row.what.startswith("GPU, network `affine`: time in the ONNX session")
    assert row.value == result.networks["affine"].high.ratio
    assert row.bound == 1.25
    assert not row.checked
    assert "on a fast one at abc123" in row.note
    assert "rows/s, p99" in row.details["one row a run"]


def test_runs_on_a_gpu_have_the_sizes_that_it_was_warmed_up_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a session of the CPU that is taken for a GPU's."""
    (tmp_path / "affine.onnx").write_bytes(affine())
    monkeypatch.setattr(provider, "_cuda_problem", lambda: "")
    monkeypatch.setattr(sessions, "open_session", lambda model, _: (open_session(model, CPU)[0], "cuda"))
    monkeypatch.setattr(command, "gpu", lambda: {"GPU": "none, 0 MiB"})
    out = tmp_path / "gpu.json"
    told = ["--networks", str(tmp_path), "--seconds", "0.1", "--rows", "7", "--callers", "8"]
    assert command.main([*told, "--out", str(out)]) == 0
    found = kept(out)
    assert found is not None
    assert found.provider == "cuda"
    assert found.machine["GPU"] == "none, 0 MiB"
    network = found.networks["affine"]
    assert {*network.half.sizes, *network.high.sizes} <= {*buckets(8192)}
    assert network.joined.errors == 0
    # Eight callers at once wait for each other: their requests share runs.
    model, session = sessions.opened(affine(), CPU, batchable=True)
    feeds = session.inputs(7, seed=1)
    closed(lambda _: model.run(feeds), rows=7, callers=8, seconds=0.2)
    assert max(run.rows for run in session.runs) > 8


@pytest.mark.skipif(
    "CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="ONNX Runtime has CUDA here"
)
def test_without_a_gpu_the_script_says_what_is_missing() -> None:
    done = subprocess.run(
        [ROOT / "scripts/bench-gpu"], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 2
    assert "vitrine-recommender[gpu]" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_networks_are_made_from_nothing_and_take_what_those_of_shops_take(tmp_path: Path) -> None:
    networks.make(tmp_path, {"deep": networks.sizes()["deep"]})
    file = (tmp_path / "deep.onnx").read_bytes()
    inputs = {value.name for value in onnx.load_from_string(file).graph.input}
    assert inputs == {"features", "item", "short", "long"}
    model, session = opened(file, CPU, batchable=True)
    assert np.isfinite(model.run(session.inputs(9, seed=1))["score"]).all()
