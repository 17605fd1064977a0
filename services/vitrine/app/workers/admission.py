"""How much may wait for workers at once."""

from collections.abc import Callable

from vitrine.errors import Overloaded

# Calls, for each worker: at 5 ms a call the last of so many waits longer than the default deadline.
MOST_CALLS = 128
# Bytes of requests and profiles, over all workers: of the largest requests, eight.
MOST_BYTES = 64 << 20
RETRY_SECONDS = 0.5


class Admission:
    """Counts calls that wait for an answer, and what they hold: the request and, while no worker has read it, the socket's copy.

    Args:
        most_calls: So many may wait.
        most_bytes: So many bytes may they hold.
        unread: Bytes in the sockets, those of calls that nobody waits for any more included.

    Attributes:
        calls: How many wait.
    """

    def __init__(self, most_calls: int, most_bytes: int, unread: Callable[[], int]) -> None:
        self._most_calls = most_calls
        self._most_bytes = most_bytes
        self._unread = unread
        self._bytes = 0
        self.calls = 0

    def enter(self, size: int) -> None:
        """A call with a request of so many bytes comes.

        Raises:
            Overloaded: Too much waits already; `leave` is not to be called.
        """
        if self.calls >= self._most_calls:
            waits = f"{self.calls} calls"
        elif (held := self._bytes + self._unread()) + size > self._most_bytes:
            waits = f"calls with {held >> 20} MiB"
        else:
            self.calls += 1
            self._bytes += size
            return
        raise Overloaded(
            f"{waits} wait for the workers already; try again in {RETRY_SECONDS} s", RETRY_SECONDS
        )

    def leave(self, size: int) -> None:
        """It is answered, or nobody waits for it any more."""
        self.calls -= 1
        self._bytes -= size
