"""Operating points of a card: which threshold gave how many false alarms and misses on the dev stream."""

from collections.abc import Mapping

import numpy as np

from linnet.card import OperatingPoint
from linnet_training.trigger.evaluate import Curve

RATES = (0.0, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""False alarms per hour for which thresholds are looked for; where two share a threshold one is kept."""


def operating_points(conditions: Mapping[str, Curve]) -> tuple[OperatingPoint, ...]:
    """Points for one keyword.

    For each rate the threshold that keeps to it in every condition; the rate written is the highest measured
    there.

    Args:
        conditions: curves by condition, the clean one first, that in noise last (they may be the same one).

    Returns:
        points of rising rates and falling thresholds.
    """
    curves = list(conditions.values())
    points: list[OperatingPoint] = []
    for rate in RATES:
        threshold = max(curve.threshold_at(rate) for curve in curves)
        threshold = float(np.clip(threshold, 0.0, 2.0))
        measured = max(_at(curve, threshold)[0] for curve in curves)
        if points and (measured <= points[-1].false_alarms_per_hour or threshold >= points[-1].threshold):
            continue
        clean, noise = (_at(curve, threshold)[1] for curve in (curves[0], curves[-1]))
        points.append(OperatingPoint(measured, threshold, clean, noise))
    return tuple(points)


def _at(curve: Curve, threshold: float) -> tuple[float, float]:
    """False alarms per hour and miss rate at a threshold.

    Between two points of the curve, the false alarms of the looser and the misses of the stricter one, so
    that what is promised is kept.
    """
    last = len(curve.thresholds) - 1
    looser = int(np.searchsorted(-curve.thresholds, -threshold, side="left"))
    stricter = int(np.searchsorted(-curve.thresholds, -threshold, side="right")) - 1
    return (
        float(curve.false_alarms_per_hour[min(looser, last)]),
        float(curve.miss_rate[min(max(stricter, 0), last)]),
    )
