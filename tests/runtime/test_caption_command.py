"""``linnet caption``: files, folders and pipes in; lines, JSON and heat maps out; stopping and going on."""

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
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from PIL import Image

from linnet import cli, results
from linnet.progress import Progress

Run = Callable[..., tuple[int, str, str]]
COLOURS = {"red": (200, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}


def picture(path: Path, colour: str = "red") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (60, 40), COLOURS[colour]).save(path)
    return path


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], tiny_captioner: Path) -> Iterator[Run]:
    """Run ``linnet caption`` with the tiny captioner in this process; returns status, output, errors."""
    handler = signal.getsignal(signal.SIGTERM)

    def run(*arguments: object) -> tuple[int, str, str]:
        status = cli.main(["caption", "--model", str(tiny_captioner), *map(str, arguments)])
        return status, *capfd.readouterr()

    yield run
    signal.signal(signal.SIGTERM, handler)


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder with pictures in folders, and with other things."""
    folder = tmp_path / "album"
    picture(folder / "b.png", "green")
    picture(folder / "a.JPG", "red")
    picture(folder / "deep/er/c.webp", "blue")
    picture(folder / "d.png", "red")
    picture(folder / ".hidden/x.png")
    picture(folder / "._a.png")
    (folder / "notes.txt").write_text("no picture")
    (folder / "empty").mkdir()
    return folder


# Lines


def test_a_picture(run: Run, tmp_path: Path) -> None:
    assert run(picture(tmp_path / "a.png")) == (0, "a red picture\n", "")


def test_several_pictures(run: Run, tmp_path: Path) -> None:
    one, two = picture(tmp_path / "one.png"), picture(tmp_path / "two.jpg", "blue")
    status, out, err = run(one, two)
    assert (status, err) == (0, "")
    assert out == f"{one}: a red picture\n{two}: a blue picture\n"


def test_the_best_captions_with_their_scores(run: Run, tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png")
    assert run(one, "--n-best", 2)[1] == " -0.125  a red picture\n -0.200  a very red picture\n"
    assert run(one, one, "--n-best", 2)[1].splitlines()[3] == f"{one}:  -0.200  a very red picture"


def test_json(run: Run, tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png")
    status, out, _ = run("--json", one)
    assert status == 0
    assert json.loads(out) == {"image": str(one), "caption": "a red picture", "score": -0.125}
    _, out, _ = run(one, "--json", "--beam", 5, "--n-best", 3)
    found = json.loads(out)
    assert found["caption"] == "a red picture"
    assert [each["caption"] for each in found["alternatives"]] == [
        "a very red picture",
        "a very very red picture",
    ]
    assert [each["score"] for each in found["alternatives"]] == [-0.2, -0.25]


def test_words_and_options_in_any_order(run: Run, tmp_path: Path) -> None:
    one, two = picture(tmp_path / "one.png"), picture(tmp_path / "two.png", "blue")
    assert len(run(one, "--beam", 2, two, "--json")[1].splitlines()) == 2


def test_names_that_a_terminal_would_obey(run: Run, tmp_path: Path) -> None:
    odd = picture(tmp_path / "a\033[2Jb.png")
    _, out, _ = run(odd, odd)
    assert "\033" not in out
    assert json.loads(run(odd, "--json")[1])["image"] == str(odd)
    _, _, err = run(tmp_path / "\033[2J.png")
    assert "\033" not in err


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes")
def test_names_that_are_no_text(run: Run, tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png")
    odd = os.fsdecode(os.path.join(os.fsencode(tmp_path), b"\xff\xfe.png"))
    os.rename(one, odd)
    assert json.loads(run(odd, "--json")[1])["image"] == odd
    output = tmp_path / "out.jsonl"
    assert run(odd, "-o", output)[0] == 0
    assert "1 were there already" in run(odd, "-o", output, "--resume")[2]


# Folders


def test_a_folder(run: Run, album: Path) -> None:
    status, out, err = run(album)
    assert (status, err) == (0, "")
    found = [json.loads(line) for line in out.splitlines()]
    assert [os.path.relpath(each["image"], album) for each in found] == [
        "a.JPG",
        "b.png",
        "d.png",
        os.path.join("deep", "er", "c.webp"),
    ]
    assert [each["caption"].split()[1] for each in found] == ["red", "green", "red", "blue"]


def test_folders_and_files_together(run: Run, album: Path, tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png")
    _, out, _ = run(one, album / "deep", "--json")
    assert [Path(json.loads(line)["image"]).name for line in out.splitlines()] == ["one.png", "c.webp"]


@pytest.mark.skipif(os.name != "posix", reason="symbolic links as on POSIX")
def test_links_that_go_round(run: Run, album: Path) -> None:
    (album / "empty/round").symlink_to(album)
    (album / "deep/again").symlink_to(album / "deep")
    (album / "link.png").symlink_to(album / "b.png")
    os.mkfifo(album / "pipe.png")
    status, out, _ = run(album)
    assert status == 0
    names = [os.path.basename(json.loads(line)["image"]) for line in out.splitlines()]
    assert names == ["a.JPG", "b.png", "d.png", "c.webp", "link.png"]
    (album / "broken.png").symlink_to("nowhere")
    status, out, err = run(album)
    assert status == 2
    assert "there is no picture" in err
    assert len(out.splitlines()) == 6


def test_a_folder_without_pictures(run: Run, album: Path, tmp_path: Path) -> None:
    status, out, err = run(album / "empty")
    assert (status, out) == (2, "")
    assert err.startswith(f"linnet: {album / 'empty'} holds no pictures (files whose names end in .jpg")
    assert err.count("\n") == 1
    # Beside others it is said, and the others are captioned.
    status, out, err = run(picture(tmp_path / "one.png"), album / "empty")
    assert status == 2
    assert "red" in out
    assert "holds no pictures" in err


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_that_cannot_be_read(run: Run, album: Path) -> None:
    (album / "deep").chmod(0)
    status, out, err = run(album)
    (album / "deep").chmod(0o755)
    assert status == 2
    assert len(out.splitlines()) == 3
    assert "cannot be read: Permission denied" in err


# Standard input


def piped(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_picture_on_standard_input(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = picture(tmp_path / "one.png", "green").read_bytes()
    piped(monkeypatch, data)
    assert run("-") == (0, "a green picture\n", "")
    piped(monkeypatch, data)
    figure = tmp_path / "out.png"
    assert json.loads(run("--json", "-", "--heatmap", figure)[1])["image"] == "-"
    assert Image.open(figure).width == 1600
    piped(monkeypatch, b"")
    status, out, err = run("-")
    assert (status, out) == (2, "")
    assert "is empty" in err


# What is wrong


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "no picture is given"),
        (["-", "-"], "standard input holds one picture"),
        (["A", "--resume"], "--resume goes on with a file; name it with -o"),
        (["A", "--beam", "0"], "beam must be from 1 to 32"),
        (["A", "--n-best", "9", "--beam", "2"], "a beam of 2 does not find 9 captions"),
        (["A", "A", "--heatmap", "out.png"], "out.png can show one picture, not 2; name a folder instead"),
        (["A", "--model", "none.onnx"], "there is no model file none.onnx"),
        (["A", "--model", "painter"], "no bundled model is called 'painter'"),
        (["A", "-o", "no/such/folder.jsonl"], "cannot write no/such/folder.jsonl"),
        (["A", "-o", "."], "cannot write ."),
        (["A", "-o", ".", "--resume"], "--resume goes on with a file"),
    ],
)
def test_what_does_not_go_together(
    run: Run, tmp_path: Path, words: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one = str(picture(tmp_path / "one.png"))
    piped(monkeypatch, b"")
    status, out, err = run(*(one if word == "A" else word for word in words))
    assert (status, out) == (2, "")
    assert err.startswith(f"linnet: {sentence}")
    assert err.count("\n") == 1


def test_a_model_of_another_task(run: Run, tmp_path: Path, tiny_model: Path) -> None:
    status, out, err = run(picture(tmp_path / "one.png"), "--model", tiny_model)
    assert (status, out) == (2, "")
    assert "is a trigger model, not a caption model" in err


def test_a_bad_picture_does_not_stop_the_others(run: Run, tmp_path: Path) -> None:
    good = picture(tmp_path / "good.png")
    torn = tmp_path / "torn.png"
    torn.write_bytes(good.read_bytes()[:60])
    gone = tmp_path / "gone.png"
    status, out, err = run(torn, good, gone)
    assert status == 2
    assert out == f"{good}: a red picture\n"
    assert [line.split(" is ")[0] for line in err.splitlines()] == [f"linnet: {torn}", "linnet: there"]
    status, out, err = run(torn, good, gone, "--json")
    assert status == 2
    found = [json.loads(line) for line in out.splitlines()]
    assert [set(each) for each in found] == [
        {"image", "error"},
        {"image", "caption", "score"},
        {"image", "error"},
    ]
    assert found[0]["image"] == str(torn)
    assert "cut short" in found[0]["error"]
    assert run(gone)[0] == 2


# Files of lines, and going on


def test_lines_in_a_file(run: Run, album: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    status, out, err = run(album, "-o", output)
    assert (status, out) == (0, "")
    assert err == f"4 pictures captioned, 0 failed: {output}\n"
    assert [each["caption"].split()[1] for each in lines_of(output)] == ["red", "green", "red", "blue"]
    run(album / "deep", "-o", output)  # without --resume it is written anew
    assert len(lines_of(output)) == 1


@pytest.mark.parametrize("torn", [b"", b'{"image": "', b"\0\0\0", b'{"image": "x", "caption": "'])
def test_going_on(run: Run, album: Path, tmp_path: Path, torn: bytes) -> None:
    output = tmp_path / "out.jsonl"
    run(album, "-o", output)
    whole = output.read_bytes()
    lines = whole.splitlines(keepends=True)
    output.write_bytes(b"".join(lines[:2]) + torn)
    status, _, err = run(album, "-o", output, "--resume")
    assert status == 0
    assert err == f"2 pictures captioned, 0 failed, 2 were there already: {output}\n"
    assert output.read_bytes() == whole
    assert "0 pictures captioned" in run(album, "-o", output, "--resume")[2]
    assert output.read_bytes() == whole


def test_going_on_at_the_end_of_a_line_without_its_break(run: Run, album: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    run(album, "-o", output)
    whole = output.read_bytes()
    output.write_bytes(whole.rstrip(b"\n"))
    run(album, "-o", output, "--resume")
    assert output.read_bytes() == whole


def test_going_on_where_nothing_is_yet(run: Run, album: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    assert run(album, "-o", output, "--resume")[0] == 0
    assert len(lines_of(output)) == 4


def test_what_failed_is_tried_again(run: Run, album: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    whole = (album / "b.png").read_bytes()
    (album / "b.png").write_bytes(whole[:70])
    assert run(album, "-o", output)[0] == 2
    assert run(album, "-o", output, "--resume")[0] == 2
    assert sum("error" in each for each in lines_of(output)) == 1
    (album / "b.png").write_bytes(whole)
    assert run(album, "-o", output, "--resume")[0] == 0
    assert sorted(each["caption"] for each in lines_of(output)) == sorted(
        f"a {colour} picture" for colour in ("red", "red", "green", "blue")
    )


def test_a_file_of_something_else_is_left_alone(run: Run, album: Path, tmp_path: Path) -> None:
    output = tmp_path / "letter.txt"
    for text in (
        "Dear reader,\nhello\n",
        '{"image": "x", "caption": "y"}\n{"other": 1}\n',
        "3\n",
        "[" * 99_999 + "\n",
    ):
        output.write_text(text)
        status, _, err = run(album, "-o", output, "--resume")
        assert status == 2
        assert "is not what linnet caption writes; name another file" in err
        assert output.read_text() == text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(run: Run, album: Path) -> None:
    status, _, err = run(album, "-o", "/dev/full")
    assert status == 2
    assert err == "linnet: cannot write /dev/full: No space left on device\n"


def command(tiny_captioner: Path, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "linnet", "caption", "--model", str(tiny_captioner), *map(str, arguments)]


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_and_gone_on(tmp_path: Path, tiny_captioner: Path, number: int) -> None:
    folder, output = tmp_path / "many", tmp_path / "out.jsonl"
    one = picture(folder / "0000.png")
    for index in range(1, 600):
        os.link(one, folder / f"{index:04}.png")
    process = subprocess.Popen(
        command(tiny_captioner, folder, "-o", output), stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (output.exists() and output.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "of 600 pictures; the same command with --resume goes on" in err
    before = lines_of(output)
    assert 0 < len(before) < 600
    subprocess.run(
        [*command(tiny_captioner, folder, "-o", output), "--resume"], check=True, capture_output=True
    )
    after = lines_of(output)
    assert after[: len(before)] == before
    assert len({each["image"] for each in after}) == len(after) == 600


@pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")
def test_killed_and_gone_on(tmp_path: Path, tiny_captioner: Path) -> None:
    folder, output = tmp_path / "many", tmp_path / "out.jsonl"
    one = picture(folder / "0000.png")
    for index in range(1, 300):
        os.link(one, folder / f"{index:04}.png")
    process = subprocess.Popen(command(tiny_captioner, folder, "-o", output), stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not (output.exists() and output.stat().st_size) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.kill()
    process.communicate(timeout=60)
    subprocess.run(
        [*command(tiny_captioner, folder, "-o", output), "--resume"], check=True, capture_output=True
    )
    after = lines_of(output)
    assert len({each["image"] for each in after}) == len(after) == 300


def test_lines_come_at_once_even_into_a_pipe(tmp_path: Path, tiny_captioner: Path) -> None:
    folder = tmp_path / "many"
    one = picture(folder / "0000.png")
    for index in range(1, 400):
        os.link(one, folder / f"{index:04}.png")
    with subprocess.Popen(command(tiny_captioner, folder), stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert json.loads(process.stdout.readline())["caption"] == "a red picture"
        assert process.poll() is None  # it works on
        process.kill()


@pytest.mark.skipif(os.name != "posix", reason="pipes as on POSIX")
def test_a_reader_that_leaves_is_no_error(album: Path, tiny_captioner: Path) -> None:
    text = shlex.join(command(tiny_captioner, album)) + " | true"
    assert subprocess.run(text, shell=True, capture_output=True, check=True).stderr == b""


# The bar


@pytest.mark.skipif(os.name != "posix", reason="terminals as on POSIX")
def test_a_bar_where_there_is_a_terminal(tmp_path: Path, tiny_captioner: Path) -> None:
    folder = tmp_path / "many"
    one = picture(folder / "0000.png")
    for index in range(1, 60):
        os.link(one, folder / f"{index:04}.png")
    terminal, process_side = pty.openpty()
    with subprocess.Popen(
        command(tiny_captioner, folder, "-o", tmp_path / "out.jsonl"),
        stderr=process_side,
        env={**os.environ, "TERM": "xterm", "PYTHONIOENCODING": "utf-8"},
    ) as process:
        os.close(process_side)
        shown = b""
        with suppress(OSError):  # which is how a terminal ends
            while part := os.read(terminal, 10_000):
                shown += part
        assert process.wait() == 0
    os.close(terminal)
    text = shown.decode()
    assert " of 60, " in text
    assert " left" in text
    assert "░" in text
    # At the end the bar is gone, and a line says what was done.
    assert text.split("\r\033[K")[-1].startswith("60 pictures captioned, 0 failed")


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


# Heat maps


def test_a_heat_map_of_one_picture(run: Run, tmp_path: Path) -> None:
    for name in ("out.png", "out.jpg", "out.WEBP"):
        figure = tmp_path / name
        assert run(picture(tmp_path / "one.png"), "--heatmap", figure) == (0, "a red picture\n", "")
        assert Image.open(figure).width == 1600


def test_heat_maps_of_a_folder_stand_as_in_the_folder(run: Run, album: Path, tmp_path: Path) -> None:
    figures = album / "figures"  # in it; they are not captioned in turn
    for _ in range(2):
        status, out, _ = run(album, picture(tmp_path / "other/b.png"), "--heatmap", figures)
        assert status == 0
        assert len(out.splitlines()) == 5
    made = sorted(str(path.relative_to(figures)) for path in figures.rglob("*") if path.is_file())
    assert made == [
        "a.JPG.png",
        "b.png-2.png",
        "b.png.png",
        "d.png.png",
        os.path.join("deep", "er", "c.webp.png"),
    ]


def test_a_heat_map_that_cannot_be_written(run: Run, tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png")
    (tmp_path / "file").write_text("")
    status, _, err = run(one, "--heatmap", tmp_path / "file/out.png")
    assert status == 2
    assert err.startswith("linnet: cannot make the folder")
    status, _, err = run(one, "--heatmap", tmp_path / "file")
    assert status == 2
    assert "cannot make the folder" in err


def test_lines_of_a_caption_with_odd_words() -> None:
    from linnet.caption import Caption

    caption = Caption("a\033[2J", -0.5, ("a\033[2J",), None)  # type: ignore[arg-type]
    assert "\033" not in results.as_text("x", caption, True)
    assert results.as_json("x", caption).isascii()
