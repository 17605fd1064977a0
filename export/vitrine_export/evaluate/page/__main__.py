"""``python -m vitrine_export.evaluate.page DIR … --out FILE``: one page out of the reports of several runs."""

import argparse
import sys
from pathlib import Path

from vitrine.errors import InvalidInput
from vitrine_export.evaluate.page.document import write_page
from vitrine_export.evaluate.page.store import NAME, joined, load_page


def main(arguments: list[str] | None = None) -> int:
    """Writes the page.

    Args:
        arguments: Of the command line.

    Returns:
        0, or 2 where a file cannot be read or written.
    """
    parser = argparse.ArgumentParser(prog="python -m vitrine_export.evaluate.page", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, help="what `vitrine evaluate --out` wrote to")
    parser.add_argument("--out", type=Path, required=True, help="the page")
    parser.add_argument("--title", default="Recommendations, measured")
    told = parser.parse_args(arguments)
    try:
        write_page(told.out, joined(told.title, [load_page(folder / NAME) for folder in told.folders]))
    except InvalidInput as error:
        sys.stderr.write(f"{error}\n")
        return 2
    sys.stdout.write(f"wrote {told.out}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
