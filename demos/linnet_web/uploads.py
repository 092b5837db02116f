"""What is uploaded: bounded in size, called by its own name in every sentence, and gone once it was used."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from linnet.cli.terminal import clean
from linnet.errors import LinnetError, UsageError

__all__ = ["MOST_BYTES", "Uploads"]

MOST_BYTES = {"recording": 64 << 20, "picture": 20 << 20, "model": 64 << 20}
"""What is uploaded -> the most bytes that are taken of it."""

_LONGEST_NAME = 60
_FORGOTTEN_S = 600  # after which a file that nothing was asked about is removed


class Uploads:
    """The folder in which uploads lie until they are answered."""

    def __init__(self, folder: Path) -> None:
        """Take uploads from ``folder``, and from nowhere else."""
        self._folder = folder.resolve()

    @contextmanager
    def taken(self, payload: Mapping[str, Any], kind: str) -> Iterator[tuple[Path, str]]:
        """Give the file's path and name; the file is gone when the block ends, however it ends.

        Errors of ours that name the path name the file as its owner does.

        Args:
            payload: what the browser says of it: ``path``, and ``orig_name``, its owner's name for it.
            kind: of file, a key of MOST_BYTES.

        Raises UsageError where the file is larger than that allows, or is no longer there.
        """
        path = Path(payload["path"]).resolve()
        name = _shown(payload.get("orig_name") or path.name)
        # The path comes from a browser, or from whoever says that he is one: it must not be any file.
        if not path.is_relative_to(self._folder) or not path.is_file():
            raise UsageError(f"{name} is no longer here; give it again")
        try:
            if path.stat().st_size > MOST_BYTES[kind]:
                most = MOST_BYTES[kind] >> 20
                raise UsageError(f"{name} is larger than {most} MB, the most for a {kind} here")
            yield path, name
        except LinnetError as error:
            raise type(error)(str(error).replace(str(path), name)) from error
        finally:
            with suppress(OSError):
                path.unlink()
            with suppress(OSError):
                path.parent.rmdir()  # it was made for this file, and stays where it holds others

    def sweep(self, older_s: float = _FORGOTTEN_S) -> None:
        """Remove what is older: a page that is closed too soon leaves files that nobody asks about."""
        for path in sorted(self._folder.rglob("*"), reverse=True):  # what is in a folder comes before it
            with suppress(OSError):
                if time.time() - path.lstat().st_mtime > older_s:
                    path.rmdir() if path.is_dir() else path.unlink()


def _shown(name: str) -> str:
    """A file's name on one line that is not too long."""
    name = clean(name)
    half = _LONGEST_NAME // 2
    return name if len(name) <= _LONGEST_NAME else f"{name[:half]}…{name[-half:]}"
