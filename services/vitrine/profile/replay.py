"""Profiles from a history in memory, through the very code that live events take, without a store."""

from collections.abc import Mapping
from math import nan

import polars as pl

from vitrine.config import Config
from vitrine.domain.items import ItemKeys
from vitrine.domain.profile import Profile
from vitrine.domain.subject import Subject
from vitrine.errors import InvalidInput
from vitrine.profile.book import ItemLookup
from vitrine.profile.columns import empty_profile, to_profile
from vitrine.profile.rows import Row
from vitrine.profile.rules import Rules
from vitrine.profile.state import TYPE_NAMES, ProfileState

_COLUMNS = ("user_id", "anonymous_id", "item_id", "type", "time", "quantity", "rating")
_NUMBERS = {name: number for number, name in enumerate(TYPE_NAMES) if name}


class ProfileBuilder:
    """Profiles of a history that is replayed step by step.

    Attributes:
        states: The states by `Subject.key`.
    """

    def __init__(self, item_keys: ItemLookup, config: Config) -> None:
        """Starts with nobody.

        Args:
            item_keys: Category, brand and price band of an item; asked once an item.
            config: The whole configuration.
        """
        self.states: dict[str, ProfileState] = {}
        self._lookup = item_keys
        self._items: dict[str, ItemKeys | None] = {"": None}
        self._rules = Rules.of(config.profile)
        self._untimed = 0

    def extend(self, events: pl.DataFrame) -> None:
        """Counts the events of a data set (columns as in `vitrine.dataset.EVENT_SCHEMA`), in any order.

        Events without a time take place one second after another, from 1970 on: next to the half-lives that is the
        same moment, and their order is kept.

        Raises:
            InvalidInput: A column is missing, or a type is unknown; names it.
        """
        if missing := [name for name in _COLUMNS if name not in events.columns]:
            raise InvalidInput(missing[0], "is missing; replay the events of a data set")
        for subject, group in _columns(events, self._untimed).items():
            state = self.states.get(subject)
            if state is None:
                state = self.states[subject] = ProfileState()
            self._apply(state, group)
        self._untimed += len(events)

    def get(self, subject: Subject, min_watermark: int = 0) -> Profile:  # noqa: ARG002 (the signature of Profiles)
        """The profile of a subject as of the events so far; an empty one when there are none."""
        state = self.states.get(subject.key)
        if state is None:
            return empty_profile(self._rules, subject)
        return to_profile(state, self._rules, subject)

    def _apply(self, state: ProfileState, group: pl.DataFrame) -> None:
        items = self._items
        rows: list[Row] = []
        for item, event_type, time, quantity, rating in zip(*group.get_columns(), strict=True):
            if item not in items:
                items[item] = self._lookup(item)
            rows.append(Row(0, event_type, time, item, quantity, rating, items[item]))
        state.extend(rows, self._rules)
        state.version = state.event_count


def replay(events: pl.DataFrame, item_keys: ItemLookup, config: Config) -> dict[str, ProfileState]:
    """The state of every subject in the events, by `Subject.key`; see `ProfileBuilder.extend`."""
    builder = ProfileBuilder(item_keys, config)
    builder.extend(events)
    return builder.states


def _columns(events: pl.DataFrame, untimed: int) -> Mapping[str, pl.DataFrame]:
    """The columns that count, by subject: item, type, time, quantity, rating."""
    unknown = events.filter(~pl.col("type").is_in(list(_NUMBERS)))
    if len(unknown):
        raise InvalidInput("type", f"is '{unknown['type'][0]}', which is no type of event")
    user, visitor = pl.col("user_id"), pl.col("anonymous_id")
    order = pl.int_range(untimed + 1, untimed + 1 + pl.len(), dtype=pl.Int64).cast(pl.Float64)
    columns = events.select(
        pl.when(user.is_not_null()).then("u:" + user).otherwise("a:" + visitor).alias("subject"),
        pl.col("item_id").fill_null(""),
        pl.col("type").replace_strict(_NUMBERS, return_dtype=pl.Int64),
        (pl.col("time").dt.epoch("us") / 1e6).fill_null(order),
        pl.col("quantity").cast(pl.Float64).fill_null(1.0),
        pl.col("rating").cast(pl.Float64).fill_null(nan),
    ).filter(pl.col("subject").is_not_null())
    parts = columns.partition_by("subject", as_dict=True, include_key=False, maintain_order=True)
    return {str(subject): part for (subject,), part in parts.items()}
