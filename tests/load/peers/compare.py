"""The run: every server twice, in one order and in the other, the bare function before each."""

import json
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TypedDict

from tests.load.messages import read, write
from tests.load.peers.bare import EXPECTED
from tests.load.peers.figures import Figures, differing
from tests.load.peers.function import own_catalog
from tests.load.peers.hosts import Kind, moment
from tests.load.peers.kinds import EVERYWHERE, FLOORS, MOSEC, RAY, RAY_TUNED, VITRINE, without_work
from tests.load.peers.measure import Visit, Visitor, check
from tests.load.rows.base import World
from tests.load.traffic import PROFILES, RANKED, ZIPF, Traffic
from vitrine.api.ranking.v1 import ranking_pb2 as pb

# A server's first visit looks for its peak; others, in another order, repeat what is compared.
ROUNDS: tuple[tuple[Kind, ...], ...] = (
    (VITRINE, MOSEC, RAY_TUNED),
    (RAY_TUNED, MOSEC, VITRINE),
    (VITRINE, MOSEC),
    (RAY, EVERYWHERE),
)
# After the first round, a visit that would begin later than this is left out.
_LAST_START_SECONDS = 10 * 60.0
# What the function is made of: differs any of these, it is not the same.
SAME = ("lightgbm", "numpy", "onnxruntime", "protobuf")
_PACKAGES = ("Python", *SAME, "grpcio", "mosec", "ray")


class Compared(TypedDict):
    """Fields of `Result`."""

    asked: str
    bare: list[float]
    floors: dict[str, float]
    servers: dict[str, Figures]
    versions: dict[str, dict[str, str]]
    notes: list[str]


def compare(world: World, rounds: Sequence[Sequence[Kind]] = ROUNDS) -> Compared:
    """Measures all servers.

    Raises:
        RuntimeError: A server does not start, or answers otherwise than the bare function.
    """
    began = time.monotonic()
    order = list(dict.fromkeys(kind for kinds in rounds for kind in kinds))
    found = {folder: _versions(folder) for folder in dict.fromkeys(kind.environment for kind in order)}
    versions = {p: {folder.name: v[p] for folder, v in found.items() if p in v} for p in _PACKAGES}
    notes = [
        "Every call has two seconds, and every server refuses to work longer on it",
        "gRPC servers are loaded with ghz, four connections; mosec with vegeta, HTTP/1.1 and a connection a call in flight",
    ]
    if different := differing(versions, SAME):
        notes.append(
            f"The function is not quite the same everywhere: versions differ of {', '.join(different)}"
        )
    visiting = _Visiting(world, *_requests(world))
    floors: dict[str, float] = {}
    for number, kinds in enumerate(rounds):
        for kind in kinds:
            if number and time.monotonic() - began > _LAST_START_SECONDS:
                notes.append(
                    f"Visit {len(visiting.visits.get(kind.name, [])) + 1} of {kind.name} was left out, for time"
                )
            else:
                visiting.visit(kind)
        # All at one rate: a call that comes alone costs more than one of many.
        floors = floors or dict(
            visiting.floor(kind, rate=visiting.visits[order[0].name][0].half.rate) for kind in FLOORS
        )
    function = median(visiting.bare)
    return Compared(
        asked=visiting.asked,
        bare=visiting.bare,
        floors=floors,
        servers={
            kind.name: Figures.of(kind.name, kind.settings, visiting.visits[kind.name], function)
            for kind in order
            if kind.name in visiting.visits
        },
        versions=versions,
        notes=notes,
    )


@dataclass
class _Visiting:
    """Visits servers one after the other.

    Attributes:
        world: What they serve.
        requests: The file of requests.
        asked: What is asked, in words.
        bare: CPU milliseconds of the bare function, before each visit.
        visits: Server -> what was measured.
    """

    world: World
    requests: Path
    asked: str
    bare: list[float] = field(default_factory=list)
    visits: dict[str, list[Visit]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._messages = read(self.requests, pb.RankRequest, EXPECTED)
        self._answers = self.world.scratch / "answers.bin"

    def visit(self, kind: Kind) -> None:
        """Measures the bare function, and then a server: its peak, too, at the first visit."""
        self._bare()
        self.world.say(f"bare: {self.bare[-1]:.2f} ms of CPU a call; now {kind.name}")
        known = self.visits.setdefault(kind.name, [])
        with kind.running(self.world, self._messages[0].SerializeToString()) as host:
            check(host, kind.name, self._messages, read(self._answers, pb.RankResponse, EXPECTED))
            visitor = Visitor(self.world, kind, host, self.requests)
            known.append(visitor.visit(known[0].peak if known else 0))

    def floor(self, kind: Kind, rate: int) -> tuple[str, float]:
        """The name of a kind of server without work, and CPU milliseconds a request of one."""
        answer = self.world.scratch / "answer.bin"
        answer.write_bytes(read(self._answers, pb.RankResponse, 1)[0].SerializeToString())
        floor = without_work(kind, answer)
        with floor.running(self.world, self._messages[0].SerializeToString()) as host:
            return floor.name, Visitor(self.world, floor, host, self.requests).cost(rate)

    def _bare(self) -> None:
        store = own_catalog(self.world.shop.store, self.world.scratch / f"bare-{len(self.bare)}")
        said = self.world.child(
            "tests.load.peers.bare",
            *("--bundle", str(self.world.shop.bundle), "--store", str(store)),
            *("--requests", str(self.requests), "--answers", str(self._answers)),
            *("--now", str(moment(self.world.shop.as_of)), "--seconds", str(self.world.seconds / 2)),
        )
        shutil.rmtree(store)
        self.bare.append(float(said["cpu_ms"]))


def _requests(world: World) -> tuple[Path, str]:
    """Makes the requests from what a server answers, each with its time, so that every answer is the same."""
    world.say("making requests …")
    folder = world.scratch / "requests"
    with VITRINE.running(world) as host:
        asked = Traffic(world.shop.data, folder).reads(host.address)["rank"]
    asked = asked.replace(
        "the same profiles", f"{PROFILES:,} profiles drawn by a Zipf law of exponent {ZIPF},"
    )
    messages = read(folder / "rank.bin", pb.RankRequest, 10_000)
    if any(len(message.candidates.item_ids) != RANKED for message in messages):
        raise RuntimeError(f"not every request has {RANKED} candidates")
    for message in messages:
        message.request_time.FromSeconds(int(moment(world.shop.as_of)))
    requests = folder / "rank-timed.bin"
    write(requests, messages)
    return (
        requests,
        f"{asked}, {sum(m.ByteSize() for m in messages) / len(messages) / 1024:.0f} KiB each on average",
    )


def _versions(environment: Path) -> dict[str, str]:
    """The versions of packages in an environment."""
    program = (
        "import json, platform; from importlib.metadata import distributions as d; "
        "print(json.dumps({'Python': platform.python_version()} | {x.name.lower(): x.version for x in d()}))"
    )
    done = subprocess.run(
        [str(environment / "bin/python"), "-c", program], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"the environment at {environment} is not whole; remove it and run scripts/bench-peers"
        )
    found: dict[str, str] = json.loads(done.stdout)
    return {name: version for name, version in found.items() if name in _PACKAGES}
