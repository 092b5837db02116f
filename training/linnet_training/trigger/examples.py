"""Training examples drawn from the bank: placed, mixed with noise and disturbed afresh for every batch.

Everything works on mel power: the power of a sum of unrelated sounds is the sum of their powers, a room's or
a microphone's tone is a factor per band, and level is one factor. That is thousands of times cheaper than
mixing samples.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from linnet_training.trigger.bank import Bank, Kind
from linnet_training.trigger.canvas import FLOOR, FRAMES, Canvas, on_grid
from linnet_training.trigger.disturb import Disturbance, mask
from linnet_training.trigger.network import FRAMES_PER_STEP

STEPS = FRAMES // FRAMES_PER_STEP


@dataclass(frozen=True)
class Mixture:
    """How a batch is put together; shares of the batch, drawn from what the bank has."""

    positive: float = 0.32
    hard: float = 0.26
    """Negatives that scored high when last seen."""
    speech: float = 0.14
    """Running speech."""
    cut: float = 0.10
    """Short cuts of running speech between pauses: what an isolated word sounds like."""
    word: float = 0.12
    """Isolated words, near-sounding phrases, other keywords."""
    part: float = 0.06
    """Beginnings and ends of the keywords themselves, and keywords backwards."""


class Batch(NamedTuple):
    """`size` examples."""

    mel: Tensor
    """Log-mel frames, shape (size, FRAMES, MELS)."""
    keyword: Tensor
    """Index of the keyword said, -1 for none, shape (size,)."""
    end: Tensor
    """Step at which the keyword ends, shape (size,)."""
    embedding: Tensor
    """The teacher's embeddings, shape (size, FRAMES / UNIT, size of teacher)."""
    known: Tensor
    """Whether an embedding is to be learnt from, shape (size, FRAMES / UNIT)."""
    clip: Tensor
    """Index of the main clip in the bank, shape (size,)."""


