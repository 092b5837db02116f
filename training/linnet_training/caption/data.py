"""Captioned photographs: Karpathy's JSON, COCO's JSON or a CSV table, all as a list of `Photograph`."""

import csv
import io
import json
import os
import string
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from linnet.errors import DataError
from linnet_training.hashes import place

FEWEST = 2
"""Fewer photographs than this are refused: one could not be told from the other."""

_VAL_SHARE = 0.1
_SPLITS = {"restval": "train", "dev": "val", "valid": "val", "validation": "val"}
"""Other names of splits; restval are the photographs of COCO's val that Karpathy's split trains on."""

_PUNCTUATION = str.maketrans("", "", string.punctuation)


@dataclass(frozen=True)
class Photograph:
    """A photograph and what people say of it."""

    path: Path
    split: str
    """"train", "val", "test", or as the file calls it."""
    captions: tuple[str, ...]
    """As they were written; at least one, and none without a word."""


class _Row(NamedTuple):
    name: str
    split: str
    caption: str


def words(caption: str) -> list[str]:
    """The words that training sees: lower case, ASCII punctuation deleted, split on blanks.

    That is the rule of neuraltalk2 (A. Karpathy, 2015), which the `tokens` of Karpathy's files follow.
    """
    return caption.lower().translate(_PUNCTUATION).split()


def read(captions: Path, images: Path, say: Callable[[str], None] = lambda message: None) -> list[Photograph]:
    """All photographs that a captions file names, in its order.

    Three layouts are told apart by what is in the file:

    - Karpathy's JSON: `images`, each with `filename`, `split` and `sentences`;
    - COCO's JSON: `images` with `id` and `file_name`, `annotations` with `image_id` and `caption`;
    - CSV with the columns `image`, `caption` and, if wanted, `split`; rows of one image are gathered.

    Where photographs train and none has the split "val", one train photograph in ten, drawn by a hash of its
    name, becomes "val"; others added later do not move it.

    Args:
        captions: the file.
        images: the folder that its names are relative to. What is in there is not looked at: `check_pictures`
            does that.
        say: is told what was decided without being asked for.

    Raises:
        DataError: there is no such file or folder, it is not UTF-8, or not of one of these layouts; a
            photograph has no caption or one without words; it is in two splits; there are fewer than FEWEST.
    """
    if not images.is_dir():
        raise DataError(f"there is no folder {images}; give the folder of the photographs")
    text = _text(captions)
    if captions.suffix.lower() == ".json" or text.lstrip()[:1] in ("{", "["):
        rows = _json_rows(captions, text, images)
    else:
        rows = _csv_rows(captions, text)
    photographs = _gathered(captions, images, rows)
    if len(photographs) < FEWEST:
        count = sum(len(photograph.captions) for photograph in photographs)
        raise DataError(
            f"{captions} has only {count} caption{'s' * (count != 1)}, of {len(photographs)} photograph"
            f"{'s' * (len(photographs) != 1)}; give at least {FEWEST} photographs, better thousands"
        )
    splits = {photograph.split for photograph in photographs}
    if "train" in splits and "val" not in splits:
        photographs = _with_val(photographs)
        count = sum(photograph.split == "val" for photograph in photographs)
        say(f"{captions.name} has no split 'val': {count} of its photographs, drawn by name, become it")
    return photographs


def of_split(photographs: Sequence[Photograph], split: str) -> list[Photograph]:
    """Those of one split, or of each with "all".

    Raises:
        DataError: there are none.
    """
    found = [photograph for photograph in photographs if split in ("all", photograph.split)]
    if not found:
        counts = Counter(photograph.split for photograph in photographs)
        there = ", ".join(f"{name!r} ({count})" for name, count in counts.items())
        raise DataError(f"there are no photographs of split {split!r}; there are {there}")
    return found


def check_pictures(photographs: Iterable[Photograph]) -> None:
    """Look whether every photograph is there and is a picture; their pixels are not decoded.

    Raises:
        DataError: some are missing, or are not pictures; says how many, and which is the first.
    """
    paths = [photograph.path for photograph in photographs]
    missing = [path for path in paths if not os.path.isfile(path)]
    if missing:
        raise DataError(
            f"{len(missing)} of {len(paths)} photographs that the captions are of are missing, the first of "
            f"them {missing[0]}; check the folder of the photographs"
        )
    unreadable = [path for path in paths if not _is_picture(path)]
    if unreadable:
        raise DataError(
            f"{len(unreadable)} of {len(paths)} photographs cannot be read as pictures, the first of them "
            f"{unreadable[0]}; replace or remove them"
        )


