"""The search in NumPy, for engines whose decoder is called from Python for every word.

It finds what `linnet_training.sequence.search.beam_search` finds, which a test holds.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

PAD, START, END, UNKNOWN = range(4)
STATES = ("feed", "hidden", "cell")
_LEAST_COVERED = 1e-3

Array = NDArray[Any]
Step = Callable[[Array, list[Array]], list[Array]]
"""Last tokens (batch, beam) and states, each (batch, beam, size), to log-probabilities of every token (batch,
beam, vocabulary), the next states, and attention (batch, beam, positions)."""


def search(
    step: Step,
    states: list[Array],
    beam: int,
    max_length: int,
    length_penalty: float,
    coverage_penalty: float = 0.0,
    present: Array | None = None,
) -> list[list[int]]:
    """The best sequence of each of a batch.

    Args:
        step: of the decoder.
        states: that it begins with, each (batch, 1, size).
        beam: hypotheses to follow; 1 is greedy.
        max_length: most tokens.
        length_penalty: as in training's search.
        coverage_penalty: likewise.
        present: False at positions that are padding, (batch, positions); None where there is none.

    Returns:
        Token ids, `PAD` after the end. Attention is kept for each of them, as others give it, and dropped.
    """
    batch = len(states[0])
    rows = np.arange(batch)[:, None]
    states = [np.repeat(state, beam, axis=1) for state in states]
    tokens = np.full((batch, beam), START)
    total = np.full((batch, beam), -np.inf, np.float32)
    total[:, 0] = 0
    lengths = np.zeros((batch, beam), np.float32)
    done = np.zeros((batch, beam), bool)
    written = np.zeros((batch, beam, 0), np.int64)
    looked: list[Array] = []
    covered = np.float32(0)
    for _ in range(max_length):
        gain, *states, attention = step(tokens, states)
        gain[:, :, [PAD, START, UNKNOWN]] = -np.inf
        gain[done] = -np.inf
        gain[done, PAD] = 0
        lengths = lengths + ~done
        sums = total[:, :, None] + gain
        ranked = sums / (lengths**length_penalty)[:, :, None]
        if coverage_penalty:
            covered = covered + np.where(done[:, :, None], 0, attention)
            coverage = np.log(np.clip(covered, _LEAST_COVERED, 1))
            coverage = coverage.sum(2, where=True if present is None else present[:, None])
            ranked[:, :, [PAD, END]] += coverage_penalty * coverage[:, :, None]
        best = _best(ranked.reshape(batch, -1), beam)
        parent, tokens = np.divmod(best, gain.shape[2])
        states = [state[rows, parent] for state in states]
        looked = [each[rows, parent] for each in (*looked, attention)]
        total = np.take_along_axis(sums.reshape(batch, -1), best, axis=1)
        lengths, done = lengths[rows, parent], done[rows, parent] | (tokens == END)
        if coverage_penalty:
            covered = covered[rows, parent]
        written = np.concatenate((written[rows, parent], tokens[:, :, None]), axis=2)
        if done.all():
            break
    found: list[list[int]] = written[:, 0].tolist()
    return found


def _best(ranked: Array, beam: int) -> Array:
    """Places of the highest of each row, the highest first."""
    if beam == 1:
        return ranked.argmax(axis=1, keepdims=True)
    best = np.argpartition(-ranked, beam, axis=1)[:, :beam]
    order = np.argsort(-np.take_along_axis(ranked, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)
