"""Files of lines that ``linnet caption`` writes, and goes on with."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from albums import command, lines_of, picture

Run = Callable[..., tuple[int, str, str]]


def test_lines_in_a_file(caption: Run, album: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    status, out, err = caption(album, "-o", output)
    assert (status, out) == (0, "")
    assert err == f"4 pictures captioned, 0 failed: {output}\n"
    assert [each["caption"].split()[1] for each in lines_of(output)] == ["red", "green", "red", "blue"]
    caption(album / "deep", "-o", output)  # without --resume it is written anew
    assert len(lines_of(output)) == 1


@pytest.mark.parametrize("torn", [b"", b'{"image": "', b"\0\0\0", b'{"image": "x", "caption": "'])
def test_going_on(caption: Run, album: Path, tmp_path: Path, torn: bytes) -> None:
    output = tmp_path / "out.jsonl"
    caption(album, "-o", output)
    whole = output.read_bytes()
    lines = whole.splitlines(keepends=True)
    output.write_bytes(b"".join(lines[:2]) + torn)
    status, _, err = caption(album, "-o", output, "--resume")
    assert status == 0
    assert err == f"2 pictures captioned, 0 failed, 2 were there already: {output}\n"
    assert output.read_bytes() == whole
    assert "0 pictures captioned" in caption(album, "-o", output, "--resume")[2]
    assert output.read_bytes() == whole


def test_going_on_at_the_end_of_a_line_without_its_break(caption: Run, album: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    caption(album, "-o", output)
    whole = output.read_bytes()
    output.write_bytes(whole.rstrip(b"\n"))
    caption(album, "-o", output, "--resume")
    assert output.read_bytes() == whole


def test_going_on_where_nothing_is_yet(caption: Run, album: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    assert caption(album, "-o", output, "--resume")[0] == 0
    assert len(lines_of(output)) == 4


def test_what_failed_is_tried_again(caption: Run, album: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    whole = (album / "b.png").read_bytes()
    (album / "b.png").write_bytes(whole[:70])
    assert caption(album, "-o", output)[0] == 1
    assert caption(album, "-o", output, "--resume")[0] == 1
    assert sum("error" in each for each in lines_of(output)) == 1
    (album / "b.png").write_bytes(whole)
    assert caption(album, "-o", output, "--resume")[0] == 0
    assert sorted(each["caption"] for each in lines_of(output)) == sorted(
        f"a {colour} picture" for colour in ("red", "red", "green", "blue")
    )


def test_a_file_of_something_else_is_left_alone(caption: Run, album: Path, tmp_path: Path) -> None:
    output = tmp_path / "letter.txt"
    for text in (
        "Dear reader,\nhello\n",
        '{"image": "x", "caption": "y"}\n{"other": 1}\n',
        "3\n",
        "[" * 99_999 + "\n",
    ):
        output.write_text(text)
        status, _, err = caption(album, "-o", output, "--resume")
        assert status == 2
        assert "is not what linnet caption writes; name another file" in err
        assert output.read_text() == text


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk(caption: Run, album: Path) -> None:
    status, _, err = caption(album, "-o", "/dev/full")
    assert status == 2
    assert err == "linnet: cannot write /dev/full: No space left on device\n"


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
