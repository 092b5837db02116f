"""The pictures of docs/how-it-works.md, drawn from the models that ship and the samples in demos/.

    python docs/pictures.py             # writes them beside this file
    python docs/pictures.py FOLDER

Nothing in them is made up. What goes on inside a graph is read from the graph, by giving it further outputs,
and what is reckoned here must agree with what the model gives, or nothing is drawn. Besides Linnet it takes
onnx and matplotlib, which come with `pip install '.[training]'`; torch is not used.
"""

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
from linnet.errors import LinnetError, ModelNotFoundError
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


def main(folder: Path = Path(__file__).parent) -> None:
    """Draw all, and print which figures are in each."""
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
    try:
        main(*map(Path, sys.argv[1:2]))
    except LinnetError as error:
        sys.exit(f"pictures.py: {error}")
