"""What may be shown in a terminal, and how wide it is there."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from typing import TextIO

__all__ = ["cells", "clean", "clock", "columns", "encodes", "fit", "redraws"]

# Control characters could move the cursor or worse; format characters could turn text around; separators
# break lines.
_UNFIT = {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}


def clean(text: str) -> str:
    """``text`` on one line, without characters that a terminal would obey instead of showing.

    Whatever comes from a file, a device or another program passes through here before it is printed.
    """
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in _UNFIT else c for c in text)


def cells(text: str) -> int:
    """How many columns ``text`` takes in a terminal: East Asian characters take two, accents none."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )


def fit(text: str, width: int) -> str:
    """``text`` filled up with spaces, or cut off, so that it takes exactly ``width`` columns."""
    while cells(text) > width:
        text = text[:-1]
    return text + " " * (width - cells(text))


def columns(table: Sequence[tuple[str, ...]], *, right: frozenset[int] = frozenset()) -> list[str]:
    """Lines of a table, two spaces between its columns, those numbered in ``right`` flush right."""
    widths = [max(map(cells, column)) for column in zip(*table, strict=True)]
    lines = []
    for row in table:
        fields = [
            " " * (width - cells(field)) + field if number in right else fit(field, width)
            for number, (field, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(fields).rstrip())
    return lines


def clock(seconds: float, digits: int = 0) -> str:
    """Seconds as h:mm:ss, with ``digits`` after the point."""
    scale = 10**digits
    whole, part = divmod(int(seconds * scale + 1e-6), scale)
    text = f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{text}.{part:0{digits}}" if digits else text


def redraws(stream: TextIO) -> bool:
    """Whether lines on ``stream`` can be drawn over: it is a terminal that understands escape sequences."""
    return stream.isatty() and os.name == "posix" and os.environ.get("TERM", "dumb") != "dumb"


def encodes(stream: TextIO, text: str) -> bool:
    """Whether ``stream`` can show ``text``."""
    try:
        text.encode(stream.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True
