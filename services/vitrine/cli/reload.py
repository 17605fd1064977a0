"""`vitrine reload`: puts a new bundle, or a new configuration, in the place of the one that is served."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

from vitrine.cli.server import server_at

if TYPE_CHECKING:
    from vitrine.client import Vitrine

console = Console()

_CHECK = "; `vitrine config check FILE` tells what is wrong with a file, or its fingerprint"


def reload_command(
    address: Annotated[
        list[str] | None,
        typer.Option(
            help="A server; may be repeated. Of a split shop, a bundle: retrieval, then ranking; a configuration: each "
            "that has the file. localhost:50051 unless told."
        ),
    ] = None,
    config: Annotated[
        bool,
        typer.Option(
            "--config",
            help="The configuration file, the one that it was started with, instead of the bundle.",
        ),
    ] = False,
    expect: Annotated[
        str,
        typer.Option(
            metavar="VERSION",
            help="Switch to this version or not at all; of a configuration, the fingerprint that `vitrine config "
            "check` tells.",
        ),
    ] = "",
) -> None:
    """Tells running servers to read their bundle's folder again, or their configuration file, and to switch to it.

    Calls go on meanwhile. What is damaged or wrong is refused, with the reason, and the old one goes on.

    - `vitrine reload`
    - `vitrine reload --address localhost:50053 --address localhost:50054`
    - `vitrine reload --config`
    """
    from vitrine.client import NotReady

    for where in address or ["localhost:50051"]:
        with server_at(where) as shop:
            try:
                what = _config(shop, expect) if config else _bundle(shop, expect)
            except NotReady as error:
                told = str(error).removeprefix(f"{error.status}: ")
                raise NotReady(f"{where}: {told}{_CHECK if config else ''}") from None
        console.print(Text(f"{where}: {what}"))


def _bundle(shop: "Vitrine", expect: str) -> str:
    done = shop.reload_bundle(expected_version=expect)
    if not done.switched:
        return f"bundle {done.version} as before: the folder holds nothing else"
    seconds = done.duration.ToMilliseconds() / 1000
    return f"bundle {done.version} instead of {done.previous_version or 'none'}, after {seconds:.1f} s"


def _config(shop: "Vitrine", expect: str) -> str:
    done = shop.reload_config(expected_fingerprint=expect)
    if not done.switched:
        return f"configuration {done.fingerprint} as before: the file says nothing else"
    seconds = done.duration.ToMilliseconds() / 1000
    return f"configuration {done.fingerprint} instead of {done.previous_fingerprint}, after {seconds:.1f} s"
