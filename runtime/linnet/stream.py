"""Streams of audio through a trigger model: scores that do not depend on how the audio is cut."""

from __future__ import annotations

import os

import numpy as np
from numpy.typing import ArrayLike, NDArray

from linnet.decider import Decider, Detection
from linnet.errors import AudioError, ModelError, UsageError
from linnet.model import Model

__all__ = ["STATE", "Stream", "StreamModel"]

STATE = "state_"
"""Inputs of this prefix are states; the output ``next_<x>`` is the state ``state_<x>`` after the call."""

# Longer audio goes through the graph in parts, all streams together, so that memory does not grow with it.
# Parts of 10 s would be a tenth faster and take 6 MB more.
_SECONDS_PER_CALL = 1
# Far above full scale, which is 1, and far below integers that somebody forgot to scale.
_LOUDEST = 100.0
_INT16 = np.float32(1 / 32768)
_MAX_STATE_VALUES = 1_000_000


class StreamModel(Model):
    """A trigger model: ``audio`` and states go in; ``scores`` and the next states come out, in that order."""

    input_shapes: dict[str, tuple[int | None, ...]]
    """Shape of each input by name, in the file's order; None where any size will do."""

    def __init__(self, path: str | os.PathLike[str], *, time_limit_s: float = 60.0) -> None:
        """Open the file at ``path``. Raises what `Model` does."""
        super().__init__(path, "trigger", time_limit_s=time_limit_s)
        self.input_shapes = {name: shape for name, (_, shape) in self.inputs.items()}
        self._check_signature()
        self._try()

    def check_scores(self, scores: NDArray[np.float32], streams: int, steps: int) -> None:
        """Raise ModelError where scores are not (streams, steps, keywords) or not within 0 to 1, as NaN."""
        if scores.shape != (streams, steps, len(self.card.trigger.keywords)):
            raise self.unlike(f"{steps} steps of {streams} streams gave scores of shape {scores.shape}")
        # NaN is both the least and the greatest to argmin and argmax, which are faster than min and max.
        if not (scores.item(scores.argmin()) >= -0.001 and scores.item(scores.argmax()) <= 1.001):
            raise ModelError(
                f"{self.name} gives scores that are not within 0 to 1; it is damaged or badly trained"
            )

    def _check_signature(self) -> None:
        states = [name for name in self.inputs if name.startswith(STATE)]
        self.output_names = ["scores", *("next_" + name.removeprefix(STATE) for name in states)]
        ports = [*self.inputs.values(), *(self.outputs.get(name) for name in self.output_names)]
        if (
            set(self.inputs) != {"audio", *states}
            or any(port is None or port.kind != "tensor(float)" for port in ports)
            or len(self.input_shapes["audio"]) != 2
            or any(not _is_state(self.input_shapes[name]) for name in states)
        ):
            raise self.unlike("its inputs and outputs are others")

    def _try(self) -> None:
        """Run two streams for two steps: a file may promise shapes and then give others, or no numbers."""
        settings = self.card.trigger
        feeds = {"audio": np.zeros((2, 2 * settings.step_samples), np.float32)}
        for name, shape in self.input_shapes.items():
            if name != "audio":
                feeds[name] = np.zeros((2, *(size or 1 for size in shape[1:])), np.float32)
        scores, *states = self.run(feeds)
        self.check_scores(scores, 2, 2)
        given = [feed.shape for name, feed in feeds.items() if name != "audio"]
        if [state.shape for state in states] != given:
            raise self.unlike("its states change their shape")


def _is_state(shape: tuple[int | None, ...]) -> bool:
    """Whether a new stream's state can be made: any number of streams, and known sizes otherwise."""
    if not shape or shape[0] is not None:
        return False
    values = 1
    for size in shape[1:]:
        if size is None or size < 1:
            return False
        values *= size
    return values <= _MAX_STATE_VALUES


