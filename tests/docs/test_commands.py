"""Every command in the README and the guides is one that `linnet` takes."""

import re
import shlex
from pathlib import Path

import pytest

from linnet.cli import _parse

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def commands():
    """Those in indented lines, and in backquotes."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8").replace("\\\n", " ")
        lines = re.findall(r"^(?: {4}|\t)\s*(.*)$", text, re.MULTILINE)
        for part in (piece for line in lines for piece in line.split("|")):
            if part.strip().startswith("linnet ") and "..." not in part:
                yield pytest.param(part.strip(), id=f"{page.stem}: {part.strip()[:60]}")
        for part in re.findall(r"`(linnet [a-z]+ [^`\n]*)`", text):
            if "FILE" not in part and len(part.split()) > 3:  # shorter ones are only named
                yield pytest.param(part, id=f"{page.stem}: {part[:60]}")


@pytest.mark.parametrize("command", list(commands()))
def test_the_command_is_taken(command):
    words = shlex.split(command, comments=True)
    for sign in ("<", ">"):
        if sign in words:
            del words[words.index(sign) : words.index(sign) + 2]
    pytest.importorskip("torch") if words[1] in ("train", "evaluate", "export") else None
    options = _parse(words[1:])
    assert callable(options.run)


def test_there_are_commands():
    assert len(list(commands())) > 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link
