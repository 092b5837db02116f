"""Errors of all packages stand behind the same "linnet: ", so they are written in the same style."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from linnet import errors

ROOT = Path(__file__).parents[1]
FOLDERS = ("runtime/linnet", "training/linnet_training", "export/linnet_export", "demos")
VALUE = "\N{WHITE SQUARE}"  # stands for what a sentence is filled in with


def sentence(node: ast.expr) -> str | None:
    """A string, literal or formatted; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else VALUE for part in node.values)
    return None


def sentences(source: str) -> Iterator[tuple[int, str]]:
    """The line and the text of every error that is made of a string."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            text = sentence(node.args[0])
            if name in errors.__all__ and text is not None:
                yield node.lineno, text


def wrong(text: str) -> str:
    """What is wrong with the style of a sentence, nothing for one that is as all are."""
    if re.match("[A-Z][a-z]+ ", text):  # a name or a file would be filled in, an abbreviation is all capitals
        return "begins with a capital"
    if text.endswith("."):
        return "ends in a full stop"
    if re.search("[.?!] [A-Z][a-z]* ", text):
        return "is more than one sentence; join them by a semicolon"
    return ""


@pytest.mark.parametrize("folder", FOLDERS)
def test_errors_are_written_in_one_style(folder: str) -> None:
    paths = [path for path in (ROOT / folder).rglob("*.py") if "node_modules" not in path.parts]
    found = [
        (f"{path.relative_to(ROOT)}:{line}", text, wrong(text))
        for path in paths
        for line, text in sentences(path.read_text(encoding="utf-8"))
    ]
    assert found
    assert [each for each in found if each[-1]] == []


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('raise DataError(f"Cannot read {path}")', "capital"),
        ('raise errors.UsageError("give one.")', "full stop"),
        ('error = ExportError(f"{path}: {reason}.")', "full stop"),
        ('DataError("which word? Fill " "the column")', "more than one sentence"),
        ('DataError(f"{path} is JSON, not as " "COCO\'s")', ""),
        ('AudioError("WAV 1.0 is read; HEIC is not")', ""),
    ],
)
def test_what_is_held_to_be_wrong(line: str, reason: str) -> None:
    ((_, text),) = sentences(line)
    assert reason in wrong(text)
    assert bool(reason) == bool(wrong(text))
