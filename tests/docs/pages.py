"""The commands that stand in the README and the guides: indented, or in backquotes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
QUICK = ("listen", "caption", "translate", "info", "models", "bench")
"""Commands that need nothing but a model file, and what they are to look at."""

_INDENTED = re.compile(r"^(?: {4}|\t)\s*(?:\$ )?(.*)$", re.MULTILINE)
_SPAN = re.compile(r"`([^`\n]+)`")
# What runs Linnet or makes it run, behind variables and in whatever folder.
_PROGRAM = re.compile(r"(?:[A-Z_]+=\S+ )*(?:\S*/)?(?:linnet|python3?|torchrun|pip|make|tensorboard|pytest) ")


def text_of(page: Path) -> str:
    """A page with the lines of a command joined."""
    return page.read_text(encoding="utf-8").replace("\\\n", " ")


def indented(page: Path) -> list[str]:
    """Its indented lines, whether or not they are commands."""
    return _INDENTED.findall(text_of(page))


def commands(page: Path) -> list[str]:
    """Its commands from top to bottom, each once: those in indented lines, and whole ones in backquotes."""
    found: dict[str, None] = {}
    for line in text_of(page).splitlines():
        if code := _INDENTED.match(line):
            # After an arecord and such there may be a `|`.
            if any(_PROGRAM.match(part.strip()) for part in code[1].split("|")):
                found[code[1].strip()] = None
            continue
        for span in _SPAN.findall(line):
            if _PROGRAM.match(span) and not _only_named(span):
                found[span] = None
    return [*found]


def _only_named(span: str) -> bool:
    """Whether something is missing to what stands in backquotes, as in `linnet info FILE`."""
    words = span.split()
    return "FILE" in words or span in NAMES


NAMES = (
    "linnet caption --to",
    "linnet evaluate",
    "linnet evaluate translate",
    "linnet export",
    "linnet listen --save",
    "linnet train",
    "linnet translate",
    "pip install linnet",
)
"""What stands in backquotes as the name of a command, or of an option of its."""


def arguments(command: str) -> list[str]:
    """What stands behind ``linnet``, as a shell gives it."""
    words = shlex.split(command, comments=True)
    for sign in ("<", ">"):
        if sign in words:
            del words[words.index(sign) : words.index(sign) + 2]
    return words[1:]


def quick(page: Path) -> Iterator[str]:
    """Lines, with what is before and after a `|`, whose command of Linnet's is quickly done.

    Not those that listen to a microphone, nor lines of the guide whose every line is run (test_deploying.py).
    """
    lines = re.findall(r"`(linnet [a-z]+ [^`\n]+)`", text_of(page))
    if page.stem != "deploying":
        lines += indented(page)
    for line in dict.fromkeys(map(str.strip, lines)):
        (*_, command) = re.split(r"\|\s*(?=linnet )", line)
        words = arguments(command) if command.startswith(("linnet ", "python demos/")) else [""]
        live = words[0] not in QUICK[1:] and not {"-", "--wav"} & {*words}
        is_quick = words[0] in QUICK or words[0].startswith("demos/")
        if is_quick and not live and line not in NAMES and not {"FILE", "..."} & {*words}:
            yield line
