"""What the user sees of a long job before training: a bar on a terminal, lines elsewhere."""

import io
from types import SimpleNamespace

import pytest

from linnet.cli import progress
from linnet_training import starting
from linnet_training.starting import Tenths, shown


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Standard error, a terminal on which every step is drawn."""
    stream = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    for module in (progress, starting):
        monkeypatch.setattr(module, "sys", SimpleNamespace(stderr=stream))
    monkeypatch.setattr(progress, "_REDRAW_S", 0.0)
    return stream


def test_a_line_at_every_tenth_where_nothing_can_be_drawn(capsys):
    said = []
    with Tenths("Counting", 40, said.append) as done:
        for number in range(1, 41):
            done(number, 40)
    assert len(said) == 10
    assert (said[0], said[-1]) == ("Counting: 4 of 40.", "Counting: 40 of 40.")
    assert list(shown("abc")) == ["a", "b", "c"]
    assert capsys.readouterr().err == ""


def test_a_bar_on_a_terminal(terminal):
    said = []

    def stopped():
        with Tenths("Counting", 40, said.append) as done:
            done(4, 40)
            done(30, 40)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert said == ["Counting."]
    assert "  4 of 40, " in terminal.getvalue()
    assert "  30 of 40, " in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\033[K")  # and the bar is gone


def test_what_was_done_before_is_not_spoken_of(terminal):
    said = []
    with Tenths("Counting", 40, said.append):
        pass
    assert (said, terminal.getvalue()) == ([], "")


def test_one_process_draws_for_all(terminal, monkeypatch):
    assert list(shown("abc")) == ["a", "b", "c"]
    drawn = terminal.getvalue()
    assert "2 of 3" in drawn
    monkeypatch.setenv("RANK", "1")
    assert list(shown("abc")) == ["a", "b", "c"]
    with Tenths("Counting", 2, lambda _: None) as done:
        done(1, 2)
    assert terminal.getvalue() == drawn
