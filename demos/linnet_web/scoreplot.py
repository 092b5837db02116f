"""The scores of a recording as a drawing for the page: SVG, which takes its colours from the page's style."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from linnet.cli.terminal import clock
from linnet.decider import Detection
from linnet_web.markup import text

__all__ = ["plot"]

_WIDTH, _HEIGHT = 720, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 30, 8, 38, 24
_LETTER = 8  # about the width of one in a name
_COLUMNS = 600  # more points than this cannot be told apart
_COLOURS = 8  # in style.css: k0 to k7
_STEPS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900)
_MARKS = 10  # at most, on the axis of time


def plot(
    scores: NDArray[np.float32],
    keywords: Sequence[str],
    thresholds: NDArray[np.float32],
    detections: Sequence[Detection],
    step_s: float,
) -> str:
    """A line for each keyword, its threshold dashed, a mark at each detection.

    Args:
        scores: (steps, keywords), 0 to 1.
        keywords: names of the columns.
        thresholds: of each keyword, (keywords,); one above 1 is never reached and not drawn.
        detections: what was heard.
        step_s: seconds per step.
    """
    seconds = max(len(scores), 1) * step_s
    parts = [_axes(seconds)]
    for column, threshold in enumerate(thresholds.tolist()):
        colour = _colour(column)
        if threshold <= 1:
            y = _y(threshold)
            parts.append(
                f'<line class="limit {colour}" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>'
            )
        points = " ".join(
            f"{_x(at, seconds)},{_y(score)}" for at, score in _thinned(scores[:, column], step_s)
        )
        parts.append(f'<polyline class="score {colour}" points="{points}"/>')
    parts.append(_marks(detections, list(keywords), seconds))
    names = (f'<span class="{_colour(place)}">{text(name)}</span>' for place, name in enumerate(keywords))
    return (
        f'<div class="linnet-scroll"><svg class="linnet-plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" '
        f'aria-label="scores over time">{"".join(parts)}</svg></div>'
        f'<p class="linnet-legend">{"".join(names)}</p>'
    )


def _marks(detections: Sequence[Detection], keywords: list[str], seconds: float) -> str:
    """A line at each detection, and its name above, in a second row where the first has no room."""
    parts = []
    taken = [-1.0 * _WIDTH] * 2  # how far names go in either row
    for found in detections:
        colour = _colour(keywords.index(found.keyword))
        x = _x(found.time_s, seconds)
        row = 0 if x - taken[0] > _LETTER * len(found.keyword) / 2 else 1
        taken[row] = x + _LETTER * (len(found.keyword) / 2 + 1)
        y = _TOP - 8 - 15 * row
        side = "end" if x > _WIDTH * 0.9 else "start" if x < _WIDTH * 0.1 else "middle"
        name = text(found.keyword)
        parts.append(f'<line class="heard {colour}" x1="{x}" x2="{x}" y1="{_TOP}" y2="{_HEIGHT - _BOTTOM}"/>')
        parts.append(f'<text class="heard {colour}" x="{x}" y="{y}" text-anchor="{side}">{name}</text>')
    return "".join(parts)


def _axes(seconds: float) -> str:
    """Lines at scores of 0, 1/2 and 1, and marks of time."""
    parts = []
    for score in (0, 0.5, 1):
        y = _y(score)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end">{score:g}</text>')
    apart = next((step for step in _STEPS_S if seconds / step <= _MARKS), _STEPS_S[-1])
    for number in range(int(seconds / apart) + 1):
        at = number * apart
        label = f"{at:g} s" if seconds <= 120 else clock(at)
        anchor = "start" if not number else "end" if at > 0.97 * seconds else "middle"
        parts.append(f'<text x="{_x(at, seconds)}" y="{_HEIGHT - 7}" text-anchor="{anchor}">{label}</text>')
    return "".join(parts)


def _thinned(scores: NDArray[np.float32], step_s: float) -> list[tuple[float, float]]:
    """When and how high: every score, or of many the highest of each stretch, so that no peak is lost."""
    stretch = max(1, -(-len(scores) // _COLUMNS))
    starts = np.arange(0, len(scores), stretch)
    highest = np.maximum.reduceat(scores, starts) if len(scores) else scores
    return [((start + 1) * step_s, float(high)) for start, high in zip(starts.tolist(), highest, strict=True)]


def _colour(column: int) -> str:
    return f"k{column % _COLOURS}"


def _x(at: float, seconds: float) -> float:
    return round(_LEFT + (_WIDTH - _LEFT - _RIGHT) * at / seconds, 1)


def _y(score: float) -> float:
    return round(_TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - score), 1)
