"""Where pictures come from, and how they become what a network sees.

    pixels("photo.jpg")        uint8 (224, 224, 3), squeezed to a square: what captioners learn and look at
    load("photo.jpg", 640)     a PIL image to show, its longer side 640

A picture is a path, the bytes of a file, an open file, a PIL image or a NumPy array. Whatever it is, it comes
out upright (EXIF), RGB, transparency on white, the first frame of an animation.
"""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, BinaryIO, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from linnet.errors import ImageError, ImageFormatError, ImageNotFoundError

__all__ = ["MAX_PIXELS", "Picture", "load", "name_of", "pixels"]

Picture: TypeAlias = "str | os.PathLike[str] | bytes | BinaryIO | Image.Image | NDArray[Any]"
"""What can be looked at. Arrays are (height, width), or (height, width, 3 or 4): uint8, uint16, bool, or
floats within 0 to 1."""

MAX_PIXELS = 100_000_000
"""Larger pictures are refused before they are decoded: a file of a few kB can hold gigabytes."""

# What Pillow has to say of a damaged file is in our errors; without a handler it would go to standard error.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_MAX_BYTES = 500_000_000  # of what is no plain file, and so does not say how long it is

# First bytes, Pillow's plugin, its format. Plugins are imported one at a time as they are needed: the five
# that Pillow imports for any picture take as long as loading a captioner. Others, such as the one that hands
# PostScript to an interpreter, cannot be reached.
_FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xff\xd8\xff", "JpegImagePlugin", "JPEG"),
    (b"\x89PNG", "PngImagePlugin", "PNG"),
    (b"GIF8", "GifImagePlugin", "GIF"),
    (b"RIFF", "WebPImagePlugin", "WEBP"),
    (b"BM", "BmpImagePlugin", "BMP"),
    (b"II", "TiffImagePlugin", "TIFF"),
    (b"MM", "TiffImagePlugin", "TIFF"),
    (b"P", "PpmImagePlugin", "PPM"),
    (b"\xff\x4f\xff\x51", "Jpeg2KImagePlugin", "JPEG2000"),
    (b"\x00\x00\x00\x0cjP  ", "Jpeg2KImagePlugin", "JPEG2000"),
)
_AVIF = {b"avif", b"avis", b"mif1", b"msf1"}
_HEIC = {b"heic", b"heix", b"heim", b"heis", b"hevc"}

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

_Size: TypeAlias = tuple[int, int]


def pixels(picture: Picture, size: int = 224) -> NDArray[np.uint8]:
    """The picture squeezed to a square, its aspect ratio not kept: uint8 (size, size, 3), RGB.

    Raises ImageNotFoundError where there is no such file, ImageFormatError where it is no picture, is damaged
    or ends too early, ImageError where it is too large, or an array of another shape or type.
    """
    return np.array(_upright(picture, lambda _: (size, size)))


