"""What `linnet train` does before and after training, whatever the task."""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

from linnet.errors import OutputError, UsageError


def add_run(parser: argparse.ArgumentParser) -> None:
    """Add the options that every task has: what is written, and how the run goes."""
    add = parser.add_argument
    add("-o", "--output", type=Path, required=True, metavar="FILE", help="the .onnx file to write")
    add("--recipe", type=Path, metavar="TOML", help="settings that differ from the default recipe")
    add(
        "--work",
        type=Path,
        metavar="DIR",
        help="folder for features, checkpoints and logs (default: runs/NAME); resumed if it exists",
    )


def add_credit(parser: argparse.ArgumentParser) -> None:
    """Add the option whose values `credit` reads."""
    parser.add_argument(
        "--credit",
        action="append",
        default=[],
        metavar="'NAME; SOURCE; LICENCE'",
        help="what was learnt from, for the card; may be repeated",
    )


def quieten() -> None:
    """Lightning and torch speak of things our users cannot act on."""
    warnings.filterwarnings("ignore", module=r"(lightning|torch)\b")
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)


def check_output(output: Path) -> None:
    """Better now than after half an hour of training.

    Raises:
        UsageError: the name does not end in ``.onnx``.
        OutputError: nothing can be written there.
    """
    if output.suffix != ".onnx":
        raise UsageError(f"The output {output} must end in .onnx.")
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"Cannot make the folder {output.parent}: {error.strerror}.") from error
    if output.is_dir() or not os.access(output.parent, os.W_OK):
        raise OutputError(f"Cannot write {output}; choose another name or place.")


def say(message: str) -> None:
    """Tell the user, once where several processes train."""
    if _first():
        print(message, file=sys.stderr, flush=True)


class Tenths:
    """Says how far a long job is, at every tenth: a function of the parts done and the parts in all."""

    def __init__(self, what: str, say: Callable[[str], None]) -> None:
        """Of the job ``what``, as in "Preparing recordings"."""
        self._what, self._say, self._tenth = what, say, 0

    def __call__(self, done: int, total: int) -> None:
        if done * 10 // total > self._tenth:
            self._tenth = done * 10 // total
            self._say(f"{self._what}: {done} of {total}.")


def credit(text: str) -> dict[str, str]:
    """For the card, what was learnt from: "NAME; SOURCE; LICENCE".

    Raises:
        UsageError: it has not these three parts.
    """
    parts = [part.strip() for part in text.split(";")]
    if len(parts) != 3 or not all(parts):
        raise UsageError(f"--credit takes 'NAME; SOURCE; LICENCE', not {text!r}.")
    return {"name": parts[0], "source": parts[1], "licence": parts[2], "used_for": "training, dev measures"}


def export(checkpoint: Path, output: Path) -> int:
    """Make the file of a checkpoint, in the first process, and return the exit status."""
    from linnet.cli import main

    # Export is another package, which builds on this one: it is reached as the user would reach it.
    return main(["export", str(checkpoint), "-o", str(output)]) if _first() else 0


def _first() -> bool:
    return int(os.environ.get("RANK", "0")) == 0
