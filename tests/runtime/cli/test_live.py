"""The live view of ``linnet listen``: bars redrawn in place, lines above them."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest

from linnet.cli.live import Live
from linnet.decider import Detection


class Screen(io.StringIO):
    """A terminal, as far as the view uses one."""

    def __init__(self, encoding: str = "utf-8") -> None:
        super().__init__()
        self._encoding = encoding
        self.lines, self.row, self.hidden = [""], 0, False

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._encoding

    def write(self, text: str) -> int:
        for code, character in re.findall(r"(\033\[[0-9;?]*[a-zA-Z])|([\s\S])", text):
            if not code:
                assert character == "\n" or character.isprintable()
                if character == "\n":
                    self.row += 1
                    self.lines += [""] * (self.row + 1 - len(self.lines))
                    self.fresh = True
                else:
                    self.lines[self.row] = ("" if self.fresh else self.lines[self.row]) + character
                    self.fresh = False
            elif code[-1] == "F":
                self.row -= int(code[2:-1])
                assert self.row >= 0
                self.fresh = True
            elif code == "\033[J":
                del self.lines[self.row + (not self.fresh) :]
                self.lines += [""] * (self.row + 1 - len(self.lines))
            elif code in ("\033[?25l", "\033[?25h"):
                self.hidden = code[-1] == "l"
            else:
                assert code == "\033[K" or code[-1] == "m"
        return super().write(text)

    fresh = True  # whether the next character begins a line


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("LINES", "20")
    monkeypatch.delenv("NO_COLOR", raising=False)


def view(screen: Screen, keywords: tuple[str, ...] = ("computer", "alexa"), *, live: bool = True) -> Live:
    clock = iter(range(10_000))
    thresholds = np.linspace(0.5, 0.9, len(keywords))
    return Live("listening to a mic", keywords, thresholds, live=live, stream=screen, now=lambda: next(clock))


def hear(live: Live, *scores: float, level: float = 0.1) -> None:
    live.heard(np.full(1280, level, np.float32), np.array([scores], np.float32))


@pytest.mark.usefixtures("wide")
def test_bars_are_redrawn_in_place_and_lines_scroll_above() -> None:
    screen = Screen()
    live = view(screen)
    assert screen.hidden
    for _ in range(20):
        hear(live, 0.25, 0.0)
    live.detection(Detection("computer", 1.0, 0.93))
    live.note("a remark")
    hear(live, 1.0, 0.0)
    assert re.fullmatch(r"\d\d:\d\d:\d\d  computer  0\.93", screen.lines[0])
    assert screen.lines[1:] == [
        "a remark",
        "● listening to a mic   0:00:01   1 heard",
        " level    " + "█" * 26 + "▋" + "─" * 13 + "  -20 dB",
        " computer " + "█" * 20 + "┃" + "█" * 19 + "    1.00",
        " alexa    " + "─" * 36 + "┃" + "─" * 3 + "    0.00",
        "",
    ]
    live.close()
    assert screen.lines[1:] == ["a remark", ""]
    assert not screen.hidden
    assert "\033[32m" in screen.getvalue()


@pytest.mark.usefixtures("wide")
def test_no_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    screen = Screen()
    live = view(screen)
    hear(live, 0.9, 0.9)
    live.detection(Detection("computer", 1.0, 0.93))
    assert not re.search(r"\033\[[0-9;]*m", screen.getvalue())


@pytest.mark.usefixtures("wide")
def test_a_terminal_without_block_characters() -> None:
    screen = Screen("ascii")
    live = view(screen)
    hear(live, 0.25, 0.0)
    assert screen.getvalue().isascii()
    assert screen.lines[2] == " computer " + "#" * 10 + "-" * 10 + "|" + "-" * 19 + "    0.25"


@pytest.mark.usefixtures("wide")
def test_silence_and_clipping_are_named() -> None:
    screen = Screen()
    live = view(screen)
    hear(live, 0, 0, level=0)
    assert screen.lines[1].endswith("  silent")
    hear(live, 0, 0, level=1)
    assert screen.lines[1].endswith("  clips")


@pytest.mark.parametrize("width", [1, 5, 10, 16, 20, 30, 45, 80, 200])
def test_every_width(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("LINES", "6")
    screen = Screen()
    live = view(screen, ("a" * 100, "世界", *"bcdefgh"))
    hear(live, *[0.5] * 9)
    assert len(screen.lines) - 1 <= 5  # no higher than the terminal
    if width >= 16:
        assert all(len(line) + sum(c > "\u4dff" for c in line) < width for line in screen.lines)
    live.close()


def test_a_recording_has_a_line_and_no_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    screen = Screen()
    live = view(screen, live=False)
    hear(live, 0.5, 0.5)
    assert screen.lines == ["● listening to a mic   0:00:00   0 heard", ""]
