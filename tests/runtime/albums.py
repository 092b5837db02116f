"""Folders of pictures, and ``linnet caption`` in a process of its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image

COLOURS = {"red": (200, 0, 0), "green": (0, 200, 0), "blue": (0, 0, 200)}


def picture(path: Path, colour: str = "red") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (60, 40), COLOURS[colour]).save(path)
    return path


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text("ascii").splitlines()]


def command(tiny_captioner: Path, *arguments: object) -> list[str]:
    return [sys.executable, "-m", "linnet", "caption", "--model", str(tiny_captioner), *map(str, arguments)]
