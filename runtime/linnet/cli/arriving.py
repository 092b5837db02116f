"""Lines of text as they come in: all that is there, and none waited for that is not.

Of a file a good many are taken at a time, which is fastest. From a program that writes a line now and then,
each is taken when it comes. In either case a few of them are held, however many come.
"""

from __future__ import annotations

import os
import queue
import stat
import threading
from collections.abc import Iterator
from typing import BinaryIO

from linnet.errors import UsageError

__all__ = ["MAX_BYTES", "count", "windows"]

MAX_BYTES = 1_000_000
"""A longer line is refused: it is no line of text, and would have to be held in memory."""

_BLOCK = 1 << 16
_FIRST = 16
_MARK = b"\xef\xbb\xbf"  # some programs begin UTF-8 with it

_Block = list[bytes] | Exception | None  # None is the end


def windows(stream: BinaryIO, most: int) -> Iterator[list[str]]:
    """The lines of a stream, without their ends, a few at a time: at least one, and as many as are there.

    The first windows are short, so that the first lines are soon done. A line ends with a newline, before
    which a carriage return may stand; the last may lack it.

    Args:
        stream: that nothing has been read from yet.
        most: lines in a window.

    Raises UsageError for a line that is not UTF-8, or is longer than `MAX_BYTES`, after those before it.
    """
    blocks: queue.Queue[_Block] = queue.Queue(2)
    # A daemon, so that a stream that never ends does not keep the program alive.
    threading.Thread(target=_read, args=(stream, blocks), name="linnet-lines", daemon=True).start()
    waiting: list[bytes] = []
    number = 0
    size = min(_FIRST, most)
    over = False
    while True:
        while not over and (not waiting or (len(waiting) < size and not blocks.empty())):
            block = blocks.get()
            if isinstance(block, Exception):
                raise block
            over = block is None
            waiting += block or []
        if not waiting:
            return
        window: list[str] = []
        for line in waiting[:size]:
            try:
                window.append(_decoded(line, number + len(window) + 1))
            except UsageError:
                if window:
                    yield window
                raise
        del waiting[:size]
        number += len(window)
        yield window
        size = min(2 * size, most)


def count(stream: BinaryIO) -> int | None:
    """How many lines are still to come, if the stream is a plain file; else None."""
    try:
        file = stream.fileno()
        if not stat.S_ISREG(os.fstat(file).st_mode) or not hasattr(os, "pread"):
            return None
        place = os.lseek(file, 0, os.SEEK_CUR)
        lines, last = 0, b"\n"
        while block := os.pread(file, _BLOCK, place):
            place += len(block)
            lines += block.count(b"\n")
            last = block[-1:]
    except (OSError, ValueError):  # io.UnsupportedOperation is both
        return None
    return lines + (last != b"\n")


def _read(stream: BinaryIO, blocks: queue.Queue[_Block]) -> None:
    """Put all lines into ``blocks``, as they come."""
    # Not through its buffer, which is locked while this thread waits; Python would stumble over that at exit.
    stream = getattr(stream, "raw", stream)
    rest = b""
    try:
        while block := stream.read(_BLOCK):
            lines = (rest + block).split(b"\n") if b"\n" in block else [rest + block]
            rest = lines.pop()
            if lines:
                blocks.put(lines)
            if len(rest) > MAX_BYTES:
                break  # it is refused in its turn
        if rest:
            blocks.put([rest])
        blocks.put(None)
    except Exception as error:
        blocks.put(error)


def _decoded(line: bytes, number: int) -> str:
    where = f"line {number} on standard input"
    if len(line) > MAX_BYTES:
        raise UsageError(f"{where} is longer than {MAX_BYTES // 1_000_000} MB; break it into lines")
    try:
        return line.removeprefix(_MARK if number == 1 else b"").removesuffix(b"\r").decode()
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{where} is not UTF-8 text (byte {line[error.start]:#04x}); convert it first, for instance with "
            "iconv -f latin1 -t utf-8"
        ) from None
