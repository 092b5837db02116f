"""What happens to speech on its way into a model: noise, a microphone's tone and hiss, level, lost bands.

All of it works on mel power, drawn afresh for every example.
"""

import librosa
import numpy as np

from linnet_training.trigger.bank import Bank, Kind
from linnet_training.trigger.canvas import FRAMES, mel_power
from linnet_training.trigger.frontend import FFT, MELS, SAMPLE_RATE


class Disturbance:
    """Disturbs examples, with the noise of a bank."""

    def __init__(self, bank: Bank):
        self._bank = bank
        self._noise = bank.of(Kind.NOISE)
        # Drawn once, a random stretch used each time: drawing it afresh would take half of a batch's time.
        self._grain = np.random.default_rng(0).gamma(4.0, 0.25, (16 * FRAMES, MELS)).astype(np.float32)
        filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=FFT, n_mels=MELS, fmin=20, fmax=8000)
        # Undoes Slaney's norm: sums to the whole power.
        self._width = (1 / filters.max(axis=1)).astype(np.float32)

    def disturb(self, power: np.ndarray, positive: bool, rng: np.random.Generator) -> None:
        """Tone, noise, level and band limit, in place.

        Args:
            power: mel power of an example, shape (FRAMES, MELS).
            positive: whether it holds a keyword, which noise is not to drown altogether.
            rng: where chance comes from.
        """
        if rng.random() < 0.6:
            power *= _tone(rng, 6.0)
        if len(self._noise) and rng.random() < 0.85:
            noise = self._noise_power(rng)
            signal = self._loud(power)
            if signal > 0:
                decibels = rng.uniform(-2, 25) if positive else rng.uniform(-6, 25)
                power += noise * (signal / max(self._loud(noise), 1e-12) * 10 ** (-decibels / 10))
            else:
                power += noise
        power += self._hiss(rng) * max(self._loud(power), 1e-9) * 10 ** (-rng.uniform(25, 70) / 10)
        if rng.random() < 0.12:  # a telephone or a cheap microphone
            limit = int(rng.integers(24, 36))
            power[:, limit:] *= 10 ** (-rng.uniform(2, 5))
        loudest = float((power @ self._width).max())
        # Full scale of a frame is about 400 x 0.375 x 512 / 4 of window power; -45..-2 dB of it as live
        # microphones give.
        power *= 10 ** (rng.uniform(-4.5, -0.2)) * 2000.0 / max(loudest, 1e-9)

    def _noise_power(self, rng: np.random.Generator) -> np.ndarray:
        clip = int(rng.choice(self._noise))
        first, frames = int(self._bank.offset[clip]), int(self._bank.frames[clip])
        index = first + (int(rng.integers(frames)) + np.arange(FRAMES)) % frames
        return mel_power(self._bank.mel[index]) * _tone(rng, 4.0)

    def _hiss(self, rng: np.random.Generator) -> np.ndarray:
        """Stationary noise of a microphone: flat to brown in colour, summing to about one."""
        colour = self._width ** rng.uniform(-1.5, 0.5)
        first = int(rng.integers(len(self._grain) - FRAMES))
        return self._grain[first : first + FRAMES] * (colour / (colour * self._width).sum()).astype(
            np.float32
        )

    def _loud(self, power: np.ndarray) -> float:
        """Mean power of the loudest third of the frames that are not silent."""
        total = power @ self._width
        total = np.sort(total[total > 1e-6 * max(float(total.max()), 1e-12)])
        return float(total[-max(1, len(total) // 3) :].mean()) if len(total) else 0.0


def _tone(rng: np.random.Generator, decibels: float) -> np.ndarray:
    """A smooth random gain per band: a microphone's or a room's colour, shape (MELS,)."""
    anchors = rng.normal(0, decibels, 5)
    curve = np.interp(np.linspace(0, 4, MELS), np.arange(5), anchors)
    return (10 ** (curve / 10)).astype(np.float32)


def mask(mel: np.ndarray, rng: np.random.Generator) -> None:
    """SpecAugment: a band and a moment blanked in a third of the examples.

    D. Park et al., "SpecAugment", 2019, arXiv:1904.08779.
    """
    for example in mel:
        if rng.random() < 0.35:
            first = int(rng.integers(0, MELS - 6))
            example[:, first : first + int(rng.integers(1, 7))] = example.mean()
        if rng.random() < 0.25:
            first = int(rng.integers(0, FRAMES - 8))
            example[first : first + int(rng.integers(1, 9))] = example.mean()
