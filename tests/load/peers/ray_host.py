"""Hosts the function in Ray Serve behind its gRPC proxy; runs in Ray's own environment, with one replica.

Ray decodes the request and encodes the answer itself: what its gRPC proxy passes to a replica is a message.
"""

import os
import signal
import threading

import ray  # type: ignore[import-not-found]
from ray import serve
from ray.serve.config import gRPCOptions  # type: ignore[import-not-found]
from ray.serve.schema import LoggingConfig  # type: ignore[import-not-found]

from tests.load.peers.function import hosted
from vitrine.api.ranking.v1 import ranking_pb2 as pb

OBJECT_STORE_BYTES = 100 * 2**20
# In flight at the replica; the proxy keeps the others. Ray's default is 5.
ONGOING = 5


class Ranking:
    """The function as a deployment."""

    def __init__(self) -> None:
        self._function = hosted()

    # A coroutine, although it computes: the replica then calls it where it is, without a hop to one more thread.
    async def Rank(self, request: pb.RankRequest) -> pb.RankResponse:  # noqa: N802 - the method of the service
        return self._function.rank(request)


def main() -> None:
    """Serves until SIGTERM; then ends what it started."""
    environment = os.environ
    ray.init(
        address="local",
        num_cpus=1,
        object_store_memory=OBJECT_STORE_BYTES,
        include_dashboard=False,
        log_to_driver=False,
        _temp_dir=environment["PEER_SCRATCH"],
        _node_ip_address="127.0.0.1",
    )
    serve.start(
        proxy_location="HeadOnly",
        http_options={"host": "127.0.0.1", "port": int(environment["PEER_HTTP_PORT"])},
        grpc_options=gRPCOptions(
            port=int(environment["PEER_PORT"]),
            grpc_servicer_functions=[
                "vitrine.api.ranking.v1.ranking_pb2_grpc.add_RankingServiceServicer_to_server"
            ],
            request_timeout_s=float(environment["PEER_TIMEOUT"]),
        ),
        logging_config=LoggingConfig(enable_access_log=False),
    )
    deployment = serve.deployment(
        Ranking,
        num_replicas=1,
        max_ongoing_requests=ONGOING,
        ray_actor_options={"num_cpus": 1},
        logging_config=LoggingConfig(enable_access_log=False),
    )
    serve.run(deployment.bind())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    stop.wait()
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    main()
