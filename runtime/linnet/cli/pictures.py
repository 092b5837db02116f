"""Which pictures ``linnet caption`` is asked about: files, folders and standard input, in order."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

__all__ = ["STDIN", "SUFFIXES", "Found", "find"]

STDIN = "-"
"""The word, and the name, for a picture on standard input."""

SUFFIXES = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff"),
    *(".avif", ".jp2", ".j2k", ".ppm", ".pgm", ".pbm", ".pnm"),
)
"""Ends, in lower case, of the names of files that are taken for pictures in a folder."""


@dataclass(frozen=True)
class Found:
    """A picture to caption."""

    name: str
    """Its path, or STDIN; it is called so in what is printed."""
    place: str
    """Its path below the folder it was found in, or its file's name; "picture" on standard input."""


def find(words: Sequence[str], report: Callable[[str], None], *, leave_out: str | None = None) -> list[Found]:
    """The pictures that are named by ``words``, and those in folders that are.

    Folders are searched to their depths, names in order; hidden files and folders are passed over, and every
    folder is entered once, wherever symbolic links lead. What is named and does not exist is in the list, so
    that it is complained about in its turn.

    Args:
        words: paths, or STDIN.
        report: called with a sentence for each folder that cannot be read or holds no pictures.
        leave_out: a folder not to enter.
    """
    entered: set[tuple[int, int]] = set()
    if leave_out is not None and os.path.isdir(leave_out):
        entered.add(_identity(leave_out))
    found: list[Found] = []
    for word in words:
        if word == STDIN:
            found.append(Found(STDIN, "picture"))
        elif os.path.isdir(word):
            inside = [Found(path, os.path.relpath(path, word)) for path in _walk(word, entered, report)]
            if not inside:
                report(f"{word} holds no pictures (files whose names end in {', '.join(SUFFIXES[:7])}, ...)")
            found += inside
        else:
            found.append(Found(word, os.path.basename(word)))
    return found


def _walk(folder: str, entered: set[tuple[int, int]], report: Callable[[str], None]) -> Iterator[str]:
    try:
        identity = _identity(folder)
        if identity in entered:
            return
        entered.add(identity)
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        report(f"{folder} cannot be read: {error.strerror or error}")
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _walk(entry.path, entered, report)
        elif entry.name.lower().endswith(SUFFIXES) and (entry.is_file() or not os.path.exists(entry.path)):
            yield entry.path  # also a link that leads nowhere: it will be complained about


def _identity(folder: str) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino
