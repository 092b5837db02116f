"""What a model file says before anything in it is run.

An ONNX file is a protobuf message. This walks its fields with a few dozen lines of Python, because
onnxruntime can only load a file whole: it would follow references to other files, and start whatever the
graph holds. Weights are skipped by their length, so the walk takes milliseconds.

A finished file ends with a checksum of all that comes before (`seal`), as one more entry of its metadata, so
that other tools read the file as ever. It matters: a flipped bit in a weight would only make a model worse,
in silence, and onnxruntime has been seen to abort the whole process on damaged graphs.

Field numbers are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations

import os
import stat
from binascii import crc32
from dataclasses import dataclass, field

from linnet.card import METADATA_KEY, Card
from linnet.errors import CardError, ModelError, ModelNotFoundError
from linnet.protobuf import LENGTH, fields

__all__ = ["MAX_BYTES", "Contents", "card_of", "inspect", "read", "read_card", "seal"]

MAX_BYTES = 200_000_000
"""Larger files are refused: the models here are of a few MB, and the whole file has to be in memory."""

_SEAL = "linnet_crc32"
_MAX_FIELDS = 1_000_000
_MAX_DEPTH = 64
_MAX_SIZE = 1 << 24

# message -> field number -> the message in that field, or "text" where it is kept; all else is skipped.
_MESSAGES = {
    "model": {7: "graph", 14: "entry", 25: "function"},
    "entry": {1: "text", 2: "text"},
    "graph": {1: "node", 5: "tensor", 11: "value", 12: "value", 13: "value", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "tensor": {},
    "sparse": {1: "tensor", 2: "tensor"},
    "function": {7: "node", 11: "attribute"},
    "value": {2: "type"},
    "type": {1: "tensor type"},
    "tensor type": {2: "shape"},
    "shape": {1: "size"},
    "size": {},
}


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
    absurd: bool = False
    """Whether an input, output or inner value is declared to be negative or millions in size."""


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


def seal(data: bytes) -> bytes:
    """An ONNX file's bytes with their checksum at the end; nothing may be added or changed afterwards."""
    return data + _seal_of(data)


def inspect(data: bytes, name: str) -> Contents:
    """Walk the bytes of the file called ``name``. Raises ModelError where they are not an ONNX model."""
    try:
        contents = _walk(data)
    except (ValueError, IndexError):
        raise ModelError(f"{name} is not an ONNX model, or is damaged; download or export it again") from None
    if _SEAL in contents.metadata:
        sealed_length = len(data) - len(_seal_of(b""))
        if data[sealed_length:] != _seal_of(data[:sealed_length]):
            raise ModelError(
                f"{name} is damaged, or was changed after Linnet made it: its checksum differs; "
                "download or export it again"
            )
    if not contents.graphs:
        raise ModelError(f"{name} is not an ONNX model: it holds no graph; name a file that Linnet exported")
    return contents


def _seal_of(data: bytes) -> bytes:
    """Bytes that append the checksum of ``data`` to the list ``metadata_props`` (14) of an ONNX file."""
    key, value = _SEAL.encode(), f"{crc32(data):08x}".encode()
    entry = b"\x0a" + bytes([len(key)]) + key + b"\x12" + bytes([len(value)]) + value
    return bytes([14 << 3 | LENGTH, len(entry)]) + entry


def _walk(data: bytes) -> Contents:
    contents = Contents()
    budget = _MAX_FIELDS
    todo = [("model", 0, len(data), 0)]
    while todo:
        message, start, end, depth = todo.pop()
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deeply")
        inner = _MESSAGES[message]
        texts = {1: b"", 2: b""}
        found = []
        for number, wire, first, last in fields(data, start, end):
            budget -= 1
            if budget < 0:
                raise ValueError("too many fields")
            if wire == LENGTH:
                what = inner.get(number)
                if what == "text":
                    texts[number] = data[first:last]
                elif what is not None:
                    found.append((what, first, last, depth + 1))
            if message == "tensor" and (number == 13 or (number == 14 and first)):
                contents.external = True  # external_data, and data_location, of which only 0 means "here"
            if message == "size" and number == 1 and first > _MAX_SIZE:
                contents.absurd = True  # negative sizes are enormous in this encoding
        if message == "graph":
            contents.graphs += 1
        elif message == "function":
            contents.functions += 1
        elif message == "entry":
            contents.metadata[texts[1].decode()] = texts[2].decode()  # UnicodeDecodeError is a ValueError
        # Taken in the order of the file, so that of two equal keys the later one counts.
        todo += reversed(found)
    return contents
