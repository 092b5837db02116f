"""Speak phrases in many voices, speeds and pitches: training data from text alone."""

import logging
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.errors import SynthesisError
from linnet_training.speech.engines import Utterance, batch_size, render, speakable
from linnet_training.speech.voices import Voice, describe, find_voices

__all__ = ["Clip", "Voice", "describe", "find_voices", "speak", "synthesise"]

_log = logging.getLogger(__name__)

SLOWEST, FASTEST = 0.75, 1.35
WIDEST_SEMITONES = 5.0
ATTEMPTS = 5
"""A text that so many voices could not say is taken to be the trouble."""
GIVE_UP_ENGINE = 3
"""An engine is left out once so many of its voices have failed and none has spoken."""


@dataclass(frozen=True)
class Clip:
    """A piece of synthesised speech and how it was made."""

    audio: NDArray[np.float32]
    """16 kHz mono in [-1, 1], with 50 ms of silence at each end; shape (samples,)."""
    text: str
    """What is said, as it was asked for."""
    voice: Voice
    """Who says it."""
    speed: float
    """Tempo as a factor of the voice's usual one, 0.75 to 1.35."""
    pitch: float
    """Semitones above (below, where negative) the voice's usual pitch, -5 to 5."""


@dataclass(frozen=True)
class _Job:
    """One clip to be made: the clip's fields, and the vocal tract in semitones, as formants move."""

    index: int
    text: str
    voice: Voice
    speed: float
    pitch: float
    tract: float
    attempt: int

    def utterance(self) -> Utterance:
        return Utterance(speakable(self.text), self.speed, 2 ** (self.pitch / 12), 2 ** (self.tract / 12))


def speak(voice: Voice, text: str, *, speed: float = 1.0, pitch: float = 1.0) -> NDArray[np.float32]:
    """Return text as one voice says it: 16 kHz mono in [-1, 1], shape (samples,).

    `speed` and `pitch` are factors of the voice's usual tempo and F0, each from 0.5 to 2. Any text is safe:
    what is not English letters, digits or simple punctuation is not spoken. There are 50 ms of silence at
    each end. Raises SynthesisError if nothing speakable is left, if a factor is out of range, or if the
    engine fails, stays silent or takes longer than 30 s.
    """
    if not (0.5 <= speed <= 2.0 and 0.5 <= pitch <= 2.0):
        raise SynthesisError(f"speed and pitch are factors from 0.5 to 2, not {speed} and {pitch}")
    result = render(voice, [Utterance(speakable(text), speed, pitch)])[0]
    if isinstance(result, SynthesisError):
        raise result
    return result


def synthesise(
    texts: Sequence[str],
    *,
    clips: int,
    seed: int,
    voices: Sequence[Voice] | None = None,
    workers: int = 2,
    progress: Callable[[int, int], None] | None = None,
) -> list[Clip]:
    """Speak texts in many ways and return `clips` clips.

    Texts take turns. Each clip has its own voice, speed (0.75 to 1.35), pitch (within 5 semitones) and vocal
    tract (within 4 semitones, and rather like the pitch, as in people). `voices` defaults to all on the
    machine; an engine with many similar voices gets more clips, but not in proportion. `workers` processes
    run at a time, and `progress(done, clips)` is called from the calling thread.

    The same seed, texts and voices give the same clips, as long as no voice fails (and but for piper, which
    cannot be given a seed). A voice that fails is logged as a warning and its remaining clips are given to
    others. Raises SynthesisError if there are no texts or no voices, if a text has nothing to say, or if
    several voices cannot say it.
    """
    if not texts:
        raise SynthesisError("there is no text to synthesise; give at least one phrase")
    for text in texts:
        speakable(text)
    casting = _Casting(find_voices() if voices is None else voices, seed)
    # Turns, in a shuffled order, so that every text is said and none much more often than another.
    order = casting.rng.sample(range(len(texts)), len(texts))
    jobs = [casting.job(index, texts[order[index % len(order)]]) for index in range(clips)]
    made: dict[int, Clip] = {}
    while jobs:
        failed: list[_Job] = []
        # Threads will do, since the work is done by other processes.
        with ThreadPoolExecutor(max(1, workers)) as pool:
            try:
                running = {pool.submit(casting.perform, batch): batch for batch in _batches(jobs)}
                for future in as_completed(running):
                    for job, result in zip(running[future], future.result(), strict=True):
                        if isinstance(result, np.ndarray):
                            casting.spoke(job.voice)
                            made[job.index] = Clip(result, job.text, job.voice, job.speed, job.pitch)
                        else:
                            casting.fell_silent(job, result)
                            failed.append(job)
                    if progress is not None:
                        progress(len(made), clips)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        # In their own order, not in that in which processes happened to end.
        failed.sort(key=lambda job: job.index)
        jobs = [casting.job(job.index, job.text, job.attempt + 1) for job in failed]
    return [made[index] for index in range(clips)]


