"""Figures of the same function in several servers: what generators wrote is read, and tabulated as it should be."""

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psutil  # type: ignore[import-untyped]
import pytest

from tests.load.keeping import keep
from tests.load.peers import page, vegeta
from tests.load.peers.family import Family, used_between
from tests.load.peers.figures import Figures, Result, differing, kept
from tests.load.peers.measure import Visit
from tests.load.rows.peers import row
from tests.load.run import Run

SAMPLES = Path(__file__).parents[2] / "load/peers/samples"


def run(
    rate: int, *, calls: int = 1000, cpu: float = 6.0, errors: int = 0, achieved: float | None = None
) -> Run:
    return Run(
        method="rank",
        rate=rate,
        achieved=rate if achieved is None else achieved,
        calls=calls,
        errors=errors,
        p50=5.0,
        p95=8.0,
        p99=12.0,
        cpu=cpu,
        stages={},
        generator=0.1,
        others=0.02,
        wrong={},
    )


def visit(*, cpu: float = 6.0, calls: int = 1000, peak: int = 100, probes: list[Run] | None = None) -> Visit:
    half = run(peak // 2, calls=calls, cpu=cpu)
    return Visit(
        peak=peak, probes=probes or [], half=half, idle=0.01, memory=200.0, processes=["python", "python"]
    )


def result(**beyond: float) -> Result:
    bare = 5.0
    return Result(
        command="make bench-peers",
        date="2026-11-22T22:20:00+00:00",
        minutes=9.5,
        machine={"CPU": "a fast one", "commit": "abc123"},
        asked="300 candidates",
        bare=[4.9, 5.0, 5.1],
        floors={"grpc.aio without work": 0.5, "mosec without work": 0.3},
        servers={
            name.replace("_", " "): Figures.of(
                name.replace("_", " "), "as it comes", [visit(cpu=bare + value)], bare
            )
            for name, value in beyond.items()
        },
        versions={"numpy": {".venv": "2.4.6", "ray": "2.4.6"}},
        notes=["a note"],
    )


def test_a_report_of_vegeta_is_read_as_one_of_ghz() -> None:
    # Of vegeta 12.12.0: 200 calls at 100/s, every fiftieth of which was answered with 503.
    output = vegeta.parse((SAMPLES / "vegeta.json").read_bytes())
    assert output.count == 200
    assert output.errors == output.error_distribution["HTTP 503"] == 4
    assert output.achieved == pytest.approx(96.22183605759312)  # vegeta's own "throughput"
    assert output.milliseconds(50) == pytest.approx(45.008691)
    assert output.milliseconds(99) == pytest.approx(57.206140)


def test_a_run_in_which_nobody_answered_has_errors_and_no_percentiles() -> None:
    output = vegeta.parse((SAMPLES / "vegeta_refused.json").read_bytes())
    assert output.errors == output.count == 20
    assert output.achieved == 0
    assert output.milliseconds(50) is None


def test_what_is_no_report_is_refused() -> None:
    with pytest.raises(msgspec.MsgspecError):
        vegeta.parse(b'{"requests": "many"}')


def test_bodies_of_targets_are_the_bytes_of_the_requests(tmp_path: Path) -> None:
    file = tmp_path / "targets.json"
    vegeta.targets(file, "http://127.0.0.1:1/inference", [b"\x00\xff", b""])
    lines = [msgspec.json.decode(line) for line in file.read_text().splitlines()]
    assert [msgspec.convert(line["body"], bytes) for line in lines] == [b"\x00\xff", b""]
    assert {line["url"] for line in lines} == {"http://127.0.0.1:1/inference"}


def test_an_open_loop_has_a_rate_and_a_closed_one_callers() -> None:
    how = {"seconds": 2.0, "callers": 8, "timeout": 2.0}
    open_loop = " ".join(vegeta.attack(Path("in"), Path("out"), rate=50, **how))  # type: ignore[arg-type]
    closed = " ".join(vegeta.attack(Path("in"), Path("out"), rate=0, **how))  # type: ignore[arg-type]
    assert "-rate 50/1s" in open_loop
    assert "-max-workers" not in open_loop
    assert "-rate 0 -max-workers 8" in closed


def test_cpu_of_rounds_is_weighed_by_their_calls() -> None:
    figures = Figures.of("x", "", [visit(cpu=6.0, calls=3000), visit(cpu=10.0, calls=1000)], bare=5.0)
    assert figures.cpu == pytest.approx(7.0)
    assert figures.beyond == pytest.approx(2.0)
    assert figures.rounds == [6.0, 10.0]


def test_processes_that_begin_meanwhile_count_and_those_that_end_do_not_subtract() -> None:
    assert used_between({1: 2.0, 2: 5.0}, {1: 3.0, 3: 0.5}) == pytest.approx(1.5)


def test_a_family_is_found_and_ended_whoever_its_parent_is() -> None:
    family, stranger = Family(), Family()
    orphan = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    spin = "import time\nwhile time.process_time() < 0.3: pass\ntime.sleep(60)"
    subprocess.run([sys.executable, "-c", orphan], env=family.environment, check=True)
    with subprocess.Popen([sys.executable, "-c", spin], env=family.environment) as child:
        deadline = time.monotonic() + 20
        while used_between({}, family.cpu_seconds()) < 0.2 and time.monotonic() < deadline:
            time.sleep(0.05)
        pids = [process.pid for process in family.members()]
        assert len(pids) == 2
        assert child.pid in pids
        assert used_between({}, family.cpu_seconds()) >= 0.2
        assert not stranger.members()
        family.end()
        child.wait(10)
    assert not family.members()
    assert not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids)


