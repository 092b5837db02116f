"""``linnet translate``: texts, files and pipes in; lines, JSON and figures out; slow and endless input."""

from __future__ import annotations

import io
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from linnet import cli, zoo
from linnet.cli import results
from linnet.translate import Translation

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tiny_translator: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``linnet translate`` with the tiny translator in this process; returns status, output, errors."""

    def run(*arguments: object, stdin: bytes | None = None) -> tuple[int, str, str]:
        if stdin is not None:
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        status = cli.main(["translate", str(tiny_translator), *map(str, arguments)])
        return status, *capfd.readouterr()

    return run


def command(tiny_translator: Path, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "linnet", "translate", str(tiny_translator), *map(str, arguments)]


def start(tiny_translator: Path, *arguments: object, **options: Any) -> subprocess.Popen[bytes]:
    # Without a buffer, in which `communicate` would leave what was read with a line and not asked for.
    return subprocess.Popen(
        command(tiny_translator, *arguments),
        bufsize=0,
        **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options},
    )


# Texts


def test_a_text(run: Run) -> None:
    assert run("Ein Hund läuft.") == (0, "A dog runs.\n", "")


def test_several_texts(run: Run) -> None:
    assert run("Ein Hund.", "", "😀", "Dann") == (0, "A dog.\n\n😀\nThen\n", "")
    assert run("Ein Hund.\n\n Dann")[1] == "A dog.\n\n Then\n"


def test_the_best_translations_with_their_scores(run: Run) -> None:
    assert run("Ein Hund", "--n-best", 2)[1] == " -0.167  A dog\n -0.250  very A dog\n"
    assert run("Ein", "", "--n-best", 2)[1].splitlines()[2:] == [""]  # which is what it is, and no other


def test_json(run: Run) -> None:
    status, out, _ = run("--json", "Ein Hund", "")
    assert status == 0
    assert [json.loads(line) for line in out.splitlines()] == [
        {"source": "Ein Hund", "translation": "A dog", "score": -0.1667},
        {"source": "", "translation": "", "score": 0.0},
    ]
    assert out.isascii()
    _, out, _ = run("Ein läuft", "--json", "--beam", 5, "--n-best", 3)
    found = json.loads(out)
    assert found["alternatives"] == [
        {"translation": "very A runs", "score": -0.25},
        {"translation": "very very A runs", "score": -0.3},
    ]


def test_the_penalties_are_those_asked_for(run: Run) -> None:
    search = ["--length-penalty", 0, "--coverage-penalty", 0.25]
    assert run("Ein Hund", "--n-best", 2, *search)[1] == " -0.500  A dog\n -1.250  very A dog\n"


def test_words_and_options_in_any_order(run: Run) -> None:
    assert run("Ein", "--beam", 2, "Hund", "", "--json")[1].count("\n") == 3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a", "-"], "give either texts or - for standard input"),
        (["a", "--n-best", "9", "--beam", "2"], "a beam of 2 does not find 9 translations"),
        (["a", "b", "--alignment", "out.png"], "out.png can show one text, not 2; give them one by one"),
        (["a", "--alignment", "out.pdf"], "out.pdf must end in one of .png"),
        (["😀", "--alignment", "out.png"], "there is no alignment to draw, since nothing was translated"),
        (["a", "--alignment", "no/such/out.png"], "cannot write no/such/out.png"),
        (["--alignment", "out.png"], "out.png can show one text, not none"),
        (["a\udcff"], "text 1 is not in the encoding of this terminal"),
    ],
)
def test_what_does_not_go_together(
    run: Run, tmp_path: Path, words: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, err = run(*words, stdin=b"")
    assert (status, out) == (2, "")
    assert err.startswith(f"linnet: {sentence}")
    assert err.count("\n") == 1
    assert not os.listdir()


def test_models_that_are_not_there(
    capfd: pytest.CaptureFixture[str], tiny_captioner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "_shipped", lambda only=None: iter(()))
    for arguments, sentence in (
        ([], "no model is given; name a bundled translator (linnet models lists them) or a file"),
        (["de-en", "Ja"], "no models ship with this installation; give the path of an .onnx file"),
        (["none.onnx", "Ja"], "there is no model file none.onnx"),
        ([str(tiny_captioner), "Ja"], f"{tiny_captioner} is a caption model, not a translate model"),
    ):
        assert cli.main(["translate", *arguments]) == 2
        out, err = capfd.readouterr()
        assert out == ""
        assert err.startswith(f"linnet: {sentence}")


# Lines


@pytest.mark.parametrize(
    ("data", "lines"),
    [
        (b"Ein Hund\n\n  \nDann\n", ["A dog", "", "  ", "Then"]),
        (b"Ein Hund\nDann", ["A dog", "Then"]),
        (b"\xef\xbb\xbfEin Hund\r\nDann\r\n", ["A dog", "Then"]),
        (b"", []),
        (b"\n", [""]),
        (b"\n\n\n", ["", "", ""]),
        ("😀\n👨‍👩‍👧\n".encode(), ["😀", "👨‍👩‍👧"]),
        ("שלום\n\u202eEin\n".encode(), ["שלום", "\u202eEin"]),
        (b"Ein\0Hund\n\0\nDann\n", ["A dog", "\0", "Then"]),
        ("Ein\u2028Hund\x85Dann\x0bam\n".encode(), ["A\u2028dog\x85Then\x0bat"]),
        (b"Ein Hund. Dann! Ein Hund.\n", ["A dog. Then! A dog."]),
        (b"Ein Hund und " * 7700 + b"\nDann\n", ["A dog and " * 7700, "Then"]),
        (b"Ein\n" * 3000, ["A"] * 3000),
    ],
)
def test_each_line_has_its_line(run: Run, data: bytes, lines: list[str]) -> None:
    status, out, err = run("--beam", 1, stdin=data)
    assert (status, err) == (0, "")
    assert out.split("\n") == [*lines, ""]


def test_lines_as_json(run: Run) -> None:
    _, out, _ = run("-", "--json", stdin="Ein Hund\r\n\nläuft\n".encode())
    found = [json.loads(line) for line in out.splitlines()]
    assert [each["source"] for each in found] == ["Ein Hund", "", "läuft"]
    assert [each["translation"] for each in found] == ["A dog", "", "runs"]


@pytest.mark.parametrize(
    ("data", "done", "sentence"),
    [
        ("Ein\nEin\nläuft\n".encode("latin1"), 2, "line 3 on standard input is not UTF-8 text (byte 0xe4)"),
        ("Ein\n".encode("utf-16"), 0, "line 1 on standard input is not UTF-8 text (byte 0xff)"),
        (b"Ein\n" * 1000 + b"\xc3\n", 1000, "line 1001 on standard input is not UTF-8 text (byte 0xc3)"),
        (b"Ein\n\xed\xa0\x80\n", 1, "line 2 on standard input is not UTF-8 text (byte 0xed)"),
        (b"Ein\n" + b"a" * 1_000_001 + b"\n", 1, "line 2 on standard input is longer than 1 MB"),
        (b"Ein\n" + b"a" * 9_000_000, 1, "line 2 on standard input is longer than 1 MB"),
    ],
)
def test_lines_that_are_no_text(run: Run, data: bytes, done: int, sentence: str) -> None:
    status, out, err = run(stdin=data)
    assert status == 2
    assert out == "A\n" * done
    assert err.startswith(f"linnet: {sentence}")
    assert err.count("\n") == 1


def test_wide_open_text_on_a_terminal() -> None:
    best = Translation("a\033[2J\nb\u202e", -0.5, (), (), ())
    assert results.translation_as_text(best, terminal=True) == "a\ufffd[2J\nb\ufffd"
    assert results.translation_as_text(best, terminal=False) == best.text
    assert results.translation_as_json("x\033", best).isascii()


def test_lines_are_answered_as_they_come(tiny_translator: Path) -> None:
    with start(tiny_translator) as process:
        assert process.stdin
        assert process.stdout
        for word, other in (("Ein", b"A\n"), ("", b"\n"), ("läuft", b"runs\n")):
            process.stdin.write(f"{word}\n".encode())
            process.stdin.flush()
            assert process.stdout.readline() == other
        process.stdin.write(b"Dann")  # without its end it may go on
        process.stdin.flush()
        process.stdin.close()
        assert process.stdout.read() == b"Then\n"
        assert process.wait() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="memory as Linux tells it")
def test_a_million_lines_take_no_more_memory_than_a_few(tiny_translator: Path, tmp_path: Path) -> None:
    # Most are empty, so that it takes seconds; each is read and answered as any other.
    def peak(lines: int) -> int:
        path = tmp_path / "many.txt"
        with open(path, "wb") as file:
            for number in range(lines):
                file.write(b"Ein Hund\n" if number % 1000 == 0 else b"\n")
        script = f"""
