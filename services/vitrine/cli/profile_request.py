"""`vitrine profile-request`: where the time of a request goes, stage by stage, on a running server."""

import json
import time
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from vitrine.cli.server import server_at
from vitrine.cli.stage_bars import Figures, Profiled, bars

console = Console()

# Stages of a server without load take the same time within a tenth over so many requests.
_REPEAT = 50


def profile_request_command(
    user: Annotated[
        str, typer.Option("--user", "-u", help="The customer; nobody in particular when left out.")
    ] = "",
    anonymous: Annotated[str, typer.Option(help="A visitor's cookie, instead of --user.")] = "",
    scene: Annotated[str, typer.Option("--scene", "-s", help="Which window.")] = "home",
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many items.")] = 20,
    item: Annotated[
        list[str] | None, typer.Option(help="The item whose page is shown; may be repeated.")
    ] = None,
    basket: Annotated[list[str] | None, typer.Option(help="An item in the basket; may be repeated.")] = None,
    query: Annotated[str, typer.Option("--query", "-q", help="What was typed into the search box.")] = "",
    repeat: Annotated[
        int, typer.Option(min=1, max=10_000, help="How many requests to measure, one after the other.")
    ] = _REPEAT,
    deadline_ms: Annotated[
        float, typer.Option("--deadline-ms", min=1, help="Time that each request has, in milliseconds.")
    ] = 500.0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: the figures as JSON.")] = False,
    address: Annotated[str, typer.Option(help="Where the server is.")] = "localhost:50051",
) -> None:
    """Shows where the time of a request goes, as bars: decoding, profile, each source and ranker, rules, encoding, waiting.

    Asks a running server for the same window again and again, after one request that is not counted, and prints the
    median and the 99th percentile of each stage, measured in the server, and what took the most of the slowest requests.
    Waiting is all else: the queue for a thread, the event loop, the network between services that run apart.

    - `vitrine profile-request --user ann`
    - `vitrine profile-request --user ann --scene cart --basket pot-2 --repeat 500 --deadline-ms 100`
    - `vitrine profile-request --user ann --json`
    """
    from vitrine.client import Anonymous

    if user and anonymous:
        raise typer.BadParameter("name a customer with --user or a visitor with --anonymous, not both")

    who = user or (Anonymous(anonymous) if anonymous else None)
    asked: dict[str, Any] = {"item_ids": item or (), "basket": basket or (), "query": query}
    told, degraded = _measured(address, who, scene, limit, asked, repeat, deadline_ms / 1000)
    if as_json:
        report = _report(told, degraded, scene, limit, deadline_ms)
        typer.echo(json.dumps(report, ensure_ascii=False))
        return
    show(
        told,
        degraded,
        f"{scene} · {limit} items · {user or anonymous or 'nobody in particular'}",
        deadline_ms,
    )


def show(told: Profiled, degraded: Mapping[str, int], title: str, deadline_ms: float) -> None:
    """Prints the picture, and below it what took the most, and what answers lacked.

    Args:
        told: The figures.
        degraded: In how many requests a part was missing, by its name.
        title: What was asked for.
        deadline_ms: Time that each request had, in milliseconds.
    """
    console.print(Text.assemble((title, "bold"), f"  {told.requests} requests, one after the other"))
    console.print(bars(told, console.width))
    largest, total, client = told.largest, told.total, told.client
    console.print(
        Text(
            f"the caller waited {client.median:.2f} ms, p99 {client.p99:.2f} ms: "
            f"{client.p99 / deadline_ms:.0%} of a deadline of {deadline_ms:g} ms"
        )
    )
    console.print(
        Text(
            f"{largest.name} takes the most of the slowest requests: {largest.slow:.2f} of {total.slow:.2f} ms",
            "bold",
        )
    )
    for name, count in degraded.items():
        console.print(
            Text.assemble(("degraded", "yellow"), f" {name}: in {count} of {told.requests} requests")
        )


def _measured(
    address: str,
    who: Any,
    scene: str,
    limit: int,
    asked: Mapping[str, Any],
    repeat: int,
    deadline: float,
) -> tuple[Profiled, dict[str, int]]:
    from vitrine.cli.stage_figures import profiled
    from vitrine.errors import NotReady
    from vitrine.wire.stages import stages_from_proto

    requests, waits, degraded = [], [], dict[str, int]()
    with server_at(address) as shop:
        for number in range(repeat + 1):
            began = time.perf_counter()
            # The first may find nothing in any cache, and has all the time that it takes.
            timeout = deadline if number else max(deadline, 5.0)
            window = shop.recommend(who, scene, limit, **asked, include_stages=True, timeout=timeout)
            waited = time.perf_counter() - began
            stages = stages_from_proto(window.stages)
            if not stages:
                raise NotReady(f"the server at {address} is older than this command; upgrade it first")
            if not number:
                continue
            requests.append(stages)
            waits.append(waited)
            for part in window.degraded:
                degraded[part.component] = degraded.get(part.component, 0) + 1
    return profiled(requests, waits), degraded


def _report(
    told: Profiled, degraded: Mapping[str, int], scene: str, limit: int, deadline_ms: float
) -> dict[str, Any]:
    """The figures for programs; what is not known is null."""

    def figures(one: Figures) -> dict[str, Any]:
        cpu = None if one.cpu != one.cpu or one.name == "waiting" else round(one.cpu, 4)  # NaN
        return {"median_ms": round(one.median, 4), "p99_ms": round(one.p99, 4), "cpu_median_ms": cpu}

    return {
        "scene": scene,
        "limit": limit,
        "requests": told.requests,
        "deadline_ms": deadline_ms,
        "total": figures(told.total),
        "client": figures(told.client),
        "stages": [{"name": stage.name, **figures(stage)} for stage in told.stages],
        "largest_in_slowest": told.largest.name,
        "degraded": dict(degraded),
    }
