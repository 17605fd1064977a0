"""The folder in which a training keeps what it finished, so that it can be resumed."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vitrine.errors import InvalidInput
from vitrine_export.resumed import Work, claimed

_TRAINING = Work("training", "training to resume", "data or settings", "`vitrine train`")


@contextmanager
def work_folder(resume: Path | None, about: dict[str, object]) -> Iterator[Path]:
    """A folder for the steps of a training; with ``resume`` it is that one, and stays when the training is cut off.

    Args:
        resume: The folder of the training to go on with or to begin; ``None`` for one that nobody returns to.
        about: What the steps depend on.

    Raises:
        InvalidInput: The folder belongs to another training or to something else, or another process works in it.
    """
    if resume is None:
        with tempfile.TemporaryDirectory(prefix="vitrine-train-") as folder:
            yield Path(folder)
        return
    with claimed(resume, _TRAINING, about):
        yield resume
        # Only what was finished is cleared away: an error leaves the steps for the next attempt.
        shutil.rmtree(resume, ignore_errors=True)


def refuse_inside(out: Path, resume: Path | None) -> None:
    """Refuses a bundle inside the folder of the steps, which goes at the end, and the other way round.

    Raises:
        InvalidInput: One is in the other.
    """
    if resume is None:
        return
    bundle, steps = out.resolve(), resume.resolve()
    if bundle.is_relative_to(steps) or steps.is_relative_to(bundle):
        raise InvalidInput(
            "resume", f"{resume} and the bundle {out} lie in each other; give a folder that is for this alone"
        )
