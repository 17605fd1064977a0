"""What the owner and a worker say to each other, as MessagePack arrays."""

from enum import IntEnum

import msgspec


class Method(IntEnum):
    """What a worker is asked for, with the bytes of the request as the caller sent them."""

    RECOMMEND = 1
    EXPLAIN_WINDOW = 2
    RETRIEVE = 3
    RANK = 4
    EXPLAIN_RANK = 5
    LIST_RANKERS = 6
    GET_BUNDLE = 7


class Start(msgspec.Struct, tag=1, array_like=True):
    """The first message to a worker: what to make.

    Attributes:
        number: Which of the workers it is, from 1.
        config: The configuration as JSON.
        store: Directory of the catalogue, which it reads.
        bundle: What the bundle is loaded from; empty for none.
        threads: Requests that it works on at once.
        now: What the owner's clock shows, for the warm-up.
        cursor: How far activity is counted in ``popular``; what is told of older activity counts nothing more.
        popular: Live popularity as a dump.
    """

    number: int
    config: bytes
    store: str
    bundle: str
    threads: int
    now: float
    cursor: int
    popular: bytes


class Activity(msgspec.Struct, tag=2, array_like=True):
    """New activity, as a `WatchActivityResponse`."""

    data: bytes


class Changed(msgspec.Struct, tag=3, array_like=True):
    """The catalogue has a new revision."""

    revision: int


class Given(msgspec.Struct, array_like=True):
    """The profile that the owner read, or why it could not.

    Attributes:
        packed: The profile (`vitrine.hosting.process.profiles.pack`); ``None`` when there is none, or nobody was named.
        problem: Why there is none, or none as fresh as asked for (then ``packed`` is an older one): the number of a
            `DegradationCode`; 0 when all is well.
    """

    packed: bytes | None = None
    problem: int = 0


class Ask(msgspec.Struct, tag=4, array_like=True):
    """A call.

    Attributes:
        number: Comes back with the answer.
        method: Which.
        seconds: Time left; negative for no deadline.
        now: What the owner's clock shows.
        revision: The catalogue must be at least so new.
        request: As the caller sent it.
        given: The profile, for the methods that need one.
        began: When the owner began to read the request, on the clock of `time.perf_counter`, which is the machine's.
    """

    number: int
    method: int
    seconds: float
    now: float
    revision: int
    request: bytes
    given: Given | None = None
    began: float = 0.0


class Forget(msgspec.Struct, tag=5, array_like=True):
    """Nobody waits for the answer any more."""

    number: int


class Reload(msgspec.Struct, tag=6, array_like=True):
    """Switch to the bundle there, if it is of the expected version, or, with a configuration (JSON), to that; one at a time."""

    expected: str = ""
    bundle: str = ""
    config: bytes = b""


class Answer(msgspec.Struct, tag=7, array_like=True):
    """The response as it goes to the caller; with a code, a serialised `google.rpc.Status` instead."""

    number: int
    data: bytes
    code: str = ""


class Ready(msgspec.Struct, tag=8, array_like=True):
    """The worker serves this bundle."""

    version: str


class Failed(msgspec.Struct, tag=9, array_like=True):
    """The worker cannot be made: whether that is for its bundle, and why."""

    bundle: bool
    text: str


class Reloaded(msgspec.Struct, tag=10, array_like=True):
    """Whether a reload has led to something else; with a reason, why it was refused."""

    switched: bool = False
    reason: str = ""
    text: str = ""


class Family(msgspec.Struct, array_like=True):
    """A metric: name, type, help, and samples (name, labels, value)."""

    name: str
    type: str
    help: str
    samples: list[tuple[str, dict[str, str], float]]


class Beat(msgspec.Struct, tag=11, array_like=True):
    """Every second: the worker is well; whether each part of a plugin is called, and what was counted."""

    parts: dict[str, bool]
    metrics: list[Family]


ToWorker = Start | Activity | Changed | Ask | Forget | Reload
ToOwner = Answer | Ready | Failed | Reloaded | Beat
