"""The one place that opens model files for running.

A file may come from anywhere, so nothing in it is trusted: it is read once, inspected before it is loaded,
loaded from memory (never from paths it names), and stopped when it computes too long. Whatever onnxruntime
raises becomes a ModelError. What a graph must look like depends on the task; each kind of graph has a class
of its own on top of this one, which checks that and tries the graph once (`linnet.stream.StreamModel`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any, NamedTuple

import onnxruntime as ort
from numpy.typing import NDArray

from linnet import modelfile, watchdog
from linnet.card import Card
from linnet.errors import ModelError, ModelTimeoutError

__all__ = ["Model", "Port"]

_SILENT = 4  # onnxruntime's severity "fatal": it would write to stderr what we raise anyway


class Port(NamedTuple):
    """An input or an output, as the file declares it."""

    kind: str
    """Type in onnxruntime's words: ``tensor(float)``."""
    shape: tuple[int | None, ...]
    """None where any size will do."""


class Model:
    """A model file, loaded and ready to run. Several threads may run it at once; it keeps no state."""

    card: Card
    """What the file says about itself."""
    name: str
    """The file's path, for sentences about it."""
    inputs: dict[str, Port]
    """By name, in the file's order."""
    outputs: dict[str, Port]
    """By name, in the file's order."""
    output_names: list[str]
    """What `run` returns, in this order: all outputs, unless the kind of graph says otherwise."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        task: str,
        *,
        loops: bool = False,
        time_limit_s: float = 60.0,
    ) -> None:
        """Open a file.

        Args:
            path: of the file.
            task: that the file must be for.
            loops: whether graphs for this task may hold loops and branches.
            time_limit_s: neither loading nor any call of `run` may take longer.

        Raises ModelNotFoundError where there is no file, CardError where its card is missing or not
        understood, ModelTimeoutError where it takes too long, and ModelError where it is for another task or
        cannot be used for another reason.
        """
        self.name = str(path)
        self._task = task
        self._time_limit_s = time_limit_s
        data = modelfile.read(path)
        contents = modelfile.inspect(data, self.name)
        self.card = modelfile.card_of(contents, self.name)
        if self.card.task != task:
            raise ModelError(
                f"{self.name} is a {self.card.task} model, not a {task} model; linnet.load opens either"
            )
        if contents.external:
            raise ModelError(f"{self.name} keeps weights in another file; export it as one file")
        if contents.functions or (contents.graphs > 1 and not loops):
            found = "functions" if loops else "loops, branches or functions"
            raise ModelError(f"{self.name} holds {found}, which a {task} model never has")
        if contents.absurd:  # onnxruntime has been seen to abort the process over such sizes
            raise ModelError(f"{self.name} declares sizes that make no sense; it is damaged or hostile")
        self._session = self._load(data)
        try:
            self.inputs = {each.name: _port(each) for each in self._session.get_inputs()}
            self.outputs = {each.name: _port(each) for each in self._session.get_outputs()}
        except Exception as error:  # names that are not UTF-8, for one
            raise self._failed("cannot be understood", error) from error
        self.output_names = list(self.outputs)

    def run(self, feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Feed the inputs by name, and return the outputs in the order of `output_names`.

        Raises ModelTimeoutError after the time limit, and ModelError where the graph fails.
        """
        options = ort.RunOptions()
        options.log_severity_level = _SILENT
        watchdog.arm(options, self._time_limit_s)
        try:
            outputs: list[NDArray[Any]] = self._session.run(self.output_names, feeds, options)
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

    def unlike(self, difference: str) -> ModelError:
        """The error for a graph that is not what its task asks for, to be raised by who found out."""
        return ModelError(
            f"{self.name} is not built like a {self._task} model: {difference}; export it with Linnet"
        )

    def _too_long(self, what: str) -> ModelTimeoutError:
        return ModelTimeoutError(
            f"{self.name} {what} longer than {self._time_limit_s:g} s and was given up; it may be hostile"
        )

    def _failed(self, what: str, error: Exception) -> ModelError:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        return ModelError(f"{self.name} {what} (onnxruntime says: {reason})")


def _port(value: Any) -> Port:
    return Port(value.type, tuple(size if isinstance(size, int) else None for size in value.shape))
