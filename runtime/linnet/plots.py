"""Pictures for people: where a captioner looked as it chose each word."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from linnet.caption import Caption
from linnet.errors import OutputError, UsageError
from linnet.files import whole
from linnet.image import Picture, load

__all__ = ["FORMATS", "heatmap", "save"]

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
"""End of a file's name, in lower case -> what `save` writes."""

_WIDTH = 1600  # of the whole figure, about
_ASPECT = 1.5  # its width over its height, as near as the number of words allows
_TALLEST = 800  # a single picture in it
_GAP, _MARGIN = 12, 32
_PAPER, _INK = (255, 255, 255), (24, 28, 36)
_GLOW = np.array((120, 55, 0), np.float32)  # light that is added where attention is greatest

_RGB = NDArray[np.float32]


def heatmap(picture: Picture, caption: Caption) -> Image.Image:
    """The picture, and once more for each word of its caption, bright where the model looked for that word.

    Attention is shown in proportion to the most that any place got for the word, or to three times an even
    spread where that is more, so that a word for which the model looked nowhere in particular stays dim.

    Args:
        picture: that was captioned, as `linnet.image.load` takes it.
        caption: of it.

    Returns:
        RGB, about 1600 pixels wide.

    Raises ImageError where the picture cannot be read.
    """
    shown = load(picture, _WIDTH // 2)
    count = len(caption.tokens) + 1
    columns = _columns(count, shown.height / shown.width)
    width = (_WIDTH - 2 * _MARGIN + _GAP) // columns - _GAP
    width = min(width, _TALLEST * shown.width // shown.height)
    height = width * shown.height // shown.width
    label = max(16, min(34, width // 7))
    below = round(label * 1.6)
    title = _font(caption.text, 44, _WIDTH - 2 * _MARGIN)
    head = _MARGIN + round(44 * 1.7)
    rows = -(-count // columns)
    figure = Image.new("RGB", (_WIDTH, head + rows * (height + below + _GAP) - _GAP + _MARGIN // 2), _PAPER)
    draw = ImageDraw.Draw(figure)
    draw.text((_MARGIN, _MARGIN), caption.text, _INK, title, anchor="lt")
    small = shown.resize((width, height), Image.Resampling.LANCZOS)
    seen = np.asarray(small, np.float32)
    for place, word in enumerate(("", *caption.tokens)):
        left = _MARGIN + place % columns * (width + _GAP)
        top = head + place // columns * (height + below + _GAP)
        tile = _lit(seen, caption.attention[place - 1]) if place else small
        figure.paste(tile, (left, top))
        middle = (left + width // 2, top + height + below // 2)
        draw.text(middle, word, _INK, _font(word, label, width), anchor="mm")
    return figure


def save(figure: Image.Image, path: str | Path) -> None:
    """Write a figure, whole or not at all, in the format that the end of its name says (`FORMATS`).

    Raises UsageError for another ending, OutputError where the file cannot be written.
    """
    kind = FORMATS.get(Path(path).suffix.lower())
    if kind is None:
        raise UsageError(f"{path} must end in one of {', '.join(FORMATS)}")
    try:
        with whole(path) as file:
            figure.save(file, kind, quality=92)
    except ValueError as error:  # a NUL byte in the path
        raise OutputError(f"cannot write {path}: {error}") from None


def _columns(count: int, tall: float) -> int:
    """Columns for ``count`` tiles, ``tall`` times as high as wide, that bring the figure near its aspect."""

    def apart(columns: int) -> float:
        rows = -(-count // columns)
        empty = rows * columns - count
        return abs(math.log(columns / (rows * (tall + 0.2)) / _ASPECT)) + 0.15 * empty / columns

    return min(range(1, count + 1), key=apart)


def _lit(picture: _RGB, attention: NDArray[np.float32]) -> Image.Image:
    """The picture (height, width, 3), dark and grey but for where attention (rows, columns) was."""
    height, width, _ = picture.shape
    scale = max(float(attention.max()), 3 / attention.size)
    spread = Image.fromarray(attention.astype(np.float32) / scale)
    smooth = np.asarray(spread.resize((width, height), Image.Resampling.BICUBIC)).clip(0, 1)[:, :, None]
    grey = picture.mean(axis=2, keepdims=True)
    dark = 0.3 * (0.75 * grey + 0.25 * picture)
    lit = dark * (1 - smooth) + picture * smooth
    lit += _GLOW * smooth * (1 - lit / 255)  # so that it is seen on what is dark, too
    return Image.fromarray(np.rint(lit).clip(0, 255).astype(np.uint8))


def _font(text: str, size: int, width: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, as large as ``size`` or as makes the text fit ``width``."""
    font = ImageFont.load_default(size)
    needed = font.getlength(text)
    return font if needed <= width else ImageFont.load_default(max(10, int(size * width / needed)))
