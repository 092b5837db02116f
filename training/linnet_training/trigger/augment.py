"""Changes made to a recording's samples: speed, pitch and rooms.

Noise, level, tone and masking are cheaper on mel power and are drawn afresh for every batch (see `disturb`).
"""

from collections.abc import Sequence

import librosa
import numpy as np
import soxr
from scipy.signal import fftconvolve

from linnet_training.trigger.frontend import SAMPLE_RATE

ROOM_PROBABILITY = 0.45
_TARGET_RMS = 0.05


def vary(audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another speed, pitch and vocal-tract length of the same words.

    Resampling shifts pitch and formants together and costs nothing in quality; for half of the clips a phase
    vocoder (librosa) then changes the tempo back and beyond, so that speed and pitch vary apart.

    Args:
        audio: float samples at 16 kHz, shape (samples,).

    Returns:
        samples of another length, shape (samples',).
    """
    ratio = float(np.exp(rng.uniform(np.log(0.86), np.log(1.17))))
    varied = np.asarray(
        soxr.resample(audio, SAMPLE_RATE * ratio, SAMPLE_RATE, quality="MQ"), dtype=np.float32
    )
    if rng.random() < 0.5 and len(varied) > 2048:
        tempo = float(np.clip(rng.uniform(0.85, 1.2) / ratio, 0.8, 1.25))
        varied = librosa.effects.time_stretch(varied, rate=tempo, n_fft=512)
    return varied


def level(audio: np.ndarray) -> np.ndarray:
    """Scale to a fixed loudness of the loud part (26 dB below full scale), so that mixing can rely on it."""
    power = np.square(audio[: len(audio) // 160 * 160]).reshape(-1, 160).mean(axis=1)
    if len(power) == 0 or power.max() <= 0:
        return audio
    loud = np.sort(power)[-max(1, len(power) * 3 // 10) :].mean()
    return (audio * (_TARGET_RMS / np.sqrt(loud + 1e-12))).astype(np.float32)


def reverberate(audio: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Play a recording in a room: convolve with its impulse response, the direct sound kept in place.

    Args:
        audio: shape (samples,).
        response: room impulse response at 16 kHz, shape (taps,).

    Returns:
        shape (samples,): the tail beyond the recording's end is cut.
    """
    direct = int(np.abs(response).argmax())
    response = response[max(0, direct - 16) :]
    wet = fftconvolve(audio, response)[min(16, direct) :][: len(audio)]
    return wet.astype(np.float32)


def draw_room(rng: np.random.Generator, responses: Sequence[np.ndarray]) -> np.ndarray:
    """A measured response, or for half of the draws (always where there is none) a synthetic one.

    The synthetic room is white noise under an exponential decay with a direct path (J. Polack, 1988):
    reverberation time 0.15-0.9 s, direct-to-reverberant ratio -4 to 12 dB.
    """
    if responses and rng.random() < 0.5:
        return responses[int(rng.integers(len(responses)))]
    rt60 = rng.uniform(0.15, 0.9)
    time = np.arange(int(rt60 * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(time)) * np.exp(-6.9 * time / rt60)
    tail[: int(rng.uniform(0.001, 0.006) * SAMPLE_RATE)] = 0
    tail *= 10 ** (-rng.uniform(-4, 12) / 20) / np.sqrt(np.square(tail).sum())
    tail[0] = 1.0
    return tail.astype(np.float32)
