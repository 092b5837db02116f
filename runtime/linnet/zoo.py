"""The models that ship with Linnet: ``linnet/models/*.onnx``.

Each is checked against the sum in ``SHA256SUMS`` beside it before its path is handed out. That file is in the
format of ``sha256sum``, so ``sha256sum -c SHA256SUMS`` in the folder does the same.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from linnet.errors import KeywordError, ModelError, ModelNotFoundError
from linnet.modelfile import read, read_card

__all__ = ["FOLDER", "find", "models"]

FOLDER = Path(__file__).parent / "models"
"""Where the bundled models are."""


def models() -> list[Path]:
    """The bundled model files, by name; none where none ship.

    Raises ModelError where the folder and its sums do not agree, so that what is returned is what was
    shipped.
    """
    sums = _sums()
    found = sorted(FOLDER.glob("*.onnx"))
    if {path.name for path in found} != set(sums):
        names = ", ".join(sorted({path.name for path in found} ^ set(sums)))
        raise ModelError(
            f"the bundled models and their SHA256SUMS do not match ({names}); install linnet again"
        )
    for path in found:
        if _sha256(read(path)) != sums[path.name]:
            raise ModelError(
                f"the bundled model {path.name} is not the one that shipped; install linnet again"
            )
    return found


def find(*keywords: str) -> Path:
    """The first bundled model that hears all of ``keywords``.

    Raises KeywordError where none does, ModelNotFoundError where no models ship, ModelError as `models` does.
    """
    known: list[str] = []
    for path in models():
        heard = read_card(path).trigger.keywords
        if set(keywords) <= set(heard):
            return path
        known += (keyword for keyword in heard if keyword not in known)
    if not known:
        raise ModelNotFoundError("no models ship with this installation; give the path of an .onnx file")
    wanted = " and ".join(map(repr, keywords))
    raise KeywordError(
        f"no bundled model hears {wanted}; they hear {', '.join(known)} "
        "(to open a file, end its name in .onnx)"
    )


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
