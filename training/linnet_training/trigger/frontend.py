"""The log-mel front end as a network layer, so that it is exported inside the model file.

A 512-point FFT is written as two matrix products (512 = 32 x 16, the Cooley-Tukey split: J. Cooley, J. Tukey,
"An algorithm for the machine calculation of complex Fourier series", 1965). At the few frames of a live chunk
these cost a CPU less than the STFT and DFT operators or a full 400 x 514 basis, and any runtime has them.
"""

import math
from functools import lru_cache

import librosa
import torch
from torch import Tensor, nn

SAMPLE_RATE = 16_000
FFT = 512
WINDOW = 400
HOP = 160
MELS = 40
TAIL = 2 * HOP
"""Samples of earlier audio the next chunk needs: 240 for the window's overlap, kept as two whole hops."""

_ROWS = 26  # 26 x 16 = 416 samples hold the 400 of a window; the remaining 96 of 512 are zeros
_COLUMNS = 16
_POINTS = 32  # of the first stage; real input makes 17 of its 32 outputs enough
_HALF = _POINTS // 2 + 1
_AT_ONCE = 30 * SAMPLE_RATE  # an hour in one piece would take 4 GB


class LogMel(nn.Module):
    """log(mel power + 1e-6): 25 ms Hann windows every 10 ms, 40 Slaney mel bands from 20 Hz to 8 kHz.

    Equal to librosa.feature.melspectrogram(n_fft=512, win_length=400, hop_length=160, center=False) within
    1e-4 of the logarithm (held by a test).
    """

    window: Tensor
    first: Tensor
    mel: Tensor

    def __init__(self) -> None:
        super().__init__()
        window = torch.zeros(_ROWS * _COLUMNS, dtype=torch.float64)
        window[-WINDOW:] = torch.hann_window(WINDOW, periodic=True, dtype=torch.float64)
        phase = torch.outer(torch.arange(_HALF), torch.arange(_ROWS)).double() * (2 * math.pi / _POINTS)
        self.register_buffer("window", window.float(), persistent=False)
        self.register_buffer("first", torch.cat([phase.cos(), -phase.sin()]).float(), persistent=False)
        self.register_buffer("mel", _mel_of_second_stage(), persistent=False)

    def forward(self, audio: Tensor, tail: Tensor) -> tuple[Tensor, Tensor]:
        """Turn the next chunk of audio into log-mel frames.

        Args:
            audio: float samples in [-1, 1], shape (batch, samples), samples a multiple of HOP.
            tail: the last TAIL samples before it, shape (batch, TAIL); zeros at the start.

        Returns:
            frames of shape (batch, MELS, samples / HOP), and the tail for the next call.
        """
        batch = audio.shape[0]
        padded = torch.cat([tail, audio], dim=1)
        blocks = padded.view(batch, -1, HOP)
        # Frame i is the last 96 samples of block i (16 of them under the window's zeros), then blocks i + 1
        # and i + 2.
        overlap = _ROWS * _COLUMNS - 2 * HOP
        frames = torch.cat([blocks[:, :-2, -overlap:], blocks[:, 1:-1], blocks[:, 2:]], dim=2) * self.window
        first = torch.matmul(self.first, frames.view(-1, _ROWS, _COLUMNS))
        regrouped = first.view(-1, 2, _HALF, _COLUMNS).permute(2, 0, 1, 3).reshape(_HALF, -1, 2 * _COLUMNS)
        second = torch.matmul(regrouped, _second_stage())
        power = (second * second).permute(1, 0, 2).reshape(-1, _HALF * 2 * _COLUMNS)
        mel = torch.matmul(power, self.mel).view(batch, -1, MELS)
        return torch.log(mel + 1e-6).transpose(1, 2), padded[:, -TAIL:]


def _second_stage() -> Tensor:
    """Twiddle factors and 16-point transforms of the second stage, shape (17, 32, 32).

    Computed rather than stored: onnxruntime folds it once at load, and the file stays 70 kB smaller.
    """
    frequency = torch.arange(_HALF).view(-1, 1, 1) + _POINTS * torch.arange(_COLUMNS).view(1, 1, -1)
    phase = ((torch.arange(_COLUMNS).view(1, -1, 1) * frequency) % FFT).float() * (2 * math.pi / FFT)
    cos, sin = torch.cos(phase), torch.sin(phase)
    return torch.cat([torch.cat([cos, -sin], dim=2), torch.cat([sin, cos], dim=2)], dim=1)


def _mel_of_second_stage() -> Tensor:
    """The mel filters, their rows reordered to the second stage's outputs, shape (17 x 32, MELS).

    Real and imaginary parts share a row of weights, so that squaring and this product give the mel power at
    once. Of the mirrored halves of the spectrum only one is counted.
    """
    filters = torch.from_numpy(
        librosa.filters.mel(sr=SAMPLE_RATE, n_fft=FFT, n_mels=MELS, fmin=20, fmax=8000)
    )
    rows = torch.zeros(_HALF, 2, _COLUMNS, MELS)
    for first in range(_HALF):
        for second in range(_COLUMNS):
            frequency = first + _POINTS * second
            mirrored = first in (0, _HALF - 1) and frequency > FFT // 2
            if not mirrored:
                rows[first, :, second] = filters[:, min(frequency, FFT - frequency)]
    return rows.view(-1, MELS)


def log_mel(audio: Tensor) -> Tensor:
    """Log-mel frames of whole recordings: (batch, samples) -> (batch, samples // HOP, MELS)."""
    tail, parts = audio.new_zeros(audio.shape[0], TAIL), []
    for piece in audio[:, : audio.shape[1] // HOP * HOP].split(_AT_ONCE, dim=1):
        frames, tail = _shared()(piece, tail)
        parts.append(frames)
    return torch.cat(parts, dim=2).transpose(1, 2)


@lru_cache(maxsize=1)
def _shared() -> LogMel:
    return LogMel()
