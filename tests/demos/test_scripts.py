"""What all demos have in common: help with an example, one sentence where something is wrong, and 2."""

import subprocess
import sys
from pathlib import Path

import pytest

DEMOS = Path(__file__).parents[2] / "demos"
SCRIPTS = sorted(path.name for path in DEMOS.glob("*.py") if "__main__" in path.read_text("utf-8"))


def _run(script, *arguments):
    return subprocess.run([sys.executable, str(DEMOS / script), *arguments], capture_output=True, text=True)


def test_there_are_demos():
    assert len(SCRIPTS) >= 7


@pytest.mark.parametrize("script", SCRIPTS)
def test_help_has_an_example(script):
    ran = _run(script, "--help")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert f"\npython demos/{script}" in ran.stdout


@pytest.mark.parametrize("script", SCRIPTS)
def test_wrong_usage_is_named(script):
    ran = _run(script, "a.wav", "b.wav", "c.wav", "--nonsense")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert f"{script}: error: unrecognized arguments:" in ran.stderr.splitlines()[-1]


@pytest.mark.parametrize("script", ["caption_photo.py", "make_sample.py", "microphone.py"])
def test_what_is_not_there_is_one_sentence(script):
    ran = _run(script, "gone.onnx")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"{script}: there is no ")
    assert ran.stderr.count("\n") == 1
