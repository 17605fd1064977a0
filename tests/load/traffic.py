"""Requests for ghz, drawn from the shop's own shoppers, items and events."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import polars as pl

from tests.load.messages import write
from vitrine.api.common.v1 import common_pb2
from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc
from vitrine.api.ranking.v1 import ranking_pb2
from vitrine.api.recommendation.v1 import recommendation_pb2
from vitrine.api.retrieval.v1 import retrieval_pb2, retrieval_pb2_grpc
from vitrine.dataset import Dataset

FOLDER = Path(".bench/requests")
# Shoppers in the order of how much they did; the k-th comes with a weight of 1/k^0.8.
ZIPF = 0.8
SUBJECTS = 20_000
PROFILES = 1_000
RANKED = 300
RETRIEVED = 500
WINDOW = 20
EVENTS_PER_CALL = 100
_PROFILES_PER_CALL = 100


@dataclass
class Traffic:
    """Draws requests.

    Args:
        data: The data set that the server was loaded with.
        seed: Where chance begins.
    """

    data: Path
    seed: int = 7

    def __post_init__(self) -> None:
        """Reads the shoppers and the events to draw from."""
        self._rng = np.random.default_rng(self.seed)
        events = Dataset.open(self.data).events()
        who = events.group_by("user_id", "anonymous_id").len()
        self._shoppers = who.sort(
            ["len", "user_id", "anonymous_id"], descending=[True, False, False]
        ).collect()
        weights = np.arange(1, self._shoppers.height + 1) ** -ZIPF
        self._shares = weights / weights.sum()
        items = Dataset.open(self.data).items()
        self._items: list[str] = [] if items is None else items["item_id"].to_list()
        self._recent = (
            events.filter(pl.col("item_id").is_not_null())
            .tail(500_000)
            .select(
                "user_id", "anonymous_id", "item_id", "type", "value_micros", "currency", "quantity", "rating"
            )
            .collect()
        )
        self._events_sent = 0

    def subjects(self, count: int) -> list[common_pb2.Subject]:
        """Shoppers, some of them many times."""
        drawn = self._shoppers[self._rng.choice(self._shoppers.height, count, p=self._shares)]
        return [
            common_pb2.Subject(user_id=user) if user else common_pb2.Subject(anonymous_id=anonymous)
            for user, anonymous in drawn.select("user_id", "anonymous_id").iter_rows()
        ]

    def reads(self, address: str) -> dict[str, str]:
        """Writes the files of the four reading methods, with profiles and candidates of the running server.

        Returns:
            Configuration -> what is asked, in words.
        """
        subjects = self.subjects(SUBJECTS)
        write(FOLDER / "get_profile.bin", (profile_pb2.GetProfileRequest(subject=s) for s in subjects))
        recommend = (
            recommendation_pb2.RecommendRequest(subject=s, scene="home", limit=WINDOW, context=_context())
            for s in subjects
        )
        write(FOLDER / "recommend.bin", recommend)
        with grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)]) as channel:
            profiles = _profiles(channel, self.subjects(PROFILES))
            asks = [_retrieve(profile, RETRIEVED) for profile in profiles]
            write(FOLDER / "retrieve.bin", asks)
            stub: Any = retrieval_pb2_grpc.RetrievalServiceStub(channel)
            found = [len(stub.Retrieve(ask, timeout=10).candidates.item_ids) for ask in asks[:100]]
            lists = [stub.Retrieve(_retrieve(profile, RANKED), timeout=10).candidates for profile in profiles]
        own = [len(candidates.item_ids) for candidates in lists]
        for candidates in lists:
            self._fill(candidates)
        write(FOLDER / "rank.bin", (_rank(p, c) for p, c in zip(profiles, lists, strict=True)))
        size = np.mean([len(profile.items.item_ids) for profile in profiles])
        return {
            "get_profile": f"{SUBJECTS:,} shoppers drawn by a Zipf law of exponent {ZIPF}; a profile lists {size:.0f} items on average",
            "retrieve": f"{PROFILES:,} profiles so drawn, scene home, limit {RETRIEVED}; {np.mean(found):.0f} candidates come on average",
            "rank": f"the same profiles with {RANKED} candidates each, {np.mean(own):.0f} of them retrieved and the rest any items; {WINDOW} back",
            "recommend": f"the {SUBJECTS:,} shoppers, scene home, {WINDOW} items",
        }

    def _fill(self, candidates: retrieval_pb2.Candidates) -> None:
        """Brings candidates to `RANKED` with other items, which no source found."""
        have = set(candidates.item_ids)
        drawn = self._rng.permutation(len(self._items))[: 2 * RANKED]
        spare = [item for item in (self._items[row] for row in drawn) if item not in have]
        spare = spare[: RANKED - len(have)]
        candidates.item_ids.extend(spare)
        candidates.source_masks.extend([0] * len(spare))
        nan = np.full((len(spare), len(candidates.source_names)), np.nan, dtype="<f4")
        candidates.source_scores += nan.tobytes()
        for signal in (candidates.popularity, candidates.trend):
            signal.extend([float("nan")] * len(spare))

    def events(self, path: Path, calls: int, run: str) -> int:
        """Writes batches of events with identifiers that were never sent before, and returns how many."""
        return write(path, (self._batch(run) for _ in range(calls)))

    def _batch(self, run: str) -> profile_pb2.RecordEventsRequest:
        drawn = self._recent[self._rng.integers(0, self._recent.height, EVENTS_PER_CALL)]
        request = profile_pb2.RecordEventsRequest()
        for row in drawn.iter_rows(named=True):
            event = request.events.add(
                event_id=f"{run}-{self._events_sent}", item_id=row["item_id"], channel="web"
            )
            self._events_sent += 1
            if row["user_id"]:
                event.subject.user_id = row["user_id"]
            else:
                event.subject.anonymous_id = row["anonymous_id"]
            event.type = profile_pb2.EventType.Value(f"EVENT_TYPE_{row['type'].upper()}")
            if row["value_micros"] is not None:
                event.value.micros, event.value.currency_code = row["value_micros"], row["currency"]
            if row["quantity"] is not None:
                event.quantity = row["quantity"]
            if row["rating"] is not None:
                event.rating = row["rating"]
        return request


def _context() -> common_pb2.Context:
    return common_pb2.Context(channel="web", locale="en")


def _profiles(channel: grpc.Channel, subjects: list[common_pb2.Subject]) -> list[profile_pb2.Profile]:
    stub: Any = profile_pb2_grpc.ProfileServiceStub(channel)
    found: list[profile_pb2.Profile] = []
    for start in range(0, len(subjects), _PROFILES_PER_CALL):
        ask = profile_pb2.BatchGetProfilesRequest(subjects=subjects[start : start + _PROFILES_PER_CALL])
        found.extend(stub.BatchGetProfiles(ask, timeout=30).profiles)
    return found


def _retrieve(profile: profile_pb2.Profile, limit: int) -> retrieval_pb2.RetrieveRequest:
    return retrieval_pb2.RetrieveRequest(profile=profile, context=_context(), scene="home", limit=limit)


def _rank(profile: profile_pb2.Profile, candidates: retrieval_pb2.Candidates) -> ranking_pb2.RankRequest:
    query = ranking_pb2.RankQuery(profile=profile, context=_context(), scene="home", limit=WINDOW)
    return ranking_pb2.RankRequest(queries=[query], candidates=candidates)
