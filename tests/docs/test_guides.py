"""Every command in the README and the guides is run: quick ones elsewhere, here those that need training.

A page is followed from top to bottom in one folder, each line as it stands there: what one line trains the
next ones evaluate and export. What is not as a reader has it:

- recordings, photographs and text are few and made by the tests (reader.py);
- recipes are tiny, the microphone is a recording, and 8 bits may cost what they like (briefly.py);
- torchrun starts two processes, all on this machine (torchrun.py);
- /shared is in the folder, and `rpicam-still` takes the same photograph again and again.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from pages import PAGES, ROOT, commands, quick

HERE = Path(__file__).parent
PYTHON = """
case "$*" in
    *--wav*) ;;
    demos/assistant.py*) set -- "$@" --wav demos/sample.wav --mute;;
esac
exec "%s" "$@"
"""
MADE = {"-o", "--picture", "--heatmap", "--alignment", ">"}
"""What stands before the name of a file that a command writes."""

FOLLOWED = [
    ROOT / "README.md",
    *(ROOT / f"docs/{name}.md" for name in ("measurements", "training")),
    *sorted((ROOT / "docs").glob("your-own-*.md")),
]

NOT_RUN = {
    "make demo": "tests/demos/test_tour.py runs the script",
    "make test": "that is these tests",
    "make PYTHON=python3.12 test": "that is these tests",
    "PIP_EXTRA_INDEX_URL=": "that is these tests",
    "make guides": "that is these tests",
    'pytest -m "not install and not node': "that is these tests",
    "make web-test": "those are tests too, of the page in a browser",
    "linnet web": "it serves until it is stopped; tests/demos/test_web_browser.py starts and uses it",
    "make lint": "it looks at the checkout, not at what the tests do",
    "make bench": "the tests of tests/benchmarks run its scripts, more briefly",
    "python tests/benchmarks/": "the tests there run them, more briefly",
    "python docs/pictures.py": "test_pictures.py runs it",
    "pip install .": "tests/install builds the wheel and installs it",
    "pip install -e '.[demos]'": "make web-test installs that",
    "pip install -c constraints.txt -e '.[training]'": "gigabytes; these tests are run with what it installs",
    "tensorboard ": "it shows a page in a browser until it is stopped",
    "linnet listen athena.onnx --devices": "there need not be a sound card",
}
"""How lines begin that no test runs as they stand, and why."""


def elsewhere(page: Path) -> set[str]:
    """Commands of a page that test_commands.py or test_deploying.py runs."""
    steps = [
        line for line in commands(page) if page.stem == "deploying" and f"$ {line}" in page.read_text("utf-8")
    ]
    return {*quick(page), *steps}


def not_run(line: str) -> list[str]:
    """The entries of NOT_RUN that a command falls under."""
    return [start for start in NOT_RUN if line.startswith(start)]


def to_follow(page: Path) -> list[str]:
    """All others; quick ones too where they look at what is trained."""
    return [line for line in commands(page) if not not_run(line)] if page in FOLLOWED else []


def made_by(line: str) -> Iterator[str]:
    """The files that a command names as its results."""
    words = shlex.split(line, comments=True)
    return (name for sign, name in pairwise(words) if sign in MADE and "{" not in name)


def changed(folder: Path, line: str) -> dict[str, int | None]:
    """When each of them was last written, where it was."""
    paths = {name: folder / name for name in made_by(line)}
    return {name: path.stat().st_mtime_ns if path.exists() else None for name, path in paths.items()}


@pytest.fixture
def programs_of_guides(tmp_path: Path) -> Path:
    """A folder with the stand-ins."""
    folder = tmp_path / "programs"
    scripts = {
        "linnet": f'exec "{sys.executable}" "{HERE / "briefly.py"}" "$@"',
        "torchrun": f'exec "{sys.executable}" "{HERE / "torchrun.py"}" "$@"',
        "python": PYTHON % sys.executable,
        "rpicam-still": 'test "$1 $2" = "-n -o" && exec cp demos/photo.jpg "$3"',
    }
    folder.mkdir()
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.guides
@pytest.mark.parametrize("page", FOLLOWED, ids=lambda page: page.stem)
def test_a_guide_is_followed(
    page: Path,
    make_checkout: Callable[[], Path],
    shell_in: Callable[..., Callable[[str], subprocess.CompletedProcess[str]]],
    programs_of_guides: Path,
    environment: dict[str, str],
) -> None:
    pytest.importorskip("torch")
    from reader import write_everything

    folder = make_checkout()
    for name in ("photos", "athena.onnx", "hey_linnet.onnx", "captioner.onnx", "de-en.onnx"):  # to be made
        shutil.rmtree(folder / name) if (folder / name).is_dir() else (folder / name).unlink()
    write_everything(folder)
    path = f"{programs_of_guides}{os.pathsep}{environment['PATH']}"
    # What is so small gains nothing from threads, which wait for each other where others use the processor.
    run = shell_in(folder, environment | {"PATH": path, "OMP_NUM_THREADS": "1"})
    for line in to_follow(page):
        before, began = changed(folder, line), time.monotonic()
        ran = run(line.replace("/shared/", f"{folder}/shared/"))
        print(f"{time.monotonic() - began:6.1f} s  {line}")
        assert ran.returncode == 0, f"{line}\n{ran.stdout}"
        for name, then in before.items():
            assert (folder / name).exists(), f"{line}\ndid not make {name}"
            assert changed(folder, line)[name] != then, f"{line}\nleft the old {name}"


def test_no_line_goes_unrun() -> None:
    """Each is followed or run elsewhere, or it is said why not."""
    for page in PAGES:
        done = {*elsewhere(page), *to_follow(page)}
        assert [line for line in commands(page) if line not in done and not not_run(line)] == []


def test_no_line_is_overlooked() -> None:
    """Whatever trains, evaluates or exports, and has more than that to say, is a command."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        counted = len(
            re.findall(r"linnet (?:train|evaluate|export) (?:(?:trigger|caption|translate) )?[^\s`|]+ ", text)
        )
        found = [line for line in commands(page) if re.search("linnet (?:train|evaluate|export) ", line)]
        assert counted <= len(found), page.stem


def test_what_is_not_run_is_still_there() -> None:
    used = {start for page in PAGES for line in commands(page) for start in not_run(line)}
    assert used == {*NOT_RUN}
