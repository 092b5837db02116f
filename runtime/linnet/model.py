"""The one place that opens model files for running.

A file may come from anywhere, so nothing in it is trusted: it is read once, inspected before it is loaded,
loaded from memory (never from paths it names), checked against the signature of its task, and stopped when it
computes too long. Whatever onnxruntime raises becomes a ModelError.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from linnet import modelfile, watchdog
from linnet.card import Card
from linnet.errors import ModelError, ModelTimeoutError

__all__ = ["STATE", "Model"]

STATE = "state_"
"""Inputs of this prefix are states; the output ``next_<x>`` is the state ``state_<x>`` after the call."""

_SILENT = 4  # onnxruntime's severity "fatal": it would write to stderr what we raise anyway
_MAX_STATE_VALUES = 1_000_000


class Model:
    """A model file, loaded and ready to run. Several threads may run it at once; it keeps no state."""

    card: Card
    """What the file says about itself."""
    input_shapes: dict[str, tuple[int | None, ...]]
    """Shape of each input by name, in the file's order; None where any size will do."""
    output_names: list[str]
    """What `run` returns, in this order: ``scores``, then the next state for each state input."""

    def __init__(self, path: str | os.PathLike[str], *, time_limit_s: float = 60.0) -> None:
        """Open the file at ``path``; neither loading it nor any call of `run` may take over ``time_limit_s``.

        Raises ModelNotFoundError where there is no file, CardError where its card is missing or not
        understood, ModelTimeoutError where it takes too long, and ModelError where it cannot be used for
        another reason.
        """
        self._name = str(path)
        self._time_limit_s = time_limit_s
        data = modelfile.read(path)
        contents = modelfile.inspect(data, self._name)
        self.card = modelfile.card_of(contents, self._name)
        if contents.external:
            raise ModelError(f"{self._name} keeps weights in another file; export it as one file")
        if contents.graphs > 1 or contents.functions:
            raise ModelError(
                f"{self._name} holds loops, branches or functions, which a trigger model never has"
            )
        if contents.absurd:  # onnxruntime has been seen to abort the process over such sizes
            raise ModelError(f"{self._name} declares sizes that make no sense; it is damaged or hostile")
        self._session = self._load(data)
        self.input_shapes, self.output_names = self._signature()
        self._try()

    def run(self, feeds: Mapping[str, NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Feed the inputs by name, and return the outputs in the order of `output_names`.

        Raises ModelTimeoutError after the time limit, and ModelError where the graph fails.
        """
        options = ort.RunOptions()
        options.log_severity_level = _SILENT
        watchdog.arm(options, self._time_limit_s)
        try:
            outputs: list[NDArray[np.float32]] = self._session.run(self.output_names, feeds, options)
            return outputs
        except Exception as error:  # onnxruntime raises a dozen types, of which some are plain RuntimeErrors
            if options.terminate:
                raise self._too_long("computed") from None
            raise self._failed("cannot be run", error) from error
        finally:
            watchdog.disarm(options)

    def _load(self, data: bytes) -> Any:
        """The session, made in a thread of its own: that cannot be stopped, but need not be waited for."""
        ort.set_default_logger_severity(_SILENT)  # what allocators write heeds only this
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _SILENT
        # It would keep a plan for every length of input that it meets, and gains nothing here.
        options.enable_mem_pattern = False
        # Otherwise a file could declare itself to be of onnxruntime's other format, which was not inspected.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        made: list[Any] = []

        def make() -> None:
            try:
                made.append(ort.InferenceSession(data, options, ["CPUExecutionProvider"], enable_fallback=0))
            except Exception as error:
                made.append(error)

        thread = threading.Thread(target=make, name="linnet-load", daemon=True)
        thread.start()
        thread.join(self._time_limit_s)
        if not made:
            raise self._too_long("took to load")
        if isinstance(made[0], Exception):
            raise self._failed("is damaged, or needs a newer onnxruntime", made[0]) from made[0]
        return made[0]

    def _signature(self) -> tuple[dict[str, tuple[int | None, ...]], list[str]]:
        """Names and shapes of inputs and outputs, once they are those of a trigger model."""
        try:
            inputs = {each.name: (each.type, each.shape) for each in self._session.get_inputs()}
            outputs = {each.name: each.type for each in self._session.get_outputs()}
        except Exception as error:  # names that are not UTF-8, for one
            raise self._failed("cannot be understood", error) from error
        shapes = {
            name: tuple(size if isinstance(size, int) else None for size in shape)
            for name, (_, shape) in inputs.items()
        }
        states = [name for name in inputs if name.startswith(STATE)]
        names = ["scores", *("next_" + name.removeprefix(STATE) for name in states)]
        kinds = {kind for kind, _ in inputs.values()} | {outputs.get(name) for name in names}
        if (
            set(inputs) != {"audio", *states}
            or kinds != {"tensor(float)"}
            or len(shapes["audio"]) != 2
            or any(not _is_state(shapes[name]) for name in states)
        ):
            raise self._unlike("its inputs and outputs are others")
        return shapes, names

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
            raise self._unlike("its states change their shape")

    def check_scores(self, scores: NDArray[np.float32], streams: int, steps: int) -> None:
        """Raise ModelError where scores are not (streams, steps, keywords) or not within 0 to 1, as NaN."""
        if scores.shape != (streams, steps, len(self.card.trigger.keywords)):
            raise self._unlike(f"{steps} steps of {streams} streams gave scores of shape {scores.shape}")
        # NaN is both the least and the greatest to argmin and argmax, which are faster than min and max.
        if not (scores.item(scores.argmin()) >= -0.001 and scores.item(scores.argmax()) <= 1.001):
            raise ModelError(
                f"{self._name} gives scores that are not within 0 to 1; it is damaged or badly trained"
            )

    def _unlike(self, difference: str) -> ModelError:
        return ModelError(
            f"{self._name} is not built like a trigger model: {difference}; export it with Linnet"
        )

    def _too_long(self, what: str) -> ModelTimeoutError:
        return ModelTimeoutError(
            f"{self._name} {what} longer than {self._time_limit_s:g} s and was given up; it may be hostile"
        )

    def _failed(self, what: str, error: Exception) -> ModelError:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        return ModelError(f"{self._name} {what} (onnxruntime says: {reason})")


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
