"""Linnet: small recurrent networks that run from one ONNX file on a CPU.

    spotter = linnet.TriggerWord("computer")
    for event in spotter.listen(linnet.audio.microphone()):
        print(event)

Everything is imported when it is first used, so that ``import linnet`` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False  # type checkers take it for true; that of `typing` costs more time than all the rest
if TYPE_CHECKING:
    from pathlib import Path

    from linnet import audio, card, errors, model, trigger, zoo
    from linnet.trigger import Detection, Stream, TriggerWord

__all__ = [
    "Detection",
    "Stream",
    "TriggerWord",
    "audio",
    "card",
    "errors",
    "load",
    "model",
    "trigger",
    "zoo",
]

_MODULES = {"audio", "card", "errors", "model", "trigger", "zoo"}
_HOMES = {"Detection": "trigger", "Stream": "trigger", "TriggerWord": "trigger"}


def load(path: str | Path) -> TriggerWord:
    """Open the model file at ``path`` as the class that runs its task (today: trigger words).

    Raises ModelError where the file is missing, damaged, or of a task or version this Linnet does not know.
    """
    from pathlib import Path

    from linnet.trigger import TriggerWord

    return TriggerWord(Path(path))


def __getattr__(name: str) -> object:
    """Import a submodule, or the class that lives in one, on first use (PEP 562)."""
    if name in _MODULES:
        return import_module(f"linnet.{name}")
    if name in _HOMES:
        value: object = getattr(import_module(f"linnet.{_HOMES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'linnet' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
