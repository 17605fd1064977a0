"""Columns that are kept for the next start: the same catalogue as from the items, or the items it is."""

import errno
import shutil
from dataclasses import fields
from pathlib import Path

import apsw
import msgspec
import numpy as np
import pytest

from vitrine.catalog import Catalog, kept
from vitrine.catalog.beside import FOLDER
from vitrine.catalog.database import FILE
from vitrine.catalog.mirror import CatalogMirror
from vitrine.catalog.records import Records
from vitrine.catalog.store import CatalogStore
from vitrine.content.text import text_hashes
from vitrine.domain.items import Availability, Item
from vitrine.domain.request import NO_FILTERS, Filters
from vitrine.errors import Unavailable

SEED = 5


@pytest.fixture(autouse=True)
def _small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("kept", "filling", "store"):
        monkeypatch.setattr(f"vitrine.catalog.{module}.PART", 8)


def some(*numbers: int, title: str = "Thing") -> list[Item]:
    return [
        Item(
            item_id=f"i{k}",
            title=f"{title} {k} 茶",
            description="blue" * (k % 3),
            category_path=("Home", f"Lamps {k % 4}", "x")[: k % 4],
            brand=("", "Acme", "B > C")[k % 3],
            price_micros=k * 1_000_000,
            availability=Availability.IN_STOCK if k % 5 else Availability.OUT_OF_STOCK,
            created=float(k),
        )
        for k in numbers
    ]


def opened(folder: Path, seed: int = SEED) -> CatalogStore:
    return CatalogStore.open(folder, Catalog(seed))


