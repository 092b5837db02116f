"""`linnet evaluate`: how well a model file does on recordings, photographs or text of your own."""

import argparse

from linnet_training.caption.evaluate_command import add_caption
from linnet_training.translate.evaluate_command import add_translate
from linnet_training.trigger.evaluate_command import add_trigger

_EXAMPLES = """examples:
  linnet evaluate trigger computer.onnx --positives test/ --negatives speech/
  linnet evaluate caption captioner captions.json --images photos/
  linnet evaluate translate de-en test.de test.en
linnet evaluate TASK --help says more about each.
"""


def register(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to `linnet`."""
    parser = subparsers.add_parser(
        "evaluate",
        help="measure a model on recordings, photographs or text of your own",
        description="Measure how well a model does on recordings, photographs or text of your own.",
        epilog=_EXAMPLES,
    )
    tasks = parser.add_subparsers(metavar="TASK", required=True)
    add_trigger(tasks)
    add_caption(tasks)
    add_translate(tasks)
