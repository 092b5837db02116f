"""``linnet listen``: recordings, pipes and microphones in; lines, JSON, bars, clips and commands out."""

from __future__ import annotations

import json
import os
import re
import runpy
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from recordings import pcm, tones

from linnet import audio, microphone

Run = Callable[..., tuple[int, str, str]]
LISTEN = [sys.executable, "-m", "linnet", "listen"]


# Lines


def test_a_recording(listen: Run, tiny_model: Path, day: Path) -> None:
    status, out, err = listen(tiny_model, "--wav", day)
    assert status == 0
    lines = [line.split("  ") for line in out.splitlines()]
    assert [line[1] for line in lines] == ["loud"] * 3
    assert [line[0][:7] for line in lines] == ["0:00:02", "0:00:05", "0:00:09"]
    assert f"listening to {day} for loud (from 0.75), hiss (from 0.75)" in err
    assert "0:00:10 of audio heard; detected: loud 3" in err


def test_json(listen: Run, tiny_model: Path, day: Path) -> None:
    _, out, _ = listen(tiny_model, "--json", "--wav", day)
    found = [json.loads(line) for line in out.splitlines()]
    assert [set(each) for each in found] == [{"keyword", "time_s", "score"}] * 3
    assert 2.0 < found[0]["time_s"] < 2.3
    assert 0.75 <= found[0]["score"] <= 1


def test_quiet(listen: Run, tiny_model: Path, day: Path) -> None:
    _, out, err = listen(tiny_model, "--quiet", "--wav", day)
    assert len(out.splitlines()) == 3
    assert err == ""


def test_nothing_detected(listen: Run, tiny_model: Path, tmp_path: Path) -> None:
    audio.write_wav(tmp_path / "a.wav", tones(seconds=1))
    status, out, err = listen(tiny_model, "--wav", tmp_path / "a.wav")
    assert (status, out) == (0, "")
    assert "nothing detected" in err


def test_thresholds(listen: Run, tiny_model: Path, day: Path) -> None:
    assert "loud (from 0.95)" in listen(tiny_model, "--wav", day, "--false-alarms-per-hour", 0)[2]
    assert listen(tiny_model, "--wav", day, "--threshold", 1)[1] == ""
    assert listen(tiny_model, "--wav", day, "--threshold", 1, "--false-alarms-per-hour", 1)[0] == 2
    assert listen(tiny_model, "--wav", day, "--threshold", 7)[0] == 2


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "no keyword is given"),
        (["-"], "no keyword is given"),
        (["MODEL", "--wav", "DAY", "-"], "give one source"),
        (["MODEL", "--wav", "DAY", "--device", "usb"], "--device is for the microphone"),
        (["MODEL", "loud", "--wav", "DAY"], "give either one model file"),
        (["loud", "DAY"], "name it with --wav"),
        (["no-such-word", "--wav", "DAY"], "linnet: there is no model 'no-such-word'; give"),
        (["none.onnx", "--wav", "DAY"], "no model file"),
        (["MODEL", "--wav", "none.wav"], "no audio file"),
    ],
)
def test_wrong_usage(listen: Run, tiny_model: Path, day: Path, words: list[str], sentence: str) -> None:
    named = {"MODEL": str(tiny_model), "DAY": str(day)}
    status, out, err = listen(*(named.get(word, word) for word in words))
    assert (status, out) == (2, "")
    assert sentence in err
    assert err.count("\n") == 1


def test_a_recording_that_goes_bad(listen: Run, tiny_model: Path, tmp_path: Path) -> None:
    """What was heard before it did is not lost."""
    samples = tones(0.5, seconds=4)
    samples[-1] = np.nan
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    status, out, err = listen(tiny_model, "--wav", tmp_path / "a.wav", "--save", tmp_path / "clips")
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


def test_the_microphone(listen: Run, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[Any, Scripted]] = []

    def plug(device: object = None, *, on_status: Callable[[str], None]) -> Scripted:
        made.append((device, Scripted(tones(1, seconds=2), on_status)))
        return made[-1][1]

    monkeypatch.setattr(audio, "microphone", plug)
    for options, device in (([], None), (["--device", "2"], 2), (["--device", "usb"], "usb")):
        status, out, err = listen(tiny_model, *options)
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
    demo = str(Path(__file__).parents[3] / "demos" / "microphone.py")
    monkeypatch.setattr(audio, "microphone", lambda on_status: Scripted(tones(1, seconds=2), on_status))
    runpy.run_path(demo)["main"]([str(tiny_model)])
    out = capsys.readouterr().out
    assert re.search(r"1\.\d\d s  loud  [01]\.\d\d", out)
    assert "3 buffers dropped" in out


def test_devices(listen: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [microphone.Device(3, "USB \033[0mMic", 2, 48_000, True)]
    monkeypatch.setattr(microphone, "devices", lambda: found)
    status, out, _ = listen("--devices")
    assert status == 0
    assert out.splitlines()[1].split() == ["*", "3", "USB", "\ufffd[0mMic", "2", "48000"]
    monkeypatch.setattr(microphone, "devices", list)
    assert listen("--devices")[0] == 1


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
