"""The log-mel front end as a network layer, so that it is exported inside the model file.

A 512-point FFT is written as two matrix products (512 = 16 x 32, the Cooley-Tukey split: J. Cooley, J. Tukey,
"An algorithm for the machine calculation of complex Fourier series", 1965). At the few frames of a live chunk two
products cost a CPU less than the STFT and DFT operators or a full 400 x 514 basis, and any runtime has them.
"""

import math

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

_COLUMNS = 13  # 13 x 32 = 416 samples hold the 400 of a window; the remaining 96 of 512 are zeros
_ROWS = 32
_FIRST = 16  # points of the first stage; real input makes 9 of its 16 outputs enough


class LogMel(nn.Module):
    """log(mel power + 1e-6): 25 ms Hann windows every 10 ms, 40 Slaney mel bands from 20 Hz to 8 kHz.

    Equal to librosa.feature.melspectrogram(n_fft=512, win_length=400, hop_length=160, center=False) within 1e-4 of
    the logarithm (held by a test).
    """

    def __init__(self) -> None:
        super().__init__()
        window = torch.zeros(_COLUMNS * _ROWS, dtype=torch.float64)
        window[-WINDOW:] = torch.hann_window(WINDOW, periodic=True, dtype=torch.float64)
        first = torch.outer(torch.arange(_FIRST // 2 + 1), torch.arange(_COLUMNS)) * (2 * math.pi / _FIRST)
        self.register_buffer("window", window.float(), persistent=False)
        self.register_buffer("first", torch.cat([first.double().cos(), -first.double().sin()]).float(), persistent=False)
        self.register_buffer("mel", _mel_of_second_stage(), persistent=False)

    def forward(self, audio: Tensor, tail: Tensor) -> tuple[Tensor, Tensor]:
        """Turn the next chunk of audio into log-mel frames.

        Args:
            audio: float samples in [-1, 1], shape (batch, samples), samples a multiple of HOP.
            tail: the last TAIL samples before it, shape (batch, TAIL); zeros at the start.

        Returns:
            frames of shape (batch, samples / HOP, MELS), and the tail for the next call.
        """
        batch = audio.shape[0]
        padded = torch.cat([tail, audio], dim=1)
        blocks = padded.view(batch, -1, HOP)
        # Frame i is the last 96 samples of block i (16 of them under the window's zeros), then blocks i + 1 and i + 2.
        overlap = _COLUMNS * _ROWS - 2 * HOP
        frames = torch.cat([blocks[:, :-2, -overlap:], blocks[:, 1:-1], blocks[:, 2:]], dim=2) * self.window
        columns = frames.view(-1, _COLUMNS, _ROWS)
        half = _FIRST // 2 + 1
        first = torch.matmul(self.first, columns).view(-1, 2, half, _ROWS).permute(2, 0, 1, 3)
        second = torch.matmul(first.reshape(half, -1, 2 * _ROWS), _second_stage())
        power = (second * second).permute(1, 0, 2).reshape(-1, half * 2 * _ROWS)
        mel = torch.matmul(power, self.mel).view(batch, -1, MELS)
        return torch.log(mel + 1e-6), padded[:, -TAIL:]


def _second_stage() -> Tensor:
    """Twiddle factors and 32-point transforms of the second stage, shape (9, 64, 64).

    Computed rather than stored: onnxruntime folds it once at load, and the file stays 147 kB smaller.
    """
    output = torch.arange(_FIRST // 2 + 1).view(-1, 1, 1) + _FIRST * torch.arange(_ROWS).view(1, 1, -1)
    phase = ((torch.arange(_ROWS).view(1, -1, 1) * output) % FFT).float() * (2 * math.pi / FFT)
    cos, sin = torch.cos(phase), torch.sin(phase)
    return torch.cat([torch.cat([cos, -sin], dim=2), torch.cat([sin, cos], dim=2)], dim=1)


def _mel_of_second_stage() -> Tensor:
    """The mel filters, their rows reordered to the second stage's outputs, shape (9 x 64, MELS).

    Real and imaginary parts share a row of weights, so that squaring and this product give the mel power at once. Of
    the mirrored halves of the spectrum only one is counted.
    """
    filters = torch.from_numpy(librosa.filters.mel(sr=SAMPLE_RATE, n_fft=FFT, n_mels=MELS, fmin=20, fmax=8000))
    half = _FIRST // 2 + 1
    rows = torch.zeros(half, 2, _ROWS, MELS)
    for first in range(half):
        for second in range(_ROWS):
            bin_ = first + _FIRST * second
            mirrored = first in (0, half - 1) and bin_ > FFT // 2
            if not mirrored:
                rows[first, :, second] = filters[:, bin_ if bin_ <= FFT // 2 else FFT - bin_]
    return rows.view(-1, MELS)


def log_mel(audio: Tensor) -> Tensor:
    """Log-mel frames of whole recordings, shape (batch, samples) -> (batch, samples // HOP, MELS), as after a reset."""
    samples = audio.shape[1] // HOP * HOP
    frames, _ = _shared()(audio[:, :samples], audio.new_zeros(audio.shape[0], TAIL))
    return frames


_front_end: LogMel | None = None


def _shared() -> LogMel:
    global _front_end
    if _front_end is None:
        _front_end = LogMel()
    return _front_end
