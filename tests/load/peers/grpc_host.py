"""Hosts what is to be hosted in grpc.aio on uvloop and nothing else: what gRPC alone costs in Python."""

import asyncio
import os
from typing import Any

import grpc
import uvloop

from tests.load.peers.function import hosted
from vitrine.api.ranking.v1 import ranking_pb2 as pb


async def main() -> None:
    """Serves until it is ended."""
    function = hosted()

    async def rank(request: pb.RankRequest, _: grpc.aio.ServicerContext[Any, Any]) -> pb.RankResponse:
        return function.rank(request)

    handler = grpc.unary_unary_rpc_method_handler(
        rank, pb.RankRequest.FromString, pb.RankResponse.SerializeToString
    )
    service = "vitrine.api.ranking.v1.RankingService"
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Rank": handler}),))
    server.add_insecure_port(f"127.0.0.1:{os.environ['PEER_PORT']}")
    await server.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
