"""Pictures of every kind come out as upright RGB of the wanted size, or as one clear sentence."""

from __future__ import annotations

import io
import os
import threading
from pathlib import Path

import numpy as np
import pytest
from halves import KINDS, NEEDS, assert_halves, encoded, halves, png
from PIL import Image, features

from linnet.errors import ImageError, ImageFormatError, ImageNotFoundError
from linnet.image import MAX_PIXELS, load, pixels

# What a picture may be given as


def test_a_path_bytes_a_file_and_a_pil_image_are_the_same(tmp_path):
    data = encoded(halves(), "PNG")
    path = tmp_path / "halves.png"
    path.write_bytes(data)
    wanted = pixels(halves())
    assert_halves(wanted, tolerance=0)
    with open(path, "rb") as file:
        for picture in (path, str(path), data, bytearray(data), memoryview(data), io.BytesIO(data), file):
            assert np.array_equal(pixels(picture), wanted)
    with Image.open(path) as opened:
        assert np.array_equal(pixels(opened), wanted)


def test_the_size_can_be_another():
    assert pixels(halves(), 32).shape == (32, 32, 3)


def test_the_array_is_ones_own():
    first = pixels(halves())
    first[:] = 0
    assert_halves(pixels(halves()), tolerance=0)


def test_a_picture_of_the_right_size_is_left_as_it_is(random):
    noise = random.integers(0, 256, (224, 224, 3), np.uint8)
    assert np.array_equal(pixels(noise), noise)
    assert np.array_equal(pixels(encoded(Image.fromarray(noise), "PNG")), noise)


def test_scaling_is_antialiased_bilinear(random):
    noise = random.integers(0, 256, (500, 700, 3), np.uint8)
    wanted = Image.fromarray(noise).resize((224, 224), Image.Resampling.BILINEAR)
    assert np.array_equal(pixels(noise), np.asarray(wanted))


def test_a_file_that_can_be_read_only_once():
    class Once(io.RawIOBase):
        def __init__(self, data):
            self.data = data

        def read(self, size=-1):
            data, self.data = self.data, b""
            return data

    assert_halves(pixels(Once(encoded(halves(), "PNG"))), tolerance=0)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(encoded(halves(), "PNG")))
    writer.start()
    assert_halves(pixels(pipe), tolerance=0)
    writer.join()


@pytest.mark.parametrize("channels", [0, 1, 3, 4])
def test_arrays(channels):
    array = np.zeros((48, 64, channels) if channels else (48, 64), np.uint8)
    array[:, 32:] = 200
    if channels == 4:
        array[..., 3] = 255
    assert_halves(pixels(array), (0,) * 3, (200,) * 3, 0)


def test_arrays_of_other_types():
    array = np.zeros((48, 64, 3), np.uint8)
    array[:, 32:] = 255
    wanted = pixels(array)
    for same in (
        array / 255,
        (array / 255).astype(np.float32),
        (array / 255).astype(np.float16),
        array.astype(np.uint16) * 257,
        array > 0,
        np.asfortranarray(array),
        array[::-1],
    ):
        assert np.array_equal(pixels(same), wanted)
    assert pixels(np.full((9, 9), 0.5))[0, 0, 0] in (127, 128)


@pytest.mark.parametrize(
    ("array", "sentence"),
    [
        (np.zeros(10, np.uint8), r"must be an array .* and this is \(10,\)"),
        (np.zeros((3, 40, 40), np.uint8), r"this is \(3, 40, 40\)"),
        (np.zeros((2, 40, 40, 3), np.uint8), r"this is \(2, 40, 40, 3\)"),
        (np.zeros((0, 40, 3), np.uint8), "no pixels: it is 40 x 0"),
        (np.zeros((40, 40, 3), np.int64), "must be uint8, .* not int64"),
        (np.zeros((40, 40, 3), complex), "not complex128"),
        (np.zeros((40, 40), object), "not object"),
        (np.full((40, 40), 255.0), "floats must be within 0 to 1; divide by 255"),
        (np.full((40, 40), np.nan), "floats must be within 0 to 1"),
        (np.full((40, 40), -1.0), "floats must be within 0 to 1"),
        (np.broadcast_to(np.uint8(0), (20_000, 20_000)), "more than 100 megapixels"),
    ],
)
def test_arrays_that_are_no_pictures(array, sentence):
    with pytest.raises(ImageError, match=sentence):
        pixels(array)


@pytest.mark.parametrize("thing", [None, 7, object(), io.StringIO("text")])
def test_things_that_are_no_pictures(thing):
    with pytest.raises(ImageError, match=r"a picture must be a path|open it in binary mode"):
        pixels(thing)


