"""A line at the foot of the terminal that says how far a long job has come."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import TextIO, TypeVar

from linnet.cli.terminal import clean, clock, encodes, redraws

__all__ = ["Progress", "watched"]

_REDRAW_S = 0.1
_WIDTH = 24

_Item = TypeVar("_Item")


def watched(items: Iterable[_Item], total: int | None = None) -> Iterator[_Item]:
    """The items, with a bar on standard error while they are gone through.

    ``total`` says how many there are, where they do not.
    """
    bar = Progress(len(items) if total is None and isinstance(items, Sized) else total)
    try:
        for item in items:
            yield item
            bar.advance()
    finally:
        bar.clear()


class Progress:
    """A bar on standard error, where that is a terminal, and lines that are printed above it."""

    def __init__(
        self,
        total: int | None,
        *,
        unit: str = "",
        stream: TextIO | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin a job of ``total`` parts, None where that is not known; nothing is drawn for but one.

        ``unit`` says what the parts are, where their number is not known.
        """
        self._out = sys.stderr if stream is None else stream
        self._total = total
        self._unit = unit
        self._shown = (total is None or total > 1) and redraws(self._out)
        self._full, self._empty = "█░" if encodes(self._out, "█░") else "#."
        self._now = now
        self._began = now()
        self._done = 0
        self._next = 0.0
        self._drawn = False

    def advance(self) -> None:
        """One more part is done."""
        self.reach(self._done + 1)

    def reach(self, done: int) -> None:
        """So many parts are done by now."""
        self._done = done
        if self._shown and self._now() >= self._next:
            self._draw()

    def result(self, text: str) -> None:
        """Print a line on standard output, at once, even into a pipe."""
        self.clear()
        print(text, flush=True)

    def complain(self, text: str) -> None:
        """Say what went wrong, on standard error."""
        self.clear()
        print(f"linnet: {clean(text)}", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        """Say something else, on standard error."""
        self.clear()
        print(clean(text), file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Take the bar away until the next part is done."""
        if self._drawn:
            self._out.write("\r\033[K")
            self._out.flush()
            self._drawn = False
            self._next = 0.0

    def _draw(self) -> None:
        seconds = max(self._now() - self._began, 1e-6)
        rate = self._done / seconds
        if self._total is None:
            text = f"{self._done} {self._unit or 'done'}, {rate:.3g} a second"
        else:
            full = min(_WIDTH * self._done // self._total, _WIDTH)
            bar = self._full * full + self._empty * (_WIDTH - full)
            left = clock(max(self._total - self._done, 0) / rate)
            text = f"{bar}  {self._done} of {self._total}, {rate:.3g} a second, {left} left"
        self._out.write(f"\r\033[K{text}")
        self._out.flush()
        self._drawn = True
        self._next = self._now() + _REDRAW_S
