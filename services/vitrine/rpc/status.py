"""Errors as rich statuses (google.rpc.Status with details)."""

import grpc
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from vitrine.errors import BundleRefused, ConfigRefused, InvalidInput, Overloaded, VitrineError

# Whose reasons `google.rpc.ErrorInfo` gives.
DOMAIN = "vitrine.api"

# Where gRPC carries the message in full.
_DETAILS = "grpc-status-details-bin"

# In bytes. A status travels in headers, of which clients take 8 KiB in all: the text once percent-encoded (up to
# three bytes for one) and once in base64 with its details. What a caller sent is quoted no longer than fits.
MAX_TEXT, MAX_FIELD, MAX_VIOLATIONS = 600, 200, 4


def status_of(error: VitrineError) -> grpc.Status:
    """The status that a caller sees.

    `google.rpc.BadRequest` names the fields of an invalid request, `google.rpc.ErrorInfo` why a bundle or a
    configuration is refused, `google.rpc.RetryInfo` when an overloaded server may be asked again.
    """
    status = status_pb2.Status(code=code_pb2.Code.Value(error.status), message=_short(str(error), MAX_TEXT))
    if isinstance(error, InvalidInput):
        detail = any_pb2.Any()
        detail.Pack(
            error_details_pb2.BadRequest(
                field_violations=[
                    error_details_pb2.BadRequest.FieldViolation(
                        field=_short(v.field, MAX_FIELD), description=_short(v.description, MAX_TEXT)
                    )
                    for v in error.violations[:MAX_VIOLATIONS]
                ]
            )
        )
        status.details.append(detail)
    elif isinstance(error, BundleRefused | ConfigRefused):
        what = "served_version" if isinstance(error, BundleRefused) else "served_fingerprint"
        detail = any_pb2.Any()
        detail.Pack(
            error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata={what: error.served})
        )
        status.details.append(detail)
    elif isinstance(error, Overloaded) and error.retry_seconds:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(round(error.retry_seconds * 1000))
        detail = any_pb2.Any()
        detail.Pack(retry)
        status.details.append(detail)
    return _as_grpc(status)


def internal(incident: str) -> grpc.Status:
    """For everything unforeseen: no text of the exception, only a number to look up in the log."""
    return _as_grpc(
        status_pb2.Status(
            code=code_pb2.INTERNAL, message=f"internal error; the server's log has it as incident {incident}"
        )
    )


def _short(text: str, limit: int) -> str:
    """Both ends of a text that is too long: what it is about, and what to do."""
    encoded = text.encode()
    if len(encoded) <= limit:
        return text
    half = limit // 2 - 4
    return f"{encoded[:half].decode(errors='ignore')} … {encoded[-half:].decode(errors='ignore')}"


def serialised(status: grpc.Status) -> bytes:
    """A status of `status_of` or `internal` as a message, for another process; `from_serialised` reads it."""
    values = [value for key, value in status.trailing_metadata or () if key == _DETAILS]
    return values[0] if values and isinstance(values[0], bytes) else b""


def from_serialised(data: bytes) -> grpc.Status:
    """The inverse of `serialised`."""
    return _as_grpc(status_pb2.Status.FromString(data))


def _as_grpc(status: status_pb2.Status) -> grpc.Status:
    made: grpc.Status = rpc_status.to_status(status)
    return made
