"""An example under construction: clips of the bank laid beside and over each other, as mel power."""

import numpy as np

from linnet_training.trigger.bank import UNIT, Bank
from linnet_training.trigger.frontend import MELS

FRAMES = 320
"""Length of an example: 3.2 s."""
FLOOR = 1e-6
"""What the front end adds to the power before it takes the logarithm."""
_TEACHER_BLIND = 76 // UNIT + 1
"""Units after a junction in which the teacher heard silence where the network heard something else."""


class Canvas:
    """One example: its mel power, what the teacher says of it, and the keyword that is said in it."""

    def __init__(self, bank: Bank):
        self.bank = bank
        self.power = np.zeros((FRAMES, MELS), np.float32)
        self.embedding = np.zeros((FRAMES // UNIT, bank.teacher.shape[1]), np.float16)
        self.known = np.zeros(FRAMES // UNIT, bool)
        self.keyword = -1
        self.end = 0

    def put(
        self, clip: int, at: int, first: int = 0, last: int | None = None, backwards: bool = False
    ) -> None:
        """Add frames first..last of a clip so that its frame 0 would be at `at`; what sticks out is cut."""
        frames = int(self.bank.frames[clip])
        at = on_grid(at)
        first = max(first, -at, 0)
        last = min(frames if last is None else last, FRAMES - at, frames)
        if last - first < 2:
            return
        offset = int(self.bank.offset[clip])
        power = mel_power(self.bank.mel[offset + first : offset + last])
        self.power[at + first : at + last] += power[::-1] if backwards else power
        if backwards or not self.embedding.shape[1]:
            return
        fresh = not self.power[: max(0, at + first)].any() and first == 0
        unit_first, unit_last = -(-first // UNIT), last // UNIT
        target = slice(at // UNIT + unit_first, at // UNIT + unit_last)
        self.embedding[target] = self.bank.teacher[offset // UNIT + unit_first : offset // UNIT + unit_last]
        self.known[target] = True
        if not fresh:
            self.known[target.start : target.start + _TEACHER_BLIND] = False


def on_grid(frame: int) -> int:
    """The nearest place where the teacher's embeddings fit: 40 ms are no loss to random placement."""
    return round(frame / UNIT) * UNIT


def mel_power(log_mel: np.ndarray) -> np.ndarray:
    """The power of log-mel frames, without the front end's floor; any shape."""
    return np.maximum(np.exp(log_mel.astype(np.float32)) - FLOOR, 0)
