"""`vitrine reload`: puts a new bundle in the place of the one that is served."""

from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

console = Console()


def reload_command(
    address: Annotated[
        list[str] | None,
        typer.Option(
            help="A server that uses the bundle; may be repeated. Of a split shop: retrieval, then ranking. "
            "localhost:50051 unless told."
        ),
    ] = None,
    expect: Annotated[
        str, typer.Option(metavar="VERSION", help="Switch to this version or not at all.")
    ] = "",
) -> None:
    """Tells running servers to load the folder of their bundle again and to switch to what lies there now.

    Calls go on meanwhile. A bundle that is damaged is refused, with the reason, and the old one goes on.

    - `vitrine reload`
    - `vitrine reload --address localhost:50053 --address localhost:50054`
    """
    from vitrine.client import Unavailable, Vitrine

    for where in address or ["localhost:50051"]:
        with Vitrine(where) as shop:
            try:
                done = shop.reload_bundle(expected_version=expect)
            except Unavailable:
                raise Unavailable(
                    f"no server answers at {where}; start one with `vitrine serve`, or name it with --address"
                ) from None
        seconds = done.duration.ToMilliseconds() / 1000
        what = (
            f"bundle {done.version} instead of {done.previous_version or 'none'}, after {seconds:.1f} s"
            if done.switched
            else f"bundle {done.version} as before: the folder holds nothing else"
        )
        console.print(Text(f"{where}: {what}"))
