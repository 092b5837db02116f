"""The engines that are compared, behind one interface: samples in, scores out.

Each is imported only when it is asked for, so that a process measures one engine and nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
CHUNK = 1280
"""Samples per call where an engine takes any number: 80 ms."""


@dataclass(frozen=True)
class Engine:
    """A loaded engine."""

    keywords: Sequence[str]
    frame: int
    """Samples per call."""
    feed: Callable[[NDArray[np.int16]], NDArray[np.floating]]
    """Samples (frame,) to scores (steps, keywords), none yet where the engine still waits for samples."""
    step_s: float
    """Seconds of audio per step."""
    refractory_s: float = 1.0


def linnet(model: str) -> Engine:
    """Linnet, through its Python API: a model file or a bundled keyword."""
    from linnet import TriggerWord

    spotter = TriggerWord(model)
    settings = spotter.card.trigger
    step_s = settings.step_samples / settings.sample_rate
    return Engine(spotter.keywords, CHUNK, spotter.process, step_s, settings.refractory_s)


def porcupine(keywords: Sequence[str] = ("alexa",), sensitivity: float = 0.5) -> Engine:
    """Porcupine through its Python API, a frame of 32 ms at a time. Its scores are 0 or 1.

    The samples are handed over as the package's own demo does, as Python integers.
    """
    import pvporcupine

    handle = pvporcupine.create(keywords=list(keywords), sensitivities=[sensitivity] * len(keywords))

    def feed(samples: NDArray[np.int16]) -> NDArray[np.floating]:
        return _one_hot(handle.process(samples.tolist()), len(keywords))

    return Engine(keywords, handle.frame_length, feed, handle.frame_length / RATE)


def porcupine_c(keywords: Sequence[str] = ("alexa",), sensitivity: float = 0.5) -> Engine:
    """Porcupine without its Python wrapper, which costs more than the engine: the call into its library."""
    import ctypes

    import pvporcupine

    handle = pvporcupine.create(keywords=list(keywords), sensitivities=[sensitivity] * len(keywords))
    found, samples_type = ctypes.c_int(), ctypes.POINTER(ctypes.c_short)

    def feed(samples: NDArray[np.int16]) -> NDArray[np.floating]:
        pointer = np.ascontiguousarray(samples).ctypes.data_as(samples_type)
        status = handle.process_func(handle._handle, pointer, ctypes.byref(found))
        if status is not handle.PicovoiceStatuses.SUCCESS:
            raise RuntimeError(f"Porcupine failed: {status}")
        return _one_hot(found.value, len(keywords))

    return Engine(keywords, handle.frame_length, feed, handle.frame_length / RATE)


def openwakeword() -> Engine:
    """openWakeWord hearing alexa."""
    import openwakeword as package

    path = package.models["alexa"]["model_path"]
    model = package.Model(wakeword_model_paths=[path])

    def feed(samples: NDArray[np.int16]) -> NDArray[np.floating]:
        return np.array([list(model.predict(samples).values())], dtype=np.float32)

    return Engine(("alexa",), CHUNK, feed, CHUNK / RATE)


def microwakeword() -> Engine:
    """microWakeWord hearing alexa."""
    from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

    features, model = MicroWakeWordFeatures(), MicroWakeWord.from_builtin(Model.ALEXA)
    seen = 0

    def feed(samples: NDArray[np.int16]) -> NDArray[np.floating]:
        nonlocal seen
        scores = []
        for row in features.process_streaming(samples.tobytes()):
            score = model.process_streaming_prob(row)
            seen += 1
            if seen % model.stride == 0:  # in between it answers 0
                scores.append(score)
        return np.array(scores, dtype=np.float32).reshape(-1, 1)

    return Engine(("alexa",), CHUNK, feed, 0.01 * model.stride)


def nothing() -> Engine:
    """No engine: what Python and NumPy take by themselves."""
    return Engine((), CHUNK, lambda samples: np.zeros((1, 0), dtype=np.float32), CHUNK / RATE)


ENGINES: dict[str, tuple[str, Callable[[], Engine]]] = {
    "Porcupine": ("pvporcupine", porcupine),
    "Porcupine, C call": ("pvporcupine", porcupine_c),
    "openWakeWord": ("openwakeword", openwakeword),
    "microWakeWord": ("pymicro-wakeword", microwakeword),
    "Python and NumPy alone": ("numpy", nothing),
}
"""The others by their names in the tables: the package each comes from, and what loads it."""


def _one_hot(index: int, keywords: int) -> NDArray[np.floating]:
    scores = np.zeros((1, keywords), dtype=np.float32)
    if index >= 0:
        scores[0, index] = 1.0
    return scores
