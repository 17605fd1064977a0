"""`python -m tests.load.gpu`, which `scripts/bench-gpu` runs: networks on a GPU, through the code that serves them."""

import argparse
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.load import machine
from tests.load.gpu import figures, networks
from tests.load.gpu.measure import Bench
from tests.load.keeping import keep
from vitrine.app.loop import SWITCH_SECONDS
from vitrine.config import InferenceConfig
from vitrine.errors import ConfigError
from vitrine.inference import check_runtime, provider

_ON_CPU = Path(".bench/gpu-on-cpu.json")
# Longer than a server allows: a run that waits shall be seen waiting, not end.
_BUDGET_MS = 5_000
NO_GPU = 2


def arguments(argv: list[str]) -> argparse.Namespace:
    """Reads the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/bench-gpu",
        description="Measures networks on an NVIDIA GPU: requests that come together share runs; how long these take in "
        "the session, beside the same runs in a bare loop. Two minutes. Exit code 2: there is no GPU.",
    )
    parser.add_argument(
        "--provider", choices=("cuda", "cpu"), default="cuda", help="cpu: does the script itself work?"
    )
    parser.add_argument("--seconds", type=float, default=3.0, help="length of a run (3)")
    parser.add_argument("--rows", type=int, default=500, help="candidates of a request (500)")
    parser.add_argument("--callers", type=int, default=64, help="requests on their way at most (64)")
    parser.add_argument(
        "--out", type=Path, help=f"the file of figures ({figures.KEPT}; on the CPU {_ON_CPU})"
    )
    parser.add_argument("--commit", default="", help="the commit that this is, where git cannot tell")
    parser.add_argument(
        "--networks", type=Path, help="a folder of *.onnx to take instead of making deep and large"
    )
    parser.add_argument(
        "--make", type=Path, metavar="FOLDER", help="make them there, for a machine without PyTorch, and end"
    )
    options = parser.parse_args(argv)
    options.out = options.out or (figures.KEPT if options.provider == "cuda" else _ON_CPU)
    return options


def main(argv: list[str]) -> int:
    """Measures and writes.

    Raises:
        ConfigError: The GPU, or what is needed to use it, is not there.
        RuntimeError: A network answers otherwise than on the CPU.
    """
    options = arguments(argv)
    if options.make:
        networks.make(options.make)
        return 0
    began = time.monotonic()
    settings = InferenceConfig(provider=options.provider, budget_ms=_BUDGET_MS)
    check_runtime()
    if options.provider == "cuda" and (problem := provider._cuda_problem()):
        raise ConfigError(problem)
    # As in a server.
    sys.setswitchinterval(SWITCH_SECONDS)
    bench = Bench(
        settings=settings, rows=options.rows, callers=options.callers, seconds=options.seconds, say=say
    )
    with TemporaryDirectory() as scratch:
        folder = options.networks or Path(scratch)
        if not options.networks:
            say("making the networks")
            networks.make(folder)
        found = {}
        for file in sorted(folder.glob("*.onnx")):
            say(f"{file.stem}, {file.stat().st_size / 1e6:.1f} MB")
            found[file.stem] = bench.network(file.read_bytes())
    told = {"commit": options.commit or machine.commit(), **machine.versions()}
    result = figures.Result(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        minutes=(time.monotonic() - began) / 60,
        provider=options.provider,
        machine={**(gpu() if options.provider == "cuda" else {}), **machine.machine(), **told},
        rows=options.rows,
        callers=options.callers,
        networks=found,
    )
    keep(result, options.out)
    say(f"the figures are in {options.out}; {result.minutes:.1f} minutes")
    return 0


def gpu() -> dict[str, str]:
    """The GPU and its driver, where `nvidia-smi` tells."""
    asked = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        lines = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.splitlines()
    except (OSError, subprocess.CalledProcessError):
        return {}
    name, memory, driver = lines[0].split(", ")
    return {"GPU": f"{name}, {memory}", "driver": driver}


def say(line: str) -> None:
    """Tells how far it is."""
    print(f"bench-gpu: {line}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except ConfigError as error:
        say(f"{error} (--provider cpu tries the script without a GPU)")
        sys.exit(NO_GPU)
    except RuntimeError as error:
        sys.exit(f"bench-gpu: {error}")
