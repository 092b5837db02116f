"""The demo that translates text."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

SCRIPT = Path(__file__).parents[2] / "demos/translate_text.py"


@pytest.fixture
def main():
    """The script's function."""
    return runpy.run_path(str(SCRIPT))["main"]


def test_texts_are_translated(main, tiny_translator, tmp_path, capsys):
    main(["--model", str(tiny_translator)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:4] == ["Ein Hund läuft am Strand entlang.", "    A dog runs at beach entlang."]
    assert len(lines) == 6
    figure = tmp_path / "out.png"
    main(["--model", str(tiny_translator), "Ein Hund", str(figure)])
    out = capsys.readouterr().out
    assert out == f"Ein Hund\n    A dog\nwhat was looked at for each word: {figure}\n"
    with Image.open(figure) as drawn:
        assert drawn.width > 300


def test_what_goes_wrong_is_one_sentence(tmp_path):
    ran = subprocess.run(
        [sys.executable, str(SCRIPT), "--model", str(tmp_path / "gone.onnx")], capture_output=True, text=True
    )
    assert ran.returncode == 2
    assert ran.stderr == f"translate_text.py: there is no model file {tmp_path}/gone.onnx; check the path\n"


def test_the_translator_that_ships_knows_a_dog(main, capsys):
    main([])
    assert "dog" in capsys.readouterr().out
