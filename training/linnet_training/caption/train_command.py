"""`linnet train caption`: the command line in front of training."""

import argparse
from pathlib import Path

from linnet.errors import UsageError
from linnet_training.starting import add_credit, add_run, check_output, credits, export, quieten, say

_EXAMPLES = """examples:
  linnet train caption captions.json --images photos/ --encoder-weights mobilenet_v2.npz -o captioner.onnx
  linnet train caption captions.csv --images photos/ --credit "My photos; my own; CC0" -o mine.onnx
"""


def add_caption(tasks: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the task to `linnet train`."""
    caption = tasks.add_parser(
        "caption",
        help="a captioner, from photographs with captions",
        description="Train a captioner and write it as one verified ONNX file, from pixels to words.",
        epilog=_EXAMPLES,
    )
    add = caption.add_argument
    add(
        "captions",
        metavar="CAPTIONS",
        type=Path,
        help="what people wrote: JSON as Karpathy's or COCO's, or CSV with the columns image and caption",
    )
    add("--images", metavar="DIR", type=Path, required=True, help="the folder of the photographs")
    add(
        "--encoder-weights",
        type=Path,
        metavar="FILE",
        help="MobileNetV2 that has learnt to see: .npz with quantised weights, or a torchvision state dict; "
        "without it the encoder begins with nothing",
    )
    add("--language", metavar="CODE", default="en", help="of the captions, such as de (default: en)")
    add_credit(caption)
    add_run(caption)
    caption.set_defaults(run=_train)


def _train(args: argparse.Namespace) -> int:
    quieten()
    from linnet_training.caption.data import check_pictures, read
    from linnet_training.caption.recipe import Recipe
    from linnet_training.caption.train import Run, train

    check_output(args.output)
    if not args.language.isalpha():
        raise UsageError(f"--language takes one, as in de, not {args.language!r}")
    recipe = Recipe.read(args.recipe) if args.recipe else Recipe()
    learnt_from = credits(args.credit, [(args.captions.stem, args.captions.name)])
    photographs = read(args.captions, args.images, say)
    check_pictures(photographs)
    if args.encoder_weights is None:
        say(
            "Without --encoder-weights the encoder has never seen anything: it needs a GPU, and unless there "
            "are hundreds of thousands of pictures, expect captions that hardly depend on them."
        )
    run = Run(
        photographs,
        recipe,
        args.work or Path("runs") / args.output.stem,
        args.encoder_weights,
        args.language,
        learnt_from,
        say,
    )
    return export(train(run), args)
