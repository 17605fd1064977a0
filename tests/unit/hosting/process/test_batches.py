"""A batch comes through a frame as it was, every column of it."""

from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np
import pytest

from tests.unit.hosting.process.helpers import make_batch
from vitrine.features import NoFeatures
from vitrine.hosting.process.batches import Call, decode_call, encode_call
from vitrine.plugin import Batch


def across(batch: Batch, *arguments: Any) -> Call:
    return decode_call(encode_call("ranker", "score", batch, arguments), lambda _: NoFeatures())


def assert_same(got: Any, given: Any, where: str = "batch") -> int:
    """Compares every field; how many arrays there were."""
    if isinstance(given, np.ndarray):
        assert got.dtype == given.dtype, where
        assert got.flags.aligned, where
        assert not got.flags.writeable, where
        np.testing.assert_array_equal(got, given, where)
        return 1
    if is_dataclass(given):
        assert type(got) is type(given), where
        names = [field.name for field in fields(given) if field.name != "features"]
        return sum(assert_same(getattr(got, name), getattr(given, name), f"{where}.{name}") for name in names)
    if isinstance(given, dict):
        assert list(got) == list(given), where
        return sum(assert_same(got[name], given[name], f"{where}[{name}]") for name in given)
    if isinstance(given, list) and not (given and isinstance(given[0], str)):
        assert len(got) == len(given), where
        return sum(
            assert_same(a, b, f"{where}[{i}]") for i, (a, b) in enumerate(zip(got, given, strict=True))
        )
    assert type(got) is type(given), where
    assert got == given, where
    return 0


@pytest.mark.parametrize("sizes", [(3,), (0,), (), (1,), (4, 0, 7, 300)])
def test_every_column_comes_through(sizes: tuple[int, ...]) -> None:
    for seed in range(5):
        given = make_batch(sizes, seed=seed)
        positions = np.arange(0, 6, 2)
        got = across(given, positions)
        assert (got.target, got.method) == ("ranker", "score")
        # Offsets, items, history, latest events, source scores, two rankers; items, recent events and counters of each profile.
        assert assert_same(got.batch, given) == 1 + 8 + 5 + 5 + 1 + 2 + len(sizes) * (10 + 2 + 4 * 4)
        np.testing.assert_array_equal(got.arguments[0], positions)


def test_columns_of_another_layout_are_sent_as_what_they_mean() -> None:
    given = make_batch((4, 2))
    table = np.asfortranarray(given.source_scores)
    wide = replace(
        given.items, rows=given.items.rows.astype(np.int64), popularity=given.items.popularity[::1]
    )
    assert_same(across(replace(given, source_scores=table, items=wide)).batch, given)


def test_a_column_of_the_wrong_length_is_not_sent() -> None:
    given = make_batch((4, 2))
    for bad in (
        replace(given, scores={"cf": np.zeros(5, np.float32)}),
        replace(given, source_scores=np.zeros((6, 3), np.float32)),
        replace(given, items=replace(given.items, trend=np.zeros(7, np.float32))),
    ):
        with pytest.raises(ValueError, match="cells instead of"):
            encode_call("ranker", "score", bad)


def test_profiles_are_a_sequence_like_any() -> None:
    given = make_batch((1, 1, 1))
    profiles = across(given).batch.profiles
    assert len(profiles) == 3
    assert profiles[-1] is profiles[2]
    assert list(profiles) == [profiles[0], profiles[1], profiles[2]]
    assert profiles[1:] == [profiles[1], profiles[2]]
    with pytest.raises(IndexError):
        profiles[3]


def test_what_a_plugin_keeps_of_a_batch_stays_as_it_is() -> None:
    frame = bytearray(encode_call("ranker", "score", make_batch((3,))))
    call = decode_call(bytes(frame), lambda _: NoFeatures())
    before = call.batch.items.price_micros.copy()
    frame[:] = b"\0" * len(frame)
    np.testing.assert_array_equal(call.batch.items.price_micros, before)
    with pytest.raises(ValueError, match=r"read-only|writeable|WRITEABLE"):
        call.batch.items.price_micros.flags.writeable = True
