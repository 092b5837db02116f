"""The script that draws the pictures of the guide *How it works*."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import pictures
from drawing import common, searching
from drawing.searching import Node
from linnet import zoo

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "how-it-works.md").read_text(encoding="utf-8")


def shown(page):
    """The pictures in it."""
    return re.findall(r'(?:!\[[^\]]*\]\(|<img src=")([^)"]+)[)"]', page)


def missing(page, made):
    """Those that nobody drew."""
    return [name for name in shown(page) if name not in made]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """A folder with the pictures, and what the script said."""
    folder = tmp_path_factory.mktemp("pictures")
    with pytest.MonkeyPatch.context() as patch:
        lines = []
        patch.setattr("builtins.print", lines.append)
        pictures.main([str(folder)])
    return folder, lines


def test_the_script_makes_what_the_guide_shows(drawn):
    folder, lines = drawn
    made = {path.name for path in folder.iterdir()}
    assert len(shown(GUIDE)) >= 6
    assert missing(GUIDE, made) == []
    assert missing(GUIDE + "![another](another.png)", made) == ["another.png"]
    assert made <= set(pictures.PICTURES)
    assert len(lines) == len(pictures.PICTURES)


def test_pictures_are_small_and_of_the_shape_of_those_that_ship(drawn):
    for path in drawn[0].iterdir():
        if path.name not in shown(GUIDE):
            continue
        with Image.open(path) as new, Image.open(DOCS / path.name) as old:
            assert new.format == old.format
            assert new.width == old.width >= 760  # twice what is shown, where screens are fine
            assert abs(new.height - old.height) < 100, path.name
        if path.suffix == ".png":
            assert path.stat().st_size < 150_000, path.name


def test_figures_in_the_guide_are_those_of_the_models(drawn):
    written = [float(figure) for figure in re.findall(r"\d+\.\d+", GUIDE)]
    said = [line for line in drawn[1] if "not drawn" not in line]
    for figure in (float(figure) for line in said for figure in re.findall(r"\d+\.\d+", line)):
        assert any(abs(figure - each) <= 0.002 + 0.02 * figure for each in written), figure


def test_alignment_waits_for_a_translator(drawn, tiny_translator, tmp_path):
    folder, lines = drawn
    ships = "de-en.onnx" in {path.name for path in zoo.models()}
    assert (folder / "alignment.png").exists() == ships
    assert any(line.startswith("alignment.png: not drawn; ") for line in lines) != ships
    pictures.save(searching.alignment(tiny_translator).figure, tmp_path / "alignment.png")
    with Image.open(tmp_path / "alignment.png") as made:
        assert made.width > 300


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--help"], 0, "usage: pictures.py "),
        (["no such folder"], 2, "pictures.py: there is no folder no such folder; make it first\n"),
        (["one", "two"], 2, "usage: pictures.py "),
    ],
)
def test_it_is_asked_as_all_programs_are(arguments, status, said):
    ran = subprocess.run([sys.executable, DOCS / "pictures.py", *arguments], capture_output=True, text=True)
    assert ran.returncode == status
    assert (ran.stderr if status else ran.stdout).startswith(said)
    assert "Traceback" not in ran.stderr


def test_what_the_model_does_not_say_is_not_drawn():
    common.agree(np.zeros(2), np.full(2, 1e-5), "zeros")
    for other in (0.1, np.nan):
        with pytest.raises(SystemExit, match="the state: what is drawn"):
            common.agree(np.zeros(2), np.full(2, other), "the state")


BEAMS = [
    [Node(0, "a", -1.0, False), Node(0, "the", -2.0, False)],
    [Node(0, "dog", -1.5, False), Node(0, "end", -1.6, True)],
    [Node(0, "runs", -1.2, False), Node(1, "", -1.6, True)],
]


def test_hypotheses_are_followed_to_their_end():
    assert searching.said(BEAMS, 0) == "a dog runs"
    assert searching.path(BEAMS, 0) == [(0, 0), (1, 0), (2, 0)]
    assert searching.said(BEAMS, 1) == "a"
    assert searching.path(BEAMS, 1) == [(0, 0), (1, 1)]  # and not the step in which it only waits


def test_no_two_words_of_the_tree_stand_on_each_other():
    rows = searching.rows_of(BEAMS)
    assert rows == {(0, 0): 0, (1, 0): 0, (2, 0): 0, (1, 1): 1, (0, 1): 2}
    for beam in (1, 5):
        rows = searching.rows_of(searching.searched(beam))
        assert len({(step, row) for (step, _), row in rows.items()}) == len(rows)
