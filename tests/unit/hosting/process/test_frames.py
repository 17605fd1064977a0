"""Arrays come through a frame as they were; what is no frame is refused before anything is made of it."""

import struct
from typing import Any

import msgspec
import numpy as np
import pytest

from vitrine.hosting.process import frames
from vitrine.hosting.process.arena import Arena, Broken


def framed(head: object, body: bytes = b"") -> bytes:
    """A frame whose head says what it likes."""
    text = msgspec.msgpack.encode(head)
    return struct.pack("<I", len(text)) + text + b"\0" * (-(4 + len(text)) % 16) + body


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"])
def test_arrays_come_through_as_they_were(dtype: str) -> None:
    given = [
        np.arange(5).astype(dtype),
        np.arange(6).reshape(2, 3).astype(dtype).T,
        np.zeros((0, 4), dtype),
        np.array(1).astype(dtype),
    ]
    got = frames.decode(frames.encode("kind", given, ["a", "é"], 1.5))
    assert (got.kind, got.names, got.number) == ("kind", ("a", "é"), 1.5)
    for before, after in zip(given, got.arrays, strict=True):
        assert after.dtype == before.dtype
        assert after.flags.aligned
        assert not after.flags.writeable
        np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (None, "NoneType instead of an array"),
        ([1.0], "list instead of an array"),
        (np.array([object()]), "an array of object"),
        (np.array(["a"]), "an array of str"),
        (np.zeros(2, ">f4"), "an array of float32"),
    ],
)
def test_what_is_no_array_of_numbers_is_named(given: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        frames.encode("array", [given])


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\1",
        struct.pack("<I", 1 << 31),
        framed("text"),
        framed({"kind": "array"}),
        framed(["array", [["|O", [1]]], [], 0.0], b"\1" * 8),
        framed(["array", [["<f4", [3]]], [], 0.0], b"\0" * 8),
        framed(["array", [["<f4", [-1]]], [], 0.0], b"\0" * 8),
        framed(["array", [["<f4", [1 << 40, 1 << 40]]], [], 0.0], b"\0" * 8),
        framed(["array", [["<f4", [0, 1 << 62, 1 << 62]]], [], 0.0]),
        framed(["array", [["<f4", [1, 1, 1, 1, 1]]], [], 0.0], b"\0" * 16),
        framed(["array", [["<f4", [1.5]]], [], 0.0], b"\0" * 16),
        framed(["array", [["<f4", [2]], ["<f4", [2]]], [], 0.0], b"\0" * 16),
        framed([7, [], [], 0.0]),
        framed(["array", [], [b"bytes"], 0.0]),
    ],
)
def test_lies_are_refused(frame: bytes) -> None:
    with pytest.raises(Broken):
        frames.decode(frame)


def test_no_damage_does_worse_than_to_be_refused() -> None:
    rng = np.random.default_rng(5)
    good = frames.encode("columns", [np.arange(4.0), np.arange(6, dtype=np.int32).reshape(2, 3)], ["a", "b"])
    refused = 0
    for _ in range(3000):
        bad = bytearray(good)
        for at in rng.integers(0, min(len(bad), 60), rng.integers(1, 4)):
            bad[at] = rng.integers(0, 256)
        try:
            got = frames.decode(bytes(bad[: rng.integers(0, len(bad) + 1)]))
        except Broken:
            refused += 1
        else:
            assert sum(array.nbytes for array in got.arrays) <= len(good)
    assert refused > 1000


def test_an_arena_has_what_was_written_and_no_more() -> None:
    arena = Arena.create()
    try:
        frame = bytes(range(256)) * 50_000
        assert arena.write(frame) == len(frame)
        assert arena.read(len(frame)) == frame
        for length in (len(frame) + 1, 1 << 62):
            with pytest.raises(Broken):
                arena.read(length)
        arena.trim()
        with pytest.raises(Broken):
            arena.read(1)
    finally:
        arena.close()
        arena.close()
