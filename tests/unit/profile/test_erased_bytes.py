"""Converted bytes of an erased shopper leave memory, whatever becomes of the call."""

from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from unittest.mock import Mock

import pytest

from vitrine.api.profile.v1 import profile_pb2
from vitrine.config import load_config
from vitrine.domain.events import Event
from vitrine.domain.subject import Subject
from vitrine.errors import Unavailable
from vitrine.profile import Profiles
from vitrine.profile.service import ProfileServicer

NOW = 1_700_000_000.0


async def test_an_erasure_that_could_not_empty_the_log_still_forgets_the_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = Subject("ann")
    with (
        closing(Profiles.open(tmp_path, load_config(), lambda _: None, lambda: NOW)) as store,
        ThreadPoolExecutor(1) as workers,
    ):
        servicer = ProfileServicer(store, workers, watching=workers, clock=lambda: NOW)
        store.record([Event(event_id="1", subject=subject.key, item_id="lamp", type=2, time=NOW)]).result()
        asked = profile_pb2.GetProfileRequest()
        asked.subject.user_id = subject.id
        await servicer.GetProfile(asked, Mock())
        assert len(servicer._bytes) > 0
        failed: Future[int] = Future()
        failed.set_exception(Unavailable("the log of the store could not be emptied"))
        monkeypatch.setattr(store, "erase", lambda *_: failed)
        erase = profile_pb2.DeleteProfileRequest()
        erase.subject.user_id = subject.id
        with pytest.raises(Unavailable):
            await servicer.DeleteProfile(erase, Mock())
        assert len(servicer._bytes) == 0
