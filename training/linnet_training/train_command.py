"""`linnet train`: from data to a finished model file."""

import argparse

from linnet_training.caption.train_command import add_caption
from linnet_training.translate.train_command import add_translate
from linnet_training.trigger.train_command import add_trigger


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `linnet`."""
    train = subparsers.add_parser(
        "train", help="train a model and export it", description="Train a model and export it."
    )
    tasks = train.add_subparsers(dest="task", metavar="TASK", required=True)
    add_trigger(tasks)
    add_caption(tasks)
    add_translate(tasks)
