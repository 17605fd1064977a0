"""Errors as rich statuses (google.rpc.Status with details)."""

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from vitrine.errors import InvalidInput, VitrineError


def status_of(error: VitrineError) -> grpc.Status:
    """The status that a caller sees; `google.rpc.BadRequest` names the fields of an invalid request."""
    status = status_pb2.Status(code=code_pb2.Code.Value(error.status), message=str(error))
    if isinstance(error, InvalidInput):
        detail = any_pb2.Any()
        detail.Pack(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(field=v.field, description=v.description)
                    for v in error.violations
                ]
            )
        )
        status.details.append(detail)
    return _as_grpc(status)


def internal(incident: str) -> grpc.Status:
    """For everything unforeseen: no text of the exception, only a number to look up in the log."""
    return _as_grpc(
        status_pb2.Status(
            code=code_pb2.INTERNAL, message=f"internal error; the server's log has it as incident {incident}"
        )
    )


def _as_grpc(status: status_pb2.Status) -> grpc.Status:
    made: grpc.Status = rpc_status.to_status(status)
    return made
