"""What `linnet train` does before and after training, whatever the task."""

import argparse
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from linnet.cli.progress import Progress, watched
from linnet.cli.terminal import redraws
from linnet.errors import OutputError, UsageError
from linnet_training.processes import is_first

NOT_STATED = "not stated"
"""In a card, what nobody has said."""

_Item = TypeVar("_Item")


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
    add_origin(parser)


def add_origin(parser: argparse.ArgumentParser) -> None:
    """Add the options that say in the card whose file it is; `linnet export` has the same."""
    add = parser.add_argument
    add(
        "--name", type=_text, default="", help="name in the card (default: the keywords, or that of the file)"
    )
    author = f"who made it, for the card (default: {NOT_STATED})"
    add("--author", type=_text, default=NOT_STATED, help=author)
    # Nobody but the author can say it, and what was learnt from may forbid most of them.
    licence = f"licence of the file, for the card (default: {NOT_STATED})"
    add("--licence", type=_text, default=NOT_STATED, help=licence)


def add_credit(parser: argparse.ArgumentParser) -> None:
    """Add the option whose values `credits` reads."""
    parser.add_argument(
        "--credit",
        type=_text,
        action="append",
        default=[],
        metavar="'NAME; SOURCE; LICENCE'",
        help="what was learnt from, for the card; may be repeated",
    )


def _text(given: str) -> str:
    """For argparse: a card refuses what cannot be printed, and export comes after hours of training."""
    if not given.isprintable():
        raise argparse.ArgumentTypeError(f"must be printable text on one line, not {given!a}")
    return given


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
        raise UsageError(f"the output {output} must end in .onnx")
    make_folder(output.parent)
    if output.is_dir() or not os.access(output.parent, os.W_OK):
        raise OutputError(f"cannot write {output}; choose another name or place")


def make_folder(folder: Path) -> None:
    """Make a folder, unless it is there.

    Raises:
        OutputError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {folder}: {error.strerror}") from error


def say(message: str) -> None:
    """Tell the user, once where several processes train."""
    if is_first():
        print(message, file=sys.stderr, flush=True)


class Tenths:
    """Says how far a long job is: by a bar on a terminal, elsewhere by a line at every tenth.

    It is called with the parts done, and for the sake of callers with the parts in all; ``with`` takes the
    bar away.
    """

    def __init__(self, what: str, total: int, say: Callable[[str], None]) -> None:
        """Of the job ``what``, as in "Preparing recordings", which has ``total`` parts."""
        self._what, self._total, self._say = what, total, say
        self._tenth = 0
        self._bar = Progress(total) if is_first() and redraws(sys.stderr) else None
        self._named = False

    def __enter__(self) -> "Tenths":
        return self

    def __call__(self, done: int, _: int) -> None:
        if self._bar is not None:
            if not self._named:  # not before: all of it may have been done by an earlier try
                self._named = True
                self._say(f"{self._what}.")
            self._bar.reach(done)
        elif done * 10 // self._total > self._tenth:
            self._tenth = done * 10 // self._total
            self._say(f"{self._what}: {done} of {self._total}.")

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.clear()


def shown(items: Iterable[_Item], total: int | None = None) -> Iterable[_Item]:
    """The items, with a bar on a terminal, once where several processes go through them."""
    return watched(items, total) if is_first() else items


def credits(given: Sequence[str], otherwise: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """For the card, what was learnt from.

    Args:
        given: values of `--credit`: "NAME; SOURCE; LICENCE".
        otherwise: name and source of what is named where none are given; whose licence nobody has stated.

    Raises:
        UsageError: one of those given has not three parts.
    """
    stated = [_credit(text) for text in given]
    return stated or [_source(name, source, NOT_STATED) for name, source in otherwise]


def _credit(text: str) -> dict[str, str]:
    parts = [part.strip() for part in text.split(";")]
    if len(parts) != 3 or not all(parts):
        raise UsageError(f"--credit takes 'NAME; SOURCE; LICENCE', not {text!r}")
    return _source(*parts)


def _source(name: str, source: str, licence: str) -> dict[str, str]:
    return {"name": name, "source": source, "licence": licence, "used_for": "training, dev measures"}


def export(checkpoint: Path, args: argparse.Namespace) -> int:
    """Make the file of a checkpoint, in the first process, and return the exit status.

    Args:
        checkpoint: of the run.
        args: what `add_run` added.
    """
    from linnet.cli import main

    # Export is another package, which builds on this one: it is reached as the user would reach it.
    origin = [f"--{name}={getattr(args, name)}" for name in ("name", "author", "licence")]
    return main(["export", str(checkpoint), "-o", str(args.output), *origin]) if is_first() else 0
