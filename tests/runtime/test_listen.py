"""``linnet listen``: recordings, pipes and microphones in; lines, JSON, bars, clips and commands out."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from linnet import audio, cli, microphone
from linnet.clips import Clips
from linnet.commands import Commands
from linnet.decider import Detection
from linnet.live import Live

Run = Callable[..., tuple[int, str, str]]
LISTEN = [sys.executable, "-m", "linnet", "listen"]


def tones(*starts: float, seconds: float) -> NDArray[np.float32]:
    """Silence with a loud tone of 0.2 s at each of the times, which the tiny model hears as "loud"."""
    samples = np.zeros(round(seconds * 16_000), np.float32)
    for start in starts:
        first = round(start * 16_000)
        samples[first : first + 3_200] = 0.9 * np.sin(2 * np.pi * 200 * np.arange(3_200) / 16_000)
    return samples


def pcm(samples: NDArray[np.float32]) -> bytes:
    return np.rint(samples * 32767).astype("<i2").tobytes()


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Run ``linnet listen`` in this process; returns exit status, standard output, standard error."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> tuple[int, str, str]:
        status = cli.main(["listen", *map(str, arguments)])
        return status, *capfd.readouterr()

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """A recording of 10 s with a tone at 2, 5 and 9.7 s."""
    path = tmp_path / "day.wav"
    audio.write_wav(path, tones(2, 5, 9.7, seconds=10))
    return path


# Lines


def test_a_recording(run: Run, tiny_model: Path, day: Path) -> None:
    status, out, err = run(tiny_model, "--wav", day)
    assert status == 0
    lines = [line.split("  ") for line in out.splitlines()]
    assert [line[1] for line in lines] == ["loud"] * 3
    assert [line[0][:7] for line in lines] == ["0:00:02", "0:00:05", "0:00:09"]
    assert f"listening to {day} for loud (from 0.75), hiss (from 0.75)" in err
    assert "0:00:10 of audio heard; detected: loud 3" in err


def test_json(run: Run, tiny_model: Path, day: Path) -> None:
    _, out, _ = run(tiny_model, "--json", "--wav", day)
    found = [json.loads(line) for line in out.splitlines()]
    assert [set(each) for each in found] == [{"keyword", "time_s", "score"}] * 3
    assert 2.0 < found[0]["time_s"] < 2.3
    assert 0.75 <= found[0]["score"] <= 1


def test_quiet(run: Run, tiny_model: Path, day: Path) -> None:
    _, out, err = run(tiny_model, "--quiet", "--wav", day)
    assert len(out.splitlines()) == 3
    assert err == ""


def test_nothing_detected(run: Run, tiny_model: Path, tmp_path: Path) -> None:
    audio.write_wav(tmp_path / "a.wav", tones(seconds=1))
    status, out, err = run(tiny_model, "--wav", tmp_path / "a.wav")
    assert (status, out) == (0, "")
    assert "nothing detected" in err


def test_thresholds(run: Run, tiny_model: Path, day: Path) -> None:
    assert "loud (from 0.95)" in run(tiny_model, "--wav", day, "--false-alarms-per-hour", 0)[2]
    assert run(tiny_model, "--wav", day, "--threshold", 1)[1] == ""
    assert run(tiny_model, "--wav", day, "--threshold", 1, "--false-alarms-per-hour", 1)[0] == 2
    assert run(tiny_model, "--wav", day, "--threshold", 7)[0] == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "no keyword is given"),
        (["-"], "no keyword is given"),
        (["MODEL", "--wav", "DAY", "-"], "give one source"),
        (["MODEL", "--wav", "DAY", "--device", "usb"], "--device is for the microphone"),
        (["MODEL", "loud", "--wav", "DAY"], "give either one model file"),
        (["loud", "DAY"], "name it with --wav"),
        (["no-such-word", "--wav", "DAY"], "linnet: no"),
        (["none.onnx", "--wav", "DAY"], "no model file"),
        (["MODEL", "--wav", "none.wav"], "no audio file"),
    ],
)
def test_wrong_usage(run: Run, tiny_model: Path, day: Path, words: list[str], sentence: str) -> None:
    named = {"MODEL": str(tiny_model), "DAY": str(day)}
    status, out, err = run(*(named.get(word, word) for word in words))
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_a_recording_that_goes_bad(run: Run, tiny_model: Path, tmp_path: Path) -> None:
    """What was heard before it did is not lost."""
    samples = tones(0.5, seconds=4)
    samples[-1] = np.nan
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    status, out, err = run(tiny_model, "--wav", tmp_path / "a.wav", "--save", tmp_path / "clips")
    assert status == 2
    assert out.count("loud") == 1
    assert "detected: loud 1" in err
    assert "not finite" in err
    assert len(list((tmp_path / "clips").iterdir())) == 1


# Pipes


def piped(tiny_model: Path, content: bytes, *options: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*LISTEN, tiny_model, *options], input=content, capture_output=True, check=False)


def test_standard_input_raw_and_wav(tiny_model: Path, day: Path) -> None:
    samples = tones(1, 3, seconds=4)
    header = day.read_bytes()[:44]
    for content in (pcm(samples) + b"\1", header + pcm(samples)):
        ran = piped(tiny_model, content, "--json", "-")
        assert ran.returncode == 0, ran.stderr
        found = [json.loads(line) for line in ran.stdout.splitlines()]
        assert [round(each["time_s"]) for each in found] == [1, 3]
        assert all(datetime.fromisoformat(each["time"]).tzinfo for each in found)


def test_nothing_on_standard_input(tiny_model: Path) -> None:
    ran = piped(tiny_model, b"", "-")
    assert ran.returncode == 2
    assert b"standard input holds no samples" in ran.stderr


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_lines_come_at_once_and_ctrl_c_ends_it_well(tiny_model: Path, tmp_path: Path, number: int) -> None:
    child = subprocess.Popen(
        [*LISTEN, tiny_model, "-", "--save", tmp_path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    child.stdin.write(pcm(tones(0.5, seconds=1)))
    child.stdin.flush()
    assert b"  loud  " in child.stdout.readline()  # while the pipe is still open
    child.send_signal(number)
    _, err = child.communicate(timeout=30)
    assert child.returncode == 0
    # a pipe may give the last samples, or end before them
    assert re.search(rb"0:00:0[01] of audio heard; detected: loud 1\n", err)
    assert b"Traceback" not in err
    assert len(list(tmp_path.iterdir())) == 1  # the clip that was waiting for its end


# The microphone


class Scripted:
    """A microphone that plays chunks and then ends as if by Ctrl-C."""

    name = "USB \033[31mMicrophone"
    dropped = 3

    def __init__(self, samples: NDArray[np.float32], on_status: Callable[[str], None]) -> None:
        self.samples, self.on_status, self.closed = samples, on_status, False

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        for at in range(0, len(self.samples), 1280):
            yield self.samples[at : at + 1280]
        self.on_status("it is gone")
        raise KeyboardInterrupt

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        self.closed = True


def test_the_microphone(run: Run, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Any, Scripted]] = []

    def plug(device: object = None, *, on_status: Callable[[str], None]) -> Scripted:
        made.append((device, Scripted(tones(1, seconds=2), on_status)))
        return made[-1][1]

    monkeypatch.setattr(audio, "microphone", plug)
    for options, device in (([], None), (["--device", "2"], 2), (["--device", "usb"], "usb")):
        status, out, err = run(tiny_model, *options)
        assert status == 0
        assert re.fullmatch(r"\d\d:\d\d:\d\d  loud  [01]\.\d\d\n", out)
        assert "it is gone" in err
        assert "detected: loud 1; 3 buffers dropped" in err
        assert "\033" not in err
        assert made[-1][0] == device
        assert made[-1][1].closed


def test_the_demo(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    demo = str(Path(__file__).parents[2] / "demos" / "microphone.py")
    monkeypatch.setattr(sys, "argv", [demo, str(tiny_model)])
    monkeypatch.setattr(audio, "microphone", lambda on_status: Scripted(tones(1, seconds=2), on_status))
    runpy.run_path(demo, run_name="__main__")
    out = capsys.readouterr().out
    assert re.search(r"1\.\d\d s  loud  [01]\.\d\d", out)
    assert "3 buffers dropped" in out
    monkeypatch.setattr(sys, "argv", [demo, "none.onnx"])
    with pytest.raises(SystemExit, match="no model file"):
        runpy.run_path(demo, run_name="__main__")


def test_devices(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [microphone.Device(3, "USB \033[0mMic", 2, 48_000, True)]
    monkeypatch.setattr(microphone, "devices", lambda: found)
    status, out, _ = run("--devices")
    assert status == 0
    assert out.splitlines()[1].split() == ["*", "3", "USB", "\ufffd[0mMic", "2", "48000"]
    monkeypatch.setattr(microphone, "devices", list)
    assert run("--devices")[0] == 2


# Clips


def test_clips_hold_what_surrounds_a_detection(run: Run, tiny_model: Path, day: Path, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "clips"
    status, _, err = run(tiny_model, "--wav", day, "--save", folder)
    assert status == 0, err
    files = sorted(folder.iterdir())
    assert len(files) == 3
    assert re.fullmatch(r"loud_day_0-00-02\.\d{3}_[01]\.\d\d\.wav", files[0].name)
    whole = audio.read(day)
    for path, length in zip(files, (2.5, 2.5, 2.2), strict=True):
        at = float(path.name.split("-")[-1].split("_")[0])
        first = max(0, round((at - 2) * 16_000))
        clip = audio.read(path)
        np.testing.assert_array_equal(clip, whole[first : first + len(clip)])
        # The last word comes so late that the recording ends before its clip would.
        assert abs(len(clip) / 16_000 - length) < 0.3


@pytest.mark.parametrize("size", [160, 1280, 16_000, 200_000])
def test_clips_are_the_same_in_chunks_of_any_size(tmp_path: Path, size: int) -> None:
    samples = np.linspace(0, 0.8, 160_000, endpoint=False, dtype=np.float32)
    found = [
        Detection("a", 1.0, 0.9),
        Detection("b", 6.04, 0.8),
        Detection("a", 6.4, 0.7),
        Detection("a", 9.96, 1),
    ]
    clips = Clips(tmp_path, lambda each: f"{each.time_s}", pytest.fail)
    for at in range(0, len(samples), size):
        last = min(at + size, len(samples)) / 16_000
        clips.add(samples[at : at + size], [each for each in found if at / 16_000 < each.time_s <= last])
    clips.close()
    for each in found:
        clip = audio.read(tmp_path / f"{each.keyword}_{each.time_s}_{each.score:.2f}.wav")
        first, end = (
            max(0, round((each.time_s - 2) * 16_000)),
            min(160_000, round((each.time_s + 0.5) * 16_000)),
        )
        np.testing.assert_allclose(clip, samples[first:end], atol=1e-4)


def test_clips_keep_little_in_memory(tmp_path: Path) -> None:
    clips = Clips(tmp_path, str, pytest.fail)
    for _ in range(1_000):
        clips.add(np.zeros(1_280, np.float32), [])
    assert sum(map(len, clips._chunks)) <= 3.1 * 16_000


def test_a_keyword_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    clips = Clips(tmp_path / "in", lambda _: "../..", pytest.fail)
    clips.add(
        np.zeros(16_000, np.float32), [Detection("../../etc/pass wd", 0.1, 0.5), Detection("/", 0.2, 0.5)]
    )
    clips.close()
    assert sorted(path.name for path in (tmp_path / "in").iterdir()) == [
        "etc-pass-wd_x_0.50.wav",
        "x_x_0.50.wav",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_clips_that_cannot_be_written_are_reported(
    run: Run, tiny_model: Path, day: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    status, out, err = run(tiny_model, "--wav", day, "--save", tmp_path / "clips", "--quiet")
    assert status == 2
    assert len(out.splitlines()) == 3  # listening went on
    assert err.count("No space left on device") == 3
    assert list((tmp_path / "clips").iterdir()) == []


def test_a_folder_that_cannot_be_made(run: Run, tiny_model: Path, day: Path) -> None:
    status, out, err = run(tiny_model, "--wav", day, "--save", day / "clips")
    assert (status, out) == (2, "")
    assert "cannot make the folder" in err


# Commands


def script(tmp_path: Path, code: str) -> str:
    """A command that runs Python code, on every system."""
    path = tmp_path / "script.py"
    path.write_text(code)
    return f"{shlex.quote(sys.executable)} {shlex.quote(str(path))}"


def ended(commands: Commands) -> list[tuple[str, bool]]:
    assert commands.close(60) == 0
    return list(commands.said())


def test_commands_know_what_was_detected(run: Run, tiny_model: Path, day: Path, tmp_path: Path) -> None:
    command = script(
        tmp_path,
        "import os, sys\n"
        "assert not sys.stdin.read()\n"
        "print(*(os.environ['LINNET_' + name] for name in ('KEYWORD', 'TIME', 'SCORE')))",
    )
    status, out, err = run(tiny_model, "--wav", day, "--on-detect", command)
    assert status == 0
    assert out.count("\n") == 3  # what commands print is no detection
    said = sorted(line for line in err.splitlines() if line.startswith("loud "))
    assert [line.split()[1][:2] for line in said] == ["2.", "5.", "9."]


@pytest.mark.skipif(os.name != "posix", reason="a POSIX shell")
def test_a_keyword_never_reaches_the_shell_as_text(tmp_path: Path) -> None:
    trap = f"$(touch {tmp_path}/trap); touch {tmp_path}/trap #"
    commands = Commands('printf "%s\\n" "$LINNET_KEYWORD"; : $LINNET_KEYWORD')
    commands.start(Detection(trap, 1.0, 0.5))
    assert ended(commands) == [(trap, False)]
    assert list(tmp_path.iterdir()) == []


def test_commands_do_not_keep_the_listener_waiting(tmp_path: Path) -> None:
    """They wait for a file that the listener makes after it has started them all."""
    command = script(
        tmp_path,
        "import os, pathlib, time\n"
        "here = pathlib.Path(__file__).parent\n"
        "(here / ('ran' + os.environ['LINNET_TIME'])).touch()\n"
        "while not (here / 'go').exists(): time.sleep(0.01)",
    )
    commands = Commands(command)
    for number in range(50):
        commands.start(Detection("a", float(number), 0.5))
    while len(list(tmp_path.glob("ran*"))) < 4:
        time.sleep(0.01)
    assert commands.close(0.1) > 4
    assert len(list(tmp_path.glob("ran*"))) == 4  # at once
    (tmp_path / "go").touch()
    said = ended(commands)
    skipped = [text for text, bad in said if bad]
    assert len(list(tmp_path.glob("ran*"))) + len(skipped) == 50
    assert skipped
    assert all("too slow" in text for text in skipped)


def test_failures_of_commands_are_told(tmp_path: Path, tiny_model: Path, day: Path, run: Run) -> None:
    command = script(tmp_path, "import sys; print('\\033[31mlast words'); sys.exit(3)")
    _, _, err = run(tiny_model, "--wav", day, "--on-detect", command)
    assert err.count("\ufffd[31mlast words") == 3
    assert err.count("--on-detect ended with status 3 for loud") == 3
    _, _, err = run(tiny_model, "--wav", day, "--on-detect", command, "--quiet")
    assert "last words" not in err
    assert err.count("ended with status 3") == 3


def test_a_command_that_says_too_much(tmp_path: Path) -> None:
    commands = Commands(script(tmp_path, "print('x' * 100_000); print('y\\n' * 100_000)"))
    commands.start(Detection("a", 1.0, 0.5))
    said = ended(commands)
    assert len(said) == 20
    assert max(len(text) for text, _ in said) == 1_000


# The view


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


@pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals as on POSIX")
@pytest.mark.parametrize("kind", ["xterm", "dumb"])
def test_a_terminal_gets_the_view_and_its_cursor_back(tiny_model: Path, kind: str) -> None:
    import pty

    parent, child = pty.openpty()
    listening = subprocess.Popen(
        [*LISTEN, tiny_model, "-"],
        stdin=subprocess.PIPE,
        stdout=child,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "TERM": kind, "COLUMNS": "60", "LINES": "20"},
    )
    os.close(child)
    assert listening.stdin is not None
    listening.stdin.write(pcm(tones(0.5, seconds=2)))
    listening.stdin.close()
    shown = b""
    try:
        while part := os.read(parent, 65_536):
            shown += part
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(parent)
    assert listening.wait(30) == 0
    assert b"  loud  " in shown
    if kind == "dumb":
        assert b"\033" not in shown
    else:
        assert shown.startswith(b"\033[?25l")
        assert shown.endswith(b"\033[?25h")
        assert "█".encode() in shown or b"#" in shown
