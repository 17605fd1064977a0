"""When the disk fails: callers are told, nothing half-done is kept, and the store goes on afterwards."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import apsw
import pytest

from vitrine.config import load_config
from vitrine.domain.events import Event, EventStatus
from vitrine.domain.items import ItemKeys
from vitrine.domain.subject import Subject
from vitrine.errors import Unavailable
from vitrine.profile import Profiles

NOW = 1_700_000_000.0
ANN = Subject("ann")


def event(name: str, item: str = "lamp", text: str = "") -> Event:
    return Event(event_id=name, subject=ANN.key, item_id=item, type=2, time=NOW, text=text)


class FaultyFile(apsw.VFSFile):
    """Fails to write or to sync when told to."""

    def __init__(self, name: str | apsw.URIFilename | None, flags: list[int], vfs: "FaultyVFS") -> None:
        super().__init__("", name, flags)
        self.vfs = vfs

    def xSync(self, flags: int) -> None:  # noqa: N802
        if self.vfs.fail == "sync":
            raise apsw.IOError
        super().xSync(flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        if self.vfs.fail == "write":
            raise apsw.FullError
        super().xWrite(data, offset)


class FaultyVFS(apsw.VFS):
    """The usual file system with `FaultyFile`s."""

    fail = ""

    def __init__(self) -> None:
        super().__init__("faulty", "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> FaultyFile:  # noqa: N802
        return FaultyFile(name, flags, self)


@pytest.fixture(name="vfs")
def vfs_fixture() -> Iterator[FaultyVFS]:
    vfs = FaultyVFS()
    yield vfs
    vfs.fail = ""
    vfs.unregister()


@pytest.mark.parametrize("fault", ["sync", "write"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_failing_disk_fails_the_calls_and_changes_nothing(
    tmp_path: Path, vfs: FaultyVFS, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(Profiles.open(tmp_path, load_config(), lambda _: None, lambda: NOW, vfs="faulty")) as store:
        store.record([event("1")]).result()
        vfs.fail = fault
        calls = [store.record([event(f"{n}"), event(f"{n} too")]) for n in range(2, 6)]
        for call in calls:
            with pytest.raises(Unavailable):
                call.result()
        assert "transaction of the profile store failed" in caplog.text
        assert (store.watermark, store.get(ANN).event_count) == (1, 1)
        vfs.fail = ""
        again = [store.record([event(f"{n}"), event(f"{n} too")]) for n in range(2, 6)]
        statuses = {verdict.status for call in again for verdict in call.result().verdicts}
        assert statuses == {EventStatus.ACCEPTED}
        assert (store.watermark, store.get(ANN).event_count) == (9, 9)
    with closing(Profiles.open(tmp_path, load_config(), lambda _: None, lambda: NOW)) as store:
        assert store.get(ANN).event_count == 9


def test_a_full_database_says_so_and_recovers(tmp_path: Path) -> None:
    with closing(Profiles.open(tmp_path, load_config(), lambda _: None, lambda: NOW)) as store:
        store.record([event("1")]).result()
        connection = store._store.connection
        pages = connection.pragma("page_count")
        connection.pragma("max_page_count", pages + 2)
        with pytest.raises(Unavailable, match="disk of the profile store is full"):
            store.record([event(f"{n}", text="x" * 4000) for n in range(2, 60)]).result()
        assert store.get(ANN).event_count == 1
        connection.pragma("max_page_count", 1_000_000)
        store.record([event(f"{n}", text="x" * 4000) for n in range(2, 60)]).result()
        assert store.get(ANN).event_count == 59


def test_a_call_at_fault_does_not_take_others_with_it(tmp_path: Path) -> None:
    def keys(item: str) -> ItemKeys | None:
        if item == "poison":
            raise RuntimeError("no such item")
        return None

    with closing(Profiles.open(tmp_path, load_config(), keys, lambda: NOW)) as store:
        calls = [store.record([event(f"{n}", item="poison" if n == 7 else "lamp")]) for n in range(30)]
        for n, call in enumerate(calls):
            if n == 7:
                with pytest.raises(Unavailable, match="cannot write"):
                    call.result()
            else:
                assert call.result().verdicts[0].status is EventStatus.ACCEPTED
        assert store.get(ANN).event_count == 29
