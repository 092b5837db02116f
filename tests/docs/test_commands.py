"""Every command in the README and the guides is one that `linnet` takes; those quickly done are run."""

import re
import shlex
from pathlib import Path

import pytest

from linnet.cli import _parse

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
LINE = re.compile(r"^(?: {4}|\t)\s*(?:\$ )?(.*)$", re.MULTILINE)
QUICK = ("listen", "caption", "translate", "info", "models", "bench")
"""Commands that need nothing but a model file, and what they are to look at."""


def text_of(page):
    return page.read_text(encoding="utf-8").replace("\\\n", " ")


def commands():
    """Those in indented lines, and in backquotes."""
    for page in PAGES:
        for part in (piece for line in LINE.findall(text_of(page)) for piece in line.split("|")):
            part = re.sub(r"^\S+/linnet ", "linnet ", part.strip())
            if part.startswith("linnet ") and "..." not in part:
                yield pytest.param(part, id=f"{page.stem}: {part[:60]}")
        for part in re.findall(r"`(linnet [a-z]+ [^`\n]*)`", text_of(page)):
            if "FILE" not in part and len(part.split()) > 3:  # shorter ones are only named
                yield pytest.param(part, id=f"{page.stem}: {part[:60]}")


def arguments(command):
    """What stands behind ``linnet``, as a shell gives it."""
    words = shlex.split(command, comments=True)
    for sign in ("<", ">"):
        if sign in words:
            del words[words.index(sign) : words.index(sign) + 2]
    return words[1:]


def quick_lines():
    """Lines, with what is before and after a `|`, whose command of Linnet's is quickly done.

    Not those that listen to a microphone, nor lines of the guide whose every line is run (test_deploying.py).
    """
    for page in PAGES:
        lines = re.findall(r"`(linnet [a-z]+ [^`\n]+)`", text_of(page))
        if page.stem != "deploying":
            lines += LINE.findall(text_of(page))
        for line in dict.fromkeys(map(str.strip, lines)):
            (*_, command) = re.split(r"\|\s*(?=linnet )", line)
            words = arguments(command) if command.startswith(("linnet ", "python demos/")) else [""]
            live = words[0] not in QUICK[1:] and not {"-", "--wav"} & {*words}
            quick = words[0] in QUICK or words[0].startswith("demos/")
            if quick and not live and not {"FILE", "..."} & {*words}:
                yield pytest.param(line, id=f"{page.stem}: {line[:60]}")


@pytest.mark.parametrize("command", list(commands()))
def test_the_command_is_taken(command):
    words = arguments(command)
    pytest.importorskip("torch") if words[0] in ("train", "evaluate", "export") else None
    options = _parse(words)
    assert callable(options.run)


def test_there_are_commands():
    assert len(list(commands())) > 30
    assert len(list(quick_lines())) > 10


@pytest.mark.parametrize("line", list(quick_lines()))
def test_the_command_is_done(line, shell):
    ran = shell(line)
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout or {">", "-o"} & {*shlex.split(line, comments=True)}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link
