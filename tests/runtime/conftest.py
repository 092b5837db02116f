"""What tests of commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from albums import picture
from recordings import tones

from linnet import audio, cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command in this process; returns exit status, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        try:
            status = cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        return status, *capfd.readouterr()

    return run


@pytest.fixture
def listen(capfd: pytest.CaptureFixture[str]) -> Run:
    """Run ``linnet listen`` in this process; returns exit status, standard output, standard error."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = cli.main(["listen", *map(str, arguments)])
        return status, *capfd.readouterr()

    return run


@pytest.fixture
def day(tmp_path: Path) -> Path:
    """A recording of 10 s with a tone at 2, 5 and 9.7 s."""
    path = tmp_path / "day.wav"
    audio.write_wav(path, tones(2, 5, 9.7, seconds=10))
    return path


@pytest.fixture
def caption(capfd: pytest.CaptureFixture[str], tiny_captioner: Path) -> Run:
    """Run ``linnet caption`` with the tiny captioner in this process; returns status, output, errors."""

    def run(*arguments: object) -> tuple[int, str, str]:
        status = cli.main(["caption", "--model", str(tiny_captioner), *map(str, arguments)])
        return status, *capfd.readouterr()

    return run


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
