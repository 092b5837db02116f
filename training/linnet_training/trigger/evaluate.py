"""How well scores find a keyword: misses and false alarms at every threshold worth looking at.

Everything here is NumPy on scores that are already computed, so that training (dev metrics every epoch),
calibration (the thresholds in a card) and `linnet evaluate` judge a detector by the same rule:

- an event is a step whose score reaches the threshold, once the refractory time has passed since the last
  event and the score has been below the threshold since (the rule of `linnet.decider.Decider`, to the step);
- a positive is missed if no event falls between its start and `tolerance_s` after its end;
- an event outside all of the keyword's positives is a false alarm; further events inside one are neither.

The half second of tolerance and the time-based matching are those of Picovoice's wake-word-benchmark
(github.com/Picovoice/wake-word-benchmark), which however counts a second event inside a positive as another
hit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TOLERANCE_S = 0.5
"""How long after the end of a recording of the keyword an event still counts as hearing it."""

Interval = tuple[float, float]
"""Start and end of one positive in the stream, in seconds."""


@dataclass(frozen=True)
class Outcome:
    """What one threshold does to one keyword.

    `hits` is a bool per positive, in rising order of their starts; `false_alarm_steps` and `event_steps`
    index the scores.
    """

    hits: NDArray[np.bool_]
    event_steps: NDArray[np.int64]
    false_alarm_steps: NDArray[np.int64]

    @property
    def miss_rate(self) -> float:
        """Share of the positives without an event, 0 to 1."""
        return 1.0 - float(self.hits.mean())


@dataclass(frozen=True)
class Curve:
    """The detection-error trade-off of one keyword: one point per threshold, thresholds falling.

    Each point was counted by replaying the decision rule at exactly that threshold, so it is what a user with
    that threshold would have got. The first point lies above every score: no false alarm, everything missed.
    All three arrays have the shape (points,).
    """

    thresholds: NDArray[np.float64]
    false_alarms_per_hour: NDArray[np.float64]
    miss_rate: NDArray[np.float64]
    positives: int
    hours: float

    def miss_at(self, false_alarms_per_hour: float) -> float:
        """The lowest miss rate (0 to 1) that keeps to this rate: the threshold is chosen with hindsight."""
        return float(self.miss_rate[self._allowed(false_alarms_per_hour)].min())

    def threshold_at(self, false_alarms_per_hour: float) -> float:
        """A threshold that keeps to this rate with the lowest miss rate possible.

        Where a range of thresholds does equally well, the one nearest to the middle of the range: as far from
        the loudest false alarm as from the faintest hit, it carries over best to audio not seen here.
        """
        return float(self.thresholds[self.index_at(false_alarms_per_hour)])

    def index_at(self, false_alarms_per_hour: float) -> int:
        """Index of the point that `threshold_at` chooses."""
        allowed = self._allowed(false_alarms_per_hour)
        best = allowed[self.miss_rate[allowed] == self.miss_rate[allowed].min()]
        middle = (self.thresholds[best[0]] + self.thresholds[best[-1]]) / 2
        return int(best[np.abs(self.thresholds[best] - middle).argmin()])

    def _allowed(self, false_alarms_per_hour: float) -> NDArray[np.intp]:
        if not false_alarms_per_hour >= 0:
            raise ValueError(f"a rate of false alarms must be 0 or more, not {false_alarms_per_hour}")
        return np.flatnonzero(self.false_alarms_per_hour <= false_alarms_per_hour)


def events(scores: NDArray[np.floating], threshold: float, refractory_steps: int) -> NDArray[np.int64]:
    """Steps at which the detector fires.

    Args:
        scores: (steps,) scores of one keyword, smoothed as they come from `process`. NaN never fires.
        threshold: a step fires at this score or a higher one.
        refractory_steps: the least distance between two events, in steps.

    Returns:
        Rising step indices, (events,).
    """
    return _events_among(np.flatnonzero(scores >= threshold), refractory_steps)


def outcome(
    scores: NDArray[np.floating],
    positives: Sequence[Interval],
    threshold: float,
    *,
    step_s: float,
    refractory_s: float,
    tolerance_s: float = TOLERANCE_S,
) -> Outcome:
    """Replay the decision rule at one threshold; arguments as for `detection_curve`."""
    windows = _Windows.of(positives, step_s, tolerance_s)
    return windows.judge(events(scores, threshold, refractory_steps(refractory_s, step_s)))


def detection_curve(
    scores: NDArray[np.floating],
    positives: Sequence[Interval],
    *,
    step_s: float,
    refractory_s: float,
    hours: float,
    tolerance_s: float = TOLERANCE_S,
    most_false_alarms_per_hour: float = 100.0,
) -> Curve:
    """The trade-off between misses and false alarms of one keyword.

    The thresholds tried are the scores at which something can change (the best score of each positive, the
    best score of each stretch of other audio as long as the refractory time) and an even grid between 0 and
    1. At each the decision rule is replayed, so ties and the shadow that an event throws over the next second
    are counted as they happen.

    Args:
        scores: (steps,) scores of the keyword over the whole stream; step i ends at (i + 1) * step_s.
        positives: start and end in seconds of every recording of the keyword, in any order; at least one.
        step_s: seconds per step.
        refractory_s: least time between two events, from the model's card.
        hours: hours of audio in which an event is a false alarm.
        tolerance_s: how long after its end a positive may still be found.
        most_false_alarms_per_hour: the curve ends soon after this rate; lower thresholds are of no use.

    Raises:
        ValueError: there is no positive, no score or no time.
    """
    scores = np.asarray(scores)
    if scores.ndim != 1 or not scores.size or not len(positives) or not hours > 0:
        raise ValueError("a detection curve needs scores (steps,), at least one positive and hours above 0")
    scores = np.where(np.isnan(scores), -np.inf, scores)  # NaN never fires
    windows = _Windows.of(positives, step_s, tolerance_s)
    refractory = refractory_steps(refractory_s, step_s)
    tried = _thresholds(scores, windows, refractory, max(1, int(most_false_alarms_per_hour * hours)))

    thresholds, rates, misses = [], [], []
    reachable = np.flatnonzero(scores >= tried[-1])
    reachable_scores = scores[reachable]
    for threshold in tried:
        result = windows.judge(_events_among(reachable[reachable_scores >= threshold], refractory))
        thresholds.append(float(threshold))
        rates.append(len(result.false_alarm_steps) / hours)
        misses.append(result.miss_rate)
        if rates[-1] > most_false_alarms_per_hour:
            break
    return Curve(np.array(thresholds), np.array(rates), np.array(misses), len(positives), hours)


def refractory_steps(refractory_s: float, step_s: float) -> int:
    """The refractory time in whole steps, at least one."""
    return max(1, int(np.ceil(refractory_s / step_s - 1e-6)))


def _events_among(above: NDArray[np.intp], refractory: int) -> NDArray[np.int64]:
    """Of the rising steps `above` the threshold, those that no earlier event keeps silent."""
    runs = np.append(
        np.flatnonzero(np.diff(above) > 1) + 1, len(above)
    )  # where each further run of steps begins
    fired = []
    position = 0
    while position < len(above):
        fired.append(above[position])
        armed = np.searchsorted(above, above[position] + refractory)
        position = int(max(armed, runs[np.searchsorted(runs, position, side="right")]))
    return np.array(fired, dtype=np.int64)


@dataclass(frozen=True)
class _Windows:
    """The steps in which each positive may be found: first to last, both included, rising, apart."""

    first: NDArray[np.int64]
    last: NDArray[np.int64]

    @classmethod
    def of(cls, positives: Sequence[Interval], step_s: float, tolerance_s: float) -> "_Windows":
        ordered = np.array(sorted(positives), dtype=np.float64).reshape(-1, 2)
        # Step i is known at (i + 1) * step_s; the small number keeps exact multiples on the inner side.
        first = np.ceil(ordered[:, 0] / step_s - 1e-6).astype(np.int64) - 1
        last = np.floor((ordered[:, 1] + tolerance_s) / step_s + 1e-6).astype(np.int64) - 1
        last[:-1] = np.minimum(last[:-1], first[1:] - 1)  # one event may not find two positives
        return cls(first, last)

    def owner(self, steps: NDArray[np.int64]) -> NDArray[np.int64]:
        """Index of the positive each step belongs to, -1 for none; (steps,)."""
        index = np.searchsorted(self.first, steps, side="right") - 1
        return np.where((index >= 0) & (steps <= self.last[index]), index, -1)

    def judge(self, event_steps: NDArray[np.int64]) -> Outcome:
        owner = self.owner(event_steps)
        hits = np.zeros(len(self.first), dtype=bool)
        hits[owner[owner >= 0]] = True
        return Outcome(hits, event_steps, event_steps[owner < 0])


def _thresholds(
    scores: NDArray[np.floating], windows: _Windows, block: int, most: int
) -> NDArray[np.floating]:
    """Falling thresholds to try: one above every score, then those at which the outcome can change.

    They keep the scores' own type: comparing float32 scores with a rounded float64 would lose ties.
    """
    owner = windows.owner(np.arange(len(scores)))
    best = np.full(len(windows.first), -np.inf, dtype=scores.dtype)
    np.maximum.at(best, owner[owner >= 0], scores[owner >= 0])

    outside = np.where(owner < 0, scores, -np.inf).astype(scores.dtype)
    padded = np.concatenate([outside, np.full(-len(outside) % block, -np.inf, dtype=scores.dtype)])
    loudest = np.sort(padded.reshape(-1, block).max(axis=1))[::-1][: most + 1]

    grid = np.linspace(0.01, 0.99, 99, dtype=scores.dtype)
    tried = np.unique(np.concatenate([best, loudest, grid]))[::-1]
    tried = tried[np.isfinite(tried)]
    top = max(tried[0], scores.max())
    never = np.nextafter(top, np.array(np.inf, dtype=scores.dtype))
    return np.concatenate([[never], tried]).astype(scores.dtype)
