"""Writes an ONNX model of one node as bytes: serving has no package that does."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

# Numbers of fields and types are those of onnx.proto, version 1.16.
_VARINT, _BYTES = 0, 2
_INT, _STRING, _TENSOR, _INTS, _STRINGS = 2, 3, 4, 7, 8
_ELEMENT = {np.dtype(np.float32): 1, np.dtype(np.float64): 11}
# Every runtime that this project supports reads these (ONNX 1.9, of 2021).
_IR_VERSION, _OPSET, _ML_OPSET = 7, 14, 3

Attribute = int | str | npt.NDArray[np.int64] | npt.NDArray[np.float64] | Sequence[str]


def one_node(
    operator: str,
    domain: str,
    attributes: Mapping[str, Attribute],
    takes: tuple[str, type[np.floating], int],
    gives: tuple[str, type[np.floating], int],
) -> bytes:
    """A model that is one operator from a matrix to a matrix.

    Args:
        operator: Its name.
        domain: Its domain.
        attributes: By name; of numbers whole ones are lists of the protocol, and others a tensor.
        takes: Name, type and columns of the input; it has any number of rows.
        gives: The same of the output.
    """
    node = b"".join(
        (
            _field(1, takes[0]),
            _field(2, gives[0]),
            _field(4, operator),
            *(_field(5, _attribute(name, value)) for name, value in attributes.items()),
            _field(7, domain),
        )
    )
    graph = _field(1, node) + _field(2, operator) + _field(11, _value(*takes)) + _field(12, _value(*gives))
    opsets = (("", _OPSET), (domain, _ML_OPSET))
    return b"".join(
        (
            _number(1, _IR_VERSION),
            _field(7, graph),
            *(_field(8, _field(1, name) + _number(2, version)) for name, version in opsets),
        )
    )


def _attribute(name: str, value: Attribute) -> bytes:
    head = _field(1, name)
    match value:
        case int():
            return head + _number(3, value) + _number(20, _INT)
        case str():
            return head + _field(4, value) + _number(20, _STRING)
        case np.ndarray() if value.dtype.kind == "i":
            return head + _field(8, _varints(value.astype(np.int64))) + _number(20, _INTS)
        case np.ndarray():
            tensor = (
                _number(1, len(value))
                + _number(2, _ELEMENT[value.dtype])
                + _field(8, name)
                + _field(9, value.astype(value.dtype.newbyteorder("<")).tobytes())
            )
            return head + _field(5, tensor) + _number(20, _TENSOR)
    return head + _joined(9, value) + _number(20, _STRINGS)


def _joined(number: int, values: Iterable[str]) -> bytes:
    # Few are different from each other.
    fields: dict[str, bytes] = {}
    return b"".join(fields.get(value) or fields.setdefault(value, _field(number, value)) for value in values)


def _value(name: str, kind: type[np.floating], columns: int) -> bytes:
    shape = _field(1, _field(2, "n")) + _field(1, _number(1, columns))
    tensor = _number(1, _ELEMENT[np.dtype(kind)]) + _field(2, shape)
    return _field(1, name) + _field(2, _field(1, tensor))


def _field(number: int, value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(data)) + data


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _varints(values: npt.NDArray[np.int64]) -> bytes:
    """`_varint` of each, one after the other."""
    parts = [values & 0x7F]
    rest = values >> 7
    more = [rest > 0]
    while more[-1].any():
        parts.append(rest & 0x7F)
        rest = rest >> 7
        more.append(rest > 0)
    written = np.stack([np.ones(len(values), np.bool_), *more[:-1]], axis=1)
    groups = np.stack(parts, axis=1) | np.stack(more, axis=1) * 0x80
    return bytes(groups[written].astype(np.uint8))


def _varint(value: int) -> bytes:
    """Seven bits a byte, the lowest first; none of ours is negative."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
