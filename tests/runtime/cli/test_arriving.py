"""Lines of text as they come in."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from linnet.cli import arriving

Run = Callable[..., tuple[int, str, str]]


def test_windows_grow() -> None:
    sizes = [len(window) for window in arriving.windows(io.BytesIO(b"a\n" * 500), 100)]
    assert sizes == [16, 32, 64, 100, 100, 100, 88]
    assert list(arriving.windows(io.BytesIO(b""), 100)) == []
    with pytest.raises(OSError, match="gone"):
        list(arriving.windows(Broken(), 100))


class Broken(io.BytesIO):
    def read(self, size: int | None = -1, /) -> bytes:
        raise OSError(5, "gone")


def test_lines_are_counted_where_that_can_be(tmp_path: Path) -> None:
    for data, lines in ((b"", 0), (b"a", 1), (b"a\nb\n", 2), (b"a\n" * 100_000 + b"b", 100_001)):
        path = tmp_path / "lines.txt"
        path.write_bytes(data)
        with open(path, "rb") as stream:
            assert arriving.count(stream) == lines
            assert stream.read() == data
    assert arriving.count(io.BytesIO(b"a\n")) is None
    reader, writer = os.pipe()
    os.close(writer)
    with open(reader, "rb") as stream:
        assert arriving.count(stream) is None
