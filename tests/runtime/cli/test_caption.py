"""``linnet caption``: files, folders and pipes in; lines, JSON and heat maps out; stopping and going on."""

from __future__ import annotations

import io
import json
import os
import pty
import shlex
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from albums import command, picture
from PIL import Image

from linnet.cli import results

Run = Callable[..., tuple[int, str, str]]


# Lines


def test_a_picture(caption: Run, tmp_path: Path) -> None:
    assert caption(picture(tmp_path / "a.png")) == (0, "a red picture\n", "")


def test_several_pictures(caption: Run, tmp_path: Path) -> None:
    one, two = picture(tmp_path / "one.png"), picture(tmp_path / "two.jpg", "blue")
    status, out, err = caption(one, two)
    assert (status, err) == (0, "")
    assert out == f"{one}: a red picture\n{two}: a blue picture\n"


def test_the_best_captions_with_their_scores(caption: Run, tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png")
    assert caption(one, "--n-best", 2)[1] == " -0.125  a red picture\n -0.200  a very red picture\n"
    assert caption(one, one, "--n-best", 2)[1].splitlines()[3] == f"{one}:  -0.200  a very red picture"


def test_json(caption: Run, tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png")
    status, out, _ = caption("--json", one)
    assert status == 0
    assert json.loads(out) == {"image": str(one), "caption": "a red picture", "score": -0.125}
    _, out, _ = caption(one, "--json", "--beam", 5, "--n-best", 3)
    found = json.loads(out)
    assert found["caption"] == "a red picture"
    assert [each["caption"] for each in found["alternatives"]] == [
        "a very red picture",
        "a very very red picture",
    ]
    assert [each["score"] for each in found["alternatives"]] == [-0.2, -0.25]


def test_words_and_options_in_any_order(caption: Run, tmp_path: Path) -> None:
    one, two = picture(tmp_path / "one.png"), picture(tmp_path / "two.png", "blue")
    assert len(caption(one, "--beam", 2, two, "--json")[1].splitlines()) == 2


def test_names_that_a_terminal_would_obey(caption: Run, tmp_path: Path) -> None:
    odd = picture(tmp_path / "a\033[2Jb.png")
    _, out, _ = caption(odd, odd)
    assert "\033" not in out
    assert json.loads(caption(odd, "--json")[1])["image"] == str(odd)
    _, _, err = caption(tmp_path / "\033[2J.png")
    assert "\033" not in err


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes")
def test_names_that_are_no_text(caption: Run, tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png")
    odd = os.fsdecode(os.path.join(os.fsencode(tmp_path), b"\xff\xfe.png"))
    os.rename(one, odd)
    assert json.loads(caption(odd, "--json")[1])["image"] == odd
    output = tmp_path / "out.jsonl"
    assert caption(odd, "-o", output)[0] == 0
    assert "1 were there already" in caption(odd, "-o", output, "--resume")[2]


# Folders


def test_a_folder(caption: Run, album: Path) -> None:
    status, out, err = caption(album)
    assert (status, err) == (0, "")
    found = [json.loads(line) for line in out.splitlines()]
    assert [os.path.relpath(each["image"], album) for each in found] == [
        "a.JPG",
        "b.png",
        "d.png",
        os.path.join("deep", "er", "c.webp"),
    ]
    assert [each["caption"].split()[1] for each in found] == ["red", "green", "red", "blue"]


def test_folders_and_files_together(caption: Run, album: Path, tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png")
    _, out, _ = caption(one, album / "deep", "--json")
    assert [Path(json.loads(line)["image"]).name for line in out.splitlines()] == ["one.png", "c.webp"]


@pytest.mark.skipif(os.name != "posix", reason="symbolic links as on POSIX")
def test_links_that_go_round(caption: Run, album: Path) -> None:
    (album / "empty/round").symlink_to(album)
    (album / "deep/again").symlink_to(album / "deep")
    (album / "link.png").symlink_to(album / "b.png")
    os.mkfifo(album / "pipe.png")
    status, out, _ = caption(album)
    assert status == 0
    names = [os.path.basename(json.loads(line)["image"]) for line in out.splitlines()]
    assert names == ["a.JPG", "b.png", "d.png", "c.webp", "link.png"]
    (album / "broken.png").symlink_to("nowhere")
    status, out, err = caption(album)
    assert status == 1
    assert "there is no picture" in err
    assert len(out.splitlines()) == 6


def test_a_folder_without_pictures(caption: Run, album: Path, tmp_path: Path) -> None:
    status, out, err = caption(album / "empty")
    assert (status, out) == (2, "")
    assert err.startswith(f"linnet: {album / 'empty'} holds no pictures (files whose names end in .jpg")
    assert err.count("\n") == 1
    # Beside others it is said, and the others are captioned.
    status, out, err = caption(picture(tmp_path / "one.png"), album / "empty")
    assert status == 1
    assert "red" in out
    assert "holds no pictures" in err


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_a_folder_that_cannot_be_read(caption: Run, album: Path) -> None:
    (album / "deep").chmod(0)
    status, out, err = caption(album)
    (album / "deep").chmod(0o755)
    assert status == 1
    assert len(out.splitlines()) == 3
    assert "cannot be read: Permission denied" in err


# Standard input


def piped(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))


def test_a_picture_on_standard_input(caption: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = picture(tmp_path / "one.png", "green").read_bytes()
    piped(monkeypatch, data)
    assert caption("-") == (0, "a green picture\n", "")
    piped(monkeypatch, data)
    figure = tmp_path / "out.png"
    assert json.loads(caption("--json", "-", "--heatmap", figure)[1])["image"] == "-"
    assert Image.open(figure).width == 1600
    piped(monkeypatch, b"")
    status, out, err = caption("-")
    assert (status, out) == (2, "")
    assert "is empty" in err


# What is wrong


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "no picture is given"),
        (["-", "-"], "standard input holds one picture"),
        (["A", "--resume"], "--resume goes on with a file; name it with -o"),
        (["A", "--n-best", "9", "--beam", "2"], "a beam of 2 does not find 9 captions"),
        (["A", "A", "--heatmap", "out.png"], "out.png can show one picture, not 2; name a folder instead"),
        (
            ["A", "--heatmap", "out.pdf"],
            "out.pdf must end in one of .png, .jpg, .jpeg, .webp",
        ),
        (["A", "--model", "none.onnx"], "there is no model file none.onnx"),
        (["A", "--model", "painter"], "there is no model 'painter'"),
        (["A", "-o", "no/such/folder.jsonl"], "cannot write no/such/folder.jsonl"),
        (["A", "-o", "."], "cannot write ."),
        (["A", "-o", ".", "--resume"], "--resume goes on with a file"),
    ],
)
def test_what_does_not_go_together(
    caption: Run, tmp_path: Path, words: list[str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one = str(picture(tmp_path / "one.png"))
    piped(monkeypatch, b"")
    status, out, err = caption(*(one if word == "A" else word for word in words))
    assert (status, out) == (2, "")
    assert err.startswith(f"linnet: {sentence}")
    assert err.count("\n") == 1


def test_the_length_penalty_is_that_asked_for(caption: Run, tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png")
    assert json.loads(caption(one, "--json", "--length-penalty", 0)[1])["score"] == -0.5
    assert json.loads(caption(one, "--json", "--length-penalty", 2)[1])["score"] == pytest.approx(
        -0.5 / 16, abs=1e-4
    )


def test_a_model_of_another_task(caption: Run, tmp_path: Path, tiny_model: Path) -> None:
    status, out, err = caption(picture(tmp_path / "one.png"), "--model", tiny_model)
    assert (status, out) == (2, "")
    assert "is a trigger model, not a caption model" in err


def test_a_bad_picture_does_not_stop_the_others(caption: Run, tmp_path: Path) -> None:
    good = picture(tmp_path / "good.png")
    torn = tmp_path / "torn.png"
    torn.write_bytes(good.read_bytes()[:60])
    gone = tmp_path / "gone.png"
    status, out, err = caption(torn, good, gone)
    assert status == 1
    assert out == f"{good}: a red picture\n"
    assert [line.split(" is ")[0] for line in err.splitlines()] == [f"linnet: {torn}", "linnet: there"]
    status, out, err = caption(torn, good, gone, "--json")
    assert status == 1
    found = [json.loads(line) for line in out.splitlines()]
    assert [set(each) for each in found] == [
        {"image", "error"},
        {"image", "caption", "score"},
        {"image", "error"},
    ]
    assert found[0]["image"] == str(torn)
    assert "cut short" in found[0]["error"]
    assert caption(gone)[0] == caption(torn, gone)[0] == 2


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


# Heat maps


def test_a_heat_map_of_one_picture(caption: Run, tmp_path: Path) -> None:
    for name in ("out.png", "out.jpg", "out.WEBP"):
        figure = tmp_path / name
        assert caption(picture(tmp_path / "one.png"), "--heatmap", figure) == (0, "a red picture\n", "")
        assert Image.open(figure).width == 1600


def test_heat_maps_of_a_folder_stand_as_in_the_folder(caption: Run, album: Path, tmp_path: Path) -> None:
    figures = album / "figures"  # in it; they are not captioned in turn
    for _ in range(2):
        status, out, _ = caption(album, picture(tmp_path / "other/b.png"), "--heatmap", figures)
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


def test_a_heat_map_that_cannot_be_written(caption: Run, tmp_path: Path) -> None:
    one = picture(tmp_path / "one.png")
    (tmp_path / "file").write_text("")
    status, _, err = caption(one, "--heatmap", tmp_path / "file/out.png")
    assert status == 2
    assert err.startswith("linnet: cannot make the folder")
    status, _, err = caption(one, "--heatmap", tmp_path / "file")
    assert status == 2
    assert "cannot make the folder" in err


def test_lines_of_a_caption_with_odd_words() -> None:
    from linnet.caption import Caption

    caption = Caption("a\033[2J", -0.5, ("a\033[2J",), None)  # type: ignore[arg-type]
    assert "\033" not in results.as_text("x", caption, True)
    assert results.as_json("x", caption).isascii()
