"""Every command in the README and the guides is one that `linnet` takes; those quickly done are run."""

import re
import shlex

import pytest
from pages import PAGES, arguments, indented, quick, text_of

from linnet.cli import _parse


def commands():
    """Those in indented lines, and in backquotes."""
    for page in PAGES:
        for part in (piece for line in indented(page) for piece in line.split("|")):
            part = re.sub(r"^\S+/linnet ", "linnet ", part.strip())
            if part.startswith("linnet ") and "..." not in part:
                yield pytest.param(part, id=f"{page.stem}: {part[:60]}")
        for part in re.findall(r"`(linnet [a-z]+ [^`\n]*)`", text_of(page)):
            if "FILE" not in part and len(part.split()) > 3:  # shorter ones are only named
                yield pytest.param(part, id=f"{page.stem}: {part[:60]}")


def quick_lines():
    for page in PAGES:
        for line in quick(page):
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
