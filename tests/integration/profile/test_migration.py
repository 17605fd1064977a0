"""A store of an earlier version opens and goes on."""

from contextlib import closing
from pathlib import Path

import apsw
import msgspec

from tests.integration.profile.damages import stored, unchecked
from vitrine.config import load_config
from vitrine.domain.events import Event, EventStatus
from vitrine.domain.items import ItemKeys
from vitrine.domain.subject import Subject
from vitrine.profile import Profiles
from vitrine.profile.encoding import encode_state
from vitrine.profile.rules import Rules
from vitrine.profile.schema import APPLICATION_ID, SCHEMA_VERSION
from vitrine.profile.state import ProfileState
from vitrine.profile.store import encode_event, event_key

NOW = 1_700_000_000.0
ANN, BOB = Subject("ann"), Subject("bob")
KEYS = ItemKeys(("All",), "brand", "4")

_VERSION_1 = """
CREATE TABLE meta(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE profiles(subject TEXT PRIMARY KEY, state BLOB NOT NULL);
CREATE TABLE log(
  seq INTEGER PRIMARY KEY, prev INTEGER NOT NULL, recorded REAL NOT NULL, subject TEXT NOT NULL, event BLOB NOT NULL
);
CREATE TABLE event_keys(key BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE tombstones(subject BLOB PRIMARY KEY, time REAL NOT NULL) WITHOUT ROWID;
INSERT INTO meta VALUES ('floor', 3);
"""


def event(n: int, subject: Subject = ANN) -> Event:
    return Event(event_id=f"{n}", subject=subject.key, item_id=f"i{n}", type=2, time=NOW + n)


def make_version_1(folder: Path, count: int) -> None:
    """Events of Ann and one of Bob at the end, every one of them in its profile."""
    events = [*(event(n) for n in range(count)), event(count, BOB)]
    rules = Rules.of(load_config().profile)
    states: dict[str, ProfileState] = {}
    with closing(apsw.Connection(str(folder / "profile.db"))) as connection, connection:
        connection.execute(_VERSION_1)
        connection.pragma("application_id", APPLICATION_ID)
        connection.pragma("user_version", 1)
        for seq, one in enumerate(events, 4):
            state = states.setdefault("default/" + one.subject, ProfileState())
            connection.execute(
                "INSERT INTO log VALUES (?, ?, ?, ?, ?)",
                (seq, state.version, NOW, "default/" + one.subject, encode_event(one)),
            )
            connection.execute("INSERT INTO event_keys VALUES (?)", (event_key("default", one.event_id),))
            state.apply(one, KEYS, rules)
            state.version = seq
        for subject, state in states.items():
            blob = msgspec.msgpack.encode(unchecked(encode_state(state)))
            connection.execute("INSERT INTO profiles VALUES (?, ?)", (subject, blob))


def test_a_store_of_version_1_opens_and_goes_on(tmp_path: Path) -> None:
    make_version_1(tmp_path, 20)
    for opened in range(3):
        with closing(Profiles.open(tmp_path, load_config(), lambda _: KEYS, lambda: NOW)) as store:
            assert store.watermark == 24 + opened
            assert store.get(ANN).event_count == 20 + opened
            again = store.record([event(n) for n in range(20)]).result()
            assert {verdict.status for verdict in again.verdicts} == {EventStatus.DUPLICATE}
            assert store.record([event(100 + opened)]).result().watermark == 25 + opened
            assert store.get(ANN).categories.counts.tolist() == [21 + opened]
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        assert connection.pragma("user_version") == SCHEMA_VERSION
    # Only who was written since has a checksum.
    fields = {subject: len(msgspec.msgpack.decode(blob)) for subject, blob in stored(tmp_path).items()}
    assert fields == {"default/u:ann": 23, "default/u:bob": 22}
    with closing(Profiles.open(tmp_path, load_config(), lambda _: KEYS, lambda: NOW)) as store:
        # Old and new rows of the log hang together.
        assert store.delete(ANN) == 23
        assert store.get(BOB).event_count == 1
        connection = store._store.connection
        assert connection.execute("SELECT count(*) FROM log").get == 1
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        assert connection.execute("SELECT count(*) FROM event_keys").get == 1


def test_a_store_that_was_emptied_keeps_its_last_number(tmp_path: Path) -> None:
    make_version_1(tmp_path, 0)
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        connection.execute("DELETE FROM log")
        connection.execute("DELETE FROM profiles")
        connection.execute("UPDATE meta SET value = 50 WHERE name = 'floor'")
    with closing(Profiles.open(tmp_path, load_config(), lambda _: None, lambda: NOW)) as store:
        assert store.record([event(1)]).result().watermark == 51


def test_a_damaged_profile_from_before_the_log_told_keys_counts_under_those_of_today(tmp_path: Path) -> None:
    make_version_1(tmp_path, 5)
    today = ItemKeys(("Today",), "brand", "4")
    with closing(Profiles.open(tmp_path, load_config(), lambda _: today, lambda: NOW)) as store:
        store.record([Event(event_id="no keys", subject=ANN.key, item_id="", type=7, time=NOW)]).result()
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        connection.execute("UPDATE profiles SET state = x'c1' WHERE subject = 'default/u:ann'")
    with closing(Profiles.open(tmp_path, load_config(), lambda _: today, lambda: NOW)) as store:
        profile = store.get(ANN)
        assert profile.event_count == 6
        assert (profile.categories.keys, profile.categories.counts.tolist()) == (("Today",), [5.0])
