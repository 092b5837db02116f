"""Every kind of picture file comes out as upright RGB."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from halves import BLUE, GREEN, KINDS, NEEDS, RED, WHITE, assert_halves, close, corners, encoded, halves, png
from PIL import Image, features

from linnet.errors import ImageFormatError
from linnet.image import load, pixels


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_under_a_false_name(tmp_path, kind):
    if kind in NEEDS and not features.check(NEEDS[kind]):
        pytest.skip(f"this Pillow was built without {kind}")
    path = tmp_path / "photo.txt"
    path.write_bytes(encoded(halves(), kind))
    assert_halves(pixels(path), tolerance=40)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_pictures_are_turned_upright(kind, orientation):
    upright = Image.new("RGB", (90, 60), RED)
    upright.paste(BLUE, (45, 0, 90, 30))
    upright.paste(GREEN, (0, 30, 45, 60))
    upright.paste(WHITE, (45, 30, 90, 60))
    # What a camera stores that is held so: the turn that puts it upright, undone.
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    array = pixels(encoded(stored, kind, exif=exif))
    assert all(map(close, corners(array), (RED, BLUE, GREEN, WHITE), [40] * 4)), corners(array)
    assert load(encoded(stored, kind, exif=exif), 90).size == (90, 60)


def test_exif_that_makes_no_sense_is_passed_over():
    for orientation in (0, 9, 77):
        exif = Image.Exif()
        exif[0x0112] = orientation
        assert_halves(pixels(encoded(halves(), "PNG", exif=exif)), tolerance=0)
    assert_halves(pixels(encoded(halves(), "JPEG", exif=b"Exif\0\0nonsense", quality=95)), tolerance=40)


def test_transparency_is_on_white():
    clear = halves((255, 0, 0, 255), (0, 0, 255, 0), mode="RGBA")
    half = halves((255, 0, 0, 255), (0, 0, 255, 128), mode="RGBA")
    for kind in ("PNG", "WEBP", "TIFF"):
        assert_halves(
            pixels(encoded(clear, kind, **({"lossless": True} if kind == "WEBP" else {}))), RED, WHITE
        )
    assert_halves(pixels(half), RED, (127, 127, 255), 1)
    grey = halves((0, 255), (0, 0), mode="LA")
    assert_halves(pixels(encoded(grey, "PNG")), (0, 0, 0), WHITE, 0)


def test_what_is_transparent_does_not_bleed():
    picture = Image.new("RGBA", (2000, 2000), (0, 0, 0, 0))  # black, but not to be seen
    picture.paste((255, 255, 255, 255), (0, 0, 1001, 2000))
    assert pixels(picture).min() == 255


def test_palettes():
    plain = halves().convert("P", palette=Image.Palette.ADAPTIVE)
    assert_halves(pixels(encoded(plain, "PNG")), tolerance=0)
    assert_halves(pixels(encoded(plain, "GIF")), tolerance=0)
    blue = plain.getpixel((60, 10))
    assert_halves(pixels(encoded(plain, "PNG", transparency=blue)), RED, WHITE, 0)
    assert_halves(pixels(encoded(plain, "GIF", transparency=blue)), RED, WHITE, 0)


def test_a_colour_that_stands_for_transparency():
    assert_halves(pixels(encoded(halves(), "PNG", transparency=BLUE)), RED, WHITE, 0)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PPM"])
def test_sixteen_bits(kind):
    values = np.zeros((48, 64), np.uint16)
    values[:, 32:] = 40_000
    assert_halves(pixels(encoded(Image.fromarray(values), kind)), (0,) * 3, (156,) * 3, 1)


def test_sixteen_bits_of_colour():
    # Pillow cannot write such a PNG, so by hand: 48 rows of 64 pixels of three big-endian values.
    row = b"\0" + struct.pack(">3H", 65535, 0, 0) * 32 + struct.pack(">3H", 0, 0, 65535) * 32
    assert_halves(pixels(png(64, 48, row * 48, depth=16, colour=2)), tolerance=0)


def test_numbers_of_other_ranges():
    depth = np.zeros((48, 64), np.float32)
    depth[:, 32:] = 1
    assert_halves(pixels(encoded(Image.fromarray(depth), "TIFF")), (0,) * 3, WHITE, 0)
    assert_halves(pixels(encoded(Image.fromarray(depth * 4000 - 1000), "TIFF")), (0,) * 3, WHITE, 0)
    assert_halves(
        pixels(encoded(Image.fromarray((depth * 1e6).astype(np.int32)), "TIFF")), (0,) * 3, WHITE, 0
    )
    with pytest.raises(ImageFormatError, match="not finite"):
        pixels(encoded(Image.fromarray(np.full_like(depth, np.inf)), "TIFF"))


def test_black_and_white():
    assert_halves(pixels(encoded(halves(0, 1, mode="1"), "PNG")), (0,) * 3, WHITE, 0)
    assert_halves(pixels(encoded(halves(0, 255, mode="L"), "JPEG")), (0,) * 3, WHITE)


def test_inks():
    assert_halves(pixels(encoded(halves(mode="RGB").convert("CMYK"), "JPEG", quality=95)), tolerance=40)
    assert_halves(pixels(encoded(halves(mode="RGB").convert("CMYK"), "TIFF")), tolerance=1)
    for mode in ("YCbCr", "HSV"):
        assert_halves(pixels(halves().convert(mode)), tolerance=4)


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_of_an_animation_the_first_frame(kind):
    frames = [Image.new("RGB", (64, 48), colour) for colour in (GREEN, BLUE)]
    data = encoded(halves(), kind, save_all=True, append_images=frames)
    assert_halves(pixels(data), tolerance=40)


def test_large_photographs_are_decoded_small_and_look_the_same(random):
    detail = Image.fromarray(random.integers(0, 256, (60, 80, 3), np.uint8))
    photo = detail.resize((2400, 1800), Image.Resampling.BICUBIC)
    data = encoded(photo, "JPEG", quality=90)
    with Image.open(io.BytesIO(data)) as opened:
        wanted = np.asarray(opened.resize((224, 224), Image.Resampling.BILINEAR), np.float32)
    assert np.abs(pixels(data) - wanted).mean() < 1
    assert np.abs(pixels(data) - wanted).max() < 16
