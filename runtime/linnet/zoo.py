"""The models that ship with Linnet: ``linnet/models/*.onnx``.

Each is checked against the sum in ``SHA256SUMS`` beside it before its path is handed out. That file is in the
format of ``sha256sum``, so ``sha256sum -c SHA256SUMS`` in the folder does the same.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from linnet.card import TriggerSettings
from linnet.errors import KeywordError, ModelError, ModelNotFoundError
from linnet.modelfile import read, read_card

__all__ = ["FOLDER", "find", "is_path", "located", "models", "named"]

FOLDER = Path(__file__).parent / "models"
"""Where the bundled models are."""


def models() -> list[Path]:
    """The bundled model files, by name; none where none ship.

    Raises ModelError where the folder and its sums do not agree, so that what is returned is what was
    shipped.
    """
    return list(_shipped())


def find(*keywords: str) -> Path:
    """The first bundled model that hears all of ``keywords``.

    Raises KeywordError where none does, ModelNotFoundError where no models ship, ModelError as `models` does.
    """
    known: list[str] = []
    for path in _shipped():
        settings = read_card(path).settings
        if isinstance(settings, TriggerSettings):
            if set(keywords) <= set(settings.keywords):
                return path
            known += (keyword for keyword in settings.keywords if keyword not in known)
    if not known:
        raise ModelNotFoundError("no models ship with this installation; give the path of an .onnx file")
    wanted = " and ".join(map(repr, keywords))
    raise KeywordError(
        f"no bundled model hears {wanted}; they hear {', '.join(known)} "
        "(to open a file, end its name in .onnx)"
    )


def named(name: str) -> Path:
    """The bundled model whose file is called ``name``, without its ending.

    Raises ModelNotFoundError where there is none, ModelError as `models` does.
    """
    for path in _shipped(f"{name}.onnx"):
        return path
    raise ModelNotFoundError(
        f"no bundled model is called {name!r}; linnet models lists them "
        "(to open a file, end its name in .onnx)"
    )


def is_path(name: str) -> bool:
    """Whether ``name`` means a file, and not a bundled model: it ends in .onnx or holds a path separator."""
    return name.endswith(".onnx") or "/" in name or os.sep in name


def located(model: str | os.PathLike[str]) -> Path:
    """The file of the model that is meant: a bundled one's name, or a path (a Path, or what `is_path` says).

    Raises ModelNotFoundError and ModelError as `named` does.
    """
    return named(model) if isinstance(model, str) and not is_path(model) else Path(model)


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
