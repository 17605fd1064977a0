"""A call as one frame: what is asked, the batch, and what else the method is given.

The columns lie by the width of their cells, 8 bytes, 4 bytes, 1 byte, so that each is aligned without gaps, and the
child makes three arrays of the frame and cuts all columns out of them. Text is MessagePack.
"""

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt

from vitrine.domain.request import Context
from vitrine.hosting.process.cells import Cells
from vitrine.hosting.process.frames import Array, join, split
from vitrine.hosting.process.profiles import LazyProfiles, add_profile, columns
from vitrine.plugin import Batch, FeatureColumns, History, Items, Recent


class _Head(msgspec.Struct, array_like=True, gc=False):
    target: str
    method: str
    request_time: float
    ids: list[str]
    history_ids: list[str]
    scenes: list[str]
    contexts: list[Context]
    source_names: tuple[str, ...]
    score_names: tuple[str, ...]
    arguments: tuple[int, ...]
    cells: tuple[int, int, int]
    profiles: list[msgspec.Raw]


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Head).decode


class Call(NamedTuple):
    """What the child is asked: a method of the ranker or of the block of columns.

    Attributes:
        target: "ranker" or "block".
        method: Its method.
        batch: The batch; arrays are read-only and stay as they are after the call.
        arguments: ``int64`` arrays that the method takes besides.
    """

    target: str
    method: str
    batch: Batch
    arguments: tuple[npt.NDArray[np.int64], ...]


def encode_call(target: str, method: str, batch: Batch, arguments: Sequence[Array] = ()) -> bytes:
    """The frame.

    Raises:
        ValueError: A column has not the length that it should have, or all are longer than a frame may be.
    """
    items, history, n, h = batch.items, batch.history, len(batch.items.ids), len(batch.history.ids)
    q, names = len(batch.profiles), tuple(batch.scores)
    recent, r = batch.recent, len(batch.recent.rows)
    cells = Cells()
    cells.add(batch.offsets, "<i8", q + 1)
    cells.add(history.offsets, "<i8", q + 1)
    cells.add(recent.offsets, "<i8", q + 1)
    cells.add(items.price_micros, "<i8", n)
    cells.add(items.created, "<f8", n)
    cells.add(history.weights, "<f8", h)
    for argument in arguments:
        cells.add(argument, "<i8", len(argument))
    for codes in (items.rows, items.bundle_rows, items.category, items.brand):
        cells.add(codes, "<i4", n)
    cells.add(items.popularity, "<f4", n)
    cells.add(items.trend, "<f4", n)
    cells.add(history.rows, "<i4", h)
    cells.add(history.bundle_rows, "<i4", h)
    for codes in (recent.rows, recent.bundle_rows, recent.steps):
        cells.add(codes, "<i4", r)
    cells.add(batch.source_scores, "<f4", n * len(batch.source_names))
    for name in names:
        cells.add(batch.scores[name], "<f4", n)
    cells.add(history.purchased, "|b1", h)
    cells.add(recent.visit, "|b1", r)
    profiles = [add_profile(profile, cells) for profile in batch.profiles]
    head = (
        target,
        method,
        batch.request_time,
        items.ids if isinstance(items.ids, list | tuple) else list(items.ids),
        history.ids if isinstance(history.ids, list | tuple) else list(history.ids),
        batch.scenes if isinstance(batch.scenes, list | tuple) else list(batch.scenes),
        list(batch.contexts),
        batch.source_names,
        names,
        [len(argument) for argument in arguments],
        cells.counts,
        profiles,
    )
    return join(_encode(head), cells.parts)


def decode_call(frame: bytes, features: Callable[[int], FeatureColumns]) -> Call:
    """The inverse; only what the server wrote is decoded, so that nothing is checked.

    Args:
        frame: The frame; the batch keeps it.
        features: Makes what stands for the columns that are derived from n candidates.
    """
    text, at = split(frame)
    head = _decode(text)
    f8, f4, i1 = columns(frame, at, head.cells)
    n, h, q = len(head.ids), len(head.history_ids), len(head.profiles)
    i8, i4 = f8.view(np.int64), f4.view(np.int32)
    # In the order of `encode_call`.
    cut = _cutter()
    offsets, history_offsets, recent_offsets = i8[cut(q + 1)], i8[cut(q + 1)], i8[cut(q + 1)]
    price_micros, r = i8[cut(n)], int(recent_offsets[-1])
    created, weights = f8[cut(n)], f8[cut(h)]
    arguments = tuple([i8[cut(length)] for length in head.arguments])
    cut = _cutter()
    rows, bundle_rows, category, brand = i4[cut(n)], i4[cut(n)], i4[cut(n)], i4[cut(n)]
    popularity, trend = f4[cut(n)], f4[cut(n)]
    history_rows, history_bundle_rows = i4[cut(h)], i4[cut(h)]
    recent_rows, recent_bundle_rows, steps = i4[cut(r)], i4[cut(r)], i4[cut(r)]
    sources = len(head.source_names)
    source_scores = f4[cut(n * sources)].reshape(n, sources)
    scores = {name: f4[cut(n)] for name in head.score_names}
    batch = Batch(
        request_time=head.request_time,
        offsets=offsets,
        items=Items(
            ids=head.ids,
            rows=rows,
            bundle_rows=bundle_rows,
            price_micros=price_micros,
            created=created,
            category=category,
            brand=brand,
            popularity=popularity,
            trend=trend,
        ),
        history=History(
            offsets=history_offsets,
            ids=head.history_ids,
            rows=history_rows,
            bundle_rows=history_bundle_rows,
            weights=weights,
            purchased=i1[:h].view(np.bool_),
        ),
        recent=Recent(
            offsets=recent_offsets,
            rows=recent_rows,
            bundle_rows=recent_bundle_rows,
            steps=steps,
            visit=i1[h : h + r].view(np.bool_),
        ),
        profiles=LazyProfiles(head.profiles, f8, f4, i1),
        contexts=head.contexts,
        scenes=head.scenes,
        source_names=head.source_names,
        source_scores=source_scores,
        scores=MappingProxyType(scores),
        features=features(n),
    )
    return Call(head.target, head.method, batch, arguments)


def _cutter() -> Callable[[int], slice]:
    """Tells where one column after the other lies."""
    at = 0

    def cut(count: int) -> slice:
        nonlocal at
        start, at = at, at + count
        return slice(start, at)

    return cut
