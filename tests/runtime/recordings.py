"""Recordings that the tiny model hears something in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def tones(*starts: float, seconds: float) -> NDArray[np.float32]:
    """Silence with a loud tone of 0.2 s at each of the times, which the tiny model hears as "loud"."""
    samples = np.zeros(round(seconds * 16_000), np.float32)
    for start in starts:
        first = round(start * 16_000)
        samples[first : first + 3_200] = 0.9 * np.sin(2 * np.pi * 200 * np.arange(3_200) / 16_000)
    return samples


def pcm(samples: NDArray[np.float32]) -> bytes:
    return np.rint(samples * 32767).astype("<i2").tobytes()
