"""Pictures whose halves have two colours, and what is left of them."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def halves(left=RED, right=BLUE, size=(64, 48), mode="RGB"):
    """A picture whose halves have these colours."""
    picture = Image.new(mode, size, left)
    picture.paste(right, (size[0] // 2, 0, *size))
    return picture


def encoded(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def corners(array):
    """Colours near the four corners: top left, top right, bottom left, bottom right."""
    return [tuple(int(v) for v in array[y, x]) for y in (20, -20) for x in (20, -20)]


def close(colour, wanted, tolerance=12):
    return all(abs(a - b) <= tolerance for a, b in zip(colour, wanted, strict=True))


def assert_halves(array, left=RED, right=BLUE, tolerance=12):
    assert array.shape == (224, 224, 3)
    assert array.dtype == np.uint8
    for colour, wanted in zip(corners(array), (left, right, left, right), strict=True):
        assert close(colour, wanted, tolerance), (colour, wanted)


KINDS = ["JPEG", "PNG", "GIF", "WEBP", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF"]
NEEDS = {"WEBP": "webp", "JPEG2000": "jpg_2000", "AVIF": "avif"}


def png(width, height, rows, *, depth=8, colour=0):
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows, 9))
        + chunk(b"IEND", b"")
    )
