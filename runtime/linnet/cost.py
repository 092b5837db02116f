"""What a model costs, for ``linnet bench``: run in an interpreter of its own, which imports little else."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

__all__ = ["caption", "translate", "trigger"]

_AUDIO_S = 20.0
_CHUNK = 1280  # 80 ms
_ROUNDS = 5
_SENTENCES = {
    "de": "Ein Hund läuft mit einem roten Ball am Strand entlang.",
    "en": "A dog is running along the beach with a red ball.",
    "fr": "Un chien court le long de la plage avec un ballon rouge.",
}
_AT_ONCE = 32


def trigger(model: str, began: float) -> None:
    """Measure a trigger model in this process, which has done nothing else, and print the figures as JSON.

    Args:
        model: path of the file.
        began: `time.time` just before the interpreter was started.
    """
    from linnet.trigger import TriggerWord

    loading = time.perf_counter()
    spotter = TriggerWord(Path(model))
    loaded = time.perf_counter()
    # A second of noise, from integers alone: NumPy's random numbers would add to the memory that is measured.
    noise = (np.arange(16_000, dtype=np.int64) ** 2 * 7919 % 20_011 - 10_005).astype(np.int16)
    spotter.process(noise[:_CHUNK])
    started = time.time()
    used = time.process_time()
    for chunk in range(round(_AUDIO_S * 16_000 / _CHUNK)):
        at = chunk * _CHUNK % 15_360
        spotter.process(noise[at : at + _CHUNK])
    used = time.process_time() - used
    figures = {
        "start_s": started - began,
        "load_s": loaded - loading,
        "cpu_per_s": used / _AUDIO_S,
        "memory_bytes": _peak_memory(),
    }
    print(json.dumps(figures))


def caption(model: str, began: float, picture: str) -> None:
    """The same for a captioner, with the file of a ``picture``."""
    from linnet.caption import Captioner

    loading = time.perf_counter()
    captioner = Captioner(Path(model))
    loaded = time.perf_counter()
    captioner(picture)
    figures = {"start_s": time.time() - began, "load_s": loaded - loading}
    for name, beam in (("greedy_s", 1), ("caption_s", None)):
        figures[name] = _median(partial(captioner, picture, beam))
    print(json.dumps(figures | {"memory_bytes": _peak_memory()}))


def translate(model: str, began: float) -> None:
    """The same for a translator, with a sentence in its language, or in English where none is at hand."""
    from linnet.translate import Translator

    loading = time.perf_counter()
    translator = Translator(Path(model))
    loaded = time.perf_counter()
    sentence = _SENTENCES.get(translator.card.translate.source_language, _SENTENCES["en"])
    translator(sentence)
    figures = {"start_s": time.time() - began, "load_s": loaded - loading}
    for name, beam in (("greedy_s", 1), ("translation_s", None)):
        figures[name] = _median(partial(translator, sentence, beam))
    figures["many_s"] = _median(partial(translator, [sentence] * _AT_ONCE)) / _AT_ONCE
    print(json.dumps(figures | {"memory_bytes": _peak_memory()}))


def _median(work: Callable[[], object]) -> float:
    """Seconds that it takes."""
    taken = []
    for _ in range(_ROUNDS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return sorted(taken)[len(taken) // 2]


def _peak_memory() -> int | None:
    """The most memory this process has held, in bytes; None on systems that do not say."""
    try:
        # On Linux from here: what getrusage says includes the process that started this one.
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ImportError:
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
