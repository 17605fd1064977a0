"""What profiles take in memory and on disk, at three sizes; a process of its own."""

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import apsw
import numpy as np

from tests.load.memory import resident
from vitrine.app.shop import Stores
from vitrine.config import load_config
from vitrine.domain.clock import system_clock
from vitrine.domain.subject import Subject

# Shares of the shoppers that are held.
_SHARES = (0.25, 0.5, 1.0)
_MOST = 20_000


def measure(store: Path) -> dict[str, Any]:
    """Profiles held, bytes of memory for each of these numbers, and bytes of profiles on disk for as many."""
    with closing(apsw.Connection(str(store / "profile.db"))) as connection:
        rows: list[Any] = connection.execute(
            "SELECT subject, length(state) FROM profiles ORDER BY random() LIMIT ?", (_MOST,)
        ).fetchall()
        counts = {
            name: connection.execute(f"SELECT count(*) FROM {name}").get for name in ("profiles", "log")
        }
    subjects = [Subject.from_key(subject.partition("/")[2]) for subject, _ in rows]
    sizes = np.cumsum([size for _, size in rows])
    config = load_config()
    profile = config.profile.model_copy(update={"cache_profiles": _MOST})
    with Stores.open(store, config.model_copy(update={"profile": profile}), system_clock) as stores:
        # The first reading opens connections and fills the page cache.
        for start in range(0, len(subjects), 100):
            stores.profiles._readers.states([f"{config.shop}/{s.key}" for s in subjects[start : start + 100]])
        before = resident()
        held, memory, disk, done = [], [], [], 0
        items = 0
        for share in _SHARES:
            upto = round(len(subjects) * share)
            for start in range(done, upto, 100):
                items += sum(
                    map(
                        len,
                        (
                            p.items
                            for p in stores.profiles.batch_get(subjects[start : min(start + 100, upto)])
                        ),
                    )
                )
            done = upto
            held.append(upto)
            memory.append(resident() - before)
            disk.append(int(sizes[upto - 1]))
    return {
        "held": held,
        "memory": memory,
        "disk": disk,
        "items": items / len(subjects),
        "file": (store / "profile.db").stat().st_size,
        **counts,
    }


def main() -> None:
    """Prints them as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", type=Path, required=True, help="a copy")
    print(json.dumps(measure(parser.parse_args().store)))


if __name__ == "__main__":
    main()