# Odd sizes


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1), (3, 2), (224, 1)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_odd_shapes(size, kind):
    data = encoded(Image.new("RGB", size, (10, 200, 30)), kind, **({"quality": 95} if kind == "JPEG" else {}))
    array = pixels(data)
    assert array.shape == (224, 224, 3)
    assert np.abs(array.astype(int) - (10, 200, 30)).max() < 8
    shown = load(data, 300)
    assert max(shown.size) == 300
    assert min(shown.size) >= 100


def test_a_hundred_megapixels_and_more():
    bomb = png(20_000, 20_000, b"\0" * 20_001 * 100)
    assert len(bomb) < 10_000
    with pytest.raises(ImageError, match="has 20000 x 20000 pixels, more than 100 megapixels; make"):
        pixels(bomb)
    assert MAX_PIXELS < 10_001 * 10_000
    with pytest.raises(ImageError, match="10001 x 10000"):
        pixels(png(10_001, 10_000, b""))
    with pytest.raises(ImageError, match="70000 x 70000"):
        pixels(b"P6 70000 70000 255\n" + bytes(100))


def test_a_photograph_that_is_just_small_enough():
    data = encoded(Image.new("L", (10_000, 10_000), 99), "JPEG")
    assert np.abs(pixels(data).astype(int) - 99).max() < 4


def test_a_pil_image_that_is_too_large():
    with Image.open(io.BytesIO(encoded(Image.new("1", (9_000, 9_000)), "PNG"))) as fine:
        assert pixels(fine).shape == (224, 224, 3)
    huge = Image.new("1", (10_001, 10_000))
    with pytest.raises(ImageError, match="megapixels"):
        pixels(huge)


# What is no picture


def test_a_missing_picture(tmp_path):
    with pytest.raises(ImageNotFoundError, match=r"there is no picture .*gone\.jpg; check the path"):
        pixels(tmp_path / "gone.jpg")
    with pytest.raises(FileNotFoundError):
        pixels("gone.jpg")


def test_a_folder_an_empty_file_and_a_path_that_no_system_takes(tmp_path):
    with pytest.raises(ImageError, match="is a folder; give a picture"):
        pixels(tmp_path)
    (tmp_path / "empty.jpg").write_bytes(b"")
    with pytest.raises(ImageFormatError, match=r"empty\.jpg is empty"):
        pixels(tmp_path / "empty.jpg")
    with pytest.raises(ImageFormatError, match="is empty"):
        pixels(b"")
    with pytest.raises(ImageError, match="cannot be read"):
        pixels("a\0b.jpg")
    if Path("/dev/null").exists():
        with pytest.raises(ImageFormatError, match="is empty"):
            pixels("/dev/null")


def test_a_file_without_permission(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a.jpg").write_bytes(b"x")
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(ImageError, match="Permission denied"):
        pixels(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    "data",
    [
        b"This is a letter, not a picture.\n" * 50,
        b"%PDF-1.7 ",
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"RIFF\x00\x00\x00\x00WAVEfmt ",
        b"\0" * 100,
        b"\xff",
        b"P",
        b"PK\x03\x04",
    ],
)
def test_what_is_no_picture(tmp_path, data):
    path = tmp_path / "renamed.jpg"
    path.write_bytes(data)
    with pytest.raises(ImageFormatError, match=r"renamed\.jpg is (not a picture of a kind|damaged)"):
        pixels(path)


def test_the_format_of_some_telephones_is_named():
    with pytest.raises(
        ImageFormatError, match="is a HEIC picture, which cannot be read here; save it as JPEG"
    ):
        pixels(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_picture_is_never_half_a_picture(random, kind, share):
    if kind in NEEDS and not features.check(NEEDS[kind]):
        pytest.skip(f"this Pillow was built without {kind}")
    noise = Image.fromarray(random.integers(0, 256, (200, 300, 3), np.uint8))
    data = encoded(noise, kind)
    with pytest.raises(
        ImageFormatError, match=r"damaged, cut short, or not a picture|not a picture of a kind"
    ):
        pixels(data[: int(len(data) * share)])


def test_truncated_photographs_of_either_kind(random):
    detail = Image.fromarray(random.integers(0, 256, (60, 80, 3), np.uint8)).resize((1600, 1200))
    for options in ({}, {"progressive": True}):
        data = encoded(detail, "JPEG", **options)
        for share in (0.2, 0.5, 0.8, 0.97):
            with pytest.raises(ImageFormatError):
                pixels(data[: int(len(data) * share)])


def test_a_pil_image_whose_file_is_closed():
    with Image.open(io.BytesIO(encoded(halves(), "PNG"))) as opened:
        pass
    with pytest.raises(ImageError):
        pixels(opened)


def test_sentences_are_one_line_and_short():
    for data in (b"P6 \n\n\n" + b"x" * 5000, b"GIF89a" + bytes(50), b"BM" + bytes(200), b"II*\0" + bytes(99)):
        with pytest.raises(ImageError) as caught:
            pixels(data)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 400