class Examples:
    """Draws batches from a bank; the same seed gives the same batch."""

    def __init__(self, bank: Bank, keywords: int, size: int, mixture: Mixture = Mixture()):
        self.bank = bank
        self.size = size
        self._positives = [
            np.flatnonzero((bank.kind == Kind.POSITIVE) & (bank.keyword == k)) for k in range(keywords)
        ]
        self._speech = bank.of(Kind.SPEECH)
        self._word = bank.of(Kind.WORD)
        self._negatives = np.flatnonzero((bank.kind == Kind.SPEECH) | (bank.kind == Kind.WORD))
        self._draws = self._shares(mixture)
        self._disturbance = Disturbance(bank)

    def __deepcopy__(self, memo: object) -> "Examples":
        """Itself: averaging weights copies the module that holds it, and gigabytes of bank need no copy."""
        return self

    def _shares(self, mixture: Mixture) -> list[tuple[Callable[..., int], int]]:
        """How many examples each kind of draw gets; what the bank lacks falls to the others."""
        wanted: list[tuple[Callable[..., int], float, bool]] = [
            (self._place_hard, mixture.hard, len(self._negatives) > 0),
            (self._place_speech, mixture.speech, len(self._speech) > 0),
            (self._place_cut, mixture.cut, len(self._speech) > 0),
            (self._place_word, mixture.word, len(self._word) > 0),
            (self._place_part, mixture.part, True),
        ]
        present = [(draw, share) for draw, share, there in wanted if there]
        positives = max(1, round(mixture.positive * self.size))
        scale = (self.size - positives) / sum(share for _, share in present)
        counts = [int(share * scale) for _, share in present]
        counts[0] += self.size - positives - sum(counts)
        return [
            (self._place_positive, positives),
            *((draw, n) for (draw, _), n in zip(present, counts, strict=True)),
        ]

    def batch(self, seed: list[int], hardness: np.ndarray) -> Batch:
        """One batch.

        Args:
            seed: numbers that name the batch, e.g. [run seed, rank, step].
            hardness: a number per clip of the bank, higher for negatives to be drawn more often, shape
                (clips,).
        """
        rng = np.random.default_rng(seed)
        canvases, placed = [], []
        negative_weights = hardness[self._negatives]
        self._hard_of_batch = (
            rng.choice(self._negatives, self.size, p=negative_weights / negative_weights.sum())
            if len(self._negatives)
            else self._negatives
        )
        for draw, count in self._draws:
            for _ in range(count):
                canvas = Canvas(self.bank)
                placed.append((draw(canvas, rng), canvas.keyword, canvas.end))
                self._disturbance.disturb(canvas.power, canvas.keyword >= 0, rng)
                canvases.append(canvas)
        mel = np.log(np.stack([canvas.power for canvas in canvases]) + FLOOR)
        mask(mel, rng)
        return Batch(
            torch.from_numpy(mel),
            torch.tensor([keyword for _, keyword, _ in placed]),
            torch.tensor([end // FRAMES_PER_STEP for _, _, end in placed]),
            torch.from_numpy(np.stack([canvas.embedding for canvas in canvases]).astype(np.float32)),
            torch.from_numpy(np.stack([canvas.known for canvas in canvases])),
            torch.tensor([clip for clip, _, _ in placed]),
        )

    # Each of these puts one example's speech on a canvas and returns its main clip.

    def _place_positive(self, canvas: Canvas, rng: np.random.Generator) -> int:
        keyword = int(rng.integers(len(self._positives)))
        clip = int(rng.choice(self._positives[keyword]))
        end = int(self.bank.end[clip])
        at = on_grid(int(rng.integers(90, 270)) - end)
        if rng.random() < 0.5:
            self._speech_before(canvas, at + int(self.bank.start[clip]) - int(rng.integers(0, 40)), rng)
        canvas.put(clip, at)
        if rng.random() < 0.3:
            self._speech_after(canvas, at + end + int(rng.integers(25, 80)), rng)
        canvas.keyword, canvas.end = keyword, at + end
        return clip

    def _place_hard(self, canvas: Canvas, rng: np.random.Generator) -> int:
        clip = int(rng.choice(self._hard_of_batch))
        return (
            self._place_word(canvas, rng, clip)
            if self.bank.kind[clip] == Kind.WORD
            else self._fill(canvas, rng, clip)
        )

    def _place_speech(self, canvas: Canvas, rng: np.random.Generator) -> int:
        return self._fill(canvas, rng, int(rng.choice(self._speech)))

    def _fill(self, canvas: Canvas, rng: np.random.Generator, clip: int) -> int:
        room = FRAMES - int(self.bank.frames[clip])
        at = int(rng.integers(min(room, 0), max(room, 0) + 1))
        canvas.put(clip, at)
        if room > 60:
            self._speech_before(canvas, at, rng)
            self._speech_after(canvas, at + int(self.bank.frames[clip]), rng)
        return clip

    def _place_cut(self, canvas: Canvas, rng: np.random.Generator) -> int:
        """One to three short cuts of running speech with silence between."""
        at = int(rng.integers(20, 120))
        clip = -1
        for _ in range(int(rng.choice([1, 1, 2, 3]))):
            clip = int(rng.choice(self._speech))
            first, last = self._quiet_span(clip, int(rng.integers(25, 110)), rng)
            canvas.put(clip, at - first, first, last)
            at += last - first + int(rng.integers(0, 60))
            if at > FRAMES - 40:
                break
        return clip

    def _quiet_span(self, clip: int, length: int, rng: np.random.Generator) -> tuple[int, int]:
        """A span of about this length whose ends lie where the speech is quietest nearby."""
        frames = int(self.bank.frames[clip])
        first = int(rng.integers(0, max(1, frames - length)))
        loudness = (
            self.bank.mel[self.bank.offset[clip] : self.bank.offset[clip] + frames]
            .astype(np.float32)
            .mean(axis=1)
        )

        def quietest(frame: int) -> int:
            low, high = max(0, frame - 15), min(frames, frame + 15)
            return low + int(loudness[low:high].argmin()) if high > low else frame

        start, end = quietest(first), quietest(min(frames - 1, first + length))
        return (start, end) if end - start > 10 else (first, min(frames, first + length))

    def _place_word(self, canvas: Canvas, rng: np.random.Generator, clip: int | None = None) -> int:
        clip = int(rng.choice(self._word)) if clip is None else clip
        end = int(self.bank.end[clip])
        at = int(rng.integers(90, 270)) - end
        if rng.random() < 0.35:
            self._speech_before(canvas, at + int(self.bank.start[clip]) - int(rng.integers(0, 60)), rng)
        elif rng.random() < 0.4:
            other = int(rng.choice(self._word))
            canvas.put(
                other, at + int(self.bank.start[clip]) - int(self.bank.end[other]) - int(rng.integers(0, 50))
            )
        canvas.put(clip, at)
        if rng.random() < 0.3:
            self._speech_after(canvas, at + end + int(rng.integers(0, 80)), rng)
        return clip

    def _place_part(self, canvas: Canvas, rng: np.random.Generator) -> int:
        clip = int(rng.choice(self._positives[int(rng.integers(len(self._positives)))]))
        start, end = int(self.bank.start[clip]), int(self.bank.end[clip])
        length = max(end - start, 8)
        how = rng.random()
        at = int(rng.integers(60, 200))
        if how < 0.55:  # the beginning, then silence or other words
            last = start + int(length * rng.uniform(0.25, 0.6))
            canvas.put(clip, at - start, max(0, start - 10), last)
            if rng.random() < 0.6:
                self._speech_after(canvas, at + last - start, rng)
        elif how < 0.8:  # the end, after silence or other words
            first = start + int(length * rng.uniform(0.45, 0.75))
            if rng.random() < 0.6:
                self._speech_before(canvas, at, rng)
            canvas.put(clip, at - first, first, end + 10)
        else:
            canvas.put(clip, at - start, start, end, backwards=True)
        canvas.known[:] = False
        return clip

    def _speech_before(self, canvas: Canvas, until: int, rng: np.random.Generator) -> None:
        """Other speech that ends at a frame."""
        if len(self._speech) and until > 20:
            clip = int(rng.choice(self._speech))
            frames = int(self.bank.frames[clip])
            last = int(rng.integers(min(10, frames), frames + 1))
            canvas.put(clip, until - last, max(0, last - until), last)

    def _speech_after(self, canvas: Canvas, start: int, rng: np.random.Generator) -> None:
        """Other speech that starts at a frame."""
        if len(self._speech) and start < FRAMES - 20:
            clip = int(rng.choice(self._speech))
            first = int(rng.integers(0, max(1, int(self.bank.frames[clip]) - 30)))
            canvas.put(clip, start - first, first, int(self.bank.frames[clip]))
