"""Linnet: small recurrent networks that run from one ONNX file on a CPU.

    spotter = linnet.TriggerWord("computer")
    for event in spotter.listen(linnet.audio.microphone()):
        print(event)

    print(linnet.Captioner()("photo.jpg"))
    print(linnet.Translator("de-en")("Ein Hund läuft."))

Everything is imported when it is first used, so that ``import linnet`` costs next to nothing.
"""

from __future__ import annotations

import os
from importlib import import_module

# onnxruntime 1.29 and later tells its maker about every model that it loads, and leaves an identifier of the
# machine in the home folder, unless it finds this when it is loaded. Nothing here leaves the machine.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

TYPE_CHECKING = False  # type checkers take it for true; that of `typing` costs more time than all the rest
if TYPE_CHECKING:
    from linnet import audio, caption, card, errors, image, model, plots, text, translate, trigger, zoo
    from linnet.caption import Caption, Captioner
    from linnet.translate import Translation, Translator
    from linnet.trigger import Detection, Stream, TriggerWord

__all__ = [
    "Caption",
    "Captioner",
    "Detection",
    "Stream",
    "Translation",
    "Translator",
    "TriggerWord",
    "audio",
    "caption",
    "card",
    "errors",
    "image",
    "load",
    "model",
    "plots",
    "text",
    "translate",
    "trigger",
    "zoo",
]

_MODULES = {
    *("audio", "caption", "card", "errors", "image", "model", "plots", "text", "translate", "trigger", "zoo")
}
_HOMES = {
    "Caption": "caption",
    "Captioner": "caption",
    "Detection": "trigger",
    "Stream": "trigger",
    "Translation": "translate",
    "Translator": "translate",
    "TriggerWord": "trigger",
}


def load(model: str | os.PathLike[str]) -> TriggerWord | Captioner | Translator:
    """Open a model, a bundled one or a file (`linnet.zoo.find`), as the class that runs its task.

    Raises ModelError where it is missing, damaged, or of a task or version this Linnet does not know.
    """
    from linnet.modelfile import read_card
    from linnet.zoo import find

    path, keywords = find(model)
    task = read_card(path).task
    if task == "caption":
        from linnet.caption import Captioner

        return Captioner(path)
    if task == "translate":
        from linnet.translate import Translator

        return Translator(path)
    from linnet.trigger import TriggerWord

    return TriggerWord(keywords or path)


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
