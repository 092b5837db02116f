"""WAV: the container read and written with nothing but the standard library and NumPy.

Python's ``wave`` module refuses float samples and, before 3.12, the "extensible" header that most programs
write for 24 bits; it also believes sizes that a pipe or a killed recorder left wrong. The format is small, so
it is read here: chunks of a four-letter name, a 32-bit size and that many bytes, of which ``fmt `` and
``data`` matter. Nothing is ever allocated by a size that the file claims. After Microsoft's "Multimedia
Programming Interface and Data Specifications 1.0" (1991), "Multiple channel audio data and WAVE files"
(2001), and EBU Tech 3306 for RF64.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from linnet.errors import AudioFormatError

__all__ = ["CONTAINERS", "OtherEncodingError", "WavFormat", "header", "parse", "samples"]

CONTAINERS = (b"RIFF", b"RF64")
"""First four bytes of the files read here."""

MAX_CHANNELS = 64

_PCM, _FLOAT, _EXTENSIBLE = 1, 3, 0xFFFE
_GUID_TAIL = bytes.fromhex(
    "000000001000800000aa00389b71"
)  # an extensible header's encoding is its number, then this
_LONGEST_PREAMBLE = 1 << 26  # bytes of other chunks (cover pictures, notes) before the samples must begin
_UNKNOWN_SIZE = 0x7FFF_0000  # arecord, sox and others write sizes from here up when they write to a pipe


class OtherEncodingError(AudioFormatError):
    """A WAV file whose samples are encoded in a way not read here (A-law, ADPCM, MP3, ...)."""


@dataclass(frozen=True)
class WavFormat:
    """How the samples of a WAV file are laid out. The defaults are what raw PCM is taken for."""

    rate: int = 16_000
    """Frames per second."""
    channels: int = 1
    width: int = 2
    """Bytes per sample."""
    floating: bool = False
    data_bytes: int | None = None
    """Size of the samples as the header has it; None where it does not, and they go on to the file's end."""


def parse(stream: BinaryIO, magic: bytes, name: str) -> WavFormat:
    """Read the header, and leave ``stream`` at the first sample.

    Args:
        stream: the file, its first four bytes already read; it need not be seekable.
        magic: those four bytes, one of CONTAINERS.
        name: what to call the file in errors.

    Raises AudioFormatError for a header that is truncated, contradictory or absurd, OtherEncodingError for an
    encoding that is not plain PCM or float.
    """
    if _take(stream, 8, name)[4:] != b"WAVE":
        raise AudioFormatError(f"{name} is a RIFF file but holds no WAV audio; give a recording")
    found: WavFormat | None = None
    large_size: int | None = None
    travelled = 0
    while travelled < _LONGEST_PREAMBLE:
        kind, size = struct.unpack("<4sI", _take(stream, 8, name))
        if kind == b"data":
            if found is None:
                raise AudioFormatError(
                    f"{name} has samples before the header that describes them; it is damaged"
                )
            unknown = size == 0 or size >= _UNKNOWN_SIZE
            return replace(found, data_bytes=large_size or None if unknown else size)
        kept = _take(stream, min(size, 40), name) if kind in (b"fmt ", b"ds64") else b""
        if kind == b"fmt ":
            found = _layout(kept, name)
        elif kind == b"ds64" and magic == b"RF64" and len(kept) >= 16:
            large_size = struct.unpack_from("<Q", kept, 8)[0]
        rest = size + size % 2 - len(kept)
        _skip(stream, min(rest, _LONGEST_PREAMBLE), name)
        travelled += 8 + size
    raise AudioFormatError(f"{name} has no samples in its first {_LONGEST_PREAMBLE >> 20} MB; it is damaged")


