"""Detections as lines of text or JSON: what ``linnet listen`` prints where nothing can be drawn over."""

from __future__ import annotations

import json
import sys
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from linnet.cli.progress import Progress
from linnet.cli.terminal import clean, clock
from linnet.decider import Detection

__all__ = ["Lines", "as_json", "as_text"]


def as_text(found: Detection, *, live: bool) -> str:
    """A line for people: time of day where the source is ``live``, else the place in it; keyword, score."""
    when = f"{datetime.now():%H:%M:%S}" if live else clock(found.time_s, 2)
    return f"{when}  {clean(found.keyword)}  {found.score:.2f}"


def as_json(found: Detection, *, live: bool) -> str:
    """A line for programs: keyword, seconds since the start, score; date and time where it is ``live``."""
    fields: dict[str, object] = {
        "keyword": found.keyword,
        "time_s": round(found.time_s, 3),
        "score": round(found.score, 4),
    }
    if live:
        fields["time"] = datetime.now().astimezone().isoformat(timespec="milliseconds")
    return json.dumps(fields)


class Lines:
    """A line per detection on standard output, remarks on standard error; each at once, even into a pipe.

    Of a recording, how much has been heard is shown while standard error is a terminal, unless it is to be
    quiet.
    """

    def __init__(self, *, live: bool, json: bool = False, quiet: bool = False) -> None:
        self._live = live
        self._write = as_json if json else as_text
        self._quiet = quiet
        self._bar = None if live or quiet else Progress(None, unit="s of audio heard")

    def detection(self, found: Detection) -> None:
        self.close()
        print(self._write(found, live=self._live), flush=True)

    def note(self, text: str) -> None:
        """Say something that is no detection."""
        if not self._quiet:
            self.complain(text)

    def complain(self, text: str) -> None:
        """Say what went wrong, even when quiet."""
        self.close()
        print(clean(text), file=sys.stderr, flush=True)

    def heard(self, chunk: NDArray[np.float32], scores: NDArray[np.float32]) -> None:
        """Plain lines show no levels; of a recording, a chunk is a second."""
        if self._bar is not None:
            self._bar.advance()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.clear()
