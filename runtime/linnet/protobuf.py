"""Reads the fields of a protobuf message, without knowing what they mean.

The encoding is described at https://protobuf.dev/programming-guides/encoding. What is not well-formed is a
ValueError or an IndexError; groups, which ONNX never uses, count as such.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["LENGTH", "VARINT", "fields"]

VARINT = 0
"""Wire type of integers."""
LENGTH = 2
"""Wire type of texts, bytes and messages."""
_BYTES8, _BYTES4 = 1, 5


def fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of the message in ``data[at:end]``.

    Each is (number, wire type, first byte, byte after the last), or (number, VARINT, value, 0).
    """
    while at < end:
        tag, at = _varint(data, at, end)
        number, wire = tag >> 3, tag & 7
        if wire == VARINT:
            value, at = _varint(data, at, end)
            yield number, wire, value, 0
            continue
        if wire == LENGTH:
            size, at = _varint(data, at, end)
        elif wire == _BYTES4:
            size = 4
        elif wire == _BYTES8:
            size = 8
        else:
            raise ValueError("a group or an unknown wire type")
        if number == 0 or at + size > end:
            raise ValueError("a field that leaves its message")
        yield number, wire, at, at + size
        at += size


def _varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The variable-length integer at ``at``, and where the next field begins."""
    byte = data[at]
    if byte < 128 and at < end:
        return byte, at + 1
    value = shift = 0
    while at < end and shift < 70:
        byte = data[at]
        value |= (byte & 127) << shift
        at += 1
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("a varint that does not end")