import resource, sys
from linnet import cli
status = cli.main(["translate", {str(tiny_translator)!r}, "--beam", "1"])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
sys.exit(status)
"""
        with open(path, "rb") as stdin, open(tmp_path / "out.txt", "wb") as stdout:
            done = subprocess.run(
                [sys.executable, "-c", script], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, check=True
            )
        with open(tmp_path / "out.txt", "rb") as out:
            for number, line in enumerate(out):
                assert line == (b"A dog\n" if number % 1000 == 0 else b"\n")
        assert number == lines - 1
        return int(done.stderr)

    assert peak(1_000_000) < peak(3_000) + 10_000  # kB


def test_a_file_that_is_written_while_it_is_read(tiny_translator: Path) -> None:
    # What is read takes no longer than what is translated: the reader waits, and the writer with it.
    with start(tiny_translator) as process:
        assert process.stdin
        assert process.stdout
        os.set_blocking(process.stdin.fileno(), False)
        written = 0
        block = b"Ein Hund am Strand und dann am Strand.\n" * 1000
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline and written < 500 * len(block):
            try:
                written += os.write(process.stdin.fileno(), block)
            except BlockingIOError:
                time.sleep(0.01)
        assert written < 500 * len(block)
        process.kill()


# Stopping


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("busy", [True, False])
def test_stopped(tiny_translator: Path, number: int, busy: bool, tmp_path: Path) -> None:
    source = tmp_path / "many.txt"
    source.write_bytes(b"Ein Hund\n" * 1_000_000)
    with open(source, "rb") as many, start(tiny_translator, **({"stdin": many} if busy else {})) as process:
        assert process.stdout
        if not busy:
            assert process.stdin
            process.stdin.write(b"Ein Hund\n")
            process.stdin.flush()
        assert process.stdout.readline() == b"A dog\n"
        time.sleep(0 if busy else 0.1)
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130
    assert set(out.splitlines()) <= {b"A dog"}
    text = err.decode()
    assert text.startswith("stopped after ")
    assert text.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="pipes as on POSIX")
def test_a_reader_that_leaves_is_no_error(tiny_translator: Path) -> None:
    text = f"yes Ein Hund | {shlex.join(command(tiny_translator))} | head -n 3"
    done = subprocess.run(text, shell=True, capture_output=True, check=True, timeout=60)
    assert done.stdout == b"A dog\n" * 3
    assert b"linnet" not in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(tiny_translator: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command(tiny_translator, "Ein"), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "linnet: No space left on device\n"


# The bar, and terminals


def on_a_terminal(arguments: list[str], stdin: Any, typed: bytes = b"") -> tuple[int, str]:
    """Run with the error stream, and if that is asked for the input, on a terminal; what it shows."""
    terminal, side = pty.openpty()
    with subprocess.Popen(
        arguments,
        stdin=side if stdin is None else stdin,
        stdout=subprocess.DEVNULL if stdin is not None else side,
        stderr=side,
        env={**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"},
    ) as process:
        os.close(side)
        if typed:
            os.write(terminal, typed)
        shown = b""
        with suppress(OSError):  # which is how a terminal ends
            while part := os.read(terminal, 10_000):
                shown += part
        status = process.wait()
    os.close(terminal)
    return status, shown.decode()


@pytest.mark.skipif(os.name != "posix", reason="terminals as on POSIX")
def test_a_bar_where_there_is_a_terminal(tiny_translator: Path, tmp_path: Path) -> None:
    source = tmp_path / "many.txt"
    source.write_bytes(b"Ein Hund\n" * 2000)
    with open(source, "rb") as lines:
        status, shown = on_a_terminal(command(tiny_translator), lines)
    assert status == 0
    assert " of 2000, " in shown
    assert shown.endswith("\r\033[K")
    with subprocess.Popen(["cat", source], stdout=subprocess.PIPE) as cat:
        status, shown = on_a_terminal(command(tiny_translator), cat.stdout)
    assert status == 0
    assert " done, " in shown
    assert shown.endswith("\r\033[K")


@pytest.mark.skipif(os.name != "posix", reason="terminals as on POSIX")
def test_lines_that_are_typed(tiny_translator: Path) -> None:
    status, shown = on_a_terminal(command(tiny_translator), None, b"Ein Hund\n\x04")
    assert status == 0
    assert "type lines to translate; Ctrl-D ends" in shown
    assert "A dog\r\n" in shown
    assert " done" not in shown


# Figures


def test_an_alignment(run: Run, tmp_path: Path) -> None:
    for name in ("out.png", "out.JPG", "out.webp"):
        figure = tmp_path / name
        assert run("Ein Hund läuft.", "--alignment", figure) == (0, "A dog runs.\n", "")
        assert Image.open(figure).width > 300
    figure = tmp_path / "line.png"
    assert run("--alignment", figure, stdin=b"Ein Hund\n")[1] == "A dog\n"
    assert figure.exists()
    status, out, err = run("--alignment", tmp_path / "no.png", stdin=b"Ein\nHund\n")
    assert (status, out) == (2, "")
    assert "no.png can show one text, not several lines" in err
