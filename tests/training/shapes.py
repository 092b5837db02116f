"""Pictures anybody can caption: a shape of some colour on one side, and what three people say of it."""

import json
from itertools import product
from pathlib import Path

from PIL import Image, ImageDraw

COLOURS = {"red": (220, 30, 30), "green": (20, 190, 40), "blue": (40, 50, 230)}
SHAPES = ("circle", "square")
SIDES = ("left", "right")
KINDS = list(product(COLOURS, SHAPES, SIDES))


def picture(colour, shape, side, seed=0):
    """One of them; the seed shifts it."""
    image = Image.new("RGB", (64, 64), (235 - seed % 3 * 5, 235, 235))
    x, y = (4 if side == "left" else 32) + seed % 5, 16 + seed % 7
    draw = ImageDraw.Draw(image)
    (draw.ellipse if shape == "circle" else draw.rectangle)((x, y, x + 24, y + 24), COLOURS[colour])
    return image


def captions_of(colour, shape, side):
    return [
        f"A {colour} {shape} is on the {side} .",
        f"There is a {colour} {shape} on the {side} side .",
        f"On the {side} , a {colour} {shape} .",
    ]


def write_pictures(folder, train=24, val=12):
    """A folder `photos` of pictures, and `captions.json` beside it, which is returned."""
    (folder / "photos").mkdir(parents=True)
    images = []
    for number in range(train + val):
        kind = KINDS[number % len(KINDS)]
        picture(*kind, seed=number // len(KINDS)).save(folder / "photos" / f"{number}.png")
        sentences = [{"raw": text} for text in captions_of(*kind)]
        split = "train" if number < train else "val"
        images.append({"filename": f"{number}.png", "split": split, "sentences": sentences})
    path = Path(folder) / "captions.json"
    path.write_text(json.dumps({"images": images}))
    return path
