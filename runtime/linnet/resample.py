"""Any sample rate to 16 kHz, properly filtered, a chunk at a time."""

from __future__ import annotations

from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from linnet.errors import AudioFormatError, MissingPackageError
from linnet.extras import install

__all__ = ["RATE", "Resampler"]

RATE = 16_000
"""Samples per second of every source."""

LOWEST_RATE, HIGHEST_RATE = 4_000, 768_000


class Resampler:
    """Turns mono float32 audio of one rate into 16 kHz, keeping the filter's state between chunks.

    Uses soxr's "HQ" setting: a linear-phase filter, flat to 0.91 of the Nyquist frequency. At 16 kHz nothing
    is done and soxr is not needed. Raises AudioFormatError for a rate that no recording has,
    MissingPackageError where soxr is needed and missing.
    """

    def __init__(self, rate: int, name: str) -> None:
        if not LOWEST_RATE <= rate <= HIGHEST_RATE:
            raise AudioFormatError(
                f"{name} claims {rate} samples per second; {LOWEST_RATE} to {HIGHEST_RATE} can be read"
            )
        self._soxr = None
        if rate != RATE:
            try:
                self._soxr = import_module("soxr").ResampleStream(rate, RATE, 1, dtype="float32")
            except (ImportError, OSError):
                raise MissingPackageError(
                    f"{name} has {rate} samples per second and changing that to {RATE} needs soxr: "
                    f"{install('audio')}"
                ) from None

    def __call__(self, mono: NDArray[np.float32], *, last: bool = False) -> NDArray[np.float32]:
        """What is ready of the audio so far, float32 (samples,), within -1 to 1; all of it with ``last``."""
        if self._soxr is not None:
            mono = self._soxr.resample_chunk(mono, last=last)
        # A filter overshoots at the edges of clipped audio.
        return np.clip(mono, -1, 1)
