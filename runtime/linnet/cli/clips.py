"""Keeps the audio around each detection as a small WAV file: ``linnet listen --save``."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet.audio import RATE, write_wav
from linnet.decider import Detection
from linnet.errors import OutputError

__all__ = ["Clips"]

BEFORE_S, AFTER_S = 2.0, 0.5
"""What is kept before and after the moment of detection, which is when the word has just been said."""


class Clips:
    """Writes a clip once the audio after its detection has come, or has ended.

    A clip that cannot be written is reported and counted in ``failed``; listening goes on.
    """

    def __init__(
        self, folder: str | Path, name: Callable[[Detection], str], report: Callable[[str], None]
    ) -> None:
        """Make the folder.

        Args:
            folder: where clips go.
            name: says for a detection what tells its clip from others; the keyword and the score are added.
            report: called with a sentence for each clip that cannot be written.

        Raises OutputError where there can be no such folder.
        """
        self._folder = Path(folder)
        self._name = name
        self._report = report
        self.failed = 0
        self._chunks: deque[NDArray[np.float32]] = deque()
        self._start = self._end = 0  # of the samples held, counted from the start of the stream
        self._waiting: list[tuple[int, Detection, str]] = []  # each with the sample at which its clip ends
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make the folder {folder}: {error.strerror or error}") from error

    def add(self, chunk: NDArray[np.float32], found: Sequence[Detection]) -> None:
        """Take the next samples (samples,) and what was detected in them."""
        self._chunks.append(chunk)
        self._end += len(chunk)
        for each in found:
            self._waiting.append((round((each.time_s + AFTER_S) * RATE), each, self._name(each)))
        while self._waiting and self._waiting[0][0] <= self._end:
            self._write(*self._waiting.pop(0))
        # A detection is at most a network step older than the chunk it comes with, and a clip waits for
        # AFTER_S.
        keep = self._end - round((BEFORE_S + 2 * AFTER_S) * RATE)
        while self._start + len(self._chunks[0]) < keep:
            self._start += len(self._chunks.popleft())

    def close(self) -> None:
        """Write the clips that still wait, with the audio that there is."""
        while self._waiting:
            self._write(*self._waiting.pop(0))

    def _write(self, end: int, found: Detection, name: str) -> None:
        held = np.concatenate(self._chunks)
        first = max(0, end - round((BEFORE_S + AFTER_S) * RATE) - self._start)
        # The keyword comes from the model file: nothing in it may lead out of the folder.
        safe = [re.sub(r"[^\w.-]+", "-", part).strip(".-")[:80] or "x" for part in (found.keyword, name)]
        path = self._folder / f"{safe[0]}_{safe[1]}_{found.score:.2f}.wav"
        try:
            write_wav(path, held[first : end - self._start])
        except OutputError as error:
            self.failed += 1
            self._report(str(error))
