"""What the tab Listen does with audio: a microphone's, as it comes, and a recording's."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from linnet import audio
from linnet.cli.terminal import clock
from linnet.decider import Detection
from linnet.errors import AudioError
from linnet.resample import Resampler
from linnet.trigger import TriggerWord
from linnet_web.markup import fine, note, said, table
from linnet_web.scoreplot import plot

__all__ = ["LONGEST_S", "Hearing", "heard"]

LONGEST_S = 3600
"""A longer recording is refused: a small file of silence can last for days."""


class Hearing:
    """One microphone's audio, in the pieces that a browser sends, through a model."""

    def __init__(self, spotter: TriggerWord, rate: int) -> None:
        """Listen with a stream of its own to audio of ``rate`` samples per second.

        Raises AudioFormatError for a rate that no microphone has.
        """
        self._spotter = spotter
        self._resampler = Resampler(rate, "the microphone")
        self._stream = spotter.stream()
        self._decider = spotter.decider()

    @property
    def about(self) -> dict[str, Any]:
        """What the page must know to draw: keywords, their thresholds, and seconds per row of scores."""
        return {
            "keywords": self._spotter.keywords,
            "thresholds": self._spotter.thresholds.tolist(),
            "step_s": step_s(self._spotter),
        }

    def hear(self, data: bytes) -> dict[str, Any]:
        """Scores, a row per step, and detections in the next samples, 16-bit little-endian.

        Raises AudioError where the bytes are no whole number of samples.
        """
        if len(data) % 2:
            raise AudioError("the browser sent half a sample; reload the page")
        samples = np.frombuffer(data, "<i2").astype(np.float32) / np.float32(32768)
        scores = self._stream.process(self._resampler(samples))
        return {
            "scores": np.round(scores, 4).tolist(),
            "heard": [vars(found) for found in self._decider.decide(scores)],
        }


def heard(spotter: TriggerWord, path: Path, name: str) -> str:
    """What is heard in the recording at ``path``, called ``name``: a plot of the scores, and the detections.

    Raises AudioError where it cannot be read, or lasts longer than LONGEST_S.
    """
    began = time.perf_counter()
    stream, decider = spotter.stream(), spotter.decider()
    scores = [np.zeros((0, len(spotter.keywords)), np.float32)]
    found: list[Detection] = []
    samples = 0
    for chunk in audio.file(path):
        samples += len(chunk)
        if samples > LONGEST_S * spotter.sample_rate:
            raise AudioError(f"{name} lasts longer than {LONGEST_S // 60} minutes; give a part of it")
        scores.append(stream.process(chunk))
        found += decider.decide(scores[-1])
    found += decider.decide(stream.process(spotter.silence))  # a word may end with the recording
    took = time.perf_counter() - began
    seconds = samples / spotter.sample_rate
    times = "once" if len(found) == 1 else f"{len(found)} times"
    return (
        said(f"Heard {times}" if found else "Nothing heard")
        + fine(
            name,
            f"{seconds:.1f} s of audio" if seconds < 120 else f"{clock(seconds)} of audio",
            f"{took:.2f} s of work",
        )
        + plot(np.concatenate(scores), spotter.keywords, spotter.thresholds, found, step_s(spotter))
        + table("Detections", ("when", "keyword", "score"), [_row(each) for each in found])
        + ("" if found else note(f"This model listens for {', '.join(spotter.keywords)}."))
    )


def step_s(spotter: TriggerWord) -> float:
    """Seconds per row of scores."""
    return spotter.card.trigger.step_samples / spotter.sample_rate


def _moment(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds < 120 else clock(seconds, 1)


def _row(found: Detection) -> tuple[str, str, str]:
    return _moment(found.time_s), found.keyword, f"{found.score:.2f}"
