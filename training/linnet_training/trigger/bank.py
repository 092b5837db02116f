"""The feature bank: every training clip in several variants, as log-mel frames in one array.

Reading, resampling and reverberating audio is done once, here. What is drawn afresh for each batch (noise,
level, tone, placement, masking) works on these frames.
"""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path

import numpy as np
import torch

import linnet.audio
from linnet.errors import AudioError
from linnet.files import whole
from linnet_training.trigger import augment
from linnet_training.trigger.endpoint import speech_bounds
from linnet_training.trigger.frontend import HOP, MELS, SAMPLE_RATE, log_mel

UNIT = 8
"""Clips are padded to this many frames (80 ms), the grid of the teacher's embeddings."""
_BEFORE = int(0.30 * SAMPLE_RATE)
_AFTER = int(0.50 * SAMPLE_RATE)
_SEGMENT = 4 * SAMPLE_RATE


class Kind(IntEnum):
    """What a clip is good for."""

    POSITIVE = 0
    SPEECH = 1
    """Running speech without any keyword: cropped or cut at random."""
    WORD = 2
    """One short utterance without any keyword, used whole: the hardest negatives."""
    NOISE = 3


@dataclass(frozen=True)
class Source:
    """One recording to put into the bank."""

    audio: Path | np.ndarray
    kind: Kind
    keyword: int = -1
    """Index of the keyword said, for positives."""
    variants: int = 1
    seed: int = 0


