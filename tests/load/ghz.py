"""One run of ghz: the command, its JSON, and what it says."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import msgspec

GHZ = Path(".bench/bin/ghz")
VERSION = Path(".bench/bin/ghz.version")

# Committed configuration file -> the method as the page calls it.
METHODS = {"recommend": "Recommend", "rank": "Rank", "retrieve": "Retrieve"}
EVENTS = "record_events"
# Workers only start calls in the open loop, they do not wait for them: one a connection is enough.
_STARTERS = 4


class Percentile(msgspec.Struct, frozen=True):
    """One point of the latency distribution, in nanoseconds."""

    percentage: int
    latency: int


class Output(msgspec.Struct, frozen=True, rename="camel"):
    """What is read of ghz's JSON.

    Attributes:
        count: Calls that ended, well or not.
        total: Wall time in nanoseconds.
        fastest: The quickest call, in nanoseconds.
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
    fastest: int = 0
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

    @property
    def achieved(self) -> float:
        """Calls that ended well a second, until the last one had ended: a queue that grows lowers it.

        The time of the quickest call is taken off the end: the last call takes that long however low the rate.
        """
        return (self.count - self.errors) * 1e9 / max(1, self.total - self.fastest)


@dataclass(frozen=True, kw_only=True)
class Load:
    """How ghz is to load a server.

    Attributes:
        config: Name of the committed file.
        address: The server.
        messages: The requests, as `tests.load.messages` writes them.
        seconds: How long; 0 to send each of the ``count`` messages once.
        callers: Calls in flight, closed loop.
        rate: Calls a second, open loop; closed loop when 0.
        count: How many messages there are.
    """

    config: str
    address: str
    messages: Path
    seconds: float = 0.0
    callers: int = 0
    rate: int = 0
    count: int = 0

    def command(self) -> list[str]:
        """The command line, without the output file."""
        parts = [str(GHZ), "--config", f"tests/load/{self.config}.json", "--binary-file", str(self.messages)]
        # Never both: ghz would ignore the total and begin again.
        parts += ["--duration", f"{self.seconds:g}s"] if self.seconds else ["--total", str(self.count)]
        if self.rate:
            parts += ["--async", "--rps", str(self.rate), "--concurrency", str(min(_STARTERS, self.rate))]
            parts += ["--connections", str(min(_STARTERS, self.rate))]
        else:
            parts += ["--concurrency", str(self.callers), "--connections", str(min(self.callers, 4))]
        return [*parts, self.address]


def parse(path: Path) -> Output:
    """Reads a JSON file of ghz.

    Raises:
        msgspec.MsgspecError: It is none.
    """
    return msgspec.json.decode(path.read_bytes(), type=Output)


class Running:
    """A run of ghz, begun.

    Args:
        load: How it loads the server.
        output: Where its JSON goes.
    """

    def __init__(self, load: Load, output: Path) -> None:
        self._load, self._output = load, output
        output.unlink(missing_ok=True)
        command = [*load.command()[:-1], "--format", "json", "--output", str(output), load.address]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def wait(self, seconds: float) -> Output:
        """What it says, when it has ended.

        Raises:
            RuntimeError: It failed, or did not end within that time.
        """
        try:
            said, _ = self._process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            raise RuntimeError(f"ghz did not end on {self._load.config}") from None
        if self._process.returncode or not self._output.exists():
            raise RuntimeError(f"ghz failed on {self._load.config}: {said.strip()}")
        return parse(self._output)

    def stop(self) -> None:
        """Ends it at once."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
