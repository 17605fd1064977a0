"""Candidates and the answers of retrieval."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vitrine.api.retrieval.v1 import retrieval_pb2 as pb
from vitrine.domain.candidates import Candidates, Retrieved
from vitrine.domain.ids import MAX_ID_BYTES, check_id
from vitrine.errors import InvalidInput
from vitrine.wire.answers import (
    degraded_from_proto,
    degraded_to_proto,
    versions_from_proto,
    versions_to_proto,
)
from vitrine.wire.interests import interests_from_bytes
from vitrine.wire.stages import stages_from_proto
from vitrine.wire.tokens import REVISION, decode_token, encode_token

_MAX_SOURCES = 32


def candidates_to_proto(candidates: Candidates) -> pb.Candidates:
    """As sent."""
    return pb.Candidates(
        item_ids=candidates.item_ids,
        source_names=candidates.source_names,
        source_masks=candidates.masks.tolist(),
        source_scores=candidates.scores.astype("<f4", copy=False).tobytes(),
        popularity=candidates.popularity.tolist(),
        trend=candidates.trend.tolist(),
    )


class PassedCandidates(Candidates):
    """Candidates that the front hands on as they came.

    Attributes:
        message: As it came; not set of others that are made of these.
    """

    __slots__ = ("message",)
    message: pb.Candidates


def candidates_message(candidates: Candidates) -> pb.Candidates:
    """As they came, or else as `candidates_to_proto` writes them; not to be changed."""
    message: pb.Candidates | None = getattr(candidates, "message", None)
    return candidates_to_proto(candidates) if message is None else message


def candidates_from_proto(message: pb.Candidates, field: str) -> Candidates:
    """Checked candidates; masks and scores are read-only views where the machine allows.

    Raises:
        InvalidInput: The columns do not fit together; names the one under ``field``.
    """
    ids = message.item_ids[:]
    n, sources = len(ids), len(message.source_names)
    if "" in ids or max(map(len, ids), default=0) > MAX_ID_BYTES // 4:
        for index, item_id in enumerate(ids):
            check_id(item_id, f"{field}.item_ids[{index}]")
    if sources > _MAX_SOURCES:
        raise InvalidInput(f"{field}.source_names", f"has {sources} entries; send at most {_MAX_SOURCES}")
    if len(message.source_masks) not in {0, n} or (sources and len(message.source_masks) != n):
        raise InvalidInput(
            f"{field}.source_masks", f"has {len(message.source_masks)} entries for {n} items; send one each"
        )
    if len(message.source_scores) != n * sources * 4:
        raise InvalidInput(
            f"{field}.source_scores",
            f"has {len(message.source_scores)} bytes; {n} items × {sources} sources × 4 bytes are "
            f"{n * sources * 4}",
        )
    # Slicing copies a column out of protobuf at once.
    masks = np.array(message.source_masks[:], np.uint32) if message.source_masks else np.zeros(n, np.uint32)
    scores = np.frombuffer(message.source_scores, "<f4").reshape(n, sources)
    if np.isinf(scores).any():
        raise InvalidInput(f"{field}.source_scores", "has an infinite score; send NaN where there is none")
    return Candidates(
        ids,
        tuple(message.source_names),
        masks,
        scores.astype(np.float32, copy=False),
        popularity=_signal(message.popularity, n, f"{field}.popularity"),
        trend=_signal(message.trend, n, f"{field}.trend"),
    )


def _signal(values: Sequence[float], n: int, field: str) -> npt.NDArray[np.float32]:
    """``float32[n]``, or nothing where nothing was sent."""
    if len(values) not in {0, n}:
        raise InvalidInput(field, f"has {len(values)} entries for {n} items; send one each, or none")
    column = np.array(values[:], np.float32)
    if np.isinf(column).any():
        raise InvalidInput(field, "has an infinite entry; send NaN where nothing is known")
    return column


def retrieved_to_proto(retrieved: Retrieved) -> pb.RetrieveResponse:
    """As sent."""
    return pb.RetrieveResponse(
        candidates=candidates_to_proto(retrieved.candidates),
        catalog_revision=encode_token(REVISION, retrieved.catalog_revision),
        versions=versions_to_proto(retrieved.versions),
        degraded=degraded_to_proto(retrieved.degraded),
    )


def retrieved_from_proto(message: pb.RetrieveResponse) -> Retrieved:
    """As received."""
    read = candidates_from_proto(message.candidates, "candidates")
    passed = PassedCandidates(
        read.item_ids, read.source_names, read.masks, read.scores, read.popularity, read.trend
    )
    object.__setattr__(passed, "message", message.candidates)
    return Retrieved(
        passed,
        decode_token(REVISION, message.catalog_revision, "catalog_revision"),
        versions_from_proto(message.versions),
        degraded_from_proto(message.degraded),
        stages_from_proto(message.stages),
        interests_from_bytes(message.interests, "interests"),
    )
