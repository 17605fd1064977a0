"""Statuses of a server as the errors that a caller catches."""

from typing import Any

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from vitrine.errors import (
    FieldViolation,
    InvalidInput,
    NotFound,
    NotReady,
    Timeout,
    TooLarge,
    Unavailable,
    VitrineError,
)

_ERRORS: dict[grpc.StatusCode, type[VitrineError]] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: Timeout,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    # Not by this caller, which would see no status: by a server that stops before it takes up the call.
    grpc.StatusCode.CANCELLED: Unavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: TooLarge,
    grpc.StatusCode.FAILED_PRECONDITION: NotReady,
}


def error_of(failure: Any) -> VitrineError:
    """The error for a failed call (a `grpc.RpcError` of either kind); an invalid request names its fields."""
    code, text = failure.code(), failure.details() or ""
    if code in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}:
        kind = NotFound if code is grpc.StatusCode.NOT_FOUND else InvalidInput
        violations = _violations(failure)
        if violations:
            return kind(violations[0].field, violations[0].description, *violations[1:])
        return kind("request", text)
    return _ERRORS.get(code, VitrineError)(f"{code.name}: {text}")


def _violations(failure: Any) -> list[FieldViolation]:
    status = rpc_status.from_call(failure)
    bad = error_details_pb2.BadRequest()
    for detail in status.details if status else ():
        if detail.Is(bad.DESCRIPTOR):
            detail.Unpack(bad)
    return [FieldViolation(v.field, v.description) for v in bad.field_violations]
