"""The live view of ``linnet listen``: bars at the foot of the terminal, redrawn in place, below the lines."""

from __future__ import annotations

import itertools
import math
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from typing import TextIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.cli.lines import as_text
from linnet.cli.terminal import cells, clean, clock, encodes, fit
from linnet.decider import Detection
from linnet.resample import RATE

__all__ = ["Live"]

REDRAW_S = 0.07
"""The least time between two frames: less than a buffer of 80 ms, so that each is seen."""

_FLOOR_DB = -60.0  # where the level bar begins
_FALL_DB, _FADE = 4.0, 0.75  # how fast shown peaks go down per frame, so that the eye catches short ones
_PLAIN, _BOLD, _DIM, _RED, _GREEN, _YELLOW, _CYAN, _BOLD_GREEN = "", "1", "2", "31", "32", "33", "36", "1;32"
_CLIPPING = 0.999

_Piece = tuple[str, str]  # text and its colour
_Line = list[_Piece]


class Live:
    """A view of one stream: what goes on, the level, and the score of each keyword with its threshold marked.

    Colours are left out where NO_COLOR is set, block characters where the terminal's encoding lacks them, and
    bars where the source is not ``live``, since a recording passes faster than one can follow.
    """

    def __init__(
        self,
        title: str,
        keywords: Sequence[str],
        thresholds: ArrayLike,
        *,
        live: bool,
        stream: TextIO | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to draw on ``stream``, standard output by default, which must understand escape sequences."""
        self._title = clean(title)
        self._keywords = [clean(keyword) for keyword in keywords]
        self._thresholds = np.asarray(thresholds, np.float32)
        self._live = live
        self._out = sys.stdout if stream is None else stream
        self._now = now
        self._colour = not os.environ.get("NO_COLOR")
        self._blocks = encodes(self._out, "█▏─┃●")
        self._scores = np.zeros(len(keywords), np.float32)
        self._level, self._loudest = _FLOOR_DB, 0.0  # as shown
        self._peak = 0.0
        self._energy, self._samples = 0.0, 0
        self._seconds = 0.0
        self._found = 0
        self._widths: list[int] = []  # of the lines of the frame on the screen
        self._next = -math.inf
        self._out.write("\033[?25l")  # hide the cursor

    def detection(self, found: Detection) -> None:
        """Print a line above the bars."""
        self._found += 1
        self._above(self._paint(as_text(found, live=self._live), _BOLD_GREEN))

    def note(self, text: str) -> None:
        """Say something that is no detection, above the bars."""
        self._above(self._paint(clean(text), _DIM))

    def complain(self, text: str) -> None:
        """Say what went wrong, above the bars."""
        self._above(self._paint(clean(text), _RED))

    def heard(self, chunk: NDArray[np.float32], scores: NDArray[np.float32]) -> None:
        """Take note of samples (samples,) and their scores (steps, keywords); draw when it is time."""
        self._seconds += len(chunk) / RATE
        self._energy += float(np.dot(chunk, chunk))
        self._samples += len(chunk)
        self._peak = max(self._peak, float(np.abs(chunk).max(initial=0)))
        if len(scores):
            self._scores = np.maximum(self._scores, scores.max(axis=0))
        if self._now() >= self._next:
            self._next = self._now() + REDRAW_S
            loudness = 10 * math.log10(max(self._energy / max(self._samples, 1), 1e-12))
            self._level = max(loudness, self._level - _FALL_DB, _FLOOR_DB)
            self._loudest = self._peak
            self._draw()
            self._energy, self._samples, self._peak = 0.0, 0, 0.0
            self._scores *= _FADE

    def close(self) -> None:
        """Take the bars away and leave the terminal as it was."""
        self._out.write(f"{self._back()}\033[J\033[?25h")  # the cursor shows again
        self._out.flush()

    def _above(self, line: str) -> None:
        self._out.write(f"{self._back()}\033[J{line}\n")
        self._draw()

    def _draw(self) -> None:
        size = shutil.get_terminal_size()
        # One column stays free, because a full line makes some terminals go on to the next.
        width = max(1, size.columns - 1)
        frame = [_cut(line, width) for line in self._frame(width)[: max(1, size.lines - 1)]]
        # Drawn over, not cleared first, so that nothing flickers.
        text = self._back()
        for line in frame:
            text += "".join(self._paint(*piece) for piece in line) + "\033[K\n"
        self._widths = [sum(cells(piece) for piece, _ in line) for line in frame]
        self._out.write(text + "\033[J")
        self._out.flush()

    def _back(self) -> str:
        """What takes the cursor to the frame's start, also when a narrower terminal has wrapped its lines."""
        columns = max(1, shutil.get_terminal_size().columns)
        rows = sum(max(1, math.ceil(width / columns)) for width in self._widths)
        self._widths = []
        return f"\033[{rows}F" if rows else ""

    def _paint(self, text: str, colour: str) -> str:
        return f"\033[{colour}m{text}\033[0m" if self._colour and colour else text

    def _frame(self, width: int) -> list[_Line]:
        """The lines to draw, made for ``width`` columns; where those are very few, lines are longer."""
        text = f"{clock(self._seconds)}   {self._found} heard"
        room = width - cells(text) - 5
        if room >= 12:  # less of a title says nothing
            text = f"{fit(self._title, min(room, cells(self._title)))}   {text}"
        lines: list[_Line] = [[("●" if self._blocks else "*", _RED), (f" {text}", _PLAIN)]]
        if not self._live:
            return lines
        label = min(max(map(cells, [*self._keywords, "level"])), max(5, width // 3))
        room = width - label - 11
        clips = self._loudest >= _CLIPPING
        colour = _RED if self._level > -3 else _YELLOW if self._level > -9 else _GREEN
        text = "  clips" if clips else " silent" if self._loudest == 0 else f"{self._level:4.0f} dB"
        share = (self._level - _FLOOR_DB) / -_FLOOR_DB
        rows: list[tuple[str, float, float | None, str, str, str]] = [
            ("level", share, None, text, _RED if clips else _PLAIN, colour)
        ]
        for keyword, score, threshold in zip(self._keywords, self._scores, self._thresholds, strict=True):
            hit = score >= threshold
            rows.append(
                (
                    keyword,
                    float(score),
                    float(threshold),
                    f"{score:7.2f}",
                    _BOLD_GREEN if hit else _PLAIN,
                    _BOLD_GREEN if hit else _CYAN,
                )
            )
        for name, value, mark, text, text_colour, colour in rows:
            bar = _bar(value, room, mark, colour, self._blocks) if room >= 4 else []
            lines.append([(f" {fit(name, label)} ", text_colour), *bar, (f" {text}", text_colour)])
        return lines


def _cut(line: _Line, width: int) -> _Line:
    """What of the line has room in ``width`` columns."""
    kept: _Line = []
    for text, colour in line:
        if cells(text) > width:
            return [*kept, (fit(text, width), colour)]
        kept.append((text, colour))
        width -= cells(text)
    return kept


def _bar(value: float, width: int, mark: float | None, colour: str, blocks: bool) -> _Line:
    """A bar of ``width`` columns, filled to the share ``value``, and a line across at the share ``mark``."""
    eighths = round(min(max(value, 0.0), 1.0) * width * 8)
    full, part = divmod(eighths, 8)
    filled = "█" * full + " ▏▎▍▌▋▊▉"[part : part + 1].strip() if blocks else "#" * round(eighths / 8)
    drawn = [(cell, colour) for cell in filled]
    drawn += [("─" if blocks else "-", _DIM)] * (width - len(drawn))
    if mark is not None:
        at = min(int(mark * width + 0.001), width - 1)  # 0.9 may be a little less
        drawn[at] = ("┃" if blocks else "|", _BOLD)
    groups = itertools.groupby(drawn, key=lambda piece: piece[1])
    return [("".join(cell for cell, _ in group), shade) for shade, group in groups]
