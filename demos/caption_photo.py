"""Says what is in a photograph.

python demos/caption_photo.py                           the photograph beside this script
python demos/caption_photo.py mine.jpg heatmap.png      your own, and a figure of where the model looked

With --model FILE first, another captioner than the one that ships.
"""

import os
import sys
from pathlib import Path

import linnet

PHOTO = Path(__file__).with_name("photo.jpg")


def main(arguments: list[str]) -> None:
    model = "captioner"
    if arguments[:1] == ["--model"] and len(arguments) > 1:
        model, arguments = arguments[1], arguments[2:]
    photo = arguments[0] if arguments else PHOTO
    captioner = linnet.Captioner(model)
    best = captioner(photo, n_best=3)
    print(f"What is in {os.path.relpath(photo)}, the likeliest first:")
    for caption in (best, *best.alternatives):
        print(f"{caption.score:7.3f}  {caption.text}")
    if len(arguments) > 1:
        linnet.plots.save(linnet.plots.heatmap(photo, best), arguments[1])
        print(f"where it looked: {arguments[1]}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except linnet.errors.LinnetError as error:
        sys.exit(f"caption_photo.py: {error}")
