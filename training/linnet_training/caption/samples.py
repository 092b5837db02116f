"""What a captioner in training says of a few pictures, as one picture to look at."""

import textwrap
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from linnet.image import pixels

_COLUMNS = 4
_SIDE = 224  # of a picture, in pixels
_INCH = 100  # pixels
_LETTERS = 34  # on a line beneath a picture


def sheet(paths: Sequence[Path], captions: Sequence[str]) -> NDArray[np.uint8]:
    """Pictures in rows of four, each above its caption.

    Returns:
        RGB, (height, width, 3).

    Raises:
        ImageError: a picture cannot be read.
    """
    rows = -(-len(paths) // _COLUMNS)
    figure = Figure((_COLUMNS * 2.5, rows * 3.1), dpi=_INCH, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    for place, (path, caption) in enumerate(zip(paths, captions, strict=True), 1):
        axes = figure.add_subplot(rows, _COLUMNS, place)
        axes.imshow(pixels(path, _SIDE))
        axes.set_axis_off()
        # In the axes' own words a dollar sign would begin a formula.
        axes.set_title(textwrap.fill(caption, _LETTERS), y=-0.06, va="top", fontsize=8, parse_math=False)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[:, :, :3].copy()
