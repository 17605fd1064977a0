"""One run of ghz: the command, its JSON, and what it says."""

import resource
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import msgspec

GHZ = Path(".bench/bin/ghz")
VERSION = Path(".bench/bin/ghz.version")

# Committed configuration file -> the method as the report calls it. Reads first, so that writes disturb none.
METHODS = {
    "get_profile": "GetProfile",
    "retrieve": "Retrieve",
    "rank": "Rank",
    "recommend": "Recommend",
    "record_events": "RecordEvents",
}


class Percentile(msgspec.Struct, frozen=True):
    """One point of the latency distribution, in nanoseconds."""

    percentage: int
    latency: int


class Output(msgspec.Struct, frozen=True, rename="camel"):
    """What is read of ghz's JSON.

    Attributes:
        count: Calls that ended, well or not.
        total: Wall time in nanoseconds.
        rps: Calls a second.
        status_code_distribution: Status -> calls.
        error_distribution: Message -> calls.
        latency_distribution: Of the calls that ended well; ghz gives 10, 25, 50, 75, 90, 95 and 99 percent.
    """

    count: int
    total: int
    rps: float
    status_code_distribution: dict[str, int] = {}
    error_distribution: dict[str, int] = {}
    # Null where no call ended well.
    latency_distribution: list[Percentile] | None = None

    @property
    def errors(self) -> int:
        """Calls that did not end well."""
        return self.count - self.status_code_distribution.get("OK", 0)

    def milliseconds(self, percentage: int) -> float | None:
        """A percentile of the latency, if any call ended well."""
        for point in self.latency_distribution or []:
            if point.percentage == percentage:
                return point.latency / 1e6
        return None


@dataclass(frozen=True, kw_only=True)
class Load:
    """How ghz is to load a server.

    Attributes:
        config: Name of the committed file.
        address: The server.
        seconds: How long; about so long where there are `messages`.
        callers: Calls in flight, closed loop.
        rate: Calls a second, open loop; closed loop when 0.
        messages: Send these, each once, instead of the file's over and over.
        count: How many `messages` there are.
    """

    config: str
    address: str
    seconds: float
    callers: int = 0
    rate: int = 0
    messages: Path | None = None
    count: int = 0

    def command(self) -> list[str]:
        """The command line, without the output file."""
        parts = [str(GHZ), "--config", f"tests/load/{self.config}.json"]
        if self.messages:
            # Not beside a duration or --max-duration: ghz would then ignore the total and begin again.
            parts += ["--total", str(self.count), "--binary-file", str(self.messages)]
        else:
            parts += ["--duration", f"{self.seconds:g}s"]
        if self.rate:
            # Workers only start calls here, they do not wait for them: one a connection is enough.
            parts += ["--async", "--rps", str(self.rate), "--concurrency", "4"]
        else:
            parts += ["--concurrency", str(self.callers), "--connections", str(min(self.callers, 4))]
        return [*parts, self.address]


def parse(path: Path) -> Output:
    """Reads a JSON file of ghz.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    return msgspec.json.decode(path.read_bytes(), type=Output)


def run(load: Load, output: Path) -> tuple[Output, float, float]:
    """Runs ghz and keeps its JSON at ``output``.

    Returns:
        What it says, the CPU seconds that ghz used, and the seconds that it took, reading its requests included.

    Raises:
        RuntimeError: ghz failed.
    """
    output.unlink(missing_ok=True)
    before, began = _children_seconds(), time.monotonic()
    done = subprocess.run(
        [*load.command()[:-1], "--format", "json", "--output", str(output), load.address],
        capture_output=True,
        text=True,
        timeout=10 * load.seconds + 120,
        check=False,
    )
    used, took = _children_seconds() - before, time.monotonic() - began
    if done.returncode or not output.exists():
        raise RuntimeError(f"ghz failed on {load.config}: {(done.stderr or done.stdout).strip()}")
    return parse(output), used, took


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
