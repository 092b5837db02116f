"""From scores to events: one per utterance."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Decider", "Detection"]


@dataclass(frozen=True)
class Detection:
    """A keyword was heard."""

    keyword: str
    time_s: float
    """When: the end of the step whose score reached the threshold, in seconds since the stream began."""
    score: float
    """That step's score, 0 to 1."""


class Decider:
    """Turns the scores of one stream into events: one per utterance.

    A keyword is reported when its score reaches the threshold. It is then silent for the refractory time, and
    until the score has been below the threshold since.
    """

    steps: int
    """Steps decided so far, from which time is told."""

    def __init__(
        self, keywords: Sequence[str], thresholds: ArrayLike, *, refractory_s: float, step_s: float
    ) -> None:
        """Decide on scores of ``keywords``, one row per ``step_s`` seconds, by ``thresholds`` (keywords,)."""
        self._keywords = tuple(keywords)
        self._thresholds = np.asarray(thresholds, np.float32)
        self._refractory = max(1, math.ceil(refractory_s / step_s - 1e-6))
        self._lowest = float(self._thresholds.min())
        self._step_s = step_s
        self.reset()

    def reset(self) -> None:
        """Start again at time 0, with no keyword silent."""
        self.steps = 0
        self._silent_until = [0] * len(self._keywords)
        self._held = [False] * len(self._keywords)

    def decide(self, scores: NDArray[np.float32]) -> list[Detection]:
        """Events in the next scores, (steps, keywords), in order of time."""
        start = self.steps
        self.steps += len(scores)
        # Nearly always nothing is heard, and argmax is the fastest way to see it.
        if not scores.size or scores.item(scores.argmax()) < self._lowest:
            if len(scores):
                self._held = [False] * len(self._keywords)
            return []
        above = scores >= self._thresholds
        found = [
            (step, column)
            for column in range(len(self._keywords))
            for step in self._events(above, column, start)
        ]
        return [
            Detection(self._keywords[column], (start + step + 1) * self._step_s, float(scores[step, column]))
            for step, column in sorted(found)
        ]

    def _events(self, above: NDArray[np.bool_], column: int, start: int) -> Iterator[int]:
        """Rows at which a keyword is reported; jumps from change to change, not from row to row."""
        high = above[:, column]
        low = ~high
        row = 0
        while row < len(high):
            if self._held[column]:
                row = _next(low, row)
                if row == len(high):
                    return
                self._held[column] = False
            row = _next(high, max(row, self._silent_until[column] - start))
            if row < len(high):
                yield row
                self._held[column] = True
                self._silent_until[column] = start + row + self._refractory


def _next(flags: NDArray[np.bool_], row: int) -> int:
    """The first true row from ``row`` on, or the number of rows."""
    ahead = flags[row:]
    if not len(ahead):
        return len(flags)
    step = int(ahead.argmax())
    return row + step if ahead[step] else len(flags)
