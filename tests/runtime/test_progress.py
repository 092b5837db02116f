"""The line that says how far a long job has come."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from linnet.progress import Progress

Run = Callable[..., tuple[int, str, str]]


def test_the_bar_moves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")

    class Terminal(io.StringIO):
        encoding = "ascii"

        def isatty(self) -> bool:
            return True

    times = iter(range(100))
    stream = Terminal()
    bar = Progress(4, stream=stream, now=lambda: float(next(times)))
    bar.advance()
    bar.advance()
    assert "############............  2 of 4" in stream.getvalue()
    bar.clear()
    assert stream.getvalue().endswith("\r\033[K")
    stream.truncate(0)
    one = Progress(1, stream=stream, now=lambda: 0.0)
    one.advance()
    assert stream.getvalue() == ""


def test_a_bar_of_an_unknown_total(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")

    class Terminal(io.StringIO):
        encoding = "ascii"

        def isatty(self) -> bool:
            return True

    times = iter(range(100))
    stream = Terminal()
    bar = Progress(None, stream=stream, now=lambda: float(next(times)))
    bar.advance()
    assert stream.getvalue() == "\r\033[K1 done, 0.5 a second"
    more = Progress(2, stream=stream, now=lambda: float(next(times)))
    for _ in range(3):  # more than were counted, since the file has grown
        more.advance()
    assert "########################  3 of 2" in stream.getvalue()
    assert Progress(0, stream=stream).advance() is None
