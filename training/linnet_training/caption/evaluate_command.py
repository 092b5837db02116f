"""`linnet evaluate caption`: how well photographs are captioned."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from linnet.cli.numbers import at_least
from linnet.cli.progress import watched
from linnet.cli.searching import add_search, search_of
from linnet.errors import LinnetError
from linnet.settings import CaptionSettings

if TYPE_CHECKING:
    from linnet import Captioner
    from linnet_training.caption.data import Photograph

_DESCRIPTION = """\
Caption photographs with the model and compare with what people wrote: BLEU-1 to BLEU-4, METEOR, ROUGE-L and
CIDEr as the COCO caption evaluation has them, times 100, and how many different words are used. Without Java
there is no METEOR, and words are split more simply, so the other figures differ a little.
"""
_EXAMPLES = """examples:
  linnet evaluate caption captioner captions.json --images photos/
  linnet evaluate caption mine.onnx captions.csv --images photos/ --split all --beam 1
"""


def add_caption(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the task to `linnet evaluate`."""
    caption = tasks.add_parser(
        "caption", help="how well photographs are captioned", description=_DESCRIPTION, epilog=_EXAMPLES
    )
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
    add_search(caption, CaptionSettings)
    add("--limit", metavar="N", type=at_least(1), help="only the first N photographs")
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
    options = search_of(args, CaptionSettings)
    said = caption_all(captioner, chosen, options)
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
    said: list[str] = []
    paths = [photograph.path for photograph in photographs]
    for caption in watched(captioner.each(paths, **options), len(paths)):
        if isinstance(caption, LinnetError):
            raise caption
        said.append(caption.text)
    return said


def _ignore(note: str) -> None:
    """For notes that do not matter."""
