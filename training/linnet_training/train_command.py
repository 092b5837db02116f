"""`linnet train`: from data to a finished model file."""

import argparse

from linnet_training.caption.train_command import add_caption
from linnet_training.translate.train_command import add_translate
from linnet_training.trigger.train_command import add_trigger

_EXAMPLES = """examples:
  linnet train trigger computer --positives recordings/ --negatives speech/ --noise noise/ -o computer.onnx
  linnet train caption captions.json --images photos/ --encoder-weights mobilenet_v2.npz -o captioner.onnx
  linnet train translate train.de train.en --valid val.de val.en -o de-en.onnx
linnet train TASK --help says more about each.
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `linnet`."""
    train = subparsers.add_parser(
        "train",
        help="train a model and export it",
        description="Train a model and export it.",
        epilog=_EXAMPLES,
    )
    tasks = train.add_subparsers(dest="task", metavar="TASK", required=True)
    add_trigger(tasks)
    add_caption(tasks)
    add_translate(tasks)
