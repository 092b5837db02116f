"""`linnet evaluate`: how well a model file does on recordings or photographs of your own."""

import argparse

from linnet_training.caption.evaluate_command import add_caption
from linnet_training.trigger.evaluate_command import add_trigger


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `linnet`."""
    parser = subparsers.add_parser(
        "evaluate", help="measure a model on recordings or photographs of your own"
    )
    tasks = parser.add_subparsers(metavar="TASK", required=True)
    add_trigger(tasks)
    add_caption(tasks)
