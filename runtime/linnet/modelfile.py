"""What a model file says before anything in it is run.

An ONNX file is a protobuf message. This walks its fields with a few dozen lines of Python, because
onnxruntime can only load a file whole: it would follow references to other files, and start whatever the
graph holds. Weights are skipped by their length, so the walk takes milliseconds.

Field numbers are those of ``onnx.proto`` (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), the
encoding is described at https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field

from linnet.card import METADATA_KEY, Card
from linnet.errors import CardError, ModelError, ModelNotFoundError

__all__ = ["MAX_BYTES", "Contents", "card_of", "inspect", "read", "read_card"]

MAX_BYTES = 200_000_000
"""Larger files are refused: the models here are of a few MB, and the whole file has to be in memory."""

_MAX_FIELDS = 1_000_000
_MAX_DEPTH = 64

# message -> field number -> the message in that field; all other fields are skipped.
_MESSAGES = {
    "model": {7: "graph", 14: "entry", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 11: "attribute"},
}
_VARINT, _BYTES8, _LENGTH, _BYTES4 = 0, 1, 2, 5


@dataclass
class Contents:
    """What a file holds, as far as it must be known before the file is loaded."""

    metadata: dict[str, str] = field(default_factory=dict)
    graphs: int = 0
    """Graphs in it: the main one, and those inside Loop, Scan, If and the like."""
    functions: int = 0
    """Functions of its own, which may call each other without end."""
    external: bool = False
    """Whether a tensor's values stand in another file."""


def read(path: str | os.PathLike[str]) -> bytes:
    """The bytes of the model file at ``path``.

    Raises ModelNotFoundError where there is none, and ModelError where it is not a plain file, empty, larger
    than MAX_BYTES, or not readable.
    """
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise ModelError(f"{path} is not a plain file; name the .onnx file itself")
        if status.st_size > MAX_BYTES:
            raise ModelError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB, so it is no Linnet model")
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES)
    except FileNotFoundError:
        raise ModelNotFoundError(f"there is no model file {path}; check the path") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        raise ModelError(f"{path} cannot be read ({error}); check its path and permissions") from None
    if not data:
        raise ModelError(f"{path} is empty; download or export it again")
    return data


def read_card(path: str | os.PathLike[str]) -> Card:
    """The card of the model file at ``path``, without loading the model.

    Raises ModelError as `read` and `inspect` do, and CardError where there is no card or it is not
    understood.
    """
    return card_of(inspect(read(path), str(path)), str(path))


def card_of(contents: Contents, name: str) -> Card:
    """The card in ``contents``; ``name`` is the file's, for the CardError where it is missing or unusable."""
    text = contents.metadata.get(METADATA_KEY)
    if text is None:
        raise CardError(f"{name} has no Linnet model card; use a file that Linnet exported")
    try:
        return Card.from_json(text)
    except CardError as error:
        raise CardError(f"{name}: {error}") from None


def inspect(data: bytes, name: str) -> Contents:
    """Walk the bytes of the file called ``name``. Raises ModelError where they are not an ONNX model."""
    try:
        contents = _walk(data)
    except (ValueError, IndexError):
        raise ModelError(f"{name} is not an ONNX model, or is damaged; download or export it again") from None
    if not contents.graphs:
        raise ModelError(f"{name} is not an ONNX model: it holds no graph; name a file that Linnet exported")
    return contents


def _walk(data: bytes) -> Contents:
    contents = Contents()
    budget = _MAX_FIELDS
    todo = [("model", 0, len(data), 0)]
    while todo:
        message, start, end, depth = todo.pop()
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deeply")
        if message == "entry":
            key, value = _read_entry(data, start, end)
            contents.metadata[key] = value
            continue
        if message == "graph":
            contents.graphs += 1
        elif message == "function":
            contents.functions += 1
        inner = _MESSAGES.get(message, {})
        found = []
        for number, wire, first, last in _fields(data, start, end):
            budget -= 1
            if budget < 0:
                raise ValueError("too many fields")
            if message == "tensor":
                # external_data = 13 and data_location = 14, of which only 0 means "here".
                if number == 13 or (number == 14 and wire == _VARINT and first):
                    contents.external = True
            elif wire == _LENGTH and number in inner:
                found.append((inner[number], first, last, depth + 1))
        todo += reversed(
            found
        )  # popped in the order of the file, so that of two equal keys the later one counts
    return contents


def _fields(data: bytes, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """(number, wire type, first byte, byte after the last) of each field; for a varint (.., its value, 0)."""
    while at < end:
        tag, at = _varint(data, at, end)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(data, at, end)
            yield number, wire, value, 0
            continue
        if wire == _LENGTH:
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


def _read_entry(data: bytes, start: int, end: int) -> tuple[str, str]:
    texts = {1: b"", 2: b""}
    for number, wire, first, last in _fields(data, start, end):
        if wire == _LENGTH:
            texts[number] = data[first:last]
    return texts[1].decode(), texts[2].decode()  # UnicodeDecodeError is a ValueError
