"""The ranking function that every server hosts: a request's bytes in, an answer's bytes out, no server around it.

Only Vitrine is imported here, so that this runs in the environment of each peer.
"""

import gc
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, Self

from threadpoolctl import threadpool_limits

from vitrine.api.ranking.v1 import ranking_pb2 as pb
from vitrine.app.generations import Generation
from vitrine.app.maker import Maker
from vitrine.catalog import Catalog
from vitrine.catalog.store import CatalogStore
from vitrine.config import load_config
from vitrine.domain.clock import clock_from
from vitrine.wire.ranking import ranked_to_proto, ranking_query_from_proto

_READY_SECONDS = 120.0


class Function(Protocol):
    """What a server hosts."""

    def rank(self, request: pb.RankRequest) -> pb.RankResponse:
        """The answer, for a server that decodes and encodes messages itself."""
        ...

    def __call__(self, request: bytes) -> bytes:
        """The bytes of the answer to the bytes of a request."""
        ...


class NoWork:
    """Decodes every request and encodes the same answer to it: what is left is the server's own.

    Args:
        answer: Its bytes.
    """

    def __init__(self, answer: bytes) -> None:
        self._answer = pb.RankResponse.FromString(answer)

    def rank(self, request: pb.RankRequest) -> pb.RankResponse:
        """The answer."""
        return self._answer

    def __call__(self, request: bytes) -> bytes:
        """Its bytes."""
        return self.rank(pb.RankRequest.FromString(request)).SerializeToString()


class RankFunction:
    """`Rank` as a function: Vitrine's decoding, its engine, its encoding.

    Args:
        generation: The bundle that ranks.
        store: The catalogue, which `close` lets go of.
        now: The time of requests that carry none; Unix seconds.
    """

    def __init__(self, generation: Generation, store: CatalogStore, now: float) -> None:
        if generation.engine is None:
            raise LookupError("this generation does not rank")
        self._generation = generation
        self._engine = generation.engine
        self._store = store
        self._now = now

    @classmethod
    def open(cls, bundle: Path, store: Path, now: float) -> Self:
        """Loads what `vitrine serve` ranks with, and leaves the process as that command does.

        Args:
            bundle: The models.
            store: The directory of a catalogue of this process's own.
            now: As for the class.

        Raises:
            ConfigError: The store cannot be used.
            BundleError: The bundle is refused.
        """
        threadpool_limits(1)
        config = load_config()
        catalog = Catalog(config.seed)
        items = CatalogStore.open(store, catalog, shop=config.shop)
        try:
            maker = Maker(catalog, config, clock_from(now, frozen=True), finding=None, ranks=True)
            function = cls(maker.make(maker.load(bundle)), items, now)
        except BaseException:
            items.close()
            raise
        if function._generation.attached is not None:
            # What a server computes beside its first requests, and what no request is to pay for here.
            function._generation.attached.wait(_READY_SECONDS)
        # As the server does, and for the peers' sake: what was loaded is not looked at by the collector again.
        gc.collect()
        gc.freeze()
        return function

    def rank(self, request: pb.RankRequest) -> pb.RankResponse:
        """The answer, for a server that decodes and encodes messages itself.

        Raises:
            InvalidInput: Names the field.
        """
        ranked = self._engine.rank(ranking_query_from_proto(request, self._now))
        return ranked_to_proto(ranked, self._engine.versions.bundle)

    def __call__(self, request: bytes) -> bytes:
        """The bytes of the answer to the bytes of a `RankRequest`; errors as for `rank`."""
        return self.rank(pb.RankRequest.FromString(request)).SerializeToString()

    def close(self) -> None:
        """Lets go of the models and of the catalogue."""
        self._generation.close()
        self._store.close()


def hosted(environment: Mapping[str, str] = os.environ) -> Function:
    """What the environment variables of a host ask for: the function, or none where they name an answer."""
    if "PEER_ANSWER" in environment:
        return NoWork(Path(environment["PEER_ANSWER"]).read_bytes())
    store, now = Path(environment["PEER_STORE"]), float(environment["PEER_NOW"])
    return RankFunction.open(Path(environment["PEER_BUNDLE"]), store, now)


def own_catalog(store: Path, where: Path) -> Path:
    """A copy of the catalogue of a store without its profiles, which ranking does not read: a request carries one."""
    where.mkdir(parents=True)
    for file in store.glob("catalog.db*"):
        shutil.copyfile(file, where / file.name)
    return where