def _is_picture(path: Path) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path):
                return True
    except Exception:  # Pillow's decoders raise many types
        return False


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"the captions file {path} is not UTF-8 text ({error.reason}); save it as UTF-8"
        ) from error
    except OSError as error:
        raise DataError(f"cannot read the captions file {path}: {error.strerror or error}") from error


def _json_rows(path: Path, text: str, images: Path) -> Iterator[_Row]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(f"the captions file {path} is not JSON: {error}") from error
    try:
        if "annotations" in content:
            yield from _coco_rows(path, content)
        else:
            yield from _karpathy_rows(content, images)
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise DataError(
            f"the captions file {path} is JSON, but neither as Karpathy's (images with filename, split, "
            "sentences) nor as COCO's (images with id, file_name; annotations with image_id, caption)"
        ) from error


def _karpathy_rows(content: Any, images: Path) -> Iterator[_Row]:
    folders: dict[str, bool] = {}
    for image in content["images"]:
        name, folder = _string(image["filename"]), _string(image.get("filepath", ""))
        # COCO's photographs lie in a folder each for train2014 and val2014.
        if folder and folders.setdefault(folder, (images / folder).is_dir()):
            name = f"{folder}/{name}"
        split = _string(image.get("split", ""))
        for text in [_raw(sentence) for sentence in image["sentences"]] or [""]:
            yield _Row(name, split, text)


def _raw(sentence: Any) -> str:
    return _string(sentence["raw"]) if "raw" in sentence else " ".join(sentence["tokens"])


def _coco_rows(path: Path, content: Any) -> Iterator[_Row]:
    captions: dict[Any, list[str]] = {image["id"]: [] for image in content["images"]}
    for annotation in content["annotations"]:
        caption, number = _string(annotation["caption"]), annotation["image_id"]
        if number not in captions:
            raise DataError(f"{path} has a caption of image {number!r}, which its images lack: {caption!r}")
        captions[number].append(caption)
    for image in content["images"]:
        for caption in captions[image["id"]] or [""]:
            yield _Row(_string(image["file_name"]), "", caption)


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _csv_rows(path: Path, text: str) -> Iterator[_Row]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        if not {"image", "caption"} <= set(reader.fieldnames):
            raise DataError(
                f"the captions file {path} is neither JSON nor a CSV table with the columns 'image' and "
                "'caption' in its first line"
            )
        for row in reader:
            if None in row:
                raise DataError(
                    f"{path}, line {reader.line_num}: more fields than the first line has; put captions that "
                    "have commas in double quotes"
                )
            yield _Row((row["image"] or "").strip(), row.get("split") or "", row["caption"] or "")
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: not a CSV table: {error}") from error


def _gathered(captions: Path, images: Path, rows: Iterable[_Row]) -> list[Photograph]:
    """Rows of one photograph together, in the order in which photographs are first named."""
    found: dict[str, tuple[str, list[str]]] = {}
    empty: list[str] = []
    for row in rows:
        if not row.name:
            raise DataError(f"{captions} has a caption without the name of a photograph: {row.caption!r}")
        split = row.split.strip().lower() or "train"
        split = _SPLITS.get(split, split)
        first_split, texts = found.setdefault(row.name, (split, []))
        if split != first_split:
            raise DataError(f"{captions} has {row.name} both in split {first_split!r} and in {split!r}")
        if not words(row.caption):
            empty.append(row.name)
        texts.append(row.caption)
    if empty:
        raise DataError(
            f"{captions} has {len(empty)} empty caption{'s' * (len(empty) > 1)}, the first of {empty[0]}; "
            "write or remove them"
        )
    return [Photograph(images / name, split, tuple(texts)) for name, (split, texts) in found.items()]


def _with_val(photographs: Sequence[Photograph]) -> list[Photograph]:
    places = {photograph.path: place(photograph.path.name) for photograph in photographs}
    ranked = sorted(places[photograph.path] for photograph in photographs if photograph.split == "train")
    bound = _VAL_SHARE
    if ranked[0] >= bound or ranked[-1] < bound:  # a hash may leave a handful without any on one side
        bound = ranked[max(1, round(bound * len(ranked)))] if len(ranked) > 1 else 0.0
    return [
        replace(photograph, split="val")
        if photograph.split == "train" and places[photograph.path] < bound
        else photograph
        for photograph in photographs
    ]
