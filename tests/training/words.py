"""Two words that anybody can learn: a chirp that rises and one that falls, said by many speakers in noise."""

from pathlib import Path

import numpy as np

from linnet import audio

RATE = 16_000


def chirp(rising, seed, *, before=0.3, after=0.4, noise=0.002):
    """One utterance, float32 (samples,): its own pitch, speed and level, with silence around it."""
    rng = np.random.default_rng([seed, rising])
    time = np.arange(round(rng.uniform(0.4, 0.6) * RATE)) / RATE
    low, high = rng.uniform(350, 500), rng.uniform(1800, 2600)
    glide = time / time[-1] if rising else 1 - time / time[-1]
    phase = 2 * np.pi * np.cumsum(low + (high - low) * glide) / RATE
    said = rng.uniform(0.1, 0.4) * (np.sin(phase) + 0.4 * np.sin(2 * phase + 1))
    silences = [np.zeros(round(seconds * RATE)) for seconds in (before, after)]
    samples = np.concatenate([silences[0], said, silences[1]])
    return (samples + rng.normal(0, noise, len(samples))).astype(np.float32)


def babble(seconds, seed):
    """Other speech: falling chirps, steady tones and pauses, float32 (samples,)."""
    rng = np.random.default_rng([seed, 7])
    parts, samples = [], 0
    while samples < seconds * RATE:
        if rng.random() < 0.5:
            part = chirp(False, int(rng.integers(1 << 30)), before=0.1, after=0.1)
        else:
            time = np.arange(round(rng.uniform(0.2, 0.6) * RATE)) / RATE
            part = rng.uniform(0.1, 0.3) * np.sin(2 * np.pi * rng.uniform(300, 3000) * time)
        parts.append(part)
        samples += len(part)
    joined = np.concatenate(parts)[: round(seconds * RATE)]
    return (joined + rng.normal(0, 0.002, len(joined))).astype(np.float32)


def write_words(folder, count, rising, first_seed=0):
    """Write chirps as WAV files; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        audio.write_wav(folder / f"{i}.wav", chirp(rising, first_seed + i))
    return folder


def write_babble(folder, count, seconds):
    """Write other speech as WAV files; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        audio.write_wav(folder / f"{i}.wav", babble(seconds, i))
    return folder


class LevelTeacher:
    """A teacher that knows how loud every 80 ms are, three times over."""

    def __call__(self, samples):
        return np.repeat(np.abs(samples).reshape(-1, 1280).mean(axis=1)[:, None], 3, axis=1)


def damaged(folder: Path):
    """Files that cannot be read, or hold nothing to learn from; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "text.wav").write_text("no audio at all")
    (folder / "empty.wav").touch()
    audio.write_wav(folder / "short.wav", chirp(True, 1)[:1500])
    audio.write_wav(folder / "silent.wav", np.zeros(RATE, np.float32))
    return [*sorted(folder.iterdir()), folder / "missing.wav"]
