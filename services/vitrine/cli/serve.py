"""`vitrine serve`: all services in one process, or one of them."""

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from vitrine.cli import importing

# More than any machine of today has use for: each has a catalogue of its own in memory.
MAX_WORKERS = 64
# How far above the port of the services that of the metrics is, unless told.
METRICS_ABOVE = 1000


class Service(StrEnum):
    """What to serve."""

    ALL = "all"
    PROFILE = "profile"
    RETRIEVAL = "retrieval"
    RANKING = "ranking"
    RECOMMENDATION = "recommendation"


def serve_command(
    service: Annotated[
        Service, typer.Argument(help="One service, or all four in one process.", case_sensitive=False)
    ] = Service.ALL,
    bundle: Annotated[
        Path | None,
        typer.Option(help="The trained models (see `vitrine train`). Without them, popular items are shown."),
    ] = None,
    watch_bundle: Annotated[
        bool,
        typer.Option(help="Switch to another bundle that appears in that folder, while serving."),
    ] = True,
    store: Annotated[Path, typer.Option(help="Where events, profiles and the catalogue are kept.")] = Path(
        "store"
    ),
    config: Annotated[
        Path | None,
        typer.Option(help="A TOML file, merged over the defaults; see `vitrine config check`."),
    ] = None,
    watch_config: Annotated[
        bool, typer.Option(help="Go by what that file says when it changes, while serving.")
    ] = True,
    host: Annotated[str, typer.Option(help="The interface to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 50051,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="Prometheus metrics, on --host too; 0 for none. 1000 above --port unless told; with --port 0 or "
            "above 64535 any free port, which the log names.",
        ),
    ] = None,
    as_of: Annotated[
        str,
        typer.Option(metavar="TIME", help="Serve a past day: the clock starts at this moment (ISO 8601)."),
    ] = "",
    freeze_clock: Annotated[
        bool,
        typer.Option("--freeze-clock", help="With --as-of: the clock stands still, so that answers repeat."),
    ] = False,
    workers: Annotated[
        int,
        typer.Option(
            min=1,
            max=MAX_WORKERS,
            help="Processes that find and order candidates, one for each core that shall do so. With more than 1, "
            "this process owns the store and the port and spreads requests over them; each keeps its own catalogue. "
            "One that ends is started again.",
        ),
    ] = 1,
    profile_address: Annotated[
        str, typer.Option(help="Where ProfileService runs, for a single service.")
    ] = "localhost:50052",
    retrieval_address: Annotated[str, typer.Option(help="Where RetrievalService runs.")] = "localhost:50053",
    ranking_address: Annotated[str, typer.Option(help="Where RankingService runs.")] = "localhost:50054",
    grace: Annotated[float, typer.Option(min=0, help="Seconds that calls in flight have at the end.")] = 5.0,
) -> None:
    """Serves recommendations over gRPC until it is told to stop (Ctrl-C or SIGTERM).

    - `vitrine serve --bundle data/bundle`
    - `vitrine serve --bundle data/bundle --as-of 2011-09-01T00:00:00Z`

    On four cores:

    - `vitrine serve --bundle data/bundle --workers 4`

    Split over four processes; each finds the others by address:

    - `vitrine serve profile --port 50052`
    - `vitrine serve retrieval --port 50053 --bundle data/bundle`
    - `vitrine serve ranking --port 50054 --bundle data/bundle`
    - `vitrine serve recommendation --port 50051`
    """
    with importing():
        from vitrine.app.options import Addresses, ServeOptions
        from vitrine.app.serve import serve
        from vitrine.config import load_config

    if freeze_clock and not as_of:
        raise typer.BadParameter(
            "needs --as-of TIME, the moment to stand still at", param_hint="--freeze-clock"
        )
    if workers > 1 and service is not Service.ALL:
        raise typer.BadParameter(
            f"is for all services in one; start several '{service}' processes behind a load balancer instead",
            param_hint="--workers",
        )
    serve(
        ServeOptions(
            service=service.value,
            bundle=bundle,
            watch_bundle=watch_bundle,
            store=store,
            config=load_config(config),
            config_file=config,
            watch_config=watch_config,
            host=host,
            port=port,
            metrics_port=_metrics_port(metrics_port, port),
            as_of=_moment(as_of) if as_of else None,
            addresses=Addresses(profile_address, retrieval_address, ranking_address),
            grace=grace,
            freeze_clock=freeze_clock,
            workers=workers,
        )
    )


def _metrics_port(told: int | None, port: int) -> int | None:
    """The port of the metrics; 0 for any, ``None`` for none."""
    if told is not None:
        return told or None
    return port + METRICS_ABOVE if 0 < port <= 65535 - METRICS_ABOVE else 0


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"'{text}' is not a moment; write for example 2011-09-01 or 2011-09-01T12:00:00Z",
            param_hint="--as-of",
        ) from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
