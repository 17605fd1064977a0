"""Vegeta, which loads an HTTP server at a constant rate, and its figures as those of ghz are read."""

import base64
import json
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from tests.load.ghz import Output, Percentile

VEGETA = Path(".bench/bin/vegeta")
VERSION = Path(".bench/bin/vegeta.version")


class Latencies(msgspec.Struct, frozen=True):
    """Of all calls, in nanoseconds."""

    p50: int = msgspec.field(name="50th")
    p95: int = msgspec.field(name="95th")
    p99: int = msgspec.field(name="99th")


class Report(msgspec.Struct, frozen=True):
    """What is read of its JSON report.

    Attributes:
        latencies: Of all calls.
        requests: How many there were.
        duration: From the first that began to the last that began, nanoseconds.
        wait: From there until the last had ended, nanoseconds.
        status_codes: HTTP status -> calls; "0" where there was none.
        errors: Their messages, each once.
    """

    latencies: Latencies
    requests: int
    duration: int
    wait: int
    status_codes: dict[str, int]
    errors: list[str] = []


def targets(path: Path, url: str, requests: Iterable[bytes]) -> None:
    """Writes requests as vegeta reads them: a JSON object a line, bodies in base64."""
    with path.open("w", encoding="utf-8") as file:
        for request in requests:
            target = {
                "method": "POST",
                "url": url,
                "header": {"Content-Type": ["application/x-protobuf"]},
                "body": base64.b64encode(request).decode(),
            }
            file.write(json.dumps(target) + "\n")


def attack(
    requests: Path, out: Path, *, seconds: float, rate: int, callers: int, timeout: float
) -> list[str]:
    """The command that sends requests at a constant rate or, with rate 0, by callers that wait for answers."""
    how = ["-rate", f"{rate}/1s"] if rate else ["-rate", "0", "-max-workers", str(callers)]
    return [
        *(str(VEGETA), "attack", "-format", "json", "-targets", str(requests), *how),
        *("-duration", f"{seconds:g}s", "-timeout", f"{timeout:g}s"),
        # HTTP/1.1, which mosec speaks; answers are read, not kept.
        *("-http2=false", "-max-body", "0", "-output", str(out)),
    ]


def run(command: Sequence[str], out: Path, seconds: float) -> Output:
    """Runs an attack.

    Raises:
        RuntimeError: Vegeta failed, or did not end within that time.
    """
    for part in (command, [str(VEGETA), "report", "-type", "json", str(out)]):
        try:
            done = subprocess.run(part, capture_output=True, text=True, timeout=seconds, check=False)
        except subprocess.TimeoutExpired:
            raise RuntimeError("vegeta did not end") from None
        if done.returncode:
            raise RuntimeError(f"vegeta failed: {done.stderr.strip()}")
    return parse(done.stdout)


def parse(report: str | bytes) -> Output:
    """The figures of a report.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    read = msgspec.json.decode(report, type=Report)
    good = read.status_codes.get("200", 0)
    bad = {f"HTTP {code}": n for code, n in read.status_codes.items() if code != "200"}
    total = read.duration + read.wait
    points = {50: read.latencies.p50, 95: read.latencies.p95, 99: read.latencies.p99}
    return Output(
        count=read.requests,
        total=total,
        rps=read.requests * 1e9 / total if total else 0.0,
        status_code_distribution={"OK": good, **bad},
        error_distribution=bad,
        latency_distribution=[Percentile(at, latency) for at, latency in points.items()] if good else None,
    )
