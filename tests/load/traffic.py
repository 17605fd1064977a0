"""Requests for ghz, drawn from the shop's own shoppers, items and events."""

import sys
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

# Shoppers in the order of how much they did; the k-th comes with a weight of 1/k^0.8.
ZIPF = 0.8
SUBJECTS = 20_000
PROFILES = 1_000
_RECENT = 500_000
RANKED = 300
RETRIEVED = 500
WINDOW = 20
_PROFILES_PER_CALL = 100


@dataclass
class Traffic:
    """Draws requests.

    Args:
        data: The data set that the server was loaded with.
        folder: Where files of requests go.
        seed: Where chance begins.
    """

    data: Path
    folder: Path
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
            .tail(_RECENT)
            .select("item_id", "type", "value_micros", "currency", "quantity", "rating")
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
        """Writes the files of the three methods, with profiles and candidates of the running server.

        Returns:
            Configuration -> what is asked, in words.
        """
        subjects = self.subjects(SUBJECTS)
        write(self.folder / "recommend.bin", (recommend(subject) for subject in subjects))
        with grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)]) as channel:
            profiles = _profiles(channel, self.subjects(PROFILES))
            asks = [_retrieve(profile, RETRIEVED) for profile in profiles]
            write(self.folder / "retrieve.bin", asks)
            stub: Any = retrieval_pb2_grpc.RetrievalServiceStub(channel)
            found = [len(stub.Retrieve(ask, timeout=10).candidates.item_ids) for ask in asks[:100]]
            lists = [stub.Retrieve(_retrieve(profile, RANKED), timeout=10).candidates for profile in profiles]
        own = [len(candidates.item_ids) for candidates in lists]
        for candidates in lists:
            self._fill(candidates)
        write(self.folder / "rank.bin", (_rank(p, c) for p, c in zip(profiles, lists, strict=True)))
        size = np.mean([len(profile.items.item_ids) for profile in profiles])
        return {
            "retrieve": f"{PROFILES:,} profiles drawn by a Zipf law of exponent {ZIPF}, {size:.0f} items in one on average; scene home, limit {RETRIEVED}; {np.mean(found):.0f} candidates come on average",
            "rank": f"the same profiles with {RANKED} candidates each, {np.mean(own):.0f} of them retrieved and the rest any items; {WINDOW} back",
            "recommend": f"{SUBJECTS:,} shoppers so drawn, scene home, {WINDOW} items",
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

    def events(self, path: Path, calls: int, nonce: str, *, per_call: int) -> int:
        """Writes calls with new events of shoppers who come as often as they ask, and returns how many.

        Args:
            path: The file.
            calls: How many.
            nonce: Makes the identifiers unlike those of other runs of the bench.
            per_call: Events in a call.
        """
        return write(path, (self._batch(nonce, per_call) for _ in range(calls)))

    def _batch(self, nonce: str, size: int) -> profile_pb2.RecordEventsRequest:
        drawn = self._recent[self._rng.integers(0, self._recent.height, size)]
        request = profile_pb2.RecordEventsRequest()
        for subject, row in zip(self.subjects(size), drawn.iter_rows(named=True), strict=True):
            event = request.events.add(
                event_id=f"{nonce}-{self._events_sent}",
                subject=subject,
                item_id=row["item_id"],
                channel="web",
                type=profile_pb2.EventType.Value(f"EVENT_TYPE_{row['type'].upper()}"),
            )
            self._events_sent += 1
            if row["value_micros"] is not None:
                event.value.micros, event.value.currency_code = row["value_micros"], row["currency"]
            if row["quantity"] is not None:
                event.quantity = row["quantity"]
            if row["rating"] is not None:
                event.rating = row["rating"]
        return request


def recommend(subject: common_pb2.Subject) -> recommendation_pb2.RecommendRequest:
    """What a shop asks for when a shopper opens its home page."""
    return recommendation_pb2.RecommendRequest(
        subject=subject, scene="home", limit=WINDOW, context=_context()
    )


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


if __name__ == "__main__":
    data, address = sys.argv[1:]
    for method, asked in Traffic(Path(data), Path(".bench/requests")).reads(address).items():
        print(f"{method}: {asked}")
