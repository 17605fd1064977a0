"""Takes out of a text what is nobody's business who calls: where files lie, and the name of the host."""

import re
from pathlib import Path

_INTERNAL = re.compile(r"(?<![\w./])/(?:[^\s/;:,'\")]+/)+[^\s;:,'\")]*|(?<=hostname=)[^\s;]+")


def outward(text: str, path: Path | None, called: str) -> str:
    """The text with names relative to a path, and without any other path.

    Args:
        text: The text.
        path: What it may name; absolute.
        called: What stands for the path itself.
    """
    if path is not None:
        text = text.replace(f"{path}/", "").replace(str(path), called)
    # What a library says of a device or a model may name files and the host.
    return _INTERNAL.sub("…", text)
