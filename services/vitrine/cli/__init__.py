"""The command line."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# What a server's installation brings; another program's may bring some of it, beside a client alone.
_SERVER = {
    "apsw", "grpc_health", "grpc_reflection", "lightgbm", "msgspec", "numpy", "onnxruntime", "pluggy", "polars",
    "prometheus_client", "pydantic", "rich", "threadpoolctl", "tokenizers", "typer",
}  # fmt: skip


@contextmanager
def importing() -> Iterator[None]:
    """Imports without the garbage collector, which never looks at what is there by then: what modules are made of stays.

    It would look at all of that again and again, a tenth of the time that imports take.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def main() -> None:
    """Runs `vitrine`; a mistake of the person ends it with one line that says what to do, and a failing exit code."""
    try:
        with importing():
            from vitrine.cli.commands import make_app

            # Of a command that is named, as in `vitrine serve`, its own imports alone.
            app = make_app(*sys.argv[1:2])
    except ModuleNotFoundError as missing:
        sys.exit(_lacks(missing))
    from vitrine.errors import VitrineError

    try:
        app()
    except VitrineError as error:
        sys.exit(f"vitrine: {error}")
    except ModuleNotFoundError as missing:
        # Commands import what they work with when they are called.
        if (missing.name or "").partition(".")[0] not in _SERVER:
            raise
        sys.exit(_lacks(missing))
    except KeyboardInterrupt:
        sys.exit(130)


def _lacks(missing: ModuleNotFoundError) -> str:
    return (
        f"vitrine: the command line needs '{missing.name}', which the client alone does not install.\n"
        "Install a server with: pip install 'vitrine-recommender[cpu]'   (or [gpu])"
    )