def test_versions_that_differ_are_named() -> None:
    versions = {"numpy": {"ray": "2.4.6", ".venv": "2.4.5"}, "lightgbm": {"ray": "4", ".venv": "4"}}
    assert differing(versions, ("numpy", "lightgbm", "onnxruntime")) == ["numpy"]


def test_a_row_compares_with_the_cheapest_way_to_run_a_peer() -> None:
    found = result(Vitrine=0.6, mosec=0.8, Ray_Serve=6.0, **{"Ray_Serve,_tuned": 4.0})
    mosec, ray = row(found, "mosec"), row(found, "Ray Serve")
    assert mosec.value == pytest.approx(0.75)
    assert ray.value == pytest.approx(0.15)
    assert mosec.reached
    assert "peak 100/s" in ray.details["Ray Serve, tuned"]
    assert mosec.details["grpc.aio without work"] == "0.5 ms"
    assert "at abc123" in mosec.note
    assert row(result(Vitrine=0.8, mosec=0.8), "mosec").reached is False


def test_a_peer_within_the_noise_gives_no_ratio() -> None:
    made = row(result(Vitrine=0.6, mosec=-0.1), "mosec")
    assert made.value is None
    assert "noise" in made.note


def test_the_page_says_what_was_found() -> None:
    probes = [run(100), run(120, achieved=90.0)]
    found = result(Vitrine=0.6, mosec=0.8)
    vitrine = msgspec.structs.replace(
        found.servers["Vitrine"], tried=Figures.of("Vitrine", "", [visit(probes=probes)], 5.0).tried
    )
    text = page.render(msgspec.structs.replace(found, servers={**found.servers, "Vitrine": vitrine}))
    assert text.startswith("## ")
    assert (
        "| mosec | 100/s | 5 ms | 12 ms | 5.8 ms | 5.8 | **0.8 ms** | 0.01 cores | 200 MiB in 2 processes |"
        in text
    )
    assert "100 → 100, 120 → 90 (not held)" in text
    assert "- a note." in text
    assert "grpc.aio without work 0.5 ms of CPU a call; mosec without work 0.3 ms of CPU a call." in text
    assert "| numpy | 2.4.6 | 2.4.6 |" in text


def test_a_server_that_held_nothing_says_so() -> None:
    found = result(Vitrine=0.6)
    none = msgspec.structs.replace(found.servers["Vitrine"], peak=0, p50=None, p99=None)
    text = page.render(msgspec.structs.replace(found, servers={"Vitrine": none}))
    assert "| Vitrine | none held | none | none |" in text
    held = result(Vitrine=0.6, mosec=0.8)
    made = row(msgspec.structs.replace(held, servers={**held.servers, "Vitrine": none}), "mosec")
    assert made.value is None
    assert "Vitrine held no rate" in made.note


def test_what_is_kept_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "performance/peers.json"
    assert kept(file) is None
    found = result(Vitrine=0.6, mosec=0.8)
    keep(found, file)
    assert kept(file) == found
