"""The demo that captions a photograph, and the photograph."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

DEMOS = Path(__file__).parents[2] / "demos"
SCRIPT, PHOTO = DEMOS / "caption_photo.py", DEMOS / "photo.jpg"


@pytest.fixture
def main():
    """The script's function."""
    return runpy.run_path(str(SCRIPT))["main"]


def test_the_photograph_is_small_and_credited():
    assert PHOTO.stat().st_size < 100_000
    assert "CC0" in PHOTO.with_suffix(".txt").read_text("utf-8")
    with Image.open(PHOTO) as photo:
        photo.load()


def test_the_photograph_is_captioned(main, tiny_captioner, tmp_path, capsys):
    main(["--model", str(tiny_captioner)])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].endswith("photo.jpg, the likeliest first:")
    assert lines[1].startswith(" -0.125  a ")
    figure = tmp_path / "out.png"
    main(["--model", str(tiny_captioner), str(PHOTO), str(figure)])
    assert f"where it looked: {figure}" in capsys.readouterr().out
    with Image.open(figure) as drawn:
        assert drawn.width == 1600


def test_what_goes_wrong_is_one_sentence(tiny_captioner):
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), "--model", str(tiny_captioner), "gone.jpg"],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 2
    assert ran.stderr == "caption_photo.py: there is no picture gone.jpg; check the path\n"


def test_the_captioner_that_ships_sees_a_man(main, capsys):
    main([])
    assert "man" in capsys.readouterr().out
