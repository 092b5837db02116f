"""Results are written whole or not at all: nobody finds half a file, and a full disk leaves the old one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from linnet.errors import OutputError

__all__ = ["FIGURES", "whole"]

FIGURES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""End of a figure's file name, in lower case -> the format it is written in."""


@contextmanager
def whole(path: str | Path) -> Iterator[BinaryIO]:
    """Give a file to write; it takes its place at ``path`` once it is complete and on the disk.

    The bytes go to a hidden file in the same folder, which replaces ``path`` in one step when the block ends
    without an exception, and is removed when it does not. What is there and is no ordinary file
    (``/dev/stdout``, a named pipe) is written directly. Raises OutputError where the file cannot be written,
    for instance because the disk is full.
    """
    target = Path(os.path.realpath(path))
    direct = os.path.exists(target) and not os.path.isfile(target)
    # The random part lets two processes write the same target; a short name cannot be too long where the
    # target's was not.
    temporary = target.with_name(f".{os.urandom(4).hex()}.tmp")
    try:
        with open(target if direct else temporary, "wb" if direct else "xb") as stream:
            yield stream
            if not direct:
                stream.flush()
                os.fsync(stream.fileno())
        if not direct:
            os.replace(temporary, target)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        if not direct:
            with suppress(OSError):
                temporary.unlink()
