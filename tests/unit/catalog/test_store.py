"""The catalogue on disk."""

import threading
from pathlib import Path

import apsw
import pytest

from vitrine.catalog import Catalog
from vitrine.catalog.store import CatalogStore
from vitrine.domain.items import Availability, Item
from vitrine.errors import ConfigError, InvalidInput, Unavailable


def items(*numbers: int, **fields: object) -> list[Item]:
    return [Item(item_id=f"i{k}", title=f"Thing {k}", **fields) for k in numbers]  # type: ignore[arg-type]


@pytest.mark.parametrize("in_memory", [True, False])
def test_an_upsert_is_in_the_catalogue_and_revisioned(tmp_path: Path, in_memory: bool) -> None:
    catalog = Catalog()
    store = CatalogStore.open(None if in_memory else tmp_path, catalog)
    first = store.upsert(items(1, 2, 3), None, 1.0)
    second = store.upsert(items(2, availability=Availability.OUT_OF_STOCK), frozenset({"availability"}), 2.0)
    assert second > first
    assert store.revision == catalog.revision == second
    assert catalog.sellable.tolist() == [True, False, True]
    assert [catalog.may_sell(item_id) for item_id in (*catalog.ids, "unknown")] == [True, False, True, False]
    assert [i.item_id for i in store.changed_since(0, 10).items] == ["i1", "i3", "i2"]
    changes = store.changed_since(first, 10)
    assert ([i.item_id for i in changes.items], changes.revision, changes.caught_up) == (["i2"], second, True)
    assert store.upsert(items(1), None, 3.0) == second, "nothing changed"
    store.close()
    store.close()


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    store = CatalogStore.open(tmp_path, Catalog())
    store.upsert(items(*range(30)), None, 1.0)
    revision = store.upsert(items(7, description="blue"), None, 1.0)
    store.save_state("x", 5, b"data")
    before = [store.catalog.get(i) for i in store.catalog.ids]
    store.close()
    catalog = Catalog()
    store = CatalogStore.open(tmp_path, catalog)
    assert [catalog.get(i) for i in catalog.ids] == before
    assert store.revision == revision
    assert store.load_state("x") == (5, b"data")
    assert store.load_state("y") is None
    assert store.text.search("blue", catalog.sellable).rows.tolist() == [7]
    assert store.upsert(items(99), None, 1.0) == revision + 1
    store.close()


def test_shops_do_not_see_each_other(tmp_path: Path) -> None:
    for shop in ("one", "two"):
        store = CatalogStore.open(tmp_path, Catalog(), shop=shop)
        assert len(store.catalog) == 0
        store.upsert([Item(item_id="i", title=shop)], None, 1.0)
        store.save_state("s", 1, shop.encode())
        store.close()
    catalog = Catalog()
    store = CatalogStore.open(tmp_path, catalog, shop="one")
    assert list(catalog.titles) == ["one"]
    assert len(store.text.search("two", catalog.sellable).rows) == 0
    assert store.load_state("s") == (1, b"one")
    store.close()


def test_all_or_nothing(tmp_path: Path) -> None:
    store = CatalogStore.open(tmp_path, Catalog())
    store.upsert(items(1), None, 1.0)
    with pytest.raises(InvalidInput, match=r"items\[1\]\.item_id"):
        store.upsert([*items(1, brand="B"), *items(2)], frozenset({"brand"}), 1.0)
    assert store.catalog.item(0).brand == ""
    assert len(store.catalog) == 1
    store.close()


def test_a_full_disk_changes_nothing_and_says_what_to_do(tmp_path: Path) -> None:
    store = CatalogStore.open(tmp_path, Catalog())
    revision = store.upsert(items(1), None, 1.0)
    writer = store._database.writer
    writer.execute("PRAGMA max_page_count = 1")
    with pytest.raises(Unavailable, match="check the disk"):
        store.upsert(items(*range(2, 900), description="long " * 200), None, 1.0)
    assert (store.revision, len(store.catalog)) == (revision, 1)
    writer.execute("PRAGMA max_page_count = 1000000")
    assert store.upsert(items(2), None, 1.0) > revision
    store.close()
    with pytest.raises(Unavailable, match="closed"):
        store.upsert(items(3), None, 1.0)
    with pytest.raises(Unavailable, match="closed"):
        store.changed_since(0, 1)


def test_changes_come_in_chunks_that_a_message_can_hold(tmp_path: Path) -> None:
    store = CatalogStore.open(tmp_path, Catalog())
    store.upsert(items(*range(400), description="x" * 16_000), None, 1.0)
    seen: list[str] = []
    revision, chunks, caught_up = 0, 0, False
    while not caught_up:
        got, revision, caught_up = store.changed_since(revision, 150)
        seen += [i.item_id for i in got]
        chunks += 1
        assert sum(len(i.description) for i in got) < 3 << 20
    assert seen == [f"i{k}" for k in range(400)]
    assert chunks == 4
    assert store.changed_since(revision, 10) == ([], revision, True)
    store.close()


def test_many_writers(tmp_path: Path) -> None:
    store = CatalogStore.open(tmp_path, Catalog())
    revisions: list[int] = []

    def write(writer: int) -> None:
        revisions.extend(store.upsert(items(writer * 100 + k), None, 1.0) for k in range(20))

    threads = [threading.Thread(target=write, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.catalog) == 160 == store.revision
    assert len(store.changed_since(0, 1000).items) == 160
    ids = store.catalog.ids
    store.close()
    catalog = Catalog()
    CatalogStore.open(tmp_path, catalog).close()
    assert catalog.ids == ids


def test_a_second_owner_is_refused(tmp_path: Path) -> None:
    store = CatalogStore.open(tmp_path, Catalog())
    with pytest.raises(ConfigError, match="another process"):
        CatalogStore.open(tmp_path, Catalog())
    store.close()
    CatalogStore.open(tmp_path, Catalog()).close()


def test_what_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be used"):
        CatalogStore.open(tmp_path / "file", Catalog())
    newer = tmp_path / "newer"
    CatalogStore.open(newer, Catalog()).close()
    connection = apsw.Connection(str(newer / "catalog.db"))
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(ConfigError, match="schema 99"):
        CatalogStore.open(newer, Catalog())
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "catalog.db").write_bytes(b"not a database" * 500)
    with pytest.raises(ConfigError, match="not a catalogue"):
        CatalogStore.open(damaged, Catalog())
    monkeypatch.setattr(apsw, "sqlite_lib_version", lambda: "3.40.1")
    with pytest.raises(ConfigError, match="apsw"):
        CatalogStore.open(tmp_path / "old", Catalog())
