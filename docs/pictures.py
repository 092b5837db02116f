"""The pictures of docs/how-it-works.md, drawn from the models that ship and the samples in demos/.

    python docs/pictures.py             # writes them beside this file
    python docs/pictures.py FOLDER

Nothing in them is made up. What goes on inside a graph is read from the graph, by giving it further outputs,
and what is reckoned here must agree with what the model gives, or nothing is drawn. Besides Linnet it takes
onnx and matplotlib, which come with `pip install '.[training]'`; torch is not used.
"""

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from drawing.common import Drawn
from drawing.hearing import gru_gates, log_mel, recurrence
from drawing.rounding import eight_bits
from drawing.searching import alignment, attention, beams
from linnet import plots
from linnet.cli import status_of
from linnet.errors import ModelNotFoundError, UsageError
from linnet.files import whole

PICTURES: dict[str, Callable[[], Drawn]] = {
    "log-mel.png": log_mel,
    "recurrence.png": recurrence,
    "gates.png": gru_gates,
    "photo-heatmap.jpg": attention,
    "beams.png": beams,
    "alignment.png": alignment,
    "eight-bits.png": eight_bits,
}

_DPI = 192
_COLOURS = 96


def main(arguments: list[str]) -> None:
    """Draw all, as the command line says, and print which figures are in each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder",
        nargs="?",
        metavar="FOLDER",
        type=Path,
        default=Path(__file__).parent,
        help="where to write them (default: beside this file)",
    )
    folder = parser.parse_args(arguments).folder
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}; make it first")
    for name, draw in PICTURES.items():
        try:
            drawn = draw()
        except ModelNotFoundError as error:  # where no translator ships
            print(f"{name}: not drawn; {error}")
            continue
        save(drawn.figure, folder / name)
        print(f"{name}: {drawn.facts}")


def save(figure: Figure | Image.Image, path: Path) -> None:
    """Write a picture; those by matplotlib in few colours, which takes a third of the bytes."""
    if isinstance(figure, Image.Image):
        plots.save(figure, path)
        return
    drawn = io.BytesIO()
    figure.savefig(drawn, dpi=_DPI, facecolor="white")
    with Image.open(drawn) as picture, whole(path) as stream:
        few = picture.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
        few.save(stream, "PNG", optimize=True)


if __name__ == "__main__":
    sys.exit(status_of("pictures.py", lambda: main(sys.argv[1:])))