def load(picture: Picture, side: int) -> Image.Image:
    """The picture to show, RGB, its longer side scaled to ``side``.

    What is longer than three times its width, or wider than three times its height, is squeezed to that.
    Raises what `pixels` raises.
    """

    def fit(size: _Size) -> _Size:
        longer = max(size)
        width, height = (max(round(side * each / longer), -(-side // 3)) for each in size)
        return width, height

    return _upright(picture, fit)


def name_of(picture: Picture) -> str:
    """What to call the picture in a sentence."""
    if isinstance(picture, (str, os.PathLike)):
        return str(picture)
    name = getattr(picture, "filename", None) or getattr(picture, "name", None)
    return name if isinstance(name, str) and name else "the given data"


def _upright(picture: Picture, fit: Callable[[_Size], _Size]) -> Image.Image:
    """The picture as RGB, upright, of the size that ``fit`` makes of its own."""
    name = name_of(picture)
    if isinstance(picture, np.ndarray):
        return _scaled(_from_array(picture), fit, 1)
    if isinstance(picture, Image.Image):
        return _decoded(picture, name, fit)
    with _file(picture, name) as file:
        image = _opened(file, name)
        if isinstance(image, ImageFile.ImageFile):
            _check_size(image.size, name)
            # JPEG can be decoded to half, a quarter or an eighth of its size. Where at least twice the wanted
            # size is left, values differ from those of a full decoding by 0.3 to 0.7 of 255 on average, and
            # a photograph of 12 megapixels takes 46 ms instead of 124. Decoding to just above the wanted size
            # would save a few more ms, and differ three times as much.
            width, height = fit(image.size)
            image.draft(None, (2 * max(width, height), 2 * max(width, height)))
        return _decoded(image, name, fit)


def _file(picture: str | os.PathLike[str] | bytes | BinaryIO, name: str) -> BinaryIO:
    """The file to decode, which the caller closes; a copy in memory where it can be read only once."""
    if isinstance(picture, (bytes, bytearray, memoryview)):
        return _not_empty(bytes(picture), name)
    if not isinstance(picture, (str, os.PathLike)):
        try:
            data = picture.read(_MAX_BYTES)
        except (AttributeError, TypeError):
            raise ImageError(
                "a picture must be a path, bytes, a file, a PIL image or a NumPy array, "
                f"not {type(picture).__name__}"
            ) from None
        except (OSError, ValueError) as error:  # a closed file is a ValueError
            raise ImageError(f"{name} cannot be read ({error})") from None
        if not isinstance(data, bytes):
            raise ImageError(f"{name} is open as text; open it in binary mode")
        return _not_empty(data, name)
    try:
        if os.path.isdir(picture):
            raise ImageFormatError(f"{name} is a folder; give a picture")
        file = open(picture, "rb")  # noqa: SIM115 (the caller closes it)
        if os.path.isfile(picture) and os.fstat(file.fileno()).st_size:
            return file
        with file:
            return _not_empty(file.read(_MAX_BYTES), name)
    except FileNotFoundError:
        raise ImageNotFoundError(f"there is no picture {name}; check the path") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the path
        if isinstance(error, ImageError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{name} cannot be read ({reason}); check its path and permissions") from None


def _not_empty(data: bytes, name: str) -> BinaryIO:
    if not data:
        raise ImageFormatError(f"{name} is empty; there is no picture in it")
    if len(data) == _MAX_BYTES:
        raise ImageError(f"{name} is longer than {_MAX_BYTES // 1_000_000} MB; make the picture smaller")
    return io.BytesIO(data)


def _opened(file: BinaryIO, name: str) -> Image.Image:
    """The picture in a file, not decoded yet; its format is told by its content, not by its name."""
    start = file.read(32)
    file.seek(0)
    plugin, kind = "", ""
    if start[4:8] == b"ftyp":
        if start[8:12] in _HEIC:
            raise ImageFormatError(f"{name} is a HEIC picture, which cannot be read here; save it as JPEG")
        if start[8:12] in _AVIF:
            plugin, kind = "AvifImagePlugin", "AVIF"
    else:
        plugin, kind = next(((p, k) for magic, p, k in _FORMATS if start.startswith(magic)), ("", ""))
    try:
        if not plugin:
            raise ImageFormatError(
                f"{name} is not a picture of a kind known here; give JPEG, PNG, GIF, WebP, TIFF, BMP, AVIF, "
                "JPEG 2000 or PPM"
            )
        import_module(f"PIL.{plugin}")
        # Not Image.open: it would import more, and only warn of pictures that are too large.
        factory, _ = Image.OPEN[kind]
        return factory(file, "")
    except ImageError:
        raise
    except KeyError:
        raise ImageFormatError(f"{name} is {kind}, which this Pillow was built without") from None
    except Exception as error:  # plugins raise whatever their parsing stumbles on
        raise _damaged(name, error) from error


def _decoded(image: Image.Image, name: str, fit: Callable[[_Size], _Size]) -> Image.Image:
    """A PIL image as RGB, upright, of the wanted size. The image itself stays as it is."""
    _check_size(image.size, name)
    try:
        image.load()
        return _scaled(_eight_bits(image), fit, _orientation(image))
    except ImageError:
        raise
    except MemoryError:
        raise ImageError(f"{name} is too large for this machine's memory; make the picture smaller") from None
    except Exception as error:
        raise _damaged(name, error) from error


def _damaged(name: str, error: Exception) -> ImageFormatError:
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return ImageFormatError(f"{name} is damaged, cut short, or not a picture (Pillow says: {reason})")


def _check_size(size: _Size, name: str) -> None:
    width, height = size
    if width < 1 or height < 1:
        raise ImageError(f"{name} has no pixels: it is {width} x {height}")
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{name} has {width} x {height} pixels, more than {MAX_PIXELS // 1_000_000} megapixels; "
            "make the picture smaller"
        )


def _orientation(image: Image.Image) -> int:
    """How the camera was held, 1 to 8; 1, upright, where the picture does not say, or not legibly."""
    try:
        turned = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF is no reason to refuse a picture
        return 1
    return turned if isinstance(turned, int) and turned in _TURNS else 1


def _eight_bits(image: Image.Image) -> Image.Image:
    """RGB, RGBA or L, with eight bits per value."""
    mode = image.mode
    if mode == "RGBA" or (mode in ("RGB", "L") and not image.has_transparency_data):
        return image
    if mode.startswith(("I", "F")):
        return Image.fromarray(_grey(np.asarray(image)))
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _grey(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Grey values of more than eight bits, as eight: 16-bit ones by their range, others by what they hold."""
    low, high = (float(each) for each in (values.min(), values.max()))
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("values that are not finite")
    if values.dtype.kind == "f" and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    elif values.dtype.kind == "f" and low >= 0 and high <= 255:
        low, high = 0.0, 255.0
    elif values.dtype.kind != "f" and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0
    scaled = (values.astype(np.float32) - low) * (255 / max(high - low, 1e-30))
    eight: NDArray[np.uint8] = np.rint(scaled).clip(0, 255).astype(np.uint8)
    return eight


def _scaled(image: Image.Image, fit: Callable[[_Size], _Size], turned: int) -> Image.Image:
    """RGB of the wanted size, turned upright, transparency on white."""
    across = turned >= 5  # width and height change places
    width, height = fit((image.height, image.width) if across else image.size)
    # Made smaller first and turned afterwards, which costs next to nothing. Pillow's bilinear filter is
    # antialiased, and weighs colours by their opacity.
    image = image.resize((height, width) if across else (width, height), Image.Resampling.BILINEAR)
    if image.mode == "RGBA":
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        image = white
    image = image.convert("RGB")
    return image.transpose(_TURNS[turned]) if turned in _TURNS else image


def _from_array(array: NDArray[Any]) -> Image.Image:
    """An array's picture with eight bits per value. Raises ImageError for what is none."""
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))):
        raise ImageError(
            "a picture must be an array (height, width), or (height, width, 3 or 4), "
            f"and this is {array.shape}"
        )
    _check_size((array.shape[1], array.shape[0]), "the array")
    kind = array.dtype
    if kind == np.uint16:
        array = np.rint(array * np.float32(255 / 65535))
    elif kind == np.bool_:
        array = array * np.uint8(255)
    elif kind.kind == "f":
        # Not the other way round, so that NaN is refused as well.
        if not (array.min() >= -1e-3 and array.max() <= 1.001):
            raise ImageError("a picture in floats must be within 0 to 1; divide by 255, or convert to uint8")
        array = np.rint(array.astype(np.float32) * 255).clip(0, 255)
    elif kind != np.uint8:
        raise ImageError(f"a picture must be uint8, uint16, bool, or floats within 0 to 1, not {kind}")
    return Image.fromarray(np.ascontiguousarray(array, np.uint8))
