"""What a reader of the guides has at hand, as little of it as will do."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
import shutil
from pathlib import Path

import numpy as np
import torch
from sentences import backwards, sentence
from shapes import KINDS, picture, write_pictures
from tones import write_hiss
from torchvision_like import random_network
from words import write_babble, write_words

from linnet_training.caption.encoder import Convolution, MobileNetV2

PAIRS, HELD_BACK = 150, 8


def write_everything(folder: Path) -> None:
    """Recordings, photographs with captions, weights of an encoder, and sentences with their translations."""
    _recordings(folder)
    _photographs(folder)
    _sentences(folder)


def _recordings(folder: Path) -> None:
    """The word rises, whatever it is called."""
    for number, name in enumerate(
        ("recordings/athena", "recordings/apollo", "train/athena", "dev/athena", "test")
    ):
        write_words(folder / name, 8, rising=True, first_seed=100 * number)
    write_words(folder / "heard", 3, rising=False)
    for name in ("speech/train", "speech/dev", "other_speech"):
        write_babble(folder / name, 3, seconds=8.0)
    for name in ("noise/train", "noise/dev"):
        write_hiss(folder / name / "hiss.wav", 5.0)


def _photographs(folder: Path) -> None:
    captions = write_pictures(folder, train=8, val=4)
    shutil.copytree(folder / "photos", folder / "images")
    with (folder / "captions.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("image", "caption"))
        for image in json.loads(captions.read_text())["images"]:
            table.writerows((image["filename"], each["raw"]) for each in image["sentences"])
    _encoder(folder / "mobilenet_v2.npz")


def _encoder(path: Path) -> None:
    """One that nobody has trained, in 8 bits."""
    pictures = np.stack([np.asarray(picture(*kind).resize((224, 224))) for kind in KINDS])
    torch.save(random_network(torch.from_numpy(pictures)).state_dict(), path.with_suffix(".pth"))
    encoder = MobileNetV2()
    encoder.load(path.with_suffix(".pth"))
    arrays = {}
    for name, module in encoder.named_modules():
        if isinstance(module, Convolution):
            weight, bias = module.weight.detach().numpy(), module.bias.detach().numpy()
            scale = np.abs(weight).max(axis=(1, 2, 3)) / 127
            arrays[f"{name}.weight_q"] = np.rint(weight / scale[:, None, None, None]).astype(np.int8)
            arrays[f"{name}.scale"], arrays[f"{name}.bias"] = scale, bias
    np.savez(path, **arrays)


def _sentences(folder: Path) -> None:
    pairs = [(text, backwards(text)) for text in dict.fromkeys(map(sentence, range(PAIRS)))]
    for name, some in (("train", pairs[HELD_BACK:]), ("val", pairs[:HELD_BACK])):
        sources, targets = ("".join(f"{text}\n" for text in side) for side in zip(*some, strict=True))
        for language, text in (("de", sources), ("fr", sources), ("en", targets)):
            (folder / f"{name}.{language}").write_text(text, encoding="utf-8")
            (folder / f"{name}.{language}.gz").write_bytes(gzip.compress(text.encode()))
    table = "".join(f"{target}\t{source}\n" for source, target in pairs[HELD_BACK:])
    (folder / "more.tsv.xz").write_bytes(lzma.compress(table.encode()))
