"""A camera for the assistant: a command that takes pictures, or a folder that stands in for one."""

import itertools
import shlex
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import linnet
from linnet.cli.pictures import find
from linnet.errors import ImageError, ImageNotFoundError, UsageError

PATIENCE_S = 30.0


def camera(given: str, file: Path) -> Callable[[], str | Path]:
    """What takes a picture when it is called, and says where it is.

    Args:
        given: a command for the shell in which {} stands for the file that it is to write; or a folder, whose
            next picture is taken each time, round and round; or a picture, which is always the same.
        file: where a command's pictures go, each in place of the last.

    Raises ImageError where there is no such file or folder, or the file is no picture, and UsageError for a
    folder without pictures. What is returned raises ImageError where the command fails, or takes longer than
    `PATIENCE_S`.
    """
    if "{}" in given:
        return lambda: _shot(given.replace("{}", shlex.quote(str(file))), file)
    if not Path(given).exists():
        raise ImageNotFoundError(f"there is no picture or folder {given}; a camera's command has {{}} in it")
    if not Path(given).is_dir():
        linnet.image.pixels(given)  # which says what is wrong with it
    complaints: list[str] = []
    pictures = itertools.cycle([each.name for each in find([given], complaints.append)])
    if complaints:
        raise UsageError(complaints[0])
    return lambda: next(pictures)


def _shot(command: str, file: Path) -> Path:
    file.unlink(missing_ok=True)
    # Not through a pipe, which would be waited for as long as anything that the shell started holds it.
    with tempfile.TemporaryFile() as errors:
        try:
            status = subprocess.run(
                command,
                shell=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                timeout=PATIENCE_S,
            ).returncode
        except subprocess.TimeoutExpired:
            raise ImageError(f"the camera took no picture in {PATIENCE_S:g} s; check its command") from None
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip().split("\n")[-1]
    if status or not file.exists():
        raise ImageError(f"the camera took no picture ({said or f'status {status}'})")
    return file
