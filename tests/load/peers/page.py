"""docs/performance/peers.md, from figures. Nothing is measured here."""

from collections.abc import Sequence
from pathlib import Path

from tests.load.markdown import number, table
from tests.load.peers.figures import Figures, Result

PAGE = Path("docs/performance/peers.md")
_MEANING = (
    "What does a server cost that hosts a ranker, beside the ranking itself? One function in several servers: the bytes of a "
    "`RankRequest` in, those of a `RankResponse` out, by Vitrine's decoding, ranking and encoding "
    "(`tests/load/peers/function.py`), with the same bundle and the same catalogue, one worker each and one thread in it. "
    "Every server's answers were first compared with those of the bare function, message for message. *Bare* is that function "
    "in a plain loop on the same requests, in a process that does nothing else. It compares servers, not recommenders: mosec "
    "and Ray Serve host what one gives them, and have neither profiles nor a catalogue; in Vitrine each ranker is watched, "
    "bounded in time and left out when it fails, and three other services stand ready beside it."
)
_COLUMNS = (
    "*Peak*: the highest constant rate of an open loop of which at least 98 % is achieved with fewer than 0.1 % errors. "
    "*p50*, *p99* and *CPU* are at half of its own peak. *CPU a request*: processor time, user and system, of all processes "
    "of that server, over the calls. *Beyond the function*: that without the bare function's; it is what the server itself "
    "costs. *Idle*: cores that it uses when nobody calls."
)


def render(result: Result) -> str:
    """The page as Markdown."""
    servers = list(result.servers.values())
    ran = [f"- {s.name}: {s.settings}." for s in servers]
    parts = [
        "## The same function in other servers",
        f"Made by `{result.command}` on {result.date[:10]} in {result.minutes:.0f} minutes, not edited.",
        _MEANING,
        _table(result),
        _COLUMNS,
        f"The bare function takes {number(result.function)} ms of CPU a call (median of {len(result.bare)} runs: "
        + ", ".join(number(value) for value in result.bare)
        + f"). Asked: {result.asked}.",
        "How little a server can cost: with a function that does nothing (the request is decoded, and an answer that is "
        f"there already encoded), at half of {_first(result)}'s peak: "
        + "; ".join(f"{name} {number(value)} ms of CPU a call" for name, value in result.floors.items())
        + ". What Vitrine costs beyond the first of these is its own.",
        "### How each ran",
        "\n".join([*ran, *(f"- {note}." for note in result.notes)]),
        "### Rates that were tried",
        table(
            ["server", "calls a second → achieved"],
            [[s.name, ", ".join(_tried(s))] for s in servers],
            right=(),
        ),
        "### Machine and versions",
        table(["what", "value"], [[name, value] for name, value in result.machine.items()], right=()),
        _versions(result),
    ]
    return "\n\n".join(parts) + "\n"


def _first(result: Result) -> str:
    return next(iter(result.servers), "no server")


def _table(result: Result) -> str:
    head = [
        "server",
        "peak",
        "p50",
        "p99",
        "CPU a request",
        "by round",
        "beyond the function",
        "idle",
        "memory",
    ]
    cells = [
        [
            s.name,
            f"{s.peak}/s" if s.peak else "none held",
            _milliseconds(s.p50),
            _milliseconds(s.p99),
            _milliseconds(s.cpu),
            ", ".join(number(value) for value in s.rounds),
            f"**{_milliseconds(s.beyond)}**",
            f"{s.idle:.2f} cores",
            f"{s.memory:.0f} MiB in {s.processes} process{'es' * (s.processes != 1)}",
        ]
        for s in result.servers.values()
    ]
    return table(head, cells, right=range(1, 9))


def _tried(server: Figures) -> Sequence[str]:
    return [f"{t.rate} → {t.achieved:.0f}{'' if t.held else ' (not held)'}" for t in server.tried]


def _versions(result: Result) -> str:
    names = list(dict.fromkeys(name for found in result.versions.values() for name in found))
    cells = [[package, *(found.get(n, "–") for n in names)] for package, found in result.versions.items()]
    return table(["package", *names], cells, right=())


def _milliseconds(value: float | None) -> str:
    return "none" if value is None else f"{number(value)} ms"
