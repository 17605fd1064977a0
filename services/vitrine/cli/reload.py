"""`vitrine reload`: puts a new bundle, or a new configuration, in the place of the one that is served."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.text import Text

if TYPE_CHECKING:
    from vitrine.client import Vitrine

console = Console()


def reload_command(
    address: Annotated[
        list[str] | None,
        typer.Option(
            help="A server; may be repeated. Of a split shop, a bundle: retrieval, then ranking; a configuration: each "
            "that has the file. localhost:50051 unless told."
        ),
    ] = None,
    config: Annotated[
        bool, typer.Option("--config", help="The configuration file instead of the bundle.")
    ] = False,
    expect: Annotated[
        str,
        typer.Option(
            metavar="VERSION",
            help="Switch to this version or not at all; of a configuration, the fingerprint that `vitrine config "
            "check` tells.",
        ),
    ] = "",
    files: Annotated[list[str] | None, typer.Argument(hidden=True)] = None,
) -> None:
    """Tells running servers to read their bundle's folder again, or their configuration file, and to switch to it.

    Calls go on meanwhile. What is damaged or wrong is refused, with the reason, and the old one goes on.

    - `vitrine reload`
    - `vitrine reload --address localhost:50053 --address localhost:50054`
    - `vitrine reload --config`
    """
    from vitrine.client import NotReady, Unavailable, Vitrine

    if files:
        raise typer.BadParameter(
            f"a server reads the file and the folder that it was started with: leave '{files[0]}' out"
        )
    for where in address or ["localhost:50051"]:
        with Vitrine(where) as shop:
            try:
                what = _config(shop, expect) if config else _bundle(shop, expect)
            except Unavailable:
                raise Unavailable(
                    f"no server answers at {where}; start one with `vitrine serve`, or name it with --address"
                ) from None
            except NotReady as error:
                hint = "; `vitrine config check FILE` says all that is wrong with a file" if config else ""
                told = str(error).removeprefix(f"{error.status}: ")
                raise NotReady(f"{where}: {told}{hint}") from None
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
