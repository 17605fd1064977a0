"""Hosts the function in mosec; runs in mosec's own environment: bytes in, bytes out, one worker, no batching.

The front is mosec's own program in Rust, which hands requests to the worker, a process, over a Unix socket. What
`tests.load.peers.hosts` starts it with comes by environment variables: workers are spawned, and inherit those.
"""

from mosec import Server, Worker  # type: ignore[import-not-found]

from tests.load.peers.function import hosted


class Rank(Worker):  # type: ignore[misc]
    """The function, with nothing done to its bytes."""

    resp_mime_type = "application/x-protobuf"

    def __init__(self) -> None:
        super().__init__()
        self._function = hosted()

    def deserialize(self, data: bytes) -> bytes:
        return data

    def serialize(self, data: bytes) -> bytes:
        return data

    def forward(self, data: bytes) -> bytes:
        return self._function(data)


if __name__ == "__main__":
    server = Server()
    server.append_worker(Rank, num=1, max_batch_size=1)
    server.run()
