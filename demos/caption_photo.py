"""Says what is in a photograph.

python demos/caption_photo.py                           the photograph beside this script
python demos/caption_photo.py mine.jpg heatmap.png      your own, and a figure of where the model looked
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import linnet
from linnet.cli import status_of

PHOTO = Path(__file__).with_name("photo.jpg")


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photo", nargs="?", default=PHOTO, help="a picture file")
    parser.add_argument("figure", nargs="?", help="the file to draw where the model looked in")
    parser.add_argument("--model", default="captioner", help="another captioner than the one that ships")
    options = parser.parse_args(arguments)
    look(options.photo, options.figure, options.model)


def look(photo: str | Path = PHOTO, figure: str | None = None, model: str = "captioner") -> linnet.Caption:
    """Print the three likeliest captions, and return the first; draw where the model looked in a figure."""
    best = linnet.Captioner(model)(photo, n_best=3)
    print(f"What is in {os.path.relpath(photo)}, the likeliest first:")
    for caption in (best, *best.alternatives):
        print(f"{caption.score:7.3f}  {caption.text}")
    if figure:
        linnet.plots.save(linnet.plots.heatmap(photo, best), figure)
        print(f"where it looked: {figure}")
    return best


if __name__ == "__main__":
    sys.exit(status_of("caption_photo.py", lambda: main(sys.argv[1:])))