class _Casting:
    """Chooses who says what and how, and leaves out voices that fail."""

    def __init__(self, voices: Sequence[Voice], seed: int) -> None:
        self.rng = random.Random(seed)
        self._voices = list(voices)
        self._out: dict[Voice, SynthesisError] = {}
        self._spoken: Counter[str] = Counter()
        self._failed: Counter[str] = Counter()

    def job(self, index: int, text: str, attempt: int = 1) -> _Job:
        engines: dict[str, list[Voice]] = {}
        for voice in self._voices:
            if voice not in self._out:
                engines.setdefault(voice.engine, []).append(voice)
        if not engines:
            nobody = SynthesisError("there is no voice to speak with; give at least one")
            raise next(iter(self._out.values()), nobody)
        # Five hundred espeak-ng voices are variations on one synthesiser, flite's four are four people: clips
        # go by the logarithm of the number.
        weights = [math.log2(1 + len(own)) for own in engines.values()]
        voice = self.rng.choice(self.rng.choices(list(engines.values()), weights)[0])
        speed = self.rng.triangular(SLOWEST, FASTEST, 1.0)
        pitch = _clamp(self.rng.gauss(0.0, 2.5), WIDEST_SEMITONES)
        tract = _clamp(0.6 * pitch + self.rng.gauss(0.0, 1.2), 4.0)
        return _Job(index, text, voice, speed, pitch, tract, attempt)

    def perform(self, batch: Sequence[_Job]) -> list[NDArray[np.float32] | SynthesisError]:
        """Speak jobs that share a voice, unless it failed meanwhile: one wait for one that hangs will do."""
        voice = batch[0].voice
        if voice in self._out:
            return [self._out[voice]] * len(batch)
        return render(voice, [job.utterance() for job in batch])

    def spoke(self, voice: Voice) -> None:
        self._spoken[voice.engine] += 1

    def fell_silent(self, job: _Job, error: SynthesisError) -> None:
        if job.attempt >= ATTEMPTS:
            raise error
        voice = job.voice
        if voice in self._out:
            return
        _log.warning("a voice is left out: %s", error)
        self._out[voice] = error
        self._failed[voice.engine] += 1
        if self._failed[voice.engine] >= GIVE_UP_ENGINE and not self._spoken[voice.engine]:
            _log.warning("%s is left out altogether, since none of its voices has spoken", voice.engine)
            self._out |= {other: error for other in self._voices if other.engine == voice.engine}


def _batches(jobs: Sequence[_Job]) -> list[list[_Job]]:
    """Return the jobs in groups that one process can do."""
    own: dict[Voice, list[_Job]] = {}
    for job in jobs:
        own.setdefault(job.voice, []).append(job)
    return [
        theirs[start : start + batch_size(voice)]
        for voice, theirs in own.items()
        for start in range(0, len(theirs), batch_size(voice))
    ]


def _clamp(value: float, limit: float) -> float:
    return max(-limit, min(limit, value))
