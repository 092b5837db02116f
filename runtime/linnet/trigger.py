"""Hears trigger words in audio.

    spotter = TriggerWord("computer")
    for event in spotter.listen(linnet.audio.microphone()):
        print(event.keyword, event.time_s, event.score)

The network keeps its memory in states that go into and come out of each call, so one loaded model serves any
number of streams, and it makes no difference how the audio is cut.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet import zoo
from linnet.card import Card
from linnet.decider import Decider, Detection
from linnet.errors import UsageError
from linnet.stream import Stream, StreamModel

__all__ = ["Decider", "Detection", "Stream", "TriggerWord"]


class TriggerWord:
    """A model that hears trigger words, and one stream of audio that it listens to.

    Further streams, which share the model but not the state, come from `stream`.
    """

    keywords: tuple[str, ...]
    """What is listened for: names the columns of all scores."""
    thresholds: NDArray[np.float32]
    """The score of each keyword, (keywords,), at which it counts as heard."""
    card: Card
    """The card of the model file."""
    sample_rate: int
    """Samples per second of the audio it takes."""

    def __init__(
        self,
        model: str | os.PathLike[str] | Sequence[str],
        *,
        false_alarms_per_hour: float | None = None,
        threshold: float | None = None,
    ) -> None:
        """Load a model.

        Args:
            model: a keyword that a bundled model hears, several as a list, a bundled model's name, or a file
                (`linnet.zoo.find`). Of a name or a file all keywords are listened for.
            false_alarms_per_hour: choose thresholds that gave at most this many on dev data; by default the
                rate that the card names.
            threshold: use this score, 0 to 1, for all keywords instead.

        Raises what `linnet.zoo.find` does, ModelError where the file cannot be used, UsageError where
        thresholds are asked for in two ways or out of range.
        """
        if threshold is not None and false_alarms_per_hour is not None:
            raise UsageError("give either a threshold or a number of false alarms per hour, not both")
        if threshold is not None and not 0 <= threshold <= 1:
            raise UsageError(f"a threshold must be from 0 to 1, not {threshold}")
        path, keywords = zoo.find(model)
        self.model = StreamModel(path)
        self.card = self.model.card
        settings = self.card.trigger
        self.keywords = keywords or settings.keywords
        self.sample_rate = settings.sample_rate
        if false_alarms_per_hour is None:
            false_alarms_per_hour = settings.default_false_alarms_per_hour
        self.thresholds = np.array(
            [
                settings.threshold(keyword, false_alarms_per_hour) if threshold is None else threshold
                for keyword in self.keywords
            ],
            np.float32,
        )
        self._stream = self.stream()

    def process(self, pcm: ArrayLike) -> NDArray[np.float32]:
        """Scores of the next samples of this object's own stream; see `Stream.process`."""
        return self._stream.process(pcm)

    def detect(self, pcm: ArrayLike) -> list[Detection]:
        """Keywords heard in the next samples of this object's own stream; see `Stream.detect`."""
        return self._stream.detect(pcm)

    def reset(self) -> None:
        """Forget all that this object's own stream has heard; its time starts again at 0."""
        self._stream.reset()

    def stream(self, batch: int | None = None) -> Stream:
        """A new stream with a state of its own, or ``batch`` streams that are processed in one call.

        Raises UsageError where ``batch`` is not at least 1.
        """
        return Stream(self.model, self.keywords, self.decider(), batch)

    def listen(self, source: Iterable[ArrayLike]) -> Iterator[Detection]:
        """Keywords heard in ``source``, as soon as they are heard.

        A source gives chunks of samples, as those of `linnet.audio` do. Each call listens with a stream of
        its own, so time starts at 0. A source that ends is followed by half a second of silence, since a word
        is reported soon after its end and a recording may be cut right there.
        """
        stream = self.stream()
        for chunk in source:
            yield from stream.detect(chunk)
        yield from stream.detect(self.silence)

    @property
    def silence(self) -> NDArray[np.float32]:
        """The half second that follows a source's end, (samples,)."""
        return np.zeros(self.sample_rate // 2, np.float32)

    def decider(self) -> Decider:
        """A new decider with this object's keywords and thresholds, for scores of one stream."""
        settings = self.card.trigger
        return Decider(
            self.keywords,
            self.thresholds,
            refractory_s=settings.refractory_s,
            step_s=settings.step_samples / settings.sample_rate,
        )
