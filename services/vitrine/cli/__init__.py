"""The command line."""

import sys


def main() -> None:
    """Runs `vitrine`; a mistake of the person ends it with one line that says what to do, and a failing exit code."""
    try:
        from vitrine.cli.app import app
    except ModuleNotFoundError as missing:
        sys.exit(
            f"vitrine: the command line needs '{missing.name}', which the client alone does not install.\n"
            "Install a server with: pip install 'vitrine-recommender[cpu]'   (or [gpu])"
        )
    from vitrine.errors import VitrineError

    try:
        app()
    except VitrineError as error:
        sys.exit(f"vitrine: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