class Stream:
    """What a model remembers of one stream of audio, or of a batch of streams. For one thread at a time."""

    def __init__(
        self, model: StreamModel, keywords: tuple[str, ...], decider: Decider, batch: int | None = None
    ) -> None:
        """Made by `TriggerWord.stream`: listens for ``keywords`` of the model's in ``batch`` streams."""
        if batch is not None and (not isinstance(batch, int) or batch < 1):
            raise UsageError(f"a batch must have at least one stream, not {batch}")
        settings = model.card.trigger
        self._model = model
        self._batch = batch
        self._streams = batch or 1
        self._step = settings.step_samples
        self._states = [name for name in self._model.input_shapes if name != "audio"]
        share = _SECONDS_PER_CALL * settings.sample_rate // self._streams
        self._most = max(settings.chunk_samples, share - share % self._step)
        self._smoothing = settings.smoothing_steps
        self._columns = None
        if keywords != settings.keywords:
            self._columns = [settings.keywords.index(keyword) for keyword in keywords]
        self._width = len(keywords)
        self._decider = decider
        self._feeds: dict[str, NDArray[np.float32]]
        self._waiting: NDArray[np.float32] | None
        self._recent: NDArray[np.float32]
        self.reset()

    def reset(self, index: int | None = None) -> None:
        """Forget everything heard, in all streams or only in the one of that index in the batch.

        Streams of a batch advance together. When one of them is reset while the batch waits for the rest of a
        step, the samples of the step that came before count as silence to it. UsageError where there is no
        such stream.
        """
        if index is not None:
            if not 0 <= index < self._streams:
                raise UsageError(f"there is no stream {index} in a batch of {self._streams}")
            if self._waiting is not None:
                self._waiting[index] = 0
            self._recent[index] = 0
            for name in self._states:
                state = self._feeds[name].copy()  # onnxruntime may own the memory
                state[index] = 0
                self._feeds[name] = state
            return
        self._waiting = None
        self._recent = np.zeros((self._streams, self._smoothing - 1, self._width), np.float32)
        self._feeds = {}
        for name in self._states:
            sizes = (size or 1 for size in self._model.input_shapes[name][1:])
            self._feeds[name] = np.zeros((self._streams, *sizes), np.float32)
        self._steps = 0
        self._decider.reset()

    def process(self, pcm: ArrayLike) -> NDArray[np.float32]:
        """Scores of the next samples, one row per network step that they complete.

        Args:
            pcm: 16 kHz mono, any number of samples: (samples,), or (batch, samples) in a batch of streams;
                int16, or float32 or float64 within -1 to 1. Samples beyond the last whole step wait for the
                next call.

        Returns:
            Scores that thresholds are compared with, 0 to 1: float32 (steps, keywords), or
            (batch, steps, keywords).

        Raises AudioError where the samples are of another type or shape, or not finite, and ModelError where
        the model fails. The stream is then as if there had been no call.
        """
        audio = self._samples(pcm)
        size = audio.shape[1]
        if self._waiting is None and size % self._step == 0 and 0 < size <= self._most:
            scores = self._run(audio)  # live audio comes in such chunks; what is left out here is a tenth
            self._steps += size // self._step
        else:
            scores = self._cut(audio)
        return scores if self._batch else scores[0]

    def detect(self, pcm: ArrayLike) -> list[Detection]:
        """Keywords heard in the next samples, in order of time; arguments and errors are those of `process`.

        Not for a batch (UsageError): there each row of `process` goes to a decider of its own, from
        `TriggerWord.decider`.
        """
        if self._batch is not None:
            raise UsageError(
                "a batch of streams cannot detect: give each row of process() to a decider of its own"
            )
        self._decider.steps = self._steps
        return self._decider.decide(self.process(pcm))

    def _samples(self, pcm: ArrayLike) -> NDArray[np.float32]:
        """The given samples, checked, as float32 (streams, samples)."""
        try:
            given = np.asarray(pcm)
        except (TypeError, ValueError):
            raise AudioError("audio must be an array of samples, int16 or float32") from None
        if self._batch is None and given.ndim == 1:
            given = given[None]
        elif self._batch is None:
            raise AudioError(f"audio must be mono, (samples,), and is {given.shape}; mix or pick a channel")
        elif given.ndim != 2 or given.shape[0] != self._batch:
            raise AudioError(f"audio must be ({self._batch}, samples) for this batch, and is {given.shape}")
        kind = given.dtype.char
        if kind == "h":
            samples = given.astype(np.float32)
            samples *= _INT16
            return samples
        if kind not in "fd":
            raise AudioError(f"audio must be int16 or float32 samples, not {given.dtype}")
        # NaN is both the least and the greatest to argmin and argmax, which are faster than min and max.
        if given.size and not (
            given.item(given.argmin()) >= -_LOUDEST and given.item(given.argmax()) <= _LOUDEST
        ):
            if np.isfinite(given).all():
                raise AudioError("audio in floats must be within -1 to 1; divide 16-bit integers by 32768")
            raise AudioError("audio holds samples that are NaN or infinite; leave them out or set them to 0")
        samples = given.astype(np.float32, copy=False)
        return samples

    def _cut(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """As `_run`, with the samples that wait, in as many calls as it takes; the rest waits."""
        if self._waiting is not None:
            audio = np.concatenate((self._waiting, audio), axis=1)
        whole = audio.shape[1] // self._step * self._step
        parts = [np.zeros((self._streams, 0, self._width), np.float32)]
        before = dict(self._feeds), self._recent
        try:
            for start in range(0, whole, self._most):
                parts.append(self._run(audio[:, start : min(start + self._most, whole)]))
        except BaseException:
            self._feeds, self._recent = before
            raise
        self._steps += whole // self._step
        self._waiting = audio[:, whole:].copy() if whole < audio.shape[1] else None
        return np.concatenate(parts, axis=1)

    def _run(self, audio: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scores (streams, steps, keywords) of whole steps, and the states after them."""
        feeds = self._feeds
        feeds["audio"] = audio
        outputs = self._model.run(feeds)
        scores = outputs[0]
        self._model.check_scores(scores, self._streams, audio.shape[1] // self._step)
        for place, name in enumerate(self._states, 1):
            feeds[name] = outputs[place]
        if self._columns is not None:
            scores = scores[:, :, self._columns]
        return scores if self._smoothing == 1 else self._smooth(scores)

    def _smooth(self, scores: NDArray[np.float32]) -> NDArray[np.float32]:
        """The mean of each score and those of the steps before it; before the stream's start they were 0."""
        steps = scores.shape[1]
        joined = np.concatenate((self._recent, scores), axis=1)
        self._recent = joined[:, steps:]
        # Added in the same order however the steps are grouped, so the sums are equal to the last bit.
        total: NDArray[np.float32] = joined[:, :steps].copy()
        for later in range(1, self._smoothing):
            total += joined[:, later : later + steps]
        total /= self._smoothing
        return total
