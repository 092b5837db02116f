"""The models that ship with Linnet, ``linnet/models/*.onnx``, and how any model is named (`find`).

Each that ships is checked against the sum in ``SHA256SUMS`` beside it before its path is handed out. That
file is in the format of ``sha256sum``, so ``sha256sum -c SHA256SUMS`` in the folder does the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

from linnet.card import TriggerSettings
from linnet.errors import KeywordError, ModelError, ModelNotFoundError
from linnet.modelfile import read, read_card

__all__ = ["FOLDER", "Found", "find", "models"]

FOLDER = Path(__file__).parent / "models"
"""Where the bundled models are."""


class Found(NamedTuple):
    """The model that is meant."""

    path: Path
    """Of its file."""
    keywords: tuple[str, ...] = ()
    """What it was found by, where that was keywords: only these are asked of it. None: all that it does."""


def models() -> list[Path]:
    """The bundled model files, by name; none where none ship.

    Raises ModelError where the folder and its sums do not agree, so that what is returned is what was
    shipped.
    """
    return list(_shipped())


def find(model: str | os.PathLike[str] | Sequence[str]) -> Found:
    """The model that ``model`` means. Everything that takes a model takes what is said here.

    A Path, or a text that ends in ``.onnx``, is a file. Another text is, in this order, the name of a bundled
    model (that of its file, without ``.onnx``), a keyword that a bundled model hears, or the path of a file
    that there is: what ships comes first, so that no file that lies about changes what a name means
    (``./computer`` is a file, whatever ships). A list of texts is of keywords that one bundled model hears.

    Raises ModelNotFoundError where a text is none of these, KeywordError where no bundled model hears all the
    keywords of a list or it is empty, ModelError as `models` does.
    """
    if isinstance(model, os.PathLike):
        return Found(Path(model))
    if isinstance(model, str):
        if model.endswith(".onnx"):
            return Found(Path(model))
        for path in _shipped(f"{model}.onnx"):
            return Found(path)
    wanted = (model,) if isinstance(model, str) else tuple(dict.fromkeys(model))
    if not wanted:
        raise KeywordError("no keyword is named; name at least one")
    heard: dict[str, tuple[str, ...]] = {}
    for path in _shipped():
        settings = read_card(path).settings
        heard[path.stem] = settings.keywords if isinstance(settings, TriggerSettings) else ()
        if set(wanted) <= set(heard[path.stem]):
            return Found(path, wanted)
    if isinstance(model, str) and os.path.exists(model):
        return Found(Path(model))
    raise _unknown(model, heard)


def _unknown(
    model: str | Sequence[str], heard: dict[str, tuple[str, ...]]
) -> KeywordError | ModelNotFoundError:
    """The error where nothing is found; ``heard`` is what bundled models hear, by their names."""
    if not heard:
        return ModelNotFoundError("no models ship with this installation; give the path of an .onnx file")
    if isinstance(model, str):
        keywords = dict.fromkeys(word for words in heard.values() for word in words)
        return ModelNotFoundError(
            f"there is no model {model!r}; give a bundled one's name ({', '.join(heard)}), a keyword "
            f"({', '.join(keywords)}), or the path of an .onnx file"
        )
    together = "; or ".join(", ".join(words) for words in heard.values() if words)
    return KeywordError(
        f"no bundled model hears {' and '.join(map(repr, dict.fromkeys(model)))}; give keywords of one model "
        f"({together}), or the path of an .onnx file alone"
    )


def _shipped(only: str | None = None) -> Iterator[Path]:
    """The bundled files, or ``only`` that, each once its sum has been found right.

    One at a time, so that whoever finds what it wants does not pay for reading the others.
    """
    sums = _sums()
    found = {path.name: path for path in FOLDER.glob("*.onnx")}
    if set(found) != set(sums):
        names = ", ".join(sorted(set(found) ^ set(sums)))
        raise ModelError(
            f"the bundled models and their SHA256SUMS do not match ({names}); install linnet again"
        )
    for name in sorted(found):
        if only in (None, name):
            if _sha256(read(found[name])) != sums[name]:
                raise ModelError(
                    f"the bundled model {name} is not the one that shipped; install linnet again"
                )
            yield found[name]


def _sums() -> dict[str, str]:
    """File name -> SHA-256 in hexadecimal, from SHA256SUMS."""
    path = FOLDER / "SHA256SUMS"
    if not path.exists():
        return {}
    try:
        lines = path.read_text("ascii").splitlines()
        # "<sum>  <name>", with a * before the name where the sum was taken in binary mode.
        return {
            name.strip().removeprefix("*"): digest for digest, name in (line.split(None, 1) for line in lines)
        }
    except (OSError, ValueError) as error:
        raise ModelError(
            f"the bundled models' SHA256SUMS cannot be read ({error}); install linnet again"
        ) from None


def _sha256(data: bytes) -> str:
    """The SHA-256 of ``data`` in hexadecimal.

    hashlib loads OpenSSL: 3.5 MB of memory, for a listener that needs 57. Python's own implementation, which
    hashlib falls back to, does as well; its module has had two names.
    """
    for name in ("_sha2", "_sha256"):
        try:
            digest: str = import_module(name).sha256(data).hexdigest()
        except ImportError:
            continue
        return digest
    import hashlib

    return hashlib.sha256(data).hexdigest()
