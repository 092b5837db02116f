"""Pictures for people: where a captioner or a translator looked as it chose each word."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from linnet.errors import OutputError, UsageError
from linnet.files import FIGURES, whole
from linnet.image import Picture, load
from linnet.search import WORD, text_of

if TYPE_CHECKING:
    from linnet.caption import Caption
    from linnet.translate import Translation

__all__ = ["FORMATS", "alignment", "by_words", "heatmap", "lit", "save"]

FORMATS = FIGURES
"""End of a file's name, in lower case -> what `save` writes."""

_WIDTH = 1600  # of the whole figure, about
_ASPECT = 1.5  # its width over its height, as near as the number of words allows
_TALLEST = 800  # a single picture in it
_GAP, _MARGIN = 12, 32
_PAPER, _INK = (255, 255, 255), (24, 28, 36)
_GLOW = np.array((120, 55, 0), np.float32)  # light that is added where attention is greatest

_MATRIX = 1200  # width or height of a matrix of words, whichever is more, as near as its squares allow
_SMALLEST, _LARGEST = 14, 110  # its squares
_MOST = 120  # words on an axis
_NOTHING, _ALL = np.array((240, 243, 248), np.float32), np.array((16, 58, 134), np.float32)  # looked

# DejaVu Sans without what is beyond Latin letters, since Pillow's own font has no umlauts; made by
#     pyftsubset DejaVuSans.ttf --no-hinting --notdef-outline --layout-features='' --unicodes=U+20-7E,
#         U+A0-17F,U+218-21B,U+2010-2015,U+2018-201E,U+2026,U+2030,U+2039,U+203A,U+20AC,U+2122,U+FFFD
_LATIN = Path(__file__).parent / "fonts" / "DejaVuSans-Latin.ttf"

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
        tile = lit(seen, caption.attention[place - 1]) if place else small
        figure.paste(tile, (left, top))
        middle = (left + width // 2, top + height + below // 2)
        draw.text(middle, word, _INK, _font(word, label, width), anchor="mm")
    return figure


def alignment(translation: Translation) -> Image.Image:
    """A square for each word of the translation and each of the source: the darker, the more the model looked
    at the one as it chose the other.

    The source stands above, the translation on the left; the squares are those of `by_words`.

    Args:
        translation: of a text; the best one, whatever its alternatives.

    Returns:
        RGB, as large as the words need, at most about 2000 pixels wide and high.

    Raises UsageError where nothing was translated.
    """
    shares, source, target = by_words(translation)
    if not shares.size:
        raise UsageError("there is no alignment to draw, since nothing was translated")
    cell = min(max(_MATRIX // max(shares.shape), _SMALLEST), _LARGEST)
    size = min(max(round(cell * 0.45), 11), 30)
    gap = 1 if cell < 30 else 2
    beside = [_label(word, size) for word in target]
    above = [_label(word, size) for word in source]
    # Straight where all fit, else slanting, or on end where they stand too close for that.
    slant = 0 if all(label.width < cell - 4 for label in above) else 45 if cell > 2 * size else 90
    above = [label.rotate(slant, Image.Resampling.BICUBIC, expand=True) for label in above]
    left = _MARGIN + max(label.width for label in beside) + size // 2
    top = _MARGIN + max(label.height for label in above) + size // 3
    # What slants begins above the middle of its column, and the rest stands there.
    middles = [left + place * cell + cell // 2 for place in range(len(source))]
    starts = [
        middle - (round(0.45 * size) if slant == 45 else label.width // 2)
        for middle, label in zip(middles, above, strict=True)
    ]
    right = max(start + label.width for start, label in zip(starts, above, strict=True))
    width = max(left + len(source) * cell, right) + _MARGIN
    figure = Image.new("RGB", (width, top + len(target) * cell + _MARGIN), _PAPER)
    for start, label in zip(starts, above, strict=True):
        figure.paste(_INK, (start, top - size // 3 - label.height), label)
    draw = ImageDraw.Draw(figure)
    for row, label in enumerate(beside):
        y = top + row * cell
        figure.paste(_INK, (left - size // 2 - label.width, y + (cell - label.height) // 2), label)
        for column, share in enumerate(shares[row].clip(0, 1)):
            x = left + column * cell
            red, green, blue = np.rint(_NOTHING + (_ALL - _NOTHING) * share).astype(int).tolist()
            box = (x + gap, y + gap, x + cell - gap - 1, y + cell - gap - 1)
            draw.rounded_rectangle(box, cell // 10, (red, green, blue))
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


def by_words(translation: Translation) -> tuple[NDArray[np.float32], list[str], list[str]]:
    """Attention (words of the translation, words of the source), and both sides' words.

    A word of several pieces has the sum of what its pieces got, and gave on average. Of more words on a side
    than can be read, it is the first.
    """
    source, target = _starts(translation.source_tokens), _starts(translation.tokens)
    shares = translation.beginning(target[-1], source[-1])
    if shares.size:
        shares = np.add.reduceat(shares, source[:-1], axis=1)
        shares = np.add.reduceat(shares, target[:-1], axis=0)
        shares /= np.diff(target)[:, None]
    return (
        shares,
        [text_of(translation.source_tokens[a:b]) for a, b in pairwise(source)],
        [text_of(translation.tokens[a:b]) for a, b in pairwise(target)],
    )


def _starts(pieces: Sequence[str]) -> list[int]:
    """Where words begin, of the first `_MOST`, and where the last of them ends."""
    places = [place for place, piece in enumerate(pieces) if not place or piece.startswith(WORD)]
    return [*places, len(pieces)][: _MOST + 1]


def _label(text: str, size: int) -> Image.Image:
    """A word, cut where it is too long, as a mask."""
    font = ImageFont.truetype(_LATIN, size)
    while font.getlength(text) > _WIDTH // 5:
        text = text.removesuffix("…")[:-1] + "…"
    mask = Image.new("L", (max(1, math.ceil(font.getlength(text))), round(size * 1.3)))
    ImageDraw.Draw(mask).text((0, mask.height // 2), text, 255, font, anchor="lm")
    return mask


def _columns(count: int, tall: float) -> int:
    """Columns for ``count`` tiles, ``tall`` times as high as wide, that bring the figure near its aspect."""

    def apart(columns: int) -> float:
        rows = -(-count // columns)
        empty = rows * columns - count
        return abs(math.log(columns / (rows * (tall + 0.2)) / _ASPECT)) + 0.15 * empty / columns

    return min(range(1, count + 1), key=apart)


def lit(picture: _RGB, attention: NDArray[np.float32]) -> Image.Image:
    """The picture (height, width, 3), 0 to 255, dark and grey but for where attention (rows, columns) was.

    How bright is as `heatmap` says.
    """
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
