"""The synchronous client."""

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc

from vitrine.api.bundle.v1 import bundle_pb2, bundle_pb2_grpc
from vitrine.api.common.v1 import common_pb2
from vitrine.api.config.v1 import config_pb2, config_pb2_grpc
from vitrine.api.profile.v1 import profile_pb2, profile_pb2_grpc
from vitrine.api.ranking.v1 import ranking_pb2, ranking_pb2_grpc
from vitrine.api.recommendation.v1 import recommendation_pb2, recommendation_pb2_grpc
from vitrine.api.retrieval.v1 import retrieval_pb2, retrieval_pb2_grpc
from vitrine.client import requests
from vitrine.client.channel import (
    CHANNEL_OPTIONS,
    EXPLAIN_TIMEOUT,
    READ_TIMEOUT,
    RELOAD_TIMEOUT,
    WRITE_TIMEOUT,
)
from vitrine.client.errors import error_of
from vitrine.client.requests import Who

A = TypeVar("A")


class Vitrine:
    """A connection to Vitrine. Make one and keep it; it may be used from many threads.

    Args:
        address: Host and port, for example "localhost:50051".

    Attributes:
        profile: Stub of ProfileService, for calls that have no method here.
        retrieval: Stub of RetrievalService.
        ranking: Stub of RankingService.
        recommendation: Stub of RecommendationService.
        bundle: Stub of BundleService.
        config: Stub of ConfigService.

    Every method raises `InvalidInput`, `Timeout`, `Unavailable`, `TooLarge`, `NotReady` or `VitrineError`.
    """

    def __init__(self, address: str = "localhost:50051") -> None:
        self._channel = grpc.insecure_channel(address, options=CHANNEL_OPTIONS)
        self.profile = profile_pb2_grpc.ProfileServiceStub(self._channel)
        self.retrieval = retrieval_pb2_grpc.RetrievalServiceStub(self._channel)
        self.ranking = ranking_pb2_grpc.RankingServiceStub(self._channel)
        self.recommendation = recommendation_pb2_grpc.RecommendationServiceStub(self._channel)
        self.bundle = bundle_pb2_grpc.BundleServiceStub(self._channel)
        self.config = config_pb2_grpc.ConfigServiceStub(self._channel)

    def recommend(
        self,
        who: Who | None = None,
        scene: str = "home",
        limit: int = 20,
        *,
        item_ids: Iterable[str] = (),
        basket: Iterable[str] = (),
        query: str = "",
        locale: str = "",
        filters: common_pb2.Filters | None = None,
        min_watermark: str = "",
        include_scores: bool = False,
        include_trace: bool = False,
        include_stages: bool = False,
        timeout: float = READ_TIMEOUT,
    ) -> recommendation_pb2.RecommendResponse:
        """The items for a window, best first; ``timeout`` in seconds."""
        request = requests.recommend(
            who,
            scene,
            limit,
            item_ids=item_ids,
            basket=basket,
            query=query,
            locale=locale,
            filters=filters,
            min_watermark=min_watermark,
            include_scores=include_scores,
            include_trace=include_trace,
            include_stages=include_stages,
        )
        return _call(self.recommendation.Recommend, request, timeout)

    def explain(
        self,
        who: Who | None,
        item_id: str,
        scene: str = "home",
        limit: int = 20,
        *,
        item_ids: Iterable[str] = (),
        basket: Iterable[str] = (),
        query: str = "",
        locale: str = "",
        filters: common_pb2.Filters | None = None,
        min_watermark: str = "",
        timeout: float = EXPLAIN_TIMEOUT,
    ) -> recommendation_pb2.ExplainResponse:
        """Why an item has its place in a window, or none; `NotFound` when the catalogue does not have it."""
        request = requests.explain(
            who,
            item_id,
            scene,
            limit,
            item_ids=item_ids,
            basket=basket,
            query=query,
            locale=locale,
            filters=filters,
            min_watermark=min_watermark,
        )
        return _call(self.recommendation.Explain, request, timeout)

    def record_events(
        self,
        events: Iterable[profile_pb2.Event],
        *,
        backfill: bool = False,
        min_catalog_revision: str = "",
        timeout: float = WRITE_TIMEOUT,
    ) -> profile_pb2.RecordEventsResponse:
        """Records events, made with `event`. On return every accepted one is on disk."""
        request = profile_pb2.RecordEventsRequest(
            events=events, backfill=backfill, min_catalog_revision=min_catalog_revision
        )
        return _call(self.profile.RecordEvents, request, timeout)

    def get_profile(
        self, who: Who, *, min_watermark: str = "", timeout: float = READ_TIMEOUT
    ) -> profile_pb2.Profile:
        """What is known of a shopper."""
        request = profile_pb2.GetProfileRequest(subject=requests.subject(who), min_watermark=min_watermark)
        return _call(self.profile.GetProfile, request, timeout).profile

    def delete_profile(self, who: Who, *, timeout: float = WRITE_TIMEOUT) -> int:
        """Erases a shopper; answers how many events were erased."""
        request = profile_pb2.DeleteProfileRequest(subject=requests.subject(who))
        return _call(self.profile.DeleteProfile, request, timeout).events_erased

    def upsert_items(
        self,
        items: Iterable[retrieval_pb2.Item],
        *,
        fields: Iterable[str] = (),
        timeout: float = WRITE_TIMEOUT,
    ) -> str:
        """Adds or changes items; with ``fields`` only these of items that exist. Answers the revision."""
        request = retrieval_pb2.UpsertItemsRequest(items=items)
        request.update_mask.paths.extend(fields)
        return _call(self.retrieval.UpsertItems, request, timeout).revision

    def get_items(
        self, item_ids: Iterable[str], *, timeout: float = READ_TIMEOUT
    ) -> list[retrieval_pb2.Item]:
        """The items that exist of these."""
        request = retrieval_pb2.GetItemsRequest(item_ids=item_ids)
        return list(_call(self.retrieval.GetItems, request, timeout).items)

    def list_rankers(self, *, timeout: float = READ_TIMEOUT) -> ranking_pb2.ListRankersResponse:
        """The plugins of the scenes that the server at this address ranks for, and how they fare."""
        return _call(self.ranking.ListRankers, ranking_pb2.ListRankersRequest(), timeout)

    def get_bundle(self, *, timeout: float = READ_TIMEOUT) -> bundle_pb2.GetBundleResponse:
        """The bundle that the server at this address serves."""
        return _call(self.bundle.GetBundle, bundle_pb2.GetBundleRequest(), timeout)

    def reload_bundle(
        self, *, expected_version: str = "", timeout: float = RELOAD_TIMEOUT
    ) -> bundle_pb2.ReloadBundleResponse:
        """Switches that server to what its folder holds now; `NotReady` tells why not, and the old one goes on."""
        request = bundle_pb2.ReloadBundleRequest(expected_version=expected_version)
        return _call(self.bundle.ReloadBundle, request, timeout)

    def get_config(self, *, timeout: float = READ_TIMEOUT) -> config_pb2.GetConfigResponse:
        """The configuration that the server at this address works by."""
        return _call(self.config.GetConfig, config_pb2.GetConfigRequest(), timeout)

    def reload_config(
        self, *, expected_fingerprint: str = "", timeout: float = RELOAD_TIMEOUT
    ) -> config_pb2.ReloadConfigResponse:
        """Has that server go by what its file says now; `NotReady` tells why not, and the old one goes on."""
        request = config_pb2.ReloadConfigRequest(expected_fingerprint=expected_fingerprint)
        return _call(self.config.ReloadConfig, request, timeout)

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _call(method: Callable[..., A], request: Any, timeout: float) -> A:
    try:
        return method(request, timeout=timeout)
    except grpc.RpcError as failure:
        raise error_of(failure) from None
