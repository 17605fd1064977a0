"""What a restart after a crash has to read and to keep is bounded, whoever was busy."""

import shutil
from contextlib import closing
from pathlib import Path

import apsw
import msgspec
import pytest

from vitrine.config import load_config
from vitrine.domain.events import Event
from vitrine.domain.items import ItemKeys
from vitrine.domain.subject import Subject
from vitrine.errors import ConfigError
from vitrine.profile import Profiles, recovery
from vitrine.profile.lag import Lag
from vitrine.profile.memory import Memory
from vitrine.profile.rows import Row

NOW = 1_700_000_000.0


def event(subject: str, number: int) -> Event:
    return Event(event_id=f"{subject} {number}", subject=f"u:{subject}", item_id="lamp", type=2, time=NOW)


def open_store(folder: Path) -> Profiles:
    return Profiles.open(folder, load_config(), lambda _: ItemKeys(("All",), "brand", "1"), lambda: NOW)


def row(seq: int) -> Row:
    return Row(seq, 2, NOW, "lamp", 1.0, float("nan"), None)


def test_events_of_a_quiet_shopper_do_not_wait_while_a_busy_one_fills_the_log() -> None:
    lag = Lag(max_rows=4, max_waiting=100)
    lag.add({"quiet": [row(1)]})
    for seq in range(2, 400):
        due = lag.due(1, seq - 1)
        lag.drop(due)
        lag.add({"busy": [row(seq)]})
        assert lag.floor(seq) >= seq - 2 * 100 - 2
    assert lag.of("quiet") == ()


@pytest.mark.parametrize("killed", [False, True])
def test_a_restart_keeps_only_what_profiles_lack_even_when_one_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool
) -> None:
    monkeypatch.setattr(recovery, "MAX_WAITING", 30)
    folder = tmp_path / "store"
    with closing(open_store(folder)) as store:
        store.record([event("ann", n) for n in range(3)]).result()
    with closing(apsw.Connection(str(folder / "profile.db"))) as connection:
        connection.execute("UPDATE profiles SET state = ?", (msgspec.msgpack.encode([1, 3, "damage"]),))
    others = [Subject(f"{n}") for n in range(7)]
    with closing(open_store(folder)) as store:
        store.record([event("ann", 3)]).result()
        for n in range(70):
            store.record([event(f"{(n + k) % 7}", 10 * n + k) for k in range(10)]).result()
        copy = shutil.copytree(folder, tmp_path / "killed")
    for _ in range(2):
        with closing(open_store(copy if killed else folder)) as store:
            assert len(store._lag) <= 3 * 30 + 30
            assert store.get(Subject("ann")).event_count == 4
            assert sum(profile.event_count for profile in store.batch_get(others)) == 700
            # What waits stands in the order of the first event of each, which `floor` relies on.
            firsts = [rows[0].seq for rows in store._lag._rows.values()]
            assert firsts == sorted(firsts)


@pytest.mark.parametrize(
    "statement", ["UPDATE log SET event = x'c1'", "UPDATE log SET event = 'text'", "DELETE FROM item_keys"]
)
def test_a_log_that_cannot_be_read_is_told_when_the_store_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Memory, "finish", lambda *_: None)
        with closing(open_store(tmp_path)) as store:
            store.record([event("ann", 1)]).result()
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        connection.execute(statement)
    with pytest.raises(ConfigError, match=r"profile\.db is damaged; restore it from a backup"):
        open_store(tmp_path)
