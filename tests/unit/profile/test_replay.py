"""A history in memory gives the profiles that a store would hold."""

from datetime import UTC, datetime, timedelta

import polars as pl
import pytest

from vitrine.config import load_config
from vitrine.dataset import EVENT_SCHEMA
from vitrine.domain.items import ItemKeys
from vitrine.domain.subject import Subject
from vitrine.errors import InvalidInput
from vitrine.profile.replay import ProfileBuilder, replay

CONFIG = load_config()
START = datetime(2026, 1, 1, tzinfo=UTC)


def keys(item: str) -> ItemKeys | None:
    return ItemKeys(("All",), f"brand of {item}", "3") if item != "unknown" else None


def frame(rows: list[dict[str, object]]) -> pl.DataFrame:
    full = [{name: row.get(name) for name in EVENT_SCHEMA} for row in rows]
    return pl.DataFrame(full, schema=dict(EVENT_SCHEMA))


def test_subjects_are_kept_apart_and_counted() -> None:
    table = frame(
        [
            {"event_id": "1", "user_id": "x", "item_id": "lamp", "type": "view", "time": START},
            {"event_id": "2", "anonymous_id": "x", "item_id": "mug", "type": "purchase", "time": START},
            {"event_id": "3", "user_id": "x", "item_id": "mug", "type": "purchase", "time": START + timedelta(1),
             "quantity": 3.0},
            {"event_id": "4", "item_id": "mug", "type": "purchase", "time": START},
            {"event_id": "5", "user_id": "x", "type": "search", "time": START + timedelta(2), "text": "灯"},
        ]
    )  # fmt: skip
    states = replay(table, keys, CONFIG)
    assert set(states) == {"u:x", "a:x"}
    assert states["u:x"].event_count == 3
    builder = ProfileBuilder(keys, CONFIG)
    builder.extend(table[:2])
    assert builder.get(Subject("x")).event_count == 1
    builder.extend(table[2:])
    profile = builder.get(Subject("x"))
    assert list(profile.items.item_ids) == ["lamp", "mug"]
    assert profile.items.quantity.tolist() == [0, 3]
    assert profile.last_time == (START + timedelta(2)).timestamp()
    assert builder.get(Subject("nobody")).event_count == 0


def test_events_without_times_keep_their_order() -> None:
    rows: list[dict[str, object]] = [
        {"event_id": str(at), "user_id": "x", "item_id": item, "type": "view"}
        for at, item in enumerate(["c", "a", "b", "a"])
    ]
    builder = ProfileBuilder(keys, CONFIG)
    builder.extend(frame(rows[:2]))
    builder.extend(frame(rows[2:]))
    assert list(builder.get(Subject("x")).items.item_ids) == ["c", "b", "a"]


def test_an_unknown_type_is_named() -> None:
    table = frame([{"event_id": "1", "user_id": "x", "item_id": "a", "type": "stare", "time": START}])
    with pytest.raises(InvalidInput, match="type: is 'stare'"):
        replay(table, keys, CONFIG)
