"""What the encoder's first layers make of every picture, worked out once and kept on disk."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from linnet.errors import LinnetError, OutputError
from linnet.image import pixels
from linnet_training.caption.data import Photograph
from linnet_training.caption.encoder import IMAGE_SIZE, MobileNetV2

_BATCH = 8
_LEAST_SHARE = 0.7  # of a picture's area, that a crop keeps

Features = NDArray[np.float16] | NDArray[np.uint8]
"""(photographs, views, channels, rows, columns), or pictures, (photographs, views, rows, columns, 3)."""


def trunk_features(
    encoder: MobileNetV2,
    layers: int,
    photographs: Sequence[Photograph],
    views: int,
    path: Path,
    progress: Callable[[int, int], None],
) -> Features:
    """Work out or read back what the encoder's first layers give.

    Args:
        encoder: whose first layers are run.
        layers: how many; with 0 the pictures themselves are kept.
        photographs: the pictures.
        views: 1 is the picture alone; the second is its mirror image, further ones are crops, every other
                mirrored.
        path: the ``.npy`` file to keep it in; there already, it is read.
        progress: called with pictures done and pictures in all.

    Raises:
        ImageError: a picture cannot be read.
        OutputError: the file cannot be written.
    """
    if path.is_file():
        return np.load(path, mmap_mode="r")  # type: ignore[no-any-return]
    part = path.with_name(path.name + ".part")
    try:
        # Not into a mapped file: where the disk is full, that ends the process without a word.
        with part.open("wb") as file:
            for first in range(0, len(photographs), _BATCH):
                pictures = [
                    view
                    for index, each in enumerate(photographs[first : first + _BATCH], first)
                    for view in _views(each.path, views, index)
                ]
                with torch.inference_mode():
                    features = encoder.trunk(torch.from_numpy(np.stack(pictures)), layers)
                grid = features.reshape(-1, views, *features.shape[1:]).numpy()
                grid = grid if grid.dtype == np.uint8 else grid.astype(np.float16)
                if first == 0:
                    _write_header(file, grid.dtype, (len(photographs), *grid.shape[1:]))
                file.write(grid.tobytes())
                progress(first + len(grid), len(photographs))
        part.replace(path)
    except LinnetError:  # a picture's, of which some are an OSError too
        raise
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return np.load(path, mmap_mode="r")  # type: ignore[no-any-return]


def _write_header(file: IO[bytes], kind: np.dtype, shape: tuple[int, ...]) -> None:
    described = {"descr": np.lib.format.dtype_to_descr(kind), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)


def _views(path: Path, count: int, seed: int) -> list[NDArray[np.uint8]]:
    """The picture, its mirror image and crops, each squeezed to the encoder's size."""
    picture = Image.fromarray(pixels(path, IMAGE_SIZE))
    rng = np.random.default_rng(seed)
    size = (IMAGE_SIZE, IMAGE_SIZE)
    views = []
    for index in range(count):
        box = (0.0, 0.0, float(picture.width), float(picture.height)) if index < 2 else _crop(picture, rng)
        view = picture.resize(size, Image.Resampling.BILINEAR, box)
        views.append(view.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if index % 2 else view)
    return [np.asarray(view) for view in views]


def _crop(picture: Image.Image, rng: np.random.Generator) -> tuple[float, float, float, float]:
    side = rng.uniform(_LEAST_SHARE, 1) ** 0.5
    stretch = np.exp(rng.uniform(-0.1, 0.1))
    width, height = min(1.0, side * stretch) * picture.width, min(1.0, side / stretch) * picture.height
    left, top = rng.uniform(0, picture.width - width), rng.uniform(0, picture.height - height)
    return left, top, left + width, top + height
