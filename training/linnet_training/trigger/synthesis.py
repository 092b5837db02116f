"""Speak phrases in many voices, speeds and pitches: training data from text alone."""

import logging
import math
import random
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from linnet.errors import SynthesisError

from .engines import Utterance, batch_size, render, speakable
from .voices import Voice, describe, find_voices

__all__ = ["Clip", "Voice", "describe", "find_voices", "speak", "synthesise"]

_log = logging.getLogger(__name__)

SLOWEST, FASTEST = 0.75, 1.35
WIDEST_SEMITONES = 5.0


@dataclass(frozen=True)
class Clip:
    """A piece of synthesised speech and how it was made."""

    audio: NDArray[np.float32]
    """16 kHz mono in [-1, 1], with 50 ms of silence at each end; shape (samples,)."""
    text: str
    """What is said, as it was asked for."""
    voice: Voice
    speed: float
    """Tempo as a factor of the voice's usual one, 0.75 to 1.35."""
    pitch: float
    """Semitones above (below, where negative) the voice's usual pitch, -5 to 5."""


@dataclass(frozen=True)
class _Job:
    """One clip to be made."""

    index: int
    text: str
    voice: Voice
    speed: float
    pitch: float
    tract: float

    def utterance(self) -> Utterance:
        return Utterance(speakable(self.text), self.speed, 2 ** (self.pitch / 12), 2 ** (self.tract / 12))


def speak(voice: Voice, text: str, *, speed: float = 1.0, pitch: float = 1.0) -> NDArray[np.float32]:
    """Return text as one voice says it: 16 kHz mono in [-1, 1], shape (samples,), 50 ms of silence at each end.

    `speed` and `pitch` are factors of the voice's usual tempo and F0, each from 0.5 to 2. Any text is safe: what is not
    English letters, digits or simple punctuation is not spoken. Raises SynthesisError if nothing speakable is left, or
    if the engine fails, stays silent or takes longer than 30 s.
    """
    if not (0.5 <= speed <= 2.0 and 0.5 <= pitch <= 2.0):
        raise SynthesisError(f"speed {speed} and pitch {pitch} must both be between 0.5 and 2")
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
    """Speak texts in many ways and return `clips` clips, the same ones for the same seed and voices.

    Texts take turns; each clip has a voice, a speed (0.75 to 1.35), a pitch (within 5 semitones) and a vocal tract (within
    about 4 semitones, and more like the pitch than not, as in people) of its own. `voices` defaults to every voice on
    the machine; engines with many similar voices get more clips, but not in proportion. `progress(done, clips)` is
    called from this thread. A voice that fails is logged and its clips are given to others; SynthesisError is raised
    if none of the voices can say a text, if a text has nothing to say, or if there are no texts or voices.
    """
    if not texts:
        raise SynthesisError("there is no text to synthesise; give at least one phrase")
    for text in texts:
        speakable(text)
    voices = list(find_voices() if voices is None else voices)
    rng = random.Random(seed)
    # Turns, in a shuffled order, so that every text is said and none much more often than another.
    order = rng.sample(range(len(texts)), len(texts))
    jobs = [_plan(index, texts[order[index % len(order)]], voices, rng) for index in range(clips)]
    made: dict[int, Clip] = {}
    broken: set[Voice] = set()
    while jobs:
        failed = []
        for job, result in _work(jobs, workers):
            if isinstance(result, SynthesisError):
                if job.voice not in broken:
                    _log.warning("a voice is left out: %s", result)
                broken.add(job.voice)
                failed.append((job, result))
            else:
                made[job.index] = Clip(result, job.text, job.voice, job.speed, job.pitch)
                if progress is not None:
                    progress(len(made), clips)
        left = [voice for voice in voices if voice not in broken]
        if failed and not left:
            raise failed[0][1]
        # In order of index, since results come in the order in which processes happen to end.
        failed.sort(key=lambda pair: pair[0].index)
        jobs = [_plan(job.index, job.text, left, rng) for job, _ in failed]
    return [made[index] for index in range(clips)]


def _plan(index: int, text: str, voices: Sequence[Voice], rng: random.Random) -> _Job:
    engines: dict[str, list[Voice]] = {}
    for voice in voices:
        engines.setdefault(voice.engine, []).append(voice)
    # Five hundred espeak-ng voices are variations on one synthesiser; flite's four are four people.
    weights = [math.log2(1 + len(own)) for own in engines.values()]
    voice = rng.choice(rng.choices(list(engines.values()), weights)[0])
    speed = rng.triangular(SLOWEST, FASTEST, 1.0)
    pitch = max(-WIDEST_SEMITONES, min(WIDEST_SEMITONES, rng.gauss(0.0, 2.5)))
    tract = max(pitch - 3.0, min(pitch + 3.0, 0.6 * pitch + rng.gauss(0.0, 1.2)))
    return _Job(index, text, voice, speed, pitch, max(-4.0, min(4.0, tract)))


def _work(jobs: Sequence[_Job], workers: int) -> Iterator[tuple[_Job, NDArray[np.float32] | SynthesisError]]:
    """Yield every job with its audio or error, as they are done."""
    batches: list[list[_Job]] = []
    own: dict[Voice, list[_Job]] = {}
    for job in jobs:
        own.setdefault(job.voice, []).append(job)
    for voice, theirs in own.items():
        size = batch_size(voice)
        batches += [theirs[start : start + size] for start in range(0, len(theirs), size)]
    # Threads, since the work is done by other processes.
    with ThreadPoolExecutor(max(1, workers)) as pool:
        futures = {pool.submit(render, batch[0].voice, [job.utterance() for job in batch]): batch for batch in batches}
        for future in as_completed(futures):
            yield from zip(futures[future], future.result(), strict=True)