def restored(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Which parts of the catalogues that are opened from now on come from what was kept."""
    found: list[bool] = []

    def restore(*arguments: object) -> object:
        words = kept.restore(*arguments)  # type: ignore[arg-type]
        found.append(words is not None)
        return words

    monkeypatch.setattr("vitrine.catalog.filling.restore", restore)
    return found


def check(catalog: Catalog) -> None:
    """Everything is as if the items had been added one after the other."""
    items = [catalog.item(row) for row in range(len(catalog))]
    anew = Catalog(catalog.seed)
    anew.apply(items, catalog.revision)
    assert (catalog.ids, list(catalog.titles)) == (anew.ids, [item.title for item in items])
    assert catalog.packed(0, len(catalog)) == anew.packed(0, len(anew))
    assert (catalog.categories, catalog.brands) == (anew.categories, anew.brands)
    for field in fields(anew.columns):
        np.testing.assert_array_equal(getattr(catalog.columns, field.name), getattr(anew.columns, field.name))
    np.testing.assert_array_equal(catalog.text_hashes(catalog.rows(catalog.ids)), text_hashes(items))
    assert [catalog.counter_keys(i) for i in catalog.ids] == [anew.counter_keys(i) for i in anew.ids]
    within = Filters(categories=("Home > Lamps 3",))
    np.testing.assert_array_equal(catalog.allowed(within), anew.allowed(within))


def test_a_store_that_was_closed_comes_back_from_its_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path)
    store.upsert(some(*range(30)), None, 1.0)
    revision = store.upsert(some(3, title="Changed"), None, 2.0)
    store.close()
    parts = restored(monkeypatch)
    store = opened(tmp_path)
    assert parts == [True] * 4
    assert store.revision == revision
    check(store.catalog)
    assert store.text.search("changed", store.catalog.allowed(NO_FILTERS)).rows.tolist() == [3]
    store.upsert(some(30, 31, 32), None, 3.0)
    check(store.catalog)
    store.close()
    parts.clear()
    store = opened(tmp_path)
    assert parts == [True] * 5
    check(store.catalog)
    store.close()


def test_after_a_crash_the_parts_that_changed_are_made_of_their_items(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path / "one")
    store.upsert(some(*range(30)), None, 1.0)
    store.close()
    store = opened(tmp_path / "one")
    store.upsert(some(9, title="New"), None, 2.0)
    revision = store.upsert(some(30), None, 3.0)
    # As a crash leaves it: nothing is kept.
    (tmp_path / "two").mkdir()
    copy = apsw.Connection(str(tmp_path / "two" / FILE))
    source = apsw.Connection(str(tmp_path / "one" / FILE))
    with copy.backup("main", source, "main") as backup:
        backup.step()
    copy.close()
    source.close()
    shutil.copytree(tmp_path / "one" / FOLDER, tmp_path / "two" / FOLDER)
    store.close()
    parts = restored(monkeypatch)
    store = opened(tmp_path / "two")
    assert parts == [True, False, True, False]
    assert store.revision == revision
    check(store.catalog)
    assert store.catalog.titles[9] == "New 9 茶"
    assert store.upsert(some(99), None, 4.0) == revision + 1, "no revision is given out twice"
    store.close()


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x90", b"kept"])
def test_what_is_damaged_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    store = opened(tmp_path)
    store.upsert(some(*range(10)), None, 1.0)
    store.close()
    writer = apsw.Connection(str(tmp_path / FILE))
    writer.execute("UPDATE state SET data = ? WHERE name = 'rows from 0'", (data,))
    writer.close()
    parts = restored(monkeypatch)
    store = opened(tmp_path)
    assert parts == [False, True]
    check(store.catalog)
    store.close()


def test_another_seed_makes_other_ties(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path)
    store.upsert(some(*range(10)), None, 1.0)
    ties = store.catalog.tie.tolist()
    store.close()
    parts = restored(monkeypatch)
    store = opened(tmp_path, SEED + 1)
    assert parts == [False, False]
    assert store.catalog.tie.tolist() != ties
    check(store.catalog)
    store.close()


def test_the_revision_never_goes_back(tmp_path: Path) -> None:
    """The latest change may be to one of the first items."""
    store = opened(tmp_path)
    store.upsert(some(*range(20)), None, 1.0)
    revision = store.upsert(some(0, title="Latest"), None, 2.0)
    store.close()
    store = opened(tmp_path)
    assert store.revision == revision
    store.close()


def test_a_mirror_begins_with_the_same_columns_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(tmp_path)
    store.upsert(some(*range(20)), None, 1.0)
    store.close()
    store = opened(tmp_path)
    store.upsert(some(20, 3, title="Changed"), None, 2.0)
    parts = restored(monkeypatch)
    mirror = CatalogMirror(tmp_path, Catalog(SEED))
    assert parts == [False, True, False]
    assert mirror.catalog.revision == store.revision
    check(mirror.catalog)
    revision = store.upsert(some(21, 4, title="Later"), None, 3.0)
    mirror.refresh(revision)
    check(mirror.catalog)
    allowed = mirror.catalog.allowed(NO_FILTERS)
    assert (
        mirror.text.search("later", allowed).rows.tolist()
        == store.text.search("later", allowed).rows.tolist()
    )
    mirror.close()
    store.close()


@pytest.mark.parametrize(
    "damage",
    [
        {"category": np.array([9, 0, 0, 0], "<i4").tobytes()},
        {"category": np.array([-2, 0, 0, 0], "<i4").tobytes()},
        {"brand": np.array([0, 0, 0, 77], "<i4").tobytes()},
        {"brand": np.array([0, 0], "<i4").tobytes()},
        {"ends": np.array([9, 8, 20, 30]).tobytes()},
        {"ends": np.array([1, 2, 3, 1_000]).tobytes()},
    ],
)
def test_places_and_ends_that_do_not_fit_are_made_anew(damage: dict[str, bytes]) -> None:
    catalog = Catalog(SEED)
    catalog.apply(some(1, 2, 3, 4), 1)
    whole = kept.keep(catalog, np.ones(4), 0)
    size = int.from_bytes(whole[:8], "little")
    head = msgspec.msgpack.decode(whole[8 : 8 + size])
    for name, value in damage.items():
        if name == "ends":
            head[4] = value
        else:
            head[7][name] = value
    changed = msgspec.msgpack.encode(head)
    empty = Catalog(SEED)
    data = len(changed).to_bytes(8, "little") + changed + whole[8 + size :]
    assert kept.restore(empty, memoryview(data), 1) is None
    assert len(empty) == 0
    assert kept.restore(empty, memoryview(whole), 1) is not None


@pytest.mark.parametrize("damage", ["flipped", "cut off", "empty", "gone"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    store = opened(tmp_path)
    store.upsert(some(*range(10)), None, 1.0)
    store.close()
    first, _ = sorted((tmp_path / FOLDER).iterdir())
    data = bytearray(first.read_bytes())
    if damage == "flipped":
        data[len(data) // 2] ^= 4
        first.write_bytes(data)
    elif damage == "gone":
        first.unlink()
    else:
        first.write_bytes(data[: 100 if damage == "cut off" else 0])
    parts = restored(monkeypatch)
    for found in ([False, True], [True, True]):
        store = opened(tmp_path)
        assert parts == found
        check(store.catalog)
        store.close()
        parts.clear()


def test_the_files_of_another_store_are_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even one of as many items and the same revision: somebody put another database in the place of the first."""
    for folder, title in (("one", "First"), ("two", "Second")):
        store = opened(tmp_path / folder)
        store.upsert(some(*range(10), title=title), None, 1.0)
        store.close()
    (tmp_path / "two" / FILE).replace(tmp_path / "one" / FILE)
    parts = restored(monkeypatch)
    store = opened(tmp_path / "one")
    assert parts == [False, False]
    assert store.catalog.titles[0] == "Second 0 茶"
    check(store.catalog)
    store.close()


def test_a_mirror_reads_on_in_files_that_the_owner_has_replaced(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.upsert(some(*range(10)), None, 1.0)
    store.close()
    mirror = CatalogMirror(tmp_path, Catalog(SEED))
    store = opened(tmp_path)
    store.upsert(some(*range(10), title="Changed"), None, 2.0)
    store.close()
    assert list(mirror.catalog.titles[:2]) == ["Thing 0 茶", "Thing 1 茶"]
    check(mirror.catalog)
    mirror.refresh()
    assert mirror.catalog.titles[9] == "Changed 9 茶"
    check(mirror.catalog)
    mirror.close()


def test_a_close_that_ends_halfway_leaves_nothing_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a full disk: of three parts that changed one is kept, and nothing says that they all are."""
    store = opened(tmp_path)
    store.upsert(some(*range(24)), None, 1.0)
    store.close()
    store = opened(tmp_path)
    store.upsert(some(1, 9, 17, title="New"), None, 2.0)
    kept_before: list[int] = []
    keep = Records.keep_part

    def failing(self: Records, start: int, part: bytes) -> None:
        if kept_before:
            raise Unavailable("the disk is full")
        kept_before.append(start)
        keep(self, start, part)

    with monkeypatch.context() as patched:
        patched.setattr(Records, "keep_part", failing)
        store.close()
    assert kept_before == [0]
    store = opened(tmp_path)
    assert [store.catalog.titles[row] for row in (1, 9, 17)] == ["New 1 茶", "New 9 茶", "New 17 茶"]
    check(store.catalog)
    store.close()


def test_what_an_older_version_kept_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path)
    store.upsert(some(*range(10)), None, 1.0)
    store.close()
    writer = apsw.Connection(str(tmp_path / FILE))
    writer.execute("DELETE FROM state WHERE name = 'rows kept'")
    writer.close()
    parts = restored(monkeypatch)
    store = opened(tmp_path)
    assert parts == [False, False]
    check(store.catalog)
    store.close()
    parts.clear()
    store = opened(tmp_path)
    assert parts == [True, True]
    store.close()


def test_a_large_catalogue_leaves_descriptors_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not Path("/proc/self/fd").exists():
        pytest.skip("counts by /proc")
    store = opened(tmp_path)
    store.upsert(some(*range(40)), None, 1.0)
    store.close()
    monkeypatch.setattr("vitrine.catalog.filling._MAPPED", 2)
    parts = restored(monkeypatch)
    mapped = len(list(tmp_path.glob("*/*")))
    store = opened(tmp_path)
    assert (parts, mapped) == ([True] * 5, 5)
    files = [file.readlink() for file in Path("/proc/self/fd").iterdir() if file.is_symlink()]
    assert len([file for file in files if file.parent == tmp_path / FOLDER]) == 2
    check(store.catalog)
    store.close()


def test_a_full_disk_is_left_the_room_that_a_file_did_not_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def full(self: Path, data: bytes) -> int:
        write(self, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    store = opened(tmp_path)
    store.upsert(some(*range(10)), None, 1.0)
    monkeypatch.setattr(Path, "write_bytes", full)
    store.close()
    assert list((tmp_path / FOLDER).iterdir()) == []
    monkeypatch.undo()
    store = opened(tmp_path)
    assert len(store.catalog) == 10
    store.close()
