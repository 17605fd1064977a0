"""What the items of events counted as, for those that are counted again."""

import random
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from tests.integration.profile.damages import (
    ANN,
    filled,
    harm,
)
from tests.integration.profile.shop import (
    NOW,
    as_after_a_kill,
)
from vitrine.config import load_config
from vitrine.domain.events import Event
from vitrine.domain.items import ItemKeys
from vitrine.domain.subject import Subject
from vitrine.profile import Profiles, book, memory, recovery


def test_an_event_whose_keys_are_no_longer_known_counts_under_those_of_today(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    filled(tmp_path)
    with closing(apsw.Connection(str(tmp_path / "profile.db"))) as connection:
        connection.execute("DELETE FROM item_keys")
    harm(tmp_path, lambda _: b"", ANN)
    today = ItemKeys(("Today",), "brand", "1")
    with closing(Profiles.open(tmp_path, load_config(), lambda _: today, lambda: NOW)) as store:
        assert store.get(ANN).categories.keys == ("Today",)
        assert "count under category, brand and price of today" in caplog.text


def test_the_store_keeps_no_more_keys_than_it_may_and_those_in_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "MAX_WAITING", 40)
    monkeypatch.setattr(book, "CAPACITY", 10)
    monkeypatch.setattr(book, "MAX_STORED", 100)
    monkeypatch.setattr(book, "STEP", 5)
    monkeypatch.setattr(memory, "FLOOR_STEP", 1)
    prices = random.Random(3)

    def keys(item: str) -> ItemKeys:
        return ItemKeys(("All",), item, "1" if item == "steady" else str(prices.randrange(10**6)))

    folder, killed = tmp_path / "store", tmp_path / "killed"
    with closing(Profiles.open(folder, load_config(), keys, lambda: NOW)) as store:
        connection = store._store.connection
        for n in range(400):
            store.record(
                [
                    Event(event_id=f"{n} {item}", subject=f"u:{n % 50}", item_id=item, type=2, time=NOW)
                    for item in ("steady", "a", "b")
                ]
            ).result()
            assert connection.execute("SELECT count(*) FROM item_keys").get <= 100 + 3 * 5
        before = [profile.brands.keys for profile in store.batch_get([Subject(f"{n}") for n in range(50)])]
        as_after_a_kill(folder, killed)
    with closing(Profiles.open(killed, load_config(), keys, lambda: NOW)) as store:
        assert len(store._lag) > 0
        again = [profile.brands.keys for profile in store.batch_get([Subject(f"{n}") for n in range(50)])]
        assert again == before
