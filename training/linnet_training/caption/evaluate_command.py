"""`linnet evaluate caption`: how well photographs are captioned."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from linnet import Captioner
    from linnet_training.caption.data import Photograph

_DESCRIPTION = """\
Caption photographs with the model and compare with what people wrote: BLEU-1 to BLEU-4, METEOR, ROUGE-L and
CIDEr as the COCO caption evaluation has them, times 100, and how many different words are used. Without Java
there is no METEOR, and words are split more simply, so the other figures differ a little.
"""
_AT_ONCE = 16


def add_caption(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the task to `linnet evaluate`."""
    caption = tasks.add_parser("caption", help="how well photographs are captioned", description=_DESCRIPTION)
    add = caption.add_argument
    add("model", metavar="MODEL", help="a model file, or the name of a bundled model")
    add(
        "captions",
        metavar="CAPTIONS",
        type=Path,
        help="what people wrote: JSON as Karpathy's or COCO's, or CSV with the columns image and caption",
    )
    add("--images", metavar="DIR", type=Path, required=True, help="the folder of the photographs")
    add(
        "--split",
        metavar="NAME",
        default="val",
        help="which photographs: val (the default), test, train, or all; where CAPTIONS has no val, a tenth "
        "of train, drawn by name, as in training",
    )
    add("--beam", metavar="N", type=_count, help="hypotheses that the search keeps (default: the model's)")
    add(
        "--length-penalty",
        metavar="X",
        type=_finite,
        help="the sum of log-probabilities is divided by length to the power of X (default: the model's)",
    )
    add("--limit", metavar="N", type=_count, help="only the first N photographs")
    add("--json", action="store_true", help="print one JSON object instead of a table")
    caption.set_defaults(run=evaluate)


def evaluate(args: argparse.Namespace) -> int:
    """Run `linnet evaluate caption`.

    Raises:
        LinnetError: of the kind that fits, if the model, the captions or a photograph cannot be used.
    """
    # Imported here, because every `linnet --help` imports this module.
    from linnet import Captioner
    from linnet_training.caption.data import check_pictures, of_split, read
    from linnet_training.caption.metrics import measure

    captioner = Captioner(args.model)
    notes: list[str] = []
    photographs = read(args.captions, args.images, notes.append if args.split != "all" else _ignore)
    chosen = of_split(photographs, args.split)
    if args.limit is not None and args.limit < len(chosen):
        notes.append(
            f"only the first {args.limit} of {len(chosen)} photographs; CIDEr depends on which they are"
        )
        chosen = chosen[: args.limit]
    check_pictures(chosen)
    options = {"beam": args.beam, "length_penalty": args.length_penalty}
    said = caption_all(
        captioner, chosen, {name: value for name, value in options.items() if value is not None}
    )
    train = [
        caption
        for photograph in photographs
        if photograph.split == "train" and args.split not in ("train", "all")
        for caption in photograph.captions
    ]
    measured = measure(said, [photograph.captions for photograph in chosen], train or None)
    notes.extend(measured.notes)
    if args.json:
        asked = {"model": args.model, "captions": str(args.captions), "split": args.split, **options}
        print(json.dumps({**asked, **measured.as_json(), "notes": notes}, ensure_ascii=False, indent=2))
    else:
        of = "" if args.split == "all" else f" of split {args.split!r}"
        print(f"{args.model}: {len(chosen)} photographs{of} of {args.captions}\n\n{measured.table()}")
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    return 0


def caption_all(
    captioner: "Captioner", photographs: Sequence["Photograph"], options: dict[str, Any]
) -> list[str]:
    """The model's caption of each photograph, with a progress bar where somebody watches.

    Args:
        captioner: the model.
        photographs: in any number.
        options: of the search; what is not in there is as the model's card has it.

    Raises:
        LinnetError: a photograph cannot be read, or the model failed.
    """
    from tqdm import tqdm

    said: list[str] = []
    with tqdm(total=len(photographs), unit=" photographs", disable=None, leave=False) as bar:
        for first in range(0, len(photographs), _AT_ONCE):
            paths = tuple(photograph.path for photograph in photographs[first : first + _AT_ONCE])
            said.extend(caption.text for caption in captioner(paths, **options))
            bar.update(len(paths))
    return said


def _ignore(note: str) -> None:
    """For notes that do not matter."""


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be 1 or more, not {text}")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not abs(value) < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a finite number, not {text}")
    return value