@dataclass(frozen=True)
class Bank:
    """Clips as consecutive frames of one array.

    Arrays of shape (clips,) say where each clip starts (`offset`) and how many frames it has (`frames`), its
    `kind` and `keyword`, and for positives between which frames the word is (`start`, `end`); `family`
    numbers the recording that variants share.
    """

    mel: np.ndarray
    """Log-mel frames, float16, shape (all frames, MELS)."""
    teacher: np.ndarray
    """Embeddings of the undisturbed audio, float16, (all frames / UNIT, size); size 0 without a teacher."""
    offset: np.ndarray
    frames: np.ndarray
    kind: np.ndarray
    keyword: np.ndarray
    start: np.ndarray
    end: np.ndarray
    family: np.ndarray

    def __len__(self) -> int:
        return len(self.offset)

    def of(self, kind: Kind) -> np.ndarray:
        """Indices of all clips of a kind."""
        return np.flatnonzero(self.kind == kind)

    def save(self, path: Path) -> None:
        """Write as .npz, whole or not at all; raises OutputError where that cannot be done."""
        with whole(path) as file:
            np.savez(file, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def load(cls, path: Path) -> "Bank":
        """Read what `save` wrote."""
        with np.load(path) as file:
            return cls(**{name: file[name] for name in cls.__dataclass_fields__})

    @classmethod
    def join(cls, banks: Sequence["Bank"]) -> "Bank":
        """One bank of several, clips in order; `family` stays distinct."""
        banks = [bank for bank in banks if len(bank)] or banks[:1]
        frame_shift = np.cumsum([0] + [len(bank.mel) for bank in banks])
        family_shift = np.cumsum([0] + [int(bank.family.max(initial=-1)) + 1 for bank in banks])
        moved = [
            replace(bank, offset=bank.offset + frame_shift[i], family=bank.family + family_shift[i])
            for i, bank in enumerate(banks)
        ]
        return cls(
            **{
                name: np.concatenate([getattr(bank, name) for bank in moved])
                for name in cls.__dataclass_fields__
            }
        )


Teacher = Callable[[np.ndarray], np.ndarray]
"""Audio (samples,) -> embeddings (samples // (UNIT x HOP), size)."""


def build(
    sources: Sequence[Source],
    rooms: Sequence[np.ndarray] = (),
    teacher: Callable[[], Teacher] | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> Bank:
    """Compute the bank of these sources.

    Args:
        sources: what to read; unreadable recordings are left out.
        rooms: impulse responses for augmentation.
        teacher: makes the teacher in each worker (a loaded network does not travel between processes).
        workers: processes to use; 0 stays in this one.
        progress: called with (sources done, all).

    Returns:
        a bank whose `family` is the index into `sources`.
    """
    jobs = [(i, source) for i, source in enumerate(sources)]
    chunks = [jobs[i : i + 16] for i in range(0, len(jobs), 16)]
    parts: list[list[_Clip]] = []
    if workers:
        with ProcessPoolExecutor(workers, initializer=_start_worker, initargs=(list(rooms), teacher)) as pool:
            results: Iterable[list[_Clip]] = pool.map(_clips_of, chunks)
            for part in results:
                parts.append(part)
                if progress:
                    progress(min(16 * len(parts), len(jobs)), len(jobs))
    else:
        _start_worker(list(rooms), teacher)
        for chunk in chunks:
            parts.append(_clips_of(chunk))
            if progress:
                progress(min(16 * len(parts), len(jobs)), len(jobs))
    return _gather([clip for part in parts for clip in part])


@dataclass(frozen=True)
class _Clip:
    mel: np.ndarray
    teacher: np.ndarray
    kind: int
    keyword: int
    start: int
    end: int
    family: int


_rooms: list[np.ndarray] = []
_teacher: Teacher | None = None


def _start_worker(rooms: list[np.ndarray], teacher: Callable[[], Teacher] | None) -> None:
    global _rooms, _teacher
    torch.set_num_threads(1)
    _rooms = rooms
    _teacher = teacher() if teacher else None


def _clips_of(jobs: list[tuple[int, Source]]) -> list[_Clip]:
    clips = []
    for family, source in jobs:
        try:
            audio = source.audio if isinstance(source.audio, np.ndarray) else linnet.audio.read(source.audio)
        except AudioError:
            continue
        if audio.dtype == np.int16:
            audio = audio.astype(np.float32) / 32768
        if len(audio) < SAMPLE_RATE // 10 or not np.any(audio):
            continue
        rng = np.random.default_rng([source.seed, family])
        for variant in range(source.variants):
            clips.extend(_variant(audio, source, family, variant, rng))
    return clips


def _variant(
    audio: np.ndarray, source: Source, family: int, variant: int, rng: np.random.Generator
) -> list[_Clip]:
    """One variant of a recording, in segments of at most four seconds."""
    if source.kind in (Kind.POSITIVE, Kind.WORD):
        start, end = speech_bounds(audio)
        first, last = max(0, start - _BEFORE), min(len(audio), end + _AFTER)
        audio, start, end = audio[first:last], start - first, end - first
    else:
        start = end = -HOP
    if variant > 0 and source.kind != Kind.NOISE:
        varied = augment.vary(audio, rng)
        scale = len(varied) / len(audio)
        audio, start, end = varied, int(start * scale), int(end * scale)
    audio = augment.level(audio)
    wet = audio
    if variant > 0 and source.kind != Kind.NOISE and rng.random() < augment.ROOM_PROBABILITY:
        wet = augment.level(augment.reverberate(audio, augment.draw_room(rng, _rooms)))
    limit = len(audio) if source.kind == Kind.POSITIVE else _SEGMENT
    clips = []
    for at in range(0, len(audio), limit):
        if at and len(audio) - at < SAMPLE_RATE // 2:
            break
        clips.append(
            _Clip(
                _frames(wet[at : at + limit]),
                _embed(audio[at : at + limit]),
                source.kind,
                source.keyword,
                start // HOP,
                end // HOP,
                family,
            )
        )
    return clips


def _padded(audio: np.ndarray) -> np.ndarray:
    return np.pad(audio, (0, -len(audio) % (UNIT * HOP)))


def _frames(audio: np.ndarray) -> np.ndarray:
    return log_mel(torch.from_numpy(_padded(audio)[None]))[0].numpy().astype(np.float16)


def _embed(audio: np.ndarray) -> np.ndarray:
    padded = _padded(audio)
    if _teacher is None:
        return np.zeros((len(padded) // (UNIT * HOP), 0), np.float16)
    return _teacher(padded).astype(np.float16)


def _gather(clips: list[_Clip]) -> Bank:
    lengths = np.array([len(clip.mel) for clip in clips], np.int64)
    return Bank(
        mel=np.concatenate([clip.mel for clip in clips]) if clips else np.zeros((0, MELS), np.float16),
        teacher=np.concatenate([clip.teacher for clip in clips]) if clips else np.zeros((0, 0), np.float16),
        offset=np.cumsum(lengths) - lengths,
        frames=lengths,
        kind=np.array([clip.kind for clip in clips], np.int8),
        keyword=np.array([clip.keyword for clip in clips], np.int16),
        start=np.array([clip.start for clip in clips], np.int32),
        end=np.array([clip.end for clip in clips], np.int32),
        family=np.array([clip.family for clip in clips], np.int64),
    )
