"""The line that says how far a long job has come: on a terminal, and nowhere else."""

from __future__ import annotations

import io
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from linnet.cli import progress
from linnet.cli.lines import Lines
from linnet.cli.progress import Progress, watched
from linnet.decider import Detection


class Terminal(io.StringIO):
    encoding = "ascii"

    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Standard error, on which every step is drawn."""
    stream = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress, "sys", SimpleNamespace(stderr=stream))  # pytest puts back its own in sys
    monkeypatch.setattr(progress, "_REDRAW_S", 0.0)
    return stream


def test_the_bar_moves(terminal: Terminal) -> None:
    times = iter(range(100))
    bar = Progress(4, now=lambda: float(next(times)))
    bar.advance()
    bar.advance()
    assert "############............  2 of 4" in terminal.getvalue()
    bar.clear()
    assert terminal.getvalue().endswith("\r\033[K")
    terminal.truncate(0)
    one = Progress(1, now=lambda: 0.0)
    one.advance()
    assert terminal.getvalue() == ""


def test_parts_may_be_done_many_at_a_time(terminal: Terminal) -> None:
    Progress(9).reach(4)
    assert "4 of 9" in terminal.getvalue()


def test_a_bar_of_an_unknown_total(terminal: Terminal) -> None:
    times = iter(range(100))
    bar = Progress(None, now=lambda: float(next(times)))
    bar.advance()
    assert terminal.getvalue() == "\r\033[K1 done, 0.5 a second"
    more = Progress(2, now=lambda: float(next(times)))
    for _ in range(3):  # more than were counted, since the file has grown
        more.advance()
    assert "########################  3 of 2" in terminal.getvalue()
    assert Progress(0).advance() is None


def test_items_are_watched_as_they_are_gone_through(terminal: Terminal) -> None:
    drawn = [(item, f"{item} of 3" in terminal.getvalue()) for item in watched(range(3))]
    assert drawn == [(0, False), (1, True), (2, True)]
    assert "3 of 3" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\033[K")


def test_how_many_they_are_may_have_to_be_said(terminal: Terminal) -> None:
    assert list(watched(iter("ab"), 2)) == ["a", "b"]
    assert "1 of 2" in terminal.getvalue()
    list(watched(iter("ab")))
    assert "2 done" in terminal.getvalue()


def test_the_bar_is_taken_away_when_something_goes_wrong(terminal: Terminal) -> None:
    def items() -> Iterator[int]:
        yield from (1, 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(watched(items(), 3))
    assert "2 of 3" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\033[K")


def test_nothing_is_drawn_where_nobody_watches(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert list(watched("abc")) == ["a", "b", "c"]
    assert terminal.getvalue() == ""


def test_how_much_of_a_recording_has_been_heard(
    terminal: Terminal, capsys: pytest.CaptureFixture[str]
) -> None:
    second, scores = np.zeros(16_000, np.float32), np.zeros((25, 1), np.float32)
    lines = Lines(live=False)
    lines.heard(second, scores)
    lines.heard(second, scores)
    assert "2 s of audio heard" in terminal.getvalue()
    lines.detection(Detection("loud", 1.5, 0.9))
    assert terminal.getvalue().endswith("\r\033[K")
    assert capsys.readouterr().out == "0:00:01.50  loud  0.90\n"
    drawn = terminal.getvalue()
    for silent in (Lines(live=False, quiet=True), Lines(live=True)):
        silent.heard(second, scores)
    assert terminal.getvalue() == drawn
