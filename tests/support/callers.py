"""Clients that call a server without a pause worth the name, while something is done to it."""

import itertools
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Self

from vitrine.client import Vitrine


@dataclass(kw_only=True)
class Callers:
    """Threads that call for as long as the block lasts; say in `call` what they do.

    Attributes:
        address: The server.
        count: How many.
        pause: Seconds between two calls of one.
        wrong: What was wrong with answers, and calls that failed.
    """

    address: str
    count: int
    pause: float
    wrong: list[str] = field(default_factory=list)
    _stop: Event = field(default_factory=Event)
    _threads: list[Thread] = field(default_factory=list)

    def call(self, shop: Vitrine, client: int, number: int) -> None:
        """One call: the ``number``-th of a client, which starts at its own number."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._threads = [Thread(target=self._run, args=(n,)) for n in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self, client: int) -> None:
        with Vitrine(self.address) as shop:
            for number in itertools.count(client):
                if self._stop.wait(self.pause):
                    return
                self.call(shop, client, number)
