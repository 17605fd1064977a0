"""What made it fast: steps of the optimisation, written by hand into steps.toml, as a section of docs/performance.md."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from tests.load.markdown import table

FILE = Path("tests/load/steps.toml")
_HEAD = (
    "Each step was measured once, before and after in one run: both working trees in turns, by CPU time, mostly on a machine "
    "that others used, too. So only before and after of one line can be compared, and lines do not add up. Where something "
    "measures today's figure, it is named."
)


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step of the optimisation that mattered: written by hand, since it was measured once.

    Attributes:
        area: Of what; steps of one stand together.
        what: What was done.
        before: The figure, with its unit.
        after: The figure of the same run.
        command: What measures today's figure; empty where nothing does.
    """

    what: str
    before: str
    after: str
    command: str = ""
    area: str = "More"


def steps(path: Path = FILE) -> list[Step]:
    """Reads the steps.

    Raises:
        msgspec.MsgspecError: The file is not as it should be.
    """
    return msgspec.toml.decode(path.read_bytes(), type=dict[str, list[Step]])["step"]


def told(steps: Sequence[Step]) -> str:
    """The section: a table for each area, in the order of the file."""
    parts = [_HEAD]
    for area in dict.fromkeys(step.area for step in steps):
        cells = [
            [step.what, step.before, step.after, f"`{step.command}`" if step.command else ""]
            for step in steps
            if step.area == area
        ]
        parts += [f"### {area}", table(["what", "before", "after", "today's figure"], cells, right=())]
    return "\n\n".join(parts)
