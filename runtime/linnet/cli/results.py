"""Results as lines of text or JSON, and files of such lines that a stopped run goes on with."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from linnet.cli.terminal import clean
from linnet.errors import OutputError, UsageError
from linnet.files import whole

if TYPE_CHECKING:
    from linnet.caption import Caption
    from linnet.translate import Translation

__all__ = [
    "LineFile",
    "as_json",
    "as_text",
    "failure",
    "translation_as_json",
    "translation_as_text",
    "unfinished",
]


class Ranked(Protocol):
    """What a search found: the best, and its alternatives."""

    @property
    def text(self) -> str: ...
    @property
    def score(self) -> float: ...
    @property
    def alternatives(self) -> Sequence[Ranked]: ...


def as_text(name: str, caption: Caption, alone: bool, translated: Mapping[str, str] | None = None) -> str:
    """A line per caption for people: the picture's name unless it is ``alone``, the score where there are
    several captions, the text, or what it was ``translated`` into.
    """
    lead = "" if alone else f"{clean(name)}: "
    return _lines(lead, caption, lambda text: clean(translated[text] if translated else text))


def as_json(name: str, caption: Caption, translated: Mapping[str, str] | None = None) -> str:
    """A line for programs: image, caption, score, and translation where captions were ``translated``; and
    alternatives where there are any.
    """
    return _object({"image": name}, "caption", caption, translated)


def translation_as_text(translation: Translation, *, terminal: bool) -> str:
    """A line per translation for people, the score where there are several.

    On a ``terminal`` nothing that it would obey; elsewhere characters are as they are.
    """
    return _lines("", translation, _cleaned if terminal else str)


def translation_as_json(source: str, translation: Translation) -> str:
    """A line for programs: source, translation, score; and alternatives where there are any."""
    return _object({"source": source}, "translation", translation)


def failure(name: str, sentence: str) -> str:
    """The line for programs where there is no caption: image, error."""
    return json.dumps({"image": name, "error": sentence})


def _lines(lead: str, best: Ranked, shown: Callable[[str], str]) -> str:
    results = (best, *best.alternatives)
    if len(results) == 1:
        return lead + shown(best.text)
    return "\n".join(f"{lead}{each.score:7.3f}  {shown(each.text)}" for each in results)


def _object(
    about: dict[str, Any], kind: str, best: Ranked, translated: Mapping[str, str] | None = None
) -> str:
    """JSON: what the result is ``about``, then its text under the name of its ``kind``, and its score."""

    def fields(result: Ranked) -> dict[str, Any]:
        found = {kind: result.text, "score": round(result.score, 4)}
        return found if translated is None else found | {"translation": translated[result.text]}

    alternatives = {"alternatives": list(map(fields, best.alternatives))} if best.alternatives else {}
    return json.dumps(about | fields(best) | alternatives)


def _cleaned(text: str) -> str:
    return "\n".join(map(clean, text.split("\n")))


def unfinished(path: str) -> set[str]:
    """Names of the pictures that a file of such lines holds captions of; none where there is no file.

    What cannot stay is taken out of the file: a last line that was torn as the run was stopped, and failures,
    since those pictures are tried again. Raises UsageError where the file holds anything else, and is then
    left alone; OutputError where it cannot be read or written.
    """
    done: set[str] = set()
    if not os.path.exists(path):
        return done
    if not os.path.isfile(path):
        raise UsageError(f"--resume goes on with a file, and {path} is none")
    try:
        with open(path, "rb") as lines, whole(path) as kept:
            for number, line in enumerate(lines, 1):
                fields = _parsed(line)
                if fields is None:
                    if line.endswith(b"\n"):
                        raise UsageError(
                            f"line {number} of {path} is not what linnet caption writes; name another file"
                        )
                elif "error" not in fields:
                    done.add(fields["image"])
                    kept.write(line.rstrip(b"\n") + b"\n")
    except OSError as error:
        if isinstance(error, OutputError):
            raise
        raise OutputError(f"cannot read {path}: {error.strerror or error}") from error
    return done


def _parsed(line: bytes) -> dict[str, Any] | None:
    """The line's fields, if `as_json` or `failure` may have made it."""
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict) or not isinstance(fields.get("image"), str):
        return None
    return fields if "caption" in fields or "error" in fields else None


class LineFile:
    """A file that lines are written to, each at once, so that a run that is stopped leaves what it did."""

    def __init__(self, path: str, *, go_on: bool) -> None:
        """Open it: empty, or to ``go_on`` behind what it holds. Raises OutputError where that cannot be."""
        self._path = path
        try:
            self._file = open(path, "a" if go_on else "w", encoding="ascii")  # noqa: SIM115 (see close)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise OutputError(f"cannot write {path}: {reason}") from error

    def write(self, line: str) -> None:
        """Add a line. Raises OutputError where that cannot be, for instance because the disk is full."""
        try:
            self._file.write(line + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(f"cannot write {self._path}: {error.strerror or error}") from error

    def close(self) -> None:
        """Close the file."""
        try:
            self._file.close()
        except OSError as error:  # what could not be flushed before is tried again here
            raise OutputError(f"cannot write {self._path}: {error.strerror or error}") from error
