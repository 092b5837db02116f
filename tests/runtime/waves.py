"""WAV files, their headers saying whatever a test wants."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE


def tone(seconds: float = 0.5, rate: int = 16_000, hertz: float = 440.0) -> NDArray[np.float32]:
    time = np.arange(round(seconds * rate)) / rate
    wave: NDArray[np.float32] = (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)
    return wave


def encode(samples: NDArray[np.float32], bits: int, encoding: int = PCM) -> bytes:
    coded: NDArray[np.generic]
    if encoding == FLOAT:
        coded = samples.astype(f"<f{bits // 8}")
    elif bits == 8:
        coded = (np.rint(samples * 128) + 128).clip(0, 255).astype(np.uint8)
    else:
        most = 1 << (bits - 1)
        whole = np.rint(samples.astype(np.float64) * most).clip(-most, most - 1).astype(np.int64)
        if bits == 24:
            return b"".join(int(value).to_bytes(3, "little", signed=True) for value in whole.ravel())
        coded = whole.astype(f"<i{bits // 8}")
    return coded.tobytes()


def wav_bytes(
    data: bytes,
    *,
    rate: int = 16_000,
    channels: int = 1,
    bits: int = 16,
    encoding: int = PCM,
    extensible: bool = False,
    claimed: int | None = None,
    before: bytes = b"",
) -> bytes:
    """A WAV file, its header saying whatever the test wants."""
    frame = channels * (bits // 8)
    layout = struct.pack(
        "<HHIIHH",
        EXTENSIBLE if extensible else encoding,
        channels,
        rate % (1 << 32),
        rate * frame % (1 << 32),
        frame % (1 << 16),
        bits,
    )
    if extensible:
        tail = bytes.fromhex("000000001000800000aa00389b71")
        layout += struct.pack("<HHIH", 22, bits, 0, encoding) + tail
    body = b"WAVE" + before + b"fmt " + struct.pack("<I", len(layout)) + layout
    body += b"data" + struct.pack("<I", len(data) if claimed is None else claimed) + data
    return b"RIFF" + struct.pack("<I", len(body) % (1 << 32)) + body


def save(folder: Path, content: bytes, name: str = "it.wav") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
