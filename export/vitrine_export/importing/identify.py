"""Identifiers for events that come without one: the same rows get the same identifiers at every import."""

from hashlib import blake2b

import numpy as np
import numpy.typing as npt
import polars as pl

Lane = npt.NDArray[np.uint64]
_NOTHING = np.uint64(0xA0761D6478BD642F)


def derived_ids(frame: pl.DataFrame) -> pl.Series:
    """One identifier of 32 hexadecimal digits per row.

    A 128-bit hash of the row's content and of its occurrence number among equal rows, so that repeated lines stay
    apart. Depends on no library's hash function, on no order but that of equal rows, and on no file format.

    Args:
        frame: n parsed rows; every column counts.

    Returns:
        n distinct texts.
    """
    lanes = [np.full(frame.height, seed, np.uint64) for seed in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F)]
    for name in sorted(frame.columns):
        salt = _digest(name)
        for lane, cells in zip(lanes, _numbers(frame[name]), strict=True):
            lane[:] = _mix(lane ^ _mix(cells + salt))
    equal = pl.DataFrame({"high": lanes[0], "low": lanes[1]})
    occurrence = (
        equal.select(pl.int_range(pl.len()).over("high", "low")).to_series().to_numpy().astype(np.uint64)
    )
    words = np.stack([_mix(lane + _mix(occurrence + np.uint64(1))) for lane in lanes], axis=1)
    digits = words.astype(">u8").tobytes().hex().encode()
    return pl.Series("event_id", np.frombuffer(digits, "S32")).cast(pl.String)


def _numbers(column: pl.Series) -> tuple[Lane, Lane]:
    """Cells as two 64-bit numbers each; texts are hashed once per distinct text."""
    empty = column.is_null().to_numpy()
    if empty.all():
        high = low = np.zeros(len(column), np.uint64)
    elif column.dtype == pl.String:
        distinct = column.drop_nulls().unique()
        digests = np.frombuffer(
            b"".join(blake2b(t.encode(), digest_size=16).digest() for t in distinct), "<u8"
        )
        table = pl.DataFrame({"text": distinct, "high": digests[::2], "low": digests[1::2]})
        joined = column.to_frame("text").join(table, on="text", how="left", maintain_order="left")
        high, low = (joined[name].fill_null(0).to_numpy() for name in ("high", "low"))
    elif column.dtype.is_float():
        # Adding zero turns -0.0 into 0.0.
        high = low = (column.cast(pl.Float64).fill_null(0.0).to_numpy() + 0.0).view(np.uint64)
    else:
        high = low = column.to_physical().cast(pl.Int64).fill_null(0).to_numpy().view(np.uint64)
    # One number for nothing, whatever the type and whatever else the column holds.
    return np.where(empty, _NOTHING, high), np.where(empty, _NOTHING, low)


def _digest(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "little"))


def _mix(x: Lane) -> Lane:
    """The finaliser of SplitMix64 (Steele, Lea, Flood 2014, figure 15)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
