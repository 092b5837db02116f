"""The test stream: recordings of the keywords hidden in hours of other people's speech, clean or in noise.

The construction is that of Picovoice's wake-word-benchmark (github.com/Picovoice/wake-word-benchmark, its
mixer.py): the recordings of the keywords in random order, as much other speech before, between and after,
each recording brought to the same peak; noise recordings, brought to the same peak too, run under all of it,
and each piece of speech is set so much louder than the noise beneath it as the signal-to-noise ratio says,
measured at the loudest 32 ms of both.

It departs from that in three ways. All background speaks (`speech_share` is 1.0; there only a fifth does, and
the rest is silence) and no recording is used again before all have been: false alarms come from speech, and a
few minutes of it, repeated, tell little about hours. All keywords share one stream, each being background for
the others. And a noise recording that pauses does not silence the speech above it: see `QUIETEST_NOISE`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linnet import audio
from linnet.cli.progress import watched
from linnet.errors import DataError

RATE = 16_000
LONGEST = 20 * RATE
SHORTEST = 2 * RATE
"""Recordings of other speech are cut into parts of at most `LONGEST` samples, or as long as the mean gap
between keywords where that is less, but not below `SHORTEST`: so there is speech between any two keywords."""

FRAME = 512
"""Samples over which the power of speech and noise is measured: 32 ms."""

QUIETEST_NOISE = 10 ** (-40 / 20)
"""Root mean square of the noise (1.0 is full scale) below which speech is not made any quieter: -40 dB."""

SUFFIXES = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"})

Samples = NDArray[np.float32]


@dataclass(frozen=True)
class Piece:
    """A stretch of the stream: (a part of) a recording, or as much silence. All in samples."""

    path: Path
    offset: int  # from the beginning of the recording
    length: int
    start: int  # from the beginning of the stream
    keyword: str | None  # None is background
    silent: bool


class ListeningTest:
    """Keywords among other speech, made piece by piece, the same at every reading.

    Recordings are held as int16 (115 MB per hour of those that differ), the mixture never as a whole.
    """

    def __init__(
        self,
        positives: Mapping[str, Sequence[Path]],
        negatives: Sequence[Path],
        noise: Sequence[Path] = (),
        *,
        hours: float | None = None,
        speech_share: float = 1.0,
        seed: int = 0,
    ) -> None:
        """Lay out the stream; this reads every recording of speech that it needs.

        Args:
            positives: for each keyword its recordings, one utterance each, any silence around it.
            negatives: recordings of speech without any of the keywords.
            noise: recordings of noise without any of the keywords; needed for `pieces(snr_db=...)`.
            hours: how much background there is, above 0; None takes every negative recording once.
            speech_share: how much of the background speaks, 0 to 1; the rest is silence of the same length.
            seed: of the order of the recordings and of the choice of noise.

        Raises:
            DataError: a keyword has no recordings, or there is no background or no sound in it.
            AudioError: a recording cannot be read.
        """
        self._recordings: dict[Path, NDArray[np.int16]] = {}
        self._noise = list(noise)
        self._seed = seed
        self.layout = self._lay_out(positives, negatives, hours, speech_share)
        self.seconds = (self.layout[-1].start + self.layout[-1].length) / RATE
        self.intervals: dict[str, list[tuple[float, float]]] = {keyword: [] for keyword in positives}
        """For each keyword the start and end, in seconds, of each of its recordings, rising."""
        for piece in self.layout:
            if piece.keyword is not None:
                span = (piece.start / RATE, (piece.start + piece.length) / RATE)
                self.intervals[piece.keyword].append(span)
        background = [piece for piece in self.layout if piece.keyword is None]
        different = {(piece.path, piece.offset): piece.length for piece in background}
        self.background_hours = sum(piece.length for piece in background) / RATE / 3600
        self.repeats = self.background_hours * 3600 * RATE / sum(different.values())
        """How often a negative recording is heard: above 1.0 where more hours are asked for than exist."""

    def hours_without(self, keyword: str) -> float:
        """Hours of the stream in which this keyword is not said, where an event is a false alarm."""
        return (self.seconds - sum(end - start for start, end in self.intervals[keyword])) / 3600

    def pieces(self, snr_db: float | None = None) -> Iterator[Samples]:
        """The audio, 16 kHz mono, float32 (samples,) within -1 to 1, one piece of the layout after the other.

        Args:
            snr_db: loudness of the speech over the noise in decibels; None is clean.

        Raises:
            DataError: noise is asked for and there is none, or only silence.
        """
        if snr_db is None:
            yield from (self._speech(piece) for piece in self.layout)
            return
        loudest = max(float(np.abs(mixed).max(initial=0)) for mixed in self._mixed(snr_db))
        for mixed in self._mixed(snr_db):
            yield mixed / np.float32(loudest)

    def _lay_out(
        self,
        positives: Mapping[str, Sequence[Path]],
        negatives: Sequence[Path],
        hours: float | None,
        speech_share: float,
    ) -> list[Piece]:
        for keyword, paths in positives.items():
            if not paths:
                raise DataError(f"there are no recordings of {keyword!r} to look for; give some")
        if not positives or not negatives:
            raise DataError("a test needs recordings of the keyword and of other speech; give some of both")
        random = np.random.default_rng([self._seed, 0])
        said = [(keyword, path) for keyword, paths in positives.items() for path in paths]
        said = [said[i] for i in random.permutation(len(said))]
        background = self._background(negatives, hours, random)
        total = sum(len(self._recording(path)) for path in background)
        # No part is longer than the mean gap, so that every gap has some.
        longest = max(SHORTEST, min(LONGEST, total // (len(said) + 1)))
        parts = [
            (path, offset, min(longest, len(self._recording(path)) - offset))
            for path in background
            for offset in range(0, len(self._recording(path)), longest)
        ]

        layout: list[Piece] = []
        position = spent = taken = 0
        for gap in range(len(said) + 1):
            while taken < len(parts) and spent * (len(said) + 1) < total * (gap + 1):
                path, offset, length = parts[taken]
                silent = bool(random.random() >= speech_share)
                layout.append(Piece(path, offset, length, position, None, silent))
                position, spent, taken = position + length, spent + length, taken + 1
            if gap < len(said):
                keyword, path = said[gap]
                layout.append(Piece(path, 0, len(self._recording(path)), position, keyword, False))
                position += layout[-1].length
        return layout

    def _background(
        self, negatives: Sequence[Path], hours: float | None, random: np.random.Generator
    ) -> list[Path]:
        """Negative recordings in random order, all before any a second time, until there are enough."""
        chosen: list[Path] = []
        wanted = np.inf if hours is None else hours * 3600 * RATE
        samples = 0
        while samples < wanted:
            before = samples
            for i in watched(random.permutation(len(negatives))):
                chosen.append(negatives[i])
                samples += len(self._recording(negatives[i]))
                if samples >= wanted:
                    break
            if samples == before:
                raise DataError("the recordings of other speech are all empty; give some that are not")
            if hours is None:
                break
        return chosen

    def _recording(self, path: Path) -> NDArray[np.int16]:
        """A recording brought to full scale; one without any sound stays as it is."""
        if path not in self._recordings:
            pcm = audio.read(path)
            peak = max(float(np.abs(pcm).max(initial=0)), 1e-9)
            self._recordings[path] = np.rint(pcm * np.float32(32767 / peak)).astype(np.int16)
        return self._recordings[path]

    def _speech(self, piece: Piece) -> Samples:
        if piece.silent:
            return np.zeros(piece.length, dtype=np.float32)
        return _float(self._recording(piece.path)[piece.offset : piece.offset + piece.length])

    def _mixed(self, snr_db: float) -> Iterator[Samples]:
        """Speech in noise, before it is brought within -1 to 1."""
        noise = self._endless_noise()
        for piece in self.layout:
            speech, beneath = self._speech(piece), noise.take(piece.length)
            loudness = max(_loudest_frame(beneath), QUIETEST_NOISE**2)
            # Of the whole recording: a part of it may be a pause, which must not be blown up to speech.
            power = _loudest_frame(_float(self._recording(piece.path)))
            scale = np.sqrt(loudness * 10 ** (snr_db / 10) / power) if power > 0 else 0.0
            yield beneath + speech * np.float32(scale)

    def _endless_noise(self) -> "_Tape":
        if not any(self._recording(path).any() for path in self._noise):
            raise DataError("noise is asked for and there is no recording of any; give a folder of noise")
        random = np.random.default_rng([self._seed, 1])

        def recordings() -> Iterator[Samples]:
            while True:
                yield _float(self._recording(self._noise[random.integers(len(self._noise))]))

        return _Tape(recordings())


class _Tape:
    """Recordings one after the other, to be taken off in pieces of any length."""

    def __init__(self, recordings: Iterable[Samples]) -> None:
        self._source = iter(recordings)
        self._rest = np.zeros(0, dtype=np.float32)

    def take(self, samples: int) -> Samples:
        parts, missing = [self._rest], samples - len(self._rest)
        while missing > 0:
            parts.append(next(self._source))
            missing -= len(parts[-1])
        joined = np.concatenate(parts)
        self._rest = joined[samples:]
        return joined[:samples]


def _float(pcm: NDArray[np.int16]) -> Samples:
    return pcm.astype(np.float32) / np.float32(32767)


def _loudest_frame(pcm: Samples) -> float:
    """Mean square of the loudest `FRAME` samples, counted in whole frames; of all if there is none."""
    frames = pcm[: len(pcm) // FRAME * FRAME].reshape(-1, FRAME) if len(pcm) >= FRAME else pcm[np.newaxis]
    return float(np.square(frames).mean(axis=1).max()) if frames.size else 0.0


def recordings(folder: str | Path) -> list[Path]:
    """All audio files in a folder and its subfolders, in the order of their names.

    Raises:
        DataError: there is no such folder, or no audio in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder; give a folder of recordings")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise DataError(
            f"there is no audio in {folder}; give a folder of {', '.join(sorted(SUFFIXES))} files"
        )
    return found
