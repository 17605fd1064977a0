"""Requests and arguments of processes that measure the pipeline without a server."""

import argparse
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.load.traffic import WINDOW, Traffic
from vitrine.domain.request import Context
from vitrine.domain.subject import Subject
from vitrine.recommendation.query import WindowQuery
from vitrine.wire.events import subject_from_proto


class Asked(NamedTuple):
    """A request, and whose."""

    subject: Subject
    query: WindowQuery


def asked(data: Path, count: int) -> Iterator[Asked]:
    """Requests for the window that `Traffic` asks for, of shoppers drawn as there."""
    with TemporaryDirectory() as folder:
        subjects = Traffic(data, Path(folder)).subjects(count)
    context = Context(locale="en", channel="web")
    for told in subjects:
        subject = subject_from_proto(told, "subject")
        yield Asked(subject, WindowQuery(subject, "home", WINDOW, context))


def parser(description: str | None, seconds: float) -> argparse.ArgumentParser:
    """Reads which shop to measure, at what moment and how long."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("--data", type=Path, required=True)
    made.add_argument("--bundle", type=Path, required=True)
    made.add_argument("--store", type=Path, required=True, help="is written to")
    made.add_argument("--as-of", type=datetime.fromisoformat, required=True)
    made.add_argument("--seconds", type=float, default=seconds)
    return made