def samples(
    stream: BinaryIO, layout: WavFormat, frames: int, first: bytes = b""
) -> Iterator[NDArray[np.float32]]:
    """Read samples, ``frames`` at a time, as float32 (frames, channels), integers scaled to -1 to 1.

    A file shorter than its header says gives what it has, and a frame cut off at the end is left out.

    Args:
        stream: the file, at its first sample.
        layout: what `parse` returned.
        frames: 4 or more.
        first: up to four bytes of samples already read.
    """
    frame_bytes = layout.width * layout.channels
    left = layout.data_bytes
    while left is None or left > 0:
        wanted = frames * frame_bytes if left is None else min(frames * frame_bytes, left)
        raw = first + _read(stream, wanted - len(first))
        first = b""
        whole = len(raw) // frame_bytes * frame_bytes
        if whole:
            yield _decode(raw[:whole], layout).reshape(-1, layout.channels)
        if len(raw) < wanted:
            return
        left = None if left is None else left - wanted


def header(data_bytes: int, rate: int = 16_000) -> bytes:
    """The 44 bytes that stand before ``data_bytes`` bytes of 16-bit mono samples."""
    layout = (16, _PCM, 1, rate, 2 * rate, 2, 16)
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + data_bytes, b"WAVE", b"fmt ", *layout, b"data", data_bytes
    )


def _layout(chunk: bytes, name: str) -> WavFormat:
    """Make sense of a ``fmt `` chunk."""
    if len(chunk) < 16:
        raise AudioFormatError(f"{name} has a WAV header cut short; it is damaged")
    encoding, channels, rate, _, frame_bytes, bits = struct.unpack_from("<HHIIHH", chunk)
    if encoding == _EXTENSIBLE and len(chunk) == 40 and chunk[26:] == _GUID_TAIL:
        encoding = struct.unpack_from("<H", chunk, 24)[0]
    if not 1 <= channels <= MAX_CHANNELS:
        raise AudioFormatError(f"{name} claims {channels} channels; 1 to {MAX_CHANNELS} can be read")
    width = (bits + 7) // 8
    if encoding not in (_PCM, _FLOAT) or width not in ((1, 2, 3, 4) if encoding == _PCM else (4, 8)):
        raise OtherEncodingError(
            f"{name} has WAV encoding {encoding:#x} with {bits} bits, which is not plain PCM"
        )
    if frame_bytes != channels * width:
        raise AudioFormatError(f"{name} has a WAV header that contradicts itself; it is damaged")
    return WavFormat(rate, channels, width, encoding == _FLOAT)


def _decode(raw: bytes, layout: WavFormat) -> NDArray[np.float32]:
    samples: NDArray[np.float32]
    if layout.floating:
        with np.errstate(over="ignore", invalid="ignore"):  # the caller looks for what is not finite
            samples = np.frombuffer(raw, f"<f{layout.width}").astype(np.float32)
        return samples
    if layout.width == 1:
        samples = np.frombuffer(raw, np.uint8).astype(np.float32)
        samples -= 128
        samples /= 128
        return samples
    if layout.width == 3:  # into the upper three bytes of 32 bits
        padded = np.zeros((len(raw) // 3, 4), np.uint8)
        padded[:, 1:] = np.frombuffer(raw, np.uint8).reshape(-1, 3)
        raw = padded.tobytes()
    samples = np.frombuffer(raw, "<i2" if layout.width == 2 else "<i4").astype(np.float32)
    samples /= 1 << (15 if layout.width == 2 else 31)
    return samples


def _read(stream: BinaryIO, size: int) -> bytes:
    """``size`` bytes, or fewer at the end: an unbuffered pipe hands over what it has."""
    data = stream.read(size) or b""
    while 0 < len(data) < size:
        more = stream.read(size - len(data))
        if not more:
            break
        data += more
    return data


def _take(stream: BinaryIO, size: int, name: str) -> bytes:
    data = _read(stream, size)
    if len(data) < size:
        raise AudioFormatError(
            f"{name} ends inside its WAV header; it is damaged or was not written to the end"
        )
    return data


def _skip(stream: BinaryIO, size: int, name: str) -> None:
    while size > 0:
        size -= len(_take(stream, min(size, 1 << 16), name))
